"""A process of this package that works beside the one that asks: jobs out, answers back.

Each job and each answer is one pickle on its stdin and stdout. It holds nothing: when it dies, or
was never there, whoever asked does the work. When the one that asked is gone, its stdin ends and so
does it.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

READY = "ready"
_PIPE = 1 << 20  # bytes; a job goes through in one go, and neither side waits for the other's turn
_WAIT_S = 5.0


class Helper:
    """One such process. It has one job at a time."""

    def __init__(self, module: str, opening: Any) -> None:
        """Start it. module: its program; it calls `serve`. opening: what it needs for every job.

        Raises: OSError when no process can be started.
        """
        # -P: nothing is imported from the folder somebody happens to stand in.
        command = [sys.executable, "-P", "-m", module]
        self._process = subprocess.Popen(  # noqa: S603 - this Python, this package
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pipesize=_PIPE
        )
        self.pid = self._process.pid
        try:
            self.send(opening)
        except OSError:
            self.stop()
            raise

    def send(self, job: Any) -> None:
        """Give it a job. Raises: OSError when it is gone."""
        assert self._process.stdin is not None  # noqa: S101
        pickle.dump(job, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()

    def has_answered(self, wait_s: float = 0.0) -> bool:
        """Tell whether an answer, or its end, can be read."""
        assert self._process.stdout is not None  # noqa: S101
        return bool(select.select([self._process.stdout], [], [], wait_s)[0])

    def receive(self) -> Any:
        """Return its answer; the first one is READY. Raises: OSError when it is gone."""
        assert self._process.stdout is not None  # noqa: S101
        try:
            return pickle.load(self._process.stdout)  # noqa: S301 - our own program
        except (EOFError, pickle.UnpicklingError) as error:
            raise BrokenPipeError("the helper process has ended") from error

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_WAIT_S)


def serve(opened: Callable[[Any], Callable[[Any], Any]]) -> None:
    """Be such a process until stdin ends. opened: of what came first makes what answers a job."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # sent to all at once; whoever asked decides
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # no stray print gets in between
    try:
        answer_of = opened(pickle.load(jobs))  # noqa: S301 - from the process that started this one
        answer: Any = READY
        while True:
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
            answer = None  # the next one needs its room
            answer = answer_of(pickle.load(jobs))  # noqa: S301
    except (EOFError, BrokenPipeError):
        return


def cores() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
