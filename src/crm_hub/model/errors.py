"""The errors of the hub: three families, and each decides what the machinery does next.

    HubError
    ├── ConfigError        a person must change something; the connection pauses
    │   ├── AuthRefused        the far side refused the credential
    │   ├── MassDelete         the far side suddenly holds (almost) nothing
    │   ├── MassWrite          a run would create or delete more records than it may
    │   └── NotSupported       the connector does not offer this call
    ├── TransientError     it may work later; the engine waits and retries
    │   ├── Unavailable        host down, time-out, 5xx, a cut answer
    │   ├── Throttled          a quota was used up; `retry_after_s` says until when
    │   └── CheckpointExpired  the cursor is too old; the engine reads everything once more
    └── RecordError        this one record cannot go on; it becomes a dead letter

Anything else is a bug and travels up with its traceback.

A message answers: what happened, to which record of which connection, what was
done about it. `remedy` says what the reader can do. Neither ever carries a
secret, a body or an address.
"""

from __future__ import annotations


class HubError(Exception):
    """Base of everything the hub raises on purpose."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class ConfigError(HubError):
    """A person must change something before this can work."""


class AuthRefused(ConfigError):
    """The far side refused the credential (401, 403, a rejected log-in)."""


class MassDelete(ConfigError):
    """The far side lists so few records that deleting the rest is likely a mistake."""


class MassWrite(ConfigError):
    """A run would create or delete more records at the far side than it may."""


class NotSupported(ConfigError):
    """The connector does not offer this call; its Caps say so too."""


class TransientError(HubError):
    """It may work later. `retry_after_s` is the far side's own wish in seconds, where given."""

    def __init__(
        self, message: str, *, remedy: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class Unavailable(TransientError):
    """The host is down, did not answer in time, or gave half an answer."""


class Throttled(TransientError):
    """A quota is used up; the lane is parked for `retry_after_s` seconds."""


class CheckpointExpired(TransientError):
    """The checkpoint is no longer understood; the engine then reads everything and compares."""


class RecordError(HubError):
    """This one record cannot go on; it is set aside as a dead letter with reason and remedy."""


class HookRefused(HubError):
    """A webhook or form post is refused; `status` is the HTTP status of the answer."""

    def __init__(self, message: str, *, status: int = 401, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
