"""Which records a pull has shown, so that a sweep knows which are gone."""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub.flow.land import Page as LandedPage
from crm_hub.model.records import Page, Reject


class Snapshot:
    """The records a pull has shown so far: one bit each, so that a million cost 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._distinct = 0
        self._pulled = 0
        self._all_live = True
        self.rejected: set[str] = set()
        self.shared: set[str] = set()
        """Keys under which different records were shown; the last of each counts."""

    def saw(self, landed: LandedPage, page: Page, rejects: Sequence[Reject]) -> None:
        self._pulled += len(page.changes) - len(landed.result.rejects)
        self.rejected.update(r.id or r.place for r in rejects)
        found = landed.result
        if found.stale or any(one.payload is None for one in page.changes):
            self._all_live = False
        self.shared.update(found.shared)
        self.shared.update(
            one.key for one in found.changed if one.id is not None and self.holds(one.id)
        )
        self._set(found.seen_ids)

    def _set(self, numbers: Sequence[int]) -> None:
        bits, last = self._bits, max(numbers, default=0) >> 3
        if last >= len(bits):
            bits.extend(bytes(last + 1024 - len(bits)))
        for number in numbers:
            place, bit = number >> 3, 1 << (number & 7)
            if not bits[place] & bit:
                bits[place] |= bit
                self._distinct += 1

    def holds_all(self, live: int) -> bool:
        """Whether a stream's `live` records are certainly those that were shown: none is gone.

        Each record shown is live then, and as many were shown as there are.
        """
        return self._all_live and self._distinct == live

    def holds(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] & 1 << (number & 7))

    @property
    def repeats(self) -> int:
        return self._pulled - self._distinct
