"""What the records of a hub say, kept while a rebuild goes on: made once, and asked for often.

It lies in a file without a name, which is gone with the process: half a kilobyte a record. Where
there is no room for it, what records say is made anew each time.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO

from xxhash import xxh3_64_intdigest

from crm_hub.observe import logger
from crm_hub.resolve.profile import Profile, packed, unpacked

_log = logger("flow")
_TOGETHER = 1 << 20  # bytes that are written in one go


class EvidenceFile:
    """Profiles by the number of their record; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        """folder: on whose disk the file is to lie."""
        self._folder = folder
        self._starts, self._sizes = array("Q"), array("I")
        self._digests, self._names = array("Q"), array("Q")
        self._file: IO[bytes] | None = None
        self._written, self._waiting = 0, bytearray()
        self._has_room = True

    def __enter__(self) -> EvidenceFile:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._close()

    def add(self, number: int, values: str, one: Profile) -> None:
        """Keep what a record says. values: its values as they are stored."""
        if not self._has_room:
            return
        if (missing := number + 1 - len(self._starts)) > 0:
            for column in (self._starts, self._sizes, self._digests, self._names):
                column.extend([0] * missing)
        data = packed([one])
        self._starts[number] = self._written + len(self._waiting)
        self._sizes[number], self._digests[number] = len(data), _digest(values)
        self._names[number] = _digest(f"{one.family} {one.given}")
        self._waiting += data
        if len(self._waiting) >= _TOGETHER:
            self._write()

    def by_name(self, numbers: Sequence[int]) -> list[int]:
        """Return records so that those of one name stand together, in an order that they tell."""
        names = self._names
        return sorted(numbers, key=lambda n: (names[n] if n < len(names) else 0, n))

    def of(self, number: int, values: str) -> Profile | None:
        """Return what a record says, a copy of one's own; None where it was not kept, or where the
        record has other values by now."""
        if number >= len(self._sizes) or not self._sizes[number]:
            return None
        if self._digests[number] != _digest(values):
            return None
        if self._waiting:
            self._write()
        if self._file is None:
            return None
        data = os.pread(self._file.fileno(), self._sizes[number], self._starts[number])
        return unpacked(data)[0]

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - as long as this
            while self._waiting:
                done = self._file.write(self._waiting)
                del self._waiting[:done]
                self._written += done
        except OSError as error:
            _log.warning("a rebuild takes longer: no room for evidence: %s", error.strerror)
            self._has_room = False
            self._close()

    def _close(self) -> None:
        self._waiting.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


def _digest(text: str) -> int:
    return xxh3_64_intdigest(text.encode())
