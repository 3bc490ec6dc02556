"""A process of this package that works beside the one that asks: jobs out, answers back.

Each job and each answer is one pickle on its stdin and stdout. It holds nothing: when it dies, or
was never there, whoever asked does the work. When the one that asked is gone, its stdin ends and so
does it. A thread takes its answers, so that it never waits for who asked, and can be given the next
job before the answer to the last one is wanted.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

READY = "ready"
_PIPE = 1 << 20  # bytes; most of a job goes through in one go
_WAIT_S = 5.0
_ENDED = object()


class Helper:
    """One such process. It does one job after the other, and answers in that order."""

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
        assert self._process.stdout is not None  # noqa: S101
        self._answers: queue.Queue[Any] = queue.Queue()
        self._next: list[Any] = []  # the next answer, when somebody has asked whether it is there
        self._reader = threading.Thread(
            target=_read, args=(self._process.stdout, self._answers), name="helper", daemon=True
        )
        self._reader.start()
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
        """Tell whether an answer, or its end, is there."""
        with suppress(queue.Empty):
            if not self._next:
                self._next.append(self._answers.get(wait_s > 0, wait_s))
        return bool(self._next)

    def receive(self) -> Any:
        """Return its answer; the first one is READY. Raises: OSError when it is gone."""
        answer = self._next.pop() if self._next else self._answers.get()
        if answer is _ENDED:
            self._next.append(answer)
            raise BrokenPipeError("the helper process has ended")
        return answer

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._reader.join(_WAIT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_WAIT_S)


def _read(pipe: IO[bytes], answers: queue.Queue[Any]) -> None:
    with suppress(Exception):  # whatever ends it, who waits for an answer is told
        while True:
            answers.put(pickle.load(pipe))  # noqa: S301 - our own program
    answers.put(_ENDED)


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
