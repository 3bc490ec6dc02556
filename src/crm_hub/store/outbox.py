"""Two-way sync: bases of records, writes and what became of them, conflicts, approved routes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import func, select, update

from crm_hub.model import states
from crm_hub.model.states import RecordState
from crm_hub.store.db import Db
from crm_hub.store.schema import (
    base,
    conflict,
    identity,
    identity_link,
    match_key,
    outbox,
    record_claim,
    route,
    source_record,
    stream,
)

OPEN = ("due", "sent", "unknown", "dead")
"""States of a write that is not over; a lane has at most one such write."""


class WriteRow(NamedTuple):
    """One write. doc: {"fields": {field: {...}}, "name": who}, parsed JSON.

    lane: `r:<record>`, or `i:<identity>:<stream>` for a record to be created. kind: create,
    update, delete or restore. run_id: the run that settled it.
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


class Sent(NamedTuple):
    """What the hub last knew of a record at the far side."""

    record_id: int
    connection: str
    stream: str
    key: str
    version: str | None
    changed_at_us: int | None
    payload: str


class Outbox:
    """Everything that outbound planning, pushing and undoing read and write."""

    def __init__(self, db: Db) -> None:
        self._db = db

    # bases --------------------------------------------------------------------------------

    def states(self, record_ids: Iterable[int]) -> dict[int, RecordState]:
        """Return the states of those records that have one."""
        rows = self._db.rows_in(select(base), base.c.record_id, record_ids)
        return {row[0]: states.load(row[1]) for row in rows}

    def save_states(self, found: dict[int, RecordState]) -> None:
        """Store states by record."""
        self._db.upsert(base, [(number, states.dump(one)) for number, one in found.items()])

    def claims(self, record_ids: Iterable[int]) -> list[tuple[int, str]]:
        """Return (record, value) of the claims by which the hub holds records together."""
        rows = self._db.rows_in(select(record_claim), record_claim.c.record_id, record_ids)
        return [(row[0], row[1]) for row in rows]

    def add_claims(self, rows: Sequence[tuple[int, str]], keys: Sequence[tuple[str, int]]) -> None:
        """Hold records together: (record, value), and the match keys (key, record) of it."""
        self._db.upsert(record_claim, list(rows))
        self._db.upsert(match_key, list(keys))

    def drop_claims(self, rows: Sequence[tuple[int, str]], keys: Sequence[tuple[str, int]]) -> None:
        """No longer hold records together: (record, value), and the match keys of it."""
        self._db.delete(record_claim, list(rows))
        self._db.delete(match_key, list(keys))

    # records at the far side --------------------------------------------------------------

    def sent(self, record_ids: Iterable[int]) -> dict[int, Sent]:
        """Return what is known of these records at the far side."""
        r = source_record.c
        stmt = select(
            r.id, stream.c.connection, stream.c.name, r.key, r.version, r.changed_at_us, r.payload
        ).join(stream, stream.c.id == r.stream_id)
        return {row[0]: Sent(*row) for row in self._db.rows_in(stmt, r.id, record_ids)}

    def versions(self, record_ids: Iterable[int]) -> dict[int, str | None]:
        """Return the far side's version marks of these records."""
        r = source_record.c
        rows = self._db.rows_in(select(r.id, r.version), r.id, record_ids)
        return {row[0]: row[1] for row in rows}

    def believe(self, rows: Sequence[tuple[str, str | None, bytes, int]]) -> None:
        """Store what records are believed to be since our write; the next look compares anew.

        Rows hold payload, version, hash, record number.
        """
        self._db.update(source_record, ("payload", "version", "hash"), rows)

    def look_again(self, record_ids: Iterable[int], hash: bytes) -> None:
        """Let the next look at these records be walked even if nothing is new in it."""
        self._db.update(source_record, ("hash",), [(hash, number) for number in record_ids])

    def to_look_at(self, connection: str, hash: bytes) -> list[tuple[str, str]]:
        """Return (stream, key) of the records of which a stale copy may have been read."""
        r = source_record.c
        stmt = (
            select(stream.c.name, r.key)
            .join(stream, stream.c.id == r.stream_id)
            .where(stream.c.connection == connection, r.hash == hash)
        )
        return [(row[0], row[1]) for row in self._db.conn.execute(stmt.order_by(r.id))]

    def set_version(self, record_id: int, version: str | None) -> None:
        """Store a version mark that moved although nothing else did."""
        self._db.update(source_record, ("version",), [(version, record_id)])

    def left(self, identity_ids: Iterable[int]) -> list[tuple[int, str, str, int]]:
        """Return (identity, connection, stream, record) of records deleted at their source."""
        t, r = identity_link.c, source_record.c
        stmt = (
            select(t.identity_id, stream.c.connection, stream.c.name, r.id)
            .join(source_record, r.id == t.record_id)
            .join(stream, stream.c.id == r.stream_id)
            .where(t.state == "revoked", r.deleted.is_(True))
        )
        rows = self._db.rows_in(stmt, t.identity_id, identity_ids)
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    # writes -------------------------------------------------------------------------------

    def open_in(self, lanes: Iterable[str]) -> dict[str, WriteRow]:
        """Return the open write of each of these lanes."""
        stmt = select(outbox).where(outbox.c.settled_at_us.is_(None))
        return {row.lane: row for row in map(_write, self._db.rows_in(stmt, outbox.c.lane, lanes))}

    def of_lanes(self, lanes: Iterable[str]) -> list[WriteRow]:
        """Return all writes of these lanes, those that are over too."""
        return [_write(row) for row in self._db.rows_in(select(outbox), outbox.c.lane, lanes)]

    def open_of(self, identity_ids: Iterable[int]) -> list[WriteRow]:
        """Return the open creates of these identities."""
        stmt = select(outbox).where(outbox.c.settled_at_us.is_(None), outbox.c.record_id.is_(None))
        return [_write(r) for r in self._db.rows_in(stmt, outbox.c.identity_id, identity_ids)]

    def created(self, lanes: Iterable[str]) -> set[str]:
        """Return those lanes in which a record was created once."""
        stmt = select(outbox.c.lane).where(outbox.c.kind == "create", outbox.c.state == "confirmed")
        return {row[0] for row in self._db.rows_in(stmt, outbox.c.lane, lanes)}

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
        self, connection: str, state: str, until_us: int | None = None, limit: int = 1_000_000
    ) -> list[WriteRow]:
        """Return a connection's open writes of a state, oldest first; those due by `until_us`."""
        o = outbox.c
        stmt = select(outbox).where(
            o.connection == connection, o.state == state, o.settled_at_us.is_(None)
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

    def has_due(self, connection: str) -> bool:
        """Whether a connection has any write that is not over and not dead."""
        o = outbox.c
        stmt = select(o.id).where(
            o.connection == connection, o.state != "dead", o.settled_at_us.is_(None)
        )
        return self._db.conn.execute(stmt.limit(1)).first() is not None

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

    def waken(self, connection: str, now_us: int) -> list[int]:
        """Make a connection's dead writes due again; return the identities they belong to."""
        dead = self.open_rows(connection, "dead")
        self.save([row._replace(state="due", tries=0, due_at_us=now_us, reason="") for row in dead])
        return sorted({row.identity_id for row in dead})

    # routes -------------------------------------------------------------------------------

    def routes(self) -> list[RouteRow]:
        """Return the approved routes, by connection and stream."""
        stmt = select(route).order_by(route.c.connection, route.c.stream)
        return [
            RouteRow(*row)._replace(caps=orjson.loads(row.caps))
            for row in self._db.conn.execute(stmt)
        ]

    def approve(self, rows: Sequence[RouteRow]) -> None:
        """Store routes as approved."""
        self._db.upsert(route, [(*r[:3], orjson.dumps(r.caps).decode(), *r[4:]) for r in rows])

    def numbers(self, entities: Sequence[str], after: int, limit: int) -> list[int]:
        """Return numbers of identities of these entities that are above `after`, in order."""
        i = identity.c
        stmt = select(i.id).where(i.entity.in_(list(entities)), i.redirect_to.is_(None))
        rows = self._db.conn.execute(stmt.where(i.id > after).order_by(i.id).limit(limit))
        return list(rows.scalars())

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

    def add_conflicts(self, rows: Sequence[ConflictRow]) -> None:
        """Store new conflicts; their numbers are given out here."""
        if not rows:
            return
        first = self._db.take_ids("conflict", len(rows))
        self._db.insert(conflict, [_out(r._replace(id=first + i)) for i, r in enumerate(rows)])

    def close_conflicts(self, numbers: Iterable[int], state: str) -> None:
        """Set the state of conflicts: decided or resolved."""
        listed = list(numbers)
        if listed:
            stmt = update(conflict).values(state=state).where(self._db.among(conflict.c.id))
            self._db.conn.execute(stmt, {"among": self._db.listed(listed)})


def _write(row: Any) -> WriteRow:
    return WriteRow(*row)._replace(doc=orjson.loads(row.doc))


def _row(row: WriteRow) -> tuple[Any, ...]:
    doc = orjson.dumps(row.doc, option=orjson.OPT_SORT_KEYS).decode()
    return (*row[:7], doc, *row[8:])


def _conflict(row: Any) -> ConflictRow:
    return ConflictRow(*row)._replace(doc=orjson.loads(row.doc))


def _out(row: ConflictRow) -> tuple[Any, ...]:
    return (*row[:4], orjson.dumps(row.doc).decode(), *row[5:])
