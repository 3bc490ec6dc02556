"""What the hub knows of records that it writes to: their bases, their state at the far side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select

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


_STATES = select(base)
_CLAIMS = select(record_claim)
_SENT = select(
    source_record.c.id, stream.c.connection, stream.c.name, source_record.c.key,
    source_record.c.version, source_record.c.changed_at_us, source_record.c.payload,
).join(stream, stream.c.id == source_record.c.stream_id)  # fmt: skip
_VERSIONS = select(source_record.c.id, source_record.c.version)
_TO_LOOK_AT = (
    select(stream.c.name, source_record.c.key)
    .join(stream, stream.c.id == source_record.c.stream_id)
    .where(
        stream.c.connection == bindparam("connection"), source_record.c.hash == bindparam("hash")
    )
    .order_by(source_record.c.id)
)


class Bases:
    """Bases, claims and far-side states of records; a part of Outbox."""

    _db: Db

    # bases --------------------------------------------------------------------------------

    def states(self, record_ids: Iterable[int]) -> dict[int, RecordState]:
        """Return the states of those records that have one."""
        rows = self._db.ask_in(_STATES, base.c.record_id, record_ids)
        return {row[0]: states.load(row[1]) for row in rows}

    def save_states(self, found: dict[int, RecordState]) -> None:
        """Store states by record."""
        self._db.upsert(base, [(number, states.dump(one)) for number, one in found.items()])

    def claims(self, record_ids: Iterable[int]) -> list[tuple[int, str]]:
        """Return (record, value) of the claims by which the hub holds records together."""
        rows = self._db.ask_in(_CLAIMS, record_claim.c.record_id, record_ids)
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
        rows = self._db.ask_in(_SENT, source_record.c.id, record_ids)
        return {row[0]: Sent(*row) for row in rows}

    def versions(self, record_ids: Iterable[int]) -> dict[int, str | None]:
        """Return the far side's version marks of these records."""
        rows = self._db.ask_in(_VERSIONS, source_record.c.id, record_ids)
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
        rows = self._db.ask(_TO_LOOK_AT, {"connection": connection, "hash": hash})
        return [(row[0], row[1]) for row in rows]

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
