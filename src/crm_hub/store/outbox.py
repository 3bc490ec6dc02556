"""Two-way sync: bases of records, writes and what became of them, conflicts, approved routes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, func, select

from crm_hub.store.bases import Bases, Sent
from crm_hub.store.conflicts import ConflictRow, Conflicts
from crm_hub.store.db import Db
from crm_hub.store.schema import identity, outbox, route

__all__ = ["OPEN", "ConflictRow", "Outbox", "OutboxFigures", "RouteRow", "Sent", "WriteRow"]

OPEN = ("due", "sent", "unknown", "dead")
"""States of a write that is not over; a lane has at most one such write."""


class WriteRow(NamedTuple):
    """One write. doc: {"fields": {field: {...}}, "name": who}, parsed JSON.

    lane: `r:<record>`, or `i:<identity>:<stream>` for a record to be created. kind: create,
    update, delete, archive or restore. run_id: the run that settled it.
    """

    id: int
    connection: str
    stream: str
    lane: str
    identity_id: int
    record_id: int | None
    kind: str
    doc: dict[str, Any]
    key: str
    state: str
    tries: int
    due_at_us: int
    made_at_us: int
    settled_at_us: int | None
    run_id: int | None
    reason: str


class RouteRow(NamedTuple):
    """A stream that the hub may write to. caps: what it can do, parsed JSON."""

    connection: str
    stream: str
    shape: str
    caps: dict[str, Any]
    digest: str
    approved_at_us: int


class OutboxFigures(NamedTuple):
    """How many writes of a connection wait, have an unknown fate or are dead; since when."""

    waiting: int
    unknown: int
    dead: int
    oldest_us: int | None


_WRITES = select(outbox)
_OPEN_WRITES = _WRITES.where(outbox.c.settled_at_us.is_(None))
_OPEN_CREATES = _OPEN_WRITES.where(outbox.c.record_id.is_(None))
_CREATED = select(outbox.c.lane).where(outbox.c.kind == "create", outbox.c.state == "confirmed")
_UNDER_WAY = (
    select(outbox.c.id)
    .where(
        outbox.c.connection == bindparam("connection"),
        outbox.c.state != "dead",
        outbox.c.settled_at_us.is_(None),
    )
    .limit(1)
)
_ROUTES = select(route).order_by(route.c.connection, route.c.stream)


class Outbox(Bases, Conflicts):
    """Everything that outbound planning, pushing and undoing read and write."""

    def __init__(self, db: Db) -> None:
        self._db = db

    # writes -------------------------------------------------------------------------------

    def open_in(self, lanes: Iterable[str]) -> dict[str, WriteRow]:
        """Return the open write of each of these lanes."""
        rows = self._db.ask_in(_OPEN_WRITES, outbox.c.lane, lanes)
        return {row.lane: row for row in map(_write, rows)}

    def of_lanes(self, lanes: Iterable[str]) -> list[WriteRow]:
        """Return all writes of these lanes, those that are over too."""
        return list(map(_write, self._db.ask_in(_WRITES, outbox.c.lane, lanes)))

    def open_of(self, identity_ids: Iterable[int]) -> list[WriteRow]:
        """Return the open creates of these identities."""
        rows = self._db.ask_in(_OPEN_CREATES, outbox.c.identity_id, identity_ids)
        return list(map(_write, rows))

    def created(self, lanes: Iterable[str]) -> set[str]:
        """Return those lanes in which a record was created once."""
        return {row[0] for row in self._db.ask_in(_CREATED, outbox.c.lane, lanes)}

    def add(self, rows: Sequence[WriteRow]) -> None:
        """Store new writes; their numbers are given out here."""
        if not rows:
            return
        first = self._db.take_ids("outbox", len(rows))
        numbered = [row._replace(id=first + i) for i, row in enumerate(rows)]
        self._db.insert(outbox, [_row(row) for row in numbered])

    def save(self, rows: Sequence[WriteRow]) -> None:
        """Store what has changed of writes."""
        self._db.upsert(outbox, [_row(row) for row in rows])

    def remove(self, numbers: Iterable[int]) -> None:
        """Take out writes that were never sent and are no longer wanted."""
        self._db.delete_in(outbox, outbox.c.id, numbers)

    def open_rows(
        self,
        connection: str,
        state: str,
        until_us: int | None = None,
        limit: int = 1_000_000,
        after: int = 0,
    ) -> list[WriteRow]:
        """Return a connection's open writes of a state, oldest first; those due by `until_us`.

        after: the number of the last one that was seen.
        """
        o = outbox.c
        stmt = select(outbox).where(
            o.connection == connection, o.state == state, o.settled_at_us.is_(None), o.id > after
        )
        if until_us is not None:
            stmt = stmt.where(o.due_at_us <= until_us)
        return [_write(row) for row in self._db.conn.execute(stmt.order_by(o.id).limit(limit))]

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many open writes each connection has in each state."""
        o = outbox.c
        stmt = select(o.connection, o.state, func.count()).where(o.settled_at_us.is_(None))
        rows = self._db.conn.execute(stmt.group_by(o.connection, o.state))
        return {(row[0], row[1]): row[2] for row in rows}

    def figures(self) -> dict[str, OutboxFigures]:
        """Return the figures of each connection that has open writes; dead ones age nothing."""
        o = outbox.c
        stmt = select(o.connection, o.state, func.count(), func.min(o.made_at_us))
        rows = self._db.conn.execute(
            stmt.where(o.settled_at_us.is_(None)).group_by(o.connection, o.state)
        )
        found: dict[str, dict[str, tuple[int, int]]] = {}
        for connection, state, count, oldest_us in rows:
            found.setdefault(connection, {})[state] = (count, oldest_us)
        return {name: _figures(states) for name, states in found.items()}

    def listed(
        self, connection: str | None, state: str | None, limit: int = 1000
    ) -> list[WriteRow]:
        """Return open writes, or those of one state, oldest first."""
        o = outbox.c
        stmt = select(outbox).order_by(o.id).limit(limit)
        if connection is not None:
            stmt = stmt.where(o.connection == connection)
        wanted = o.settled_at_us.is_(None) if state is None else o.state == state
        return [_write(row) for row in self._db.conn.execute(stmt.where(wanted))]

    def write(self, number: int) -> WriteRow | None:
        """Return one write."""
        row = self._db.conn.execute(select(outbox).where(outbox.c.id == number)).first()
        return None if row is None else _write(row)

    def has_due(self, connection: str) -> bool:
        """Whether a connection has any write that is not over and not dead."""
        return bool(self._db.ask(_UNDER_WAY, {"connection": connection}))

    def of_run(self, run_id: int) -> list[WriteRow]:
        """Return the writes that a run settled."""
        stmt = select(outbox).where(outbox.c.run_id == run_id, outbox.c.state == "confirmed")
        return [_write(row) for row in self._db.conn.execute(stmt.order_by(outbox.c.id))]

    def confirmed_in(self, lanes: Iterable[str]) -> list[WriteRow]:
        """Return the writes that were made in these lanes, the oldest first."""
        stmt = select(outbox).where(outbox.c.state == "confirmed")
        return sorted(map(_write, self._db.rows_in(stmt, outbox.c.lane, lanes)), key=lambda w: w.id)

    def runs(self, limit: int = 20) -> list[tuple[int, str, int, int]]:
        """Return (run, connection, writes, ended at) of the last runs that wrote, newest first."""
        o = outbox.c
        stmt = (
            select(o.run_id, o.connection, func.count(), func.max(o.settled_at_us))
            .where(o.state == "confirmed", o.run_id.is_not(None))
            .group_by(o.run_id, o.connection)
            .order_by(o.run_id.desc())
            .limit(limit)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self._db.conn.execute(stmt)]

    def last(self) -> int:
        """Return the number that the next write will get."""
        return self._db.next_id("outbox")

    def after(self, number: int) -> list[WriteRow]:
        """Return the open writes from this number on, in order."""
        stmt = select(outbox).where(outbox.c.id >= number, outbox.c.settled_at_us.is_(None))
        return [_write(row) for row in self._db.conn.execute(stmt.order_by(outbox.c.id))]

    def waken(
        self, connection: str, now_us: int, lanes: Collection[str] | None = None
    ) -> list[int]:
        """Make a connection's dead writes due again; return the identities they belong to.

        lanes: those in these lanes alone.
        """
        dead = self.open_rows(connection, "dead")
        if lanes is not None:
            dead = [row for row in dead if row.lane in lanes]
        self.save([row._replace(state="due", tries=0, due_at_us=now_us, reason="") for row in dead])
        return sorted({row.identity_id for row in dead})

    # routes -------------------------------------------------------------------------------

    def routes(self) -> list[RouteRow]:
        """Return the approved routes, by connection and stream."""
        rows = self._db.ask(_ROUTES, {})
        return [RouteRow(*row)._replace(caps=orjson.loads(row[3])) for row in rows]

    def approve(self, rows: Sequence[RouteRow]) -> None:
        """Store routes as approved."""
        self._db.upsert(route, [(*r[:3], orjson.dumps(r.caps).decode(), *r[4:]) for r in rows])

    def numbers(self, entities: Sequence[str], after: int, limit: int) -> list[int]:
        """Return numbers of identities of these entities that are above `after`, in order."""
        i = identity.c
        stmt = select(i.id).where(i.entity.in_(list(entities)), i.redirect_to.is_(None))
        rows = self._db.conn.execute(stmt.where(i.id > after).order_by(i.id).limit(limit))
        return list(rows.scalars())


def _figures(states: dict[str, tuple[int, int]]) -> OutboxFigures:
    def count(*names: str) -> int:
        return sum(states[name][0] for name in names if name in states)

    oldest_us = min((at for name, (_, at) in states.items() if name != "dead"), default=None)
    return OutboxFigures(count("due", "sent"), count("unknown"), count("dead"), oldest_us)


def _write(row: Any) -> WriteRow:
    return WriteRow._make((*row[:7], orjson.loads(row[7]), *row[8:]))


def _row(row: WriteRow) -> tuple[Any, ...]:
    doc = orjson.dumps(row.doc, option=orjson.OPT_SORT_KEYS).decode()
    return (*row[:7], doc, *row[8:])
