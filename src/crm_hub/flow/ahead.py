"""Prepares the page that comes in a process of its own, while this one stores those before it.

Mapping is pure and the dearest step of a long read. The helper is started once a read has become
long, and gets the next page before the last one is taken back, so that it never waits: when it
dies, or was never there, a page is hashed and mapped where it is stored. docs/adr/0018,
docs/adr/0025, docs/adr/0038.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from itertools import chain
from types import TracebackType
from typing import Any, cast

import orjson

from crm_hub.flow.helper import READY, Helper, cores
from crm_hub.flow.mapping_process import TOGETHER, Answer, Job, unpacked
from crm_hub.landing import Ready
from crm_hub.mapping import SectionPlan
from crm_hub.model.records import Change, Payload
from crm_hub.model.rules import IdentityRules
from crm_hub.model.values import to_us
from crm_hub.observe import logger

_log = logger("flow")
LONG = 4_000
"""So many new records make a read long: for fewer, starting a process costs more than it saves."""
_ONE = threading.BoundedSemaphore()  # beside several lanes, helpers would only take turns
_PROGRAM = "crm_hub.flow.mapping_process"
_START_S = 0.0  # how long a page waits for a helper that is coming up; tests let it wait


class Ahead:
    """The helper of one read of one stream; use as a context manager."""

    def __init__(self, section: SectionPlan, rules: IdentityRules | None) -> None:
        """rules: None for a hub in which mapping is not pure, because it writes back."""
        self._section = section
        self._rules = rules
        self._new = 0
        self._helper: Helper | None = None
        self._ready = False
        self._given: deque[tuple[list[Change], list[Job]]] = deque()
        self._may_start = rules is not None and cores() > 1

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def is_long(self) -> bool:
        """Whether the read has brought so much that there is a helper, or would be on two cores."""
        return self._new >= LONG

    def saw(self, news: int) -> None:
        """Take notice of how many new records landed; start the helper when it has become much."""
        self._new += news
        if self._may_start and self._new >= LONG:
            self._may_start = False
            self._start()

    def offer(self, changes: Sequence[Change]) -> bool:
        """Let the helper prepare these changes; tell whether it does. What is first is taken first.

        Their payloads are empty until they are taken back: as JSON they need a fifth of the memory.
        What JSON cannot say in one go is left to whoever stores it.
        """
        there = [one for one in changes if one.payload is not None]
        if not there or not self._is_ready():
            return False
        try:
            jobs = [
                _job(there[start : start + TOGETHER]) for start in range(0, len(there), TOGETHER)
            ]
        except (TypeError, ValueError):
            return False
        if not all(map(self._send, jobs)):
            return False
        self._given.append((there, jobs))
        for one in there:
            cast(Payload, one.payload).clear()
        return True

    def take(self) -> dict[int, Ready]:
        """Return what the helper made of what it was offered first, by the id() of the change.

        The payload of a change that it could make nothing of is there again.
        """
        there, jobs = self._given.popleft()
        answer: Answer = []
        for job in jobs:
            sent = self._receive()
            answer += [None] * len(job[1]) if sent is None else unpacked(sent)
        if not all(found and found[3] for found in answer):
            payloads = chain.from_iterable(orjson.loads(raw) for raw, _ in jobs)
            for change, found, payload in zip(there, answer, payloads, strict=True):
                if not found or not found[3]:
                    cast(Payload, change.payload).update(payload)
        numbers = map(id, there)
        return {n: found for n, found in zip(numbers, answer, strict=True) if found is not None}

    def _start(self) -> None:
        if not _ONE.acquire(blocking=False):
            return
        try:
            self._helper = Helper(_PROGRAM, (self._section, self._rules))
        except OSError as error:
            _ONE.release()
            _log.warning("no process to map in: %s", error.strerror)

    def _is_ready(self) -> bool:
        """Tell whether the helper can be given work; it takes a moment to come up."""
        if self._helper is not None and not self._ready and self._helper.has_answered(_START_S):
            self._ready = self._receive() == READY
        return self._ready

    def _send(self, job: Any) -> bool:
        assert self._helper is not None  # noqa: S101
        try:
            self._helper.send(job)
        except OSError:
            self._lost()
            return False
        return True

    def _receive(self) -> Any:
        if self._helper is None:
            return None
        try:
            return self._helper.receive()
        except OSError:
            self._lost()
            return None

    def _lost(self) -> None:
        _log.warning("the process that maps records has ended; going on without it")
        self._stop()

    def _stop(self) -> None:
        helper, self._helper = self._helper, None
        self._ready = False
        if helper is not None:
            _ONE.release()
            helper.stop()


def _job(changes: Sequence[Change]) -> Job:
    times = [None if one.changed_at is None else to_us(one.changed_at) for one in changes]
    return orjson.dumps([one.payload for one in changes]), times
