"""Maps what has landed in a process of its own, while this one stores what landed before.

Mapping is pure and the dearest step of a long read. The helper is started once a read has become
long, works at one page at a time, and holds nothing that is not in the store as well: when it
dies, or was never there, pages are mapped where they are stored. docs/adr/0018.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from crm_hub.flow.land import Page
from crm_hub.flow.mapping_process import READY, Made
from crm_hub.mapping import SectionPlan
from crm_hub.model.rules import IdentityRules
from crm_hub.observe import logger

_log = logger("flow")
LONG = 4_000
"""So many new records make a read long: for fewer, starting a process costs more than it saves."""
_ONE = threading.BoundedSemaphore()  # beside several lanes, helpers would only take turns
_WAIT_S = 5.0
_START_S = 0.0  # how long a page waits for a helper that is coming up; tests let it wait


class Ahead:
    """The helper of one read of one stream; use as a context manager."""

    def __init__(self, section: SectionPlan, rules: IdentityRules | None) -> None:
        """rules: None for a hub in which mapping is not pure, because it writes back."""
        self._section = section
        self._rules = rules
        self._new = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._busy_with = 0
        self._may_start = rules is not None and _cores() > 1

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._stop()

    def is_at(self, page: Page) -> bool:
        """Whether the helper works at this page, so that something else is better done first."""
        return self._busy_with == page.landing_id != 0

    def saw(self, page: Page) -> None:
        """Take notice of what landed; start the helper when it has become much."""
        self._new += len(page.result.new)
        if self._may_start and self._new >= LONG:
            self._may_start = False
            self._start()

    def offer(self, page: Page) -> None:
        """Let the helper map the new records of a page, unless it has something to do."""
        if self._busy_with or not page.landing_id or not page.result.new or not self._is_ready():
            return
        if self._send([(one.text, one.changed_at_us) for one in page.result.new]):
            self._busy_with = page.landing_id

    def take(self, page: Page) -> list[Made | None]:
        """Return what the helper made of a page's first records; nothing if it did not see it."""
        if not self.is_at(page):
            return []
        self._busy_with = 0
        found: list[Made | None] = self._receive() or []
        return found

    def _start(self) -> None:
        if not _ONE.acquire(blocking=False):
            return
        # -P: nothing is imported from the folder somebody happens to stand in.
        command = [sys.executable, "-P", "-m", "crm_hub.flow.mapping_process"]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, this package
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            _ONE.release()
            _log.warning("no process to map in: %s", error.strerror)
            return
        self._send((self._section, self._rules))

    def _is_ready(self) -> bool:
        """Tell whether the helper can be given work; it takes a moment to come up."""
        if self._process is None or self._process.stdout is None:
            return False
        if not self._ready and select.select([self._process.stdout], [], [], _START_S)[0]:
            self._ready = self._receive() == READY
        return self._ready

    def _send(self, job: Any) -> bool:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018
        try:
            pickle.dump(job, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except OSError:
            self._lost()
            return False
        return True

    def _receive(self) -> Any:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018
        try:
            return pickle.load(self._process.stdout)  # noqa: S301 - our own program
        except (OSError, EOFError, pickle.UnpicklingError):
            self._lost()
            return None

    def _lost(self) -> None:
        _log.warning("the process that maps records has ended; going on without it")
        self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        self._ready, self._busy_with = False, 0
        if process is None:
            return
        _ONE.release()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_WAIT_S)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
