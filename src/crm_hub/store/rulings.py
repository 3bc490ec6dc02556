"""What people decided about source records, and who, when and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select

from crm_hub.store.db import Db
from crm_hub.store.schema import ruling, ruling_record, source_record, stream

_RULED = select(ruling_record.c.ruling_id)
_SIDES = select(ruling_record)
_RULINGS = select(ruling)
STANDING, WITHDRAWN = "standing", "withdrawn"


class RulingRow(NamedTuple):
    """One ruling. kind: same or different. sides: the records of either side.

    doc, parsed JSON: for `same`, the identity links of before, by which an undo restores ids; for
    `different`, since when both sides were one by a ruling that it takes back (since_us, else 0).
    """

    id: int
    kind: str
    state: str
    at_us: int
    who: str
    reason: str
    doc: dict[str, Any]
    sides: tuple[tuple[int, ...], tuple[int, ...]]


class Rulings:
    """Everything that people decided about who is who."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, row: RulingRow) -> RulingRow:
        """Store a new ruling; its number is given out here."""
        row = row._replace(id=self._db.take_ids("ruling", 1))
        self._db.insert(ruling, [(*row[:6], orjson.dumps(row.doc).decode())])
        records = [(row.id, r, side) for side, found in enumerate(row.sides) for r in found]
        self._db.insert(ruling_record, records)
        return row

    def keep(self, number: int, doc: dict[str, Any]) -> None:
        """Store what an undo of a ruling needs."""
        self._db.update(ruling, ("doc",), [(orjson.dumps(doc).decode(), number)])

    def withdraw(self, numbers: Iterable[int]) -> None:
        """Let rulings no longer stand; they stay readable."""
        self._db.update(ruling, ("state",), [(WITHDRAWN, number) for number in numbers])

    def any(self) -> bool:
        """Whether anybody ever decided anything; most hubs ask nothing further."""
        return self._db.holds_any(ruling)

    def of(self, record_ids: Iterable[int]) -> list[RulingRow]:
        """Return the standing rulings that name one of these records, the oldest first."""
        rows = self._db.ask_in(_RULED, ruling_record.c.record_id, record_ids)
        numbers = {row[0] for row in rows}
        return [row for row in self.rows(numbers) if row.state == STANDING]

    def rows(self, numbers: Iterable[int]) -> list[RulingRow]:
        """Return rulings by number, the oldest first."""
        listed = list(numbers)
        sides: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        t = ruling_record.c
        for number, record, side in sorted(self._db.ask_in(_SIDES, t.ruling_id, listed)):
            sides[number][side].append(record)
        found = self._db.ask_in(_RULINGS, ruling.c.id, listed)
        made = [
            RulingRow._make((*row[:6], orjson.loads(row[6]), _fixed(sides[row[0]])))
            for row in found
        ]
        return sorted(made, key=lambda one: one.id)

    def all(self) -> list[RulingRow]:
        """Return every ruling, withdrawn ones too, the oldest first."""
        return self.rows(self._db.conn.execute(select(ruling.c.id)).scalars())

    def record(self, connection: str, stream_name: str, key: str) -> int | None:
        """Return the number of a source record by its key, None when it never came."""
        r = source_record.c
        stmt = (
            select(r.id)
            .join(stream, stream.c.id == r.stream_id)
            .where(stream.c.connection == connection, stream.c.name == stream_name, r.key == key)
        )
        found = self._db.conn.execute(stmt).scalar()
        return None if found is None else int(found)

    def names(self, record_ids: Iterable[int]) -> dict[int, str]:
        """Return record → its source key as text."""
        r = source_record.c
        stmt = select(r.id, stream.c.connection, stream.c.name, r.key).join(
            stream, stream.c.id == r.stream_id
        )
        rows = self._db.rows_in(stmt, r.id, record_ids)
        return {row[0]: f"{row[1]}/{row[2]}#{row[3]}" for row in rows}


def _fixed(sides: tuple[list[int], list[int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(sides[0]), tuple(sides[1])
