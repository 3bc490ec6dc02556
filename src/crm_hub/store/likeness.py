"""What finds and judges records that are alike: names, questions, what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, func, or_, select

from crm_hub.store.db import Db
from crm_hub.store.match_keys import Mark, MatchKeys
from crm_hub.store.schema import liked, population, review
from crm_hub.store.sql import among

_QUESTIONS = {
    name: select(review).where(or_(among(name, review.c.a_record), among(name, review.c.b_record)))
    for name in ("sqlite", "postgresql")
}
_MEASURED = select(population.c.doc).where(population.c.entity == bindparam("entity"))
_MEASURED_AT = select(population.c.at_us, population.c.kept).where(
    population.c.entity == bindparam("entity")
)
_PAIRS = {
    name: select(liked).where(or_(among(name, liked.c.a_record), among(name, liked.c.b_record)))
    for name in ("sqlite", "postgresql")
}


class LikedRow(NamedTuple):
    """Two records that likeness makes one. millibits: the weight, in thousandths of a bit."""

    a_record: int
    b_record: int
    millibits: int


class ReviewRow(NamedTuple):
    """A pair that somebody is asked about. doc: why, and the waterfall, parsed JSON.

    millibits: the weight, in thousandths of a bit.
    """

    id: int
    a_record: int
    b_record: int
    millibits: int
    doc: dict[str, Any]
    at_us: int


class Likeness:
    """Everything that joining by likeness keeps."""

    def __init__(self, db: Db) -> None:
        self._db = db

    @property
    def place(self) -> str:
        """What tells this database from others."""
        return self._db.url

    # names --------------------------------------------------------------------------------

    def named(self, keys: Iterable[str]) -> list[tuple[str, int, Mark]]:
        """Return (key, record, mark) for the records of these names, or of what is near."""
        return MatchKeys(self._db).marks(keys)

    def holders(self, keys: Iterable[str]) -> list[tuple[str, int]]:
        """Return (key, record) for every record that holds one of `keys`."""
        return MatchKeys(self._db).holders(keys)

    def count_holders(self, keys: Iterable[str]) -> dict[str, int]:
        """Return how many records hold each of `keys`."""
        return Counter(key for key, _ in self.holders(keys))

    # questions ----------------------------------------------------------------------------

    def questions_of(self, record_ids: Iterable[int]) -> list[ReviewRow]:
        """Return the questions about any of these records."""
        if not self._db.holds_any(review):
            return []
        listed = list(record_ids)
        if not listed:
            return []
        given = {"among": self._db.listed(listed)}
        return sorted(map(_question, self._db.ask(_QUESTIONS[self._db.name], given)))

    def questions(self, limit: int = 1_000_000) -> list[ReviewRow]:
        """Return the open questions, the likeliest first."""
        r = review.c
        stmt = select(review).order_by(r.bits.desc(), r.a_record, r.b_record).limit(limit)
        return [_question(row) for row in self._db.conn.execute(stmt)]

    def question(self, number: int) -> ReviewRow | None:
        """Return one open question."""
        row = self._db.conn.execute(select(review).where(review.c.id == number)).first()
        return None if row is None else _question(row)

    def count_questions(self) -> int:
        """Return how many questions are open."""
        return int(self._db.conn.execute(select(func.count()).select_from(review)).scalar() or 0)

    def ask(self, rows: Sequence[ReviewRow]) -> None:
        """Store new questions; their numbers are given out here."""
        if rows:
            first = self._db.take_ids("review", len(rows))
            self._db.insert(
                review,
                [
                    (first + i, *row[1:4], orjson.dumps(row.doc).decode(), row.at_us)
                    for i, row in enumerate(rows)
                ],
            )

    def drop_questions(self, numbers: Iterable[int]) -> None:
        """Forget questions that are answered or no longer arise."""
        self._db.delete_in(review, review.c.id, numbers)

    # pairs that are one ---------------------------------------------------------------------

    def pairs_of(self, record_ids: Iterable[int]) -> list[LikedRow]:
        """Return the kept pairs of any of these records."""
        listed = list(record_ids)
        if not listed or not self._db.holds_any(liked):
            return []
        given = {"among": self._db.listed(listed)}
        return list(map(LikedRow._make, self._db.ask(_PAIRS[self._db.name], given)))

    def swap_pairs(self, stale: Iterable[LikedRow], fresh: Sequence[LikedRow]) -> None:
        """Forget pairs, and keep others."""
        self._db.delete(liked, [row[:2] for row in stale])
        self._db.insert(liked, fresh)

    # what was measured ----------------------------------------------------------------------

    def holds_measured(self) -> bool:
        """Whether anything was ever measured."""
        return self._db.holds_any(population)

    def measured_at(self, entity: str) -> tuple[int, str]:
        """Return when the records of an entity were last measured, 0 for never, and the mark of
        the rules by which all pairs that are one are kept; "" where some may be missing."""
        given = {"entity": entity}
        rows = self._db.ask(_MEASURED_AT, given) if self._db.holds_any(population) else ()
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, "")

    def measured(self, entity: str) -> dict[str, Any]:
        """Return what was measured of all records of an entity, {} when nothing was."""
        rows = self._db.ask(_MEASURED, {"entity": entity}) if self._db.holds_any(population) else ()
        return dict(orjson.loads(rows[0][0])) if rows else {}

    def keep_measured(self, entity: str, at_us: int, doc: dict[str, Any], kept: str = "") -> None:
        """Store what was measured of all records of an entity. kept: as `measured_at` gives it."""
        self._db.upsert(population, [(entity, at_us, orjson.dumps(doc).decode(), kept)])

    def doubt_pairs(self, entity: str) -> None:
        """Note that pairs may be missing from now on; the next rebuild finds them."""
        self._db.update(population, ("kept",), [("", entity)])


def _question(row: Any) -> ReviewRow:
    return ReviewRow._make((*row[:4], orjson.loads(row[4]), *row[5:]))
