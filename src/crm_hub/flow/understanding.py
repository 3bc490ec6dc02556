"""What each contact of a table says: its profile. With many, a second process makes half of them.

A profile hangs on its contact alone, so that it does not matter where it is made. The second
process begins while the table is still read; a contact with a local number waits until the whole
table has been, since another row may tell the number's country.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable
from types import TracebackType

from crm_hub.flow.dedupe_rows import Numbers
from crm_hub.flow.helper import Helper, cores
from crm_hub.model.rules import IdentityRules
from crm_hub.observe import logger
from crm_hub.resolve.evidence import profile_of
from crm_hub.resolve.profile import Contact, Profile, thrifty, unpacked

Progress = Callable[[str, int, int], None]
Job = list[tuple[int, Contact]]
"""Contacts with their places in the table."""
MANY = 20_000
"""So many contacts are worth a process: it takes half a second to come up."""
_PROGRAM = "crm_hub.flow.understanding_process"
_JOB, _TURN = 2_000, 200
_log = logger("flow")


class Understanding:
    """Takes the contacts of a table and gives their profiles; use as a context manager."""

    def __init__(self, entity: str, rules: IdentityRules) -> None:
        self._entity, self._rules = entity, rules
        self._numbers = Numbers()
        self._ready: Job = []
        self._waiting: Job = []
        self._found: list[Profile | None] = []
        self._helper: Helper | None = None
        self._away: Job = []

    def __enter__(self) -> Understanding:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._stop()

    def take(self, contact: Contact) -> None:
        """Take the contact of the next row."""
        is_complete = self._numbers.add(contact)
        (self._ready if is_complete else self._waiting).append((len(self._found), contact))
        self._found.append(None)
        count = len(self._found)
        if count == MANY and cores() > 1:
            self._start()
        if not count % _TURN:
            self._hand_over()

    def profiles(self, progress: Progress) -> list[Profile]:
        """Return the profiles of all rows, in their order, once the last one was taken."""
        every = len(self._found)
        while self._waiting:
            at, contact = self._waiting.pop()
            self._ready.append((at, self._numbers.completed(contact)))
        while self._ready:
            self._hand_over()
            self._make(_some(self._ready, _TURN))
            progress("understanding", every - len(self._ready) - len(self._away), every)
        self._collect()
        progress("understanding", every, every)
        return [one for one in self._found if one is not None]

    def _make(self, job: Job) -> None:
        for at, contact in job:
            self._found[at] = thrifty(profile_of(contact, self._entity, self._rules))

    # the second process ------------------------------------------------------------------------

    def _start(self) -> None:
        try:
            self._helper = Helper(_PROGRAM, (self._entity, self._rules))
        except OSError as error:
            _log.warning("no second process to understand records in: %s", error.strerror)

    def _hand_over(self) -> None:
        """Give the second process a job, if it waits for one and there is enough to do."""
        if self._helper and len(self._ready) >= _JOB and self._helper.has_answered():
            self._collect()
            if self._helper:
                self._away = _some(self._ready, _JOB)
                try:
                    self._helper.send(marshal.dumps([tuple(one) for _, one in self._away]))
                except OSError:
                    self._lost()

    def _collect(self) -> None:
        """Take what it answered; the first time that it is there."""
        if not self._helper:
            return
        try:
            answer = self._helper.receive()
        except OSError:
            self._lost()
            return
        for (at, _), one in zip(self._away, unpacked(answer) if self._away else (), strict=True):
            self._found[at] = one
        self._away = []

    def _lost(self) -> None:
        _log.warning("the second process that understands records has ended; going on without it")
        self._stop()
        self._make(self._away)
        self._away = []

    def _stop(self) -> None:
        if self._helper:
            self._helper.stop()
            self._helper = None


def understand(contacts: Iterable[Contact], entity: str, rules: IdentityRules) -> list[Profile]:
    """Return the profiles of contacts that are all there."""
    with Understanding(entity, rules) as found:
        for contact in contacts:
            found.take(contact)
        return found.profiles(lambda _step, _done, _every: None)


def _some(contacts: Job, count: int) -> Job:
    """Take some away from the end of a list: each contact goes when it is understood, since a
    million of them are a gigabyte."""
    taken = contacts[-count:]
    del contacts[-count:]
    return taken
