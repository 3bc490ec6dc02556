"""Conflicts: two values of which one had to give way, or none has yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import func, select, update

from crm_hub.store.db import Db
from crm_hub.store.schema import conflict


class ConflictRow(NamedTuple):
    """Two values of which one had to give way (decided), or none has yet (open).

    doc: {"kept": value, "lost": value, "kept_record", "lost_record", "why"}.
    """

    id: int
    identity_id: int
    field: str
    state: str
    doc: dict[str, Any]
    run_id: int
    at_us: int


class Conflicts:
    """The conflicts of a hub; a part of Outbox."""

    _db: Db

    # conflicts ----------------------------------------------------------------------------

    def conflicts(self, state: str | None = None) -> list[ConflictRow]:
        """Return conflicts, oldest first."""
        stmt = select(conflict).order_by(conflict.c.id)
        if state is not None:
            stmt = stmt.where(conflict.c.state == state)
        return [_conflict(row) for row in self._db.conn.execute(stmt)]

    def conflict(self, number: int) -> ConflictRow | None:
        """Return one conflict."""
        row = self._db.conn.execute(select(conflict).where(conflict.c.id == number)).first()
        return None if row is None else _conflict(row)

    def conflicts_of(
        self, identity_ids: Iterable[int], state: str | None = None
    ) -> list[ConflictRow]:
        """Return the conflicts of these identities, oldest first."""
        stmt = select(conflict).order_by(conflict.c.id)
        if state is not None:
            stmt = stmt.where(conflict.c.state == state)
        rows = self._db.rows_in(stmt, conflict.c.identity_id, identity_ids)
        return [_conflict(row) for row in rows]

    def open_count(self) -> int:
        """Return how many conflicts are open."""
        stmt = select(func.count()).select_from(conflict).where(conflict.c.state == "open")
        return self._db.conn.execute(stmt).scalar_one()

    def add_conflicts(self, rows: Sequence[ConflictRow]) -> None:
        """Store new conflicts; their numbers are given out here."""
        if not rows:
            return
        first = self._db.take_ids("conflict", len(rows))
        self._db.insert(conflict, [_out(r._replace(id=first + i)) for i, r in enumerate(rows)])

    def save_conflicts(self, rows: Sequence[ConflictRow]) -> None:
        """Store what open conflicts are about by now."""
        self._db.upsert(conflict, [_out(row) for row in rows])

    def close_conflicts(self, numbers: Iterable[int], state: str) -> None:
        """Set the state of conflicts: decided or resolved."""
        listed = list(numbers)
        if listed:
            stmt = update(conflict).values(state=state).where(self._db.among(conflict.c.id))
            self._db.conn.execute(stmt, {"among": self._db.listed(listed)})


def _conflict(row: Any) -> ConflictRow:
    return ConflictRow(*row)._replace(doc=orjson.loads(row.doc))


def _out(row: ConflictRow) -> tuple[Any, ...]:
    return (*row[:4], orjson.dumps(row.doc).decode(), *row[5:])
