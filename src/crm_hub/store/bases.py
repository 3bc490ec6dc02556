"""What the hub knows of records that it writes to: their bases, their state at the far side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select

from crm_hub.model import states
from crm_hub.model.states import RecordState
from crm_hub.store.db import Db
from crm_hub.store.match_keys import MatchKeys
from crm_hub.store.schema import (
    base,
    identity_link,
    record_claim,
    source_record,
    stream,
)


class Sent(NamedTuple):
    """What the hub last knew of a record at the far side."""

    record_id: int
    connection: str
    stream: str
    key: str
    version: str | None
    changed_at_us: int | None
    payload: str


class Bases:
    """Bases, claims and far-side states of records; a part of Outbox."""

    _db: Db

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
        MatchKeys(self._db).give(keys)

    def drop_claims(self, rows: Sequence[tuple[int, str]], keys: Sequence[tuple[str, int]]) -> None:
        """No longer hold records together: (record, value), and the match keys of it."""
        self._db.delete(record_claim, list(rows))
        MatchKeys(self._db).remove(keys)

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

    def unread(self, stream_id: int, hash: bytes) -> list[int]:
        """Return the live records of a stream with this hash."""
        r = source_record.c
        stmt = select(r.id).where(r.stream_id == stream_id, r.hash == hash, r.deleted.is_(False))
        return [row[0] for row in self._db.conn.execute(stmt)]

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
