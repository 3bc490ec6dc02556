"""Writes and commits in a thread, while the writer goes on with what needs no answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType

_USUAL_S = sys.getswitchinterval()
_SWITCH_S = 0.000_5  # the thread mostly waits for a server, and is to have its turn when it answers


class Behind:
    """One thing after the other; use as a context manager, which does not wait at its end."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._open: list[Future[None]] = []
        self._aside: ThreadPoolExecutor | None = None
        self._aside_open: Future[None] | None = None

    def __enter__(self) -> Behind:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if self._aside is not None:
            self._aside.shutdown()
        if self._thread is not None:
            self._thread.shutdown()
            sys.setswitchinterval(_USUAL_S)

    def start(self, work: Callable[[], None]) -> None:
        """Let the thread do `work`, after what it was given before."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "commit")
            sys.setswitchinterval(_SWITCH_S)
        self._open.append(self._thread.submit(work))

    def wait(self) -> None:
        """Return once the work that was started is done. Raises: what it raised first."""
        if self._open:
            given, self._open = self._open, []
            wait(given)
            for one in given:
                one.result()

    def rest(self) -> None:
        """Return once nothing of the work that was started goes on, whatever became of it."""
        given, self._open = self._open, []
        wait(given)

    @property
    def is_aside(self) -> bool:
        """Whether the other thread is still at work."""
        return self._aside_open is not None and not self._aside_open.done()

    def aside(self, work: Callable[[], None]) -> None:
        """Let another thread do `work`, which commits do not wait for; it may fail."""
        if self._aside is None:
            self._aside = ThreadPoolExecutor(1, "aside")
        self._aside_open = self._aside.submit(work)
