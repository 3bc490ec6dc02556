"""What people ruled about the records of a batch: part of step 4.

A hub in which nobody ruled anything pays one question a batch.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from crm_hub.resolve import Ruling
from crm_hub.store import Db, Rulings


class Ruled:
    """The standing rulings about records in memory, read as the records come into it."""

    def __init__(self, db: Db) -> None:
        self._repo = Rulings(db)
        self._any = self._repo.any()
        self._known: dict[int, Ruling] = {}
        self._of: dict[int, list[Ruling]] = {}
        self._asked: set[int] = set()

    def partners(self, record_ids: Iterable[int]) -> set[int]:
        """Read the rulings about these records; return the further records that they tie in."""
        if not self._any:
            return set()
        self._asked.update(record_ids)
        found: set[int] = set()
        for row in self._repo.of(record_ids):
            one = Ruling(row.id, row.kind == "same", *row.sides)
            if one.number not in self._known:
                self._known[one.number] = one
                for record in one.records:
                    self._of.setdefault(record, []).append(one)
            if one.same:
                found.update(one.records)
        return found - self._asked

    def together(self, present: Container[int]) -> list[list[int]]:
        """Return the records that each ruling makes one, of those present."""
        if not self._known:
            return []
        made = (one for one in self._known.values() if one.same)
        ties = ([r for r in one.records if r in present] for one in made)
        return [tie for tie in ties if len(tie) > 1]

    def on(self, record_ids: Iterable[int]) -> list[Ruling]:
        """Return the rulings about these records."""
        if not self._known:
            return []
        return list({one.number: one for r in record_ids for one in self._of.get(r, ())}.values())
