"""What the records of a hub say, kept while a rebuild goes on: made once, and asked for often.

It lies in a file without a name, which is gone with the process: half a kilobyte a record. Where
there is no room for it, what records say is made anew each time.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
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
    """Profiles by the number of their record; use as a context manager.

    Of numbers it has a list, since those of mails and orders lie between them.
    """

    def __init__(self, folder: Path) -> None:
        """folder: on whose disk the file is to lie."""
        self._folder = folder
        self._numbers, self._names = array("Q"), array("Q")
        self._starts, self._sizes, self._digests = array("Q"), array("I"), array("Q")
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
        """Keep what a record says; numbers rise. values: its values as they are stored."""
        if not self._has_room:
            return
        data = packed([one])
        self._numbers.append(number)
        self._names.append(_digest(f"{one.family} {one.given}"))
        self._starts.append(self._written + len(self._waiting))
        self._sizes.append(len(data))
        self._digests.append(_digest(values))
        self._waiting += data
        if len(self._waiting) >= _TOGETHER:
            self._write()

    def by_name(self, numbers: Sequence[int]) -> list[int]:
        """Return records so that those of one name stand together, in an order that they tell."""

        def name(number: int) -> int:
            at = self._at(number)
            return self._names[at] if at >= 0 else 0

        return sorted(sorted(numbers), key=name)

    def of(self, number: int, values: str) -> Profile | None:
        """Return what a record says, a copy of one's own; None where it was not kept, or where the
        record has other values by now."""
        at = self._at(number)
        if at < 0 or self._digests[at] != _digest(values):
            return None
        if self._waiting:
            self._write()
        if self._file is None:
            return None
        data = os.pread(self._file.fileno(), self._sizes[at], self._starts[at])
        return unpacked(data)[0]

    def _at(self, number: int) -> int:
        """Return the place of a record, -1 where nothing was kept of it."""
        at = bisect_left(self._numbers, number)
        return at if at < len(self._numbers) and self._numbers[at] == number else -1

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
