"""Bearer tokens that expire: renewed once however many threads notice, saved before use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from crm_hub.model.errors import AuthRefused
from crm_hub.observe import hide

_EARLY = timedelta(seconds=60)


@runtime_checkable
class TokenSource(Protocol):
    """Where a client gets its bearer token."""

    def get(self) -> str:
        """Return the token to use now. Raises: AuthRefused, Unavailable."""

    def refresh(self, stale: str) -> str:
        """Return a token other than `stale`, which was answered with 401.

        Raises: AuthRefused when the grant was revoked; Unavailable.
        """


@dataclass(frozen=True, slots=True)
class Grant:
    """An OAuth grant as the token endpoint gave it; expires_at is aware, None when unknown."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: datetime | None = None


class GrantStore(Protocol):
    """Where a connector keeps the grant that it renews; the hub seals it."""

    def load(self) -> Grant | None:
        """Return the grant that was saved last, None when none was."""

    def save(self, grant: Grant) -> None:
        """Store a grant durably, before anything uses it."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RenewedGrant:
    """A TokenSource over a grant that is renewed when it expires or is refused.

    renew: asks the token endpoint; raises AuthRefused when the grant was revoked.
    save: stores the new grant durably; it runs before the new token is used anywhere, because
        a rotated refresh token that is lost locks the account out.
    """

    def __init__(
        self,
        grant: Grant,
        renew: Callable[[Grant], Grant],
        save: Callable[[Grant], None],
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._lock = threading.Lock()
        self._grant = grant
        self._renew = renew
        self._save = save
        self._now = now
        self._revoked: str | None = None
        self._unsaved: Grant | None = None
        hide([grant.access_token, grant.refresh_token])

    def get(self) -> str:
        grant = self._grant
        if not grant.access_token:  # a connection that was just made has a refresh token alone
            return self.refresh("")
        if grant.expires_at is not None and grant.expires_at - _EARLY <= self._now():
            return self.refresh(grant.access_token)
        return grant.access_token

    def refresh(self, stale: str) -> str:
        with self._lock:
            if self._revoked is not None:
                raise AuthRefused(self._revoked, remedy="Connect the account again.")
            if self._grant.access_token == stale:
                self._replace()
            return self._grant.access_token

    def _replace(self) -> None:
        if self._unsaved is None:
            try:
                self._unsaved = self._renew(self._grant)
            except AuthRefused as refused:
                # The grant will not come back by itself: never ask the endpoint again.
                self._revoked = refused.message
                raise
            hide([self._unsaved.access_token, self._unsaved.refresh_token])
        # When saving fails the new grant is kept here, and saved by the next call.
        self._save(self._unsaved)
        self._grant, self._unsaved = self._unsaved, None
