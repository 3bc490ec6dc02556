"""What a running sync shows on stderr: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crm_hub.cli import output

if TYPE_CHECKING:
    from rich.status import Status

_EVERY_S = 2.0


class _Line:
    """A live line on a terminal, a plain line every two seconds elsewhere; a context manager."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._last_s = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("Reading …")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def _say(self, text: str) -> None:
        text = output.plain(text)
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(text))
        elif time.monotonic() - self._last_s >= _EVERY_S:
            self._last_s = time.monotonic()
            output.say(text, err=True)


class Shown(_Line):
    """A `flow` progress callback of a sync that a person sees; a context manager."""

    def __call__(self, connection: str, stream: str, counts: Counter[str]) -> None:
        """Show how far a stream is."""
        done = counts["walked"] or counts["pulled"]
        self._say(f"{connection}: {stream}: {done:,} records, {counts['events']:,} events")


class Steps(_Line):
    """A `flow` progress callback of work in steps that a person sees; a context manager."""

    def __call__(self, step: str, done: int, of: int) -> None:
        """Show how far a step is; of: 0 where nobody knows yet."""
        self._say(f"{step}: {done:,} of {of:,} records" if of else f"{step}: {done:,} records")
