"""What each contact of a table says: its profile. With many, a second process makes half of them.

A profile hangs on its contact alone, so that it does not matter where it is made.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from types import TracebackType

from crm_hub.flow.helper import Helper, cores
from crm_hub.flow.understanding_process import MAKERS
from crm_hub.model.rules import IdentityRules
from crm_hub.observe import logger
from crm_hub.resolve.profile import Contact, Profile, unpacked

Progress = Callable[[str, int, int], None]
MANY = 20_000
"""So many contacts are worth a process: it takes half a second to come up."""
_PROGRAM = "crm_hub.flow.understanding_process"
_JOB, _TURN = 2_000, 200
_log = logger("flow")


def understand(
    contacts: list[Contact], entity: str, rules: IdentityRules, progress: Progress
) -> list[Profile]:
    """Return the profiles of contacts, in their order.

    `contacts` is empty then: each goes when it is understood, since a million are a gigabyte.
    """
    every = len(contacts)
    contacts.reverse()
    parts: list[list[Profile]] = []
    with _Beside(entity, rules, many=every >= MANY) as beside:
        while contacts:
            parts.append([])
            if beside.is_free():
                beside.take(_next(contacts, _JOB), parts[-1])
            else:
                parts[-1] += [MAKERS[entity](one, rules) for one in _next(contacts, _TURN)]
            progress("understanding", every - len(contacts), every)
    return [one for part in parts for one in part]


def _next(contacts: list[Contact], count: int) -> list[Contact]:
    """Take the next ones from a list that is turned round."""
    taken = contacts[: -count - 1 : -1]
    del contacts[-count:]
    return taken


class _Beside:
    """The second process, one job behind; use as a context manager. What it does not do is done
    here: when it died, or on one core."""

    def __init__(self, entity: str, rules: IdentityRules, *, many: bool) -> None:
        self._entity, self._rules = entity, rules
        self._job: list[Contact] = []
        self._part: list[Profile] = []
        self._helper: Helper | None = None
        if many and cores() > 1:
            try:
                self._helper = Helper(_PROGRAM, (entity, rules))
            except OSError as error:
                _log.warning("no second process to understand records in: %s", error.strerror)

    def __enter__(self) -> _Beside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if kind is None and self._job:
            self._collect()
        self._stop()

    def is_free(self) -> bool:
        """Tell whether it waits for a job, or its end was noticed."""
        return self._helper is not None and self._helper.has_answered()

    def take(self, job: list[Contact], part: list[Profile]) -> None:
        """Understand contacts some time, and put their profiles into `part`."""
        self._collect()
        self._job, self._part = job, part
        if self._helper:
            try:
                self._helper.send(marshal.dumps([tuple(one) for one in job]))
            except OSError:
                self._lost()
        if not self._helper:
            self._here()

    def _collect(self) -> None:
        """Put what it answered where it belongs; its first answer says that it is there."""
        if self._helper:
            try:
                answer = self._helper.receive()
            except OSError:
                self._lost()
            else:
                self._part += unpacked(answer) if self._job else []
                self._job = []
        if self._job:
            self._here()

    def _here(self) -> None:
        self._part += [MAKERS[self._entity](one, self._rules) for one in self._job]
        self._job = []

    def _lost(self) -> None:
        _log.warning("the second process that understands records has ended; going on without it")
        self._stop()

    def _stop(self) -> None:
        if self._helper:
            self._helper.stop()
            self._helper = None
