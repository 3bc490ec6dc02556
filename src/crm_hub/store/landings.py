"""Streams, raw source records with their versions, and the landings that wait to be walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, func, select

from crm_hub.store.db import Db
from crm_hub.store.schema import landing, source_record, source_version, stream


class StreamRow(NamedTuple):
    """A stream as the store holds it; `checkpoint` is parsed JSON."""

    id: int
    connection: str
    name: str
    shape: str
    checkpoint: dict[str, Any] | None
    source_count: int | None
    repeats: int
    updated_at_us: int | None
    plan_digest: str | None


class RawRecord(NamedTuple):
    """A source record as it stands: number, stream, key, source time, deleted, payload as JSON."""

    id: int
    stream_id: int
    key: str
    changed_at_us: int | None
    deleted: bool
    payload: str


class DueLanding(NamedTuple):
    """A page that has landed (T1) and not yet been walked (T2)."""

    id: int
    stream_id: int
    record_ids: list[int]
    late_before_us: int | None


_RAW = select(
    source_record.c.id,
    source_record.c.stream_id,
    source_record.c.key,
    source_record.c.changed_at_us,
    source_record.c.deleted,
    source_record.c.payload,
)
_KNOWN = select(
    source_record.c.key, source_record.c.id, source_record.c.hash, source_record.c.changed_at_us
).where(source_record.c.stream_id == bindparam("stream"))
_STREAM = select(stream).where(
    stream.c.connection == bindparam("connection"), stream.c.name == bindparam("name")
)
_DUE = (
    select(landing)
    .join(stream, stream.c.id == landing.c.stream_id)
    .where(stream.c.connection == bindparam("connection"))
    .order_by(landing.c.id)
)
_COUNT = select(func.count()).where(source_record.c.stream_id == bindparam("stream"))
_COUNT_GONE = _COUNT.where(source_record.c.deleted.is_(True))
_LIVE = select(source_record.c.id).where(
    source_record.c.stream_id == bindparam("stream_id"), source_record.c.deleted.is_(False)
)


class Landings:
    """Everything T1 reads and writes."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def streams(self, connection: str | None = None) -> list[StreamRow]:
        """Return the streams of one connection, or of all, by connection and name."""
        stmt = select(stream).order_by(stream.c.connection, stream.c.name)
        if connection is not None:
            stmt = stmt.where(stream.c.connection == connection)
        return [_stream_row(row) for row in self._db.conn.execute(stmt)]

    def stream(self, connection: str, name: str) -> StreamRow | None:
        """Return one stream, or None when nothing of it ever landed."""
        rows = self._db.ask(_STREAM, {"connection": connection, "name": name})
        return _stream_row(rows[0]) if rows else None

    def add_stream(self, connection: str, name: str, shape: str) -> StreamRow:
        """Create a stream without a checkpoint."""
        row = StreamRow(
            self._db.take_ids("stream", 1), connection, name, shape, None, None, 0, None, None
        )
        self._db.insert(stream, [tuple(row)])
        return row

    def save_stream(self, row: StreamRow) -> None:
        """Store what has changed of a stream: checkpoint, counts, plan digest."""
        checkpoint = None if row.checkpoint is None else orjson.dumps(row.checkpoint).decode()
        self._db.upsert(stream, [(*row[:4], checkpoint, *row[5:])])

    def known(
        self, stream_id: int, keys: Iterable[str]
    ) -> dict[str, tuple[int, bytes, int | None]]:
        """Return record number, hash and source time by key, for the keys already stored."""
        rows = self._db.ask_in(_KNOWN, source_record.c.key, keys, {"stream": stream_id})
        return {row[0]: (row[1], bytes(row[2]), row[3]) for row in rows}

    def add(self, rows: Sequence[tuple[Any, ...]]) -> range:
        """Store new records, given without their number, and return the numbers they got."""
        first = self._db.take_ids("source_record", len(rows))
        self._db.insert(source_record, [(first + i, *row) for i, row in enumerate(rows)])
        return range(first, first + len(rows))

    def replace(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Store newer content; what stood there before is kept as a version.

        Rows hold hash, version, changed_at_us, received_at_us, deleted, payload, record number.
        """
        self._keep_versions([row[-1] for row in rows])
        columns = ("hash", "version", "changed_at_us", "received_at_us", "deleted", "payload")
        self._db.update(source_record, columns, rows)

    def tombstone(self, record_ids: Sequence[int], received_at_us: int) -> None:
        """Mark records as deleted in the source; their last content stays."""
        self._keep_versions(record_ids)
        rows = [(b"", received_at_us, True, record_id) for record_id in record_ids]
        self._db.update(source_record, ("hash", "received_at_us", "deleted"), rows)

    def _keep_versions(self, record_ids: Sequence[int]) -> None:
        r = source_record.c
        stmt = select(
            r.id, r.received_at_us, r.hash, r.version, r.changed_at_us, r.deleted, r.payload
        )
        rows = self._db.rows_in(stmt, r.id, record_ids)
        self._db.insert(source_version, [tuple(row) for row in rows])

    def queue(self, stream_id: int, record_ids: Sequence[int], late_before_us: int | None) -> int:
        """Remember that these records have landed and wait to be walked."""
        number = self._db.take_ids("landing", 1)
        listed = orjson.dumps(list(record_ids)).decode()
        self._db.insert(landing, [(number, stream_id, listed, late_before_us)])
        return number

    def due(self, connection: str) -> list[DueLanding]:
        """Return the landings of a connection that wait, oldest first."""
        rows = self._db.ask(_DUE, {"connection": connection})
        return [DueLanding(row[0], row[1], orjson.loads(row[2]), row[3]) for row in rows]

    def walked(self, landing_id: int) -> None:
        """Take a landing out of the queue; part of the transaction that walked it."""
        self._db.delete_in(landing, landing.c.id, [landing_id])

    def records(self, record_ids: Iterable[int]) -> list[RawRecord]:
        """Return records by number, in the order of their numbers."""
        rows = self._db.rows_in(_RAW, source_record.c.id, record_ids)
        return sorted(RawRecord(*row) for row in rows)

    def record(self, stream_id: int, key: str) -> RawRecord | None:
        """Return one record by its stream and key."""
        stmt = _RAW.where(source_record.c.stream_id == stream_id, source_record.c.key == key)
        row = self._db.conn.execute(stmt).first()
        return None if row is None else RawRecord(*row)

    def versions(self, record_id: int) -> list[tuple[int, str]]:
        """Return (received_at_us, payload) of earlier contents, oldest first."""
        v = source_version.c
        stmt = select(v.received_at_us, v.payload).where(v.record_id == record_id)
        rows = self._db.conn.execute(stmt.order_by(v.received_at_us))
        return [(row[0], row[1]) for row in rows]

    def record_numbers(self, stream_id: int, batch: int) -> Iterator[list[int]]:
        """Yield the numbers of all records of a stream in batches, deleted ones included."""
        last = 0
        while True:
            stmt = select(source_record.c.id).where(
                source_record.c.stream_id == stream_id, source_record.c.id > last
            )
            got = list(
                self._db.conn.execute(stmt.order_by(source_record.c.id).limit(batch)).scalars()
            )
            if not got:
                return
            yield got
            last = got[-1]

    def live_numbers(self, stream_id: int) -> Iterator[int]:
        """Yield the numbers of the records the source still holds, as far as the hub knows."""
        # Some thousands at a time: a stream may hold a million.
        found = self._db.conn.execute(
            _LIVE, {"stream_id": stream_id}, execution_options={"yield_per": 10_000}
        )
        yield from found.scalars()

    def live_count(self, stream_id: int) -> int:
        """Return how many records the source still holds, as far as the hub knows."""
        given = {"stream": stream_id}
        count = self._db.ask(_COUNT, given)[0][0] - self._db.ask(_COUNT_GONE, given)[0][0]
        return int(count)

    def live_counts(self) -> dict[int, int]:
        """Return how many live records each stream holds, by stream number.

        Counted from two indexes, so that no payload is read.
        """
        grouped = select(source_record.c.stream_id, func.count()).group_by(
            source_record.c.stream_id
        )
        counts = {row[0]: row[1] for row in self._db.conn.execute(grouped)}
        for row in self._db.conn.execute(grouped.where(source_record.c.deleted.is_(True))):
            counts[row[0]] -= row[1]
        return counts

    def waiting(self) -> dict[int, int]:
        """Return how many landings wait to be walked, by stream number."""
        stmt = select(landing.c.stream_id, func.count()).group_by(landing.c.stream_id)
        return {row[0]: row[1] for row in self._db.conn.execute(stmt)}


def _stream_row(row: Any) -> StreamRow:
    found = StreamRow(*row)
    text: Any = found.checkpoint
    return found._replace(checkpoint=None if text is None else orjson.loads(text))
