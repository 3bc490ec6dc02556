"""Events, the sources that tell them, their participants, and whose timelines they stand on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import func, select

from crm_hub.store.db import Db, Row
from crm_hub.store.schema import (
    event,
    event_line,
    event_source,
    identity,
    participant,
    source_record,
    stream,
    timeline_entry,
)


class EventRow(NamedTuple):
    """An event as stored; record_id and entry name the source whose words it shows."""

    id: int
    key: str | None
    bucket: str | None
    span_from_us: int
    span_to_us: int
    type: str
    occurred_at_us: int
    seq: int
    visibility: str
    record_id: int
    entry: str
    recorded_at_us: int
    late: bool


class SourceRow(NamedTuple):
    """One telling of an event, with the source key of its record; `draft` is JSON."""

    record_id: int
    entry: str
    event_id: int
    draft: str
    connection: str
    stream: str
    key: str


class ParticipantRow(NamedTuple):
    """A participant of an event, in the event's order."""

    event_id: int
    ord: int
    role: str
    key: str
    fallback: str | None
    name: str
    identity_id: int | None
    state: str


_SOURCE = (
    select(
        event_source.c.record_id,
        event_source.c.entry,
        event_source.c.event_id,
        event_source.c.draft,
        stream.c.connection,
        stream.c.name,
        source_record.c.key,
    )
    .join(source_record, source_record.c.id == event_source.c.record_id)
    .join(stream, stream.c.id == source_record.c.stream_id)
)


class Events:
    """Everything the timeline room keeps."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def any(self) -> bool:
        """Whether there is any event at all; a hub of contacts alone asks nothing further."""
        return self._db.holds_any(event)

    def by_key(self, keys: Iterable[str]) -> dict[str, EventRow]:
        """Return stored events by identity key."""
        rows = self._db.rows_in(select(event), event.c.key, keys)
        return {row.key: EventRow(*row) for row in rows}

    def by_bucket(self, buckets: Iterable[str]) -> list[EventRow]:
        """Return stored events without an exact key that share these buckets."""
        return [EventRow(*r) for r in self._db.rows_in(select(event), event.c.bucket, buckets)]

    def events(self, ids: Iterable[int]) -> dict[int, EventRow]:
        """Return events by number."""
        return {r[0]: EventRow(*r) for r in self._db.rows_in(select(event), event.c.id, ids)}

    def sources_of_records(self, record_ids: Iterable[int]) -> list[SourceRow]:
        """Return what these records tell."""
        rows = self._db.rows_in(_SOURCE, event_source.c.record_id, record_ids)
        return [SourceRow(*row) for row in rows]

    def sources_of_events(self, event_ids: Iterable[int]) -> list[SourceRow]:
        """Return who tells these events."""
        rows = self._db.rows_in(_SOURCE, event_source.c.event_id, event_ids)
        return [SourceRow(*row) for row in rows]

    def save_sources(self, removed: Iterable[int], added: Sequence[Row]) -> None:
        """Replace what the records `removed` told by rows of record, entry, event, draft."""
        self._db.delete_in(event_source, event_source.c.record_id, removed)
        self._db.insert(event_source, added)

    def move_sources(self, rows: Sequence[Row]) -> None:
        """Let tellings belong to another event; rows hold event, record, entry."""
        self._db.update(event_source, ("event_id",), rows)

    def save(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Store events; rows hold every column of `event`."""
        self._db.insert(event, new)
        self._db.upsert(event, changed)

    def drop(self, event_ids: Sequence[int]) -> None:
        """Remove events that nobody tells any more."""
        self._db.delete_in(event, event.c.id, event_ids)
        self._db.delete_in(event_line, event_line.c.event_id, event_ids)
        self.save_placement(event_ids, [], [])

    def touching(self, keys: Iterable[str]) -> set[int]:
        """Return the events with a participant behind one of `keys`."""
        listed = list(keys)
        stmt = select(participant.c.event_id)
        found = {row[0] for row in self._db.rows_in(stmt, participant.c.key, listed)}
        domains = [key for key in listed if key[:2] == "d:"]
        found |= {row[0] for row in self._db.rows_in(stmt, participant.c.fallback, domains)}
        return found

    def of_identities(self, identity_ids: Iterable[int]) -> set[int]:
        """Return the events on the timelines of these identities."""
        stmt = select(timeline_entry.c.event_id)
        rows = self._db.rows_in(stmt, timeline_entry.c.identity_id, identity_ids)
        return {row[0] for row in rows}

    def participants(self, event_ids: Iterable[int]) -> list[ParticipantRow]:
        """Return the participants of these events, by event and order."""
        rows = self._db.rows_in(select(participant), participant.c.event_id, event_ids)
        return sorted((ParticipantRow(*row) for row in rows), key=lambda r: (r.event_id, r.ord))

    def entries(self, event_ids: Iterable[int]) -> list[tuple[int, int, int, int]]:
        """Return the timeline entries of these events: identity, occurred_at_us, seq, event."""
        rows = self._db.rows_in(select(timeline_entry), timeline_entry.c.event_id, event_ids)
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def save_placement(
        self, replaced: Sequence[int], participants: Sequence[Row], entries: Sequence[Row]
    ) -> None:
        """Replace participants and timeline entries of events; new events only add."""
        self._db.delete_in(participant, participant.c.event_id, replaced)
        self._db.delete_in(timeline_entry, timeline_entry.c.event_id, replaced)
        self._db.insert(participant, participants)
        self._db.insert(timeline_entry, entries)

    def save_lines(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Store what timelines show of events; rows hold event, thread, people, shown."""
        self._db.insert(event_line, new)
        self._db.upsert(event_line, changed)

    def save_people(self, rows: Sequence[Row]) -> None:
        """Store who timelines show with events; rows hold people, event."""
        self._db.update(event_line, ("people",), rows)

    def count_of(self, identity_id: int) -> int:
        """Return how many events stand on a timeline."""
        t = timeline_entry.c
        stmt = select(func.count()).where(t.identity_id == identity_id)
        return int(self._db.conn.execute(stmt).scalar_one())

    def busiest(self, entity: str, limit: int) -> list[tuple[int, int]]:
        """Return (identity, events) of those with the longest timelines, the longest first."""
        t, events = timeline_entry.c, func.count()
        stmt = select(t.identity_id, events).join(identity, identity.c.id == t.identity_id)
        stmt = stmt.where(identity.c.entity == entity).group_by(t.identity_id)
        rows = self._db.conn.execute(stmt.order_by(events.desc(), t.identity_id).limit(limit))
        return [(row[0], row[1]) for row in rows]

    def last_event_us(self, stream_id: int) -> int | None:
        """Return when the newest event told by a stream occurred, among its latest records."""
        stmt = (
            select(func.max(event.c.occurred_at_us))
            .join(event_source, event_source.c.event_id == event.c.id)
            .join(source_record, source_record.c.id == event_source.c.record_id)
            .where(source_record.c.stream_id == stream_id)
        )
        got = self._db.conn.execute(stmt).scalar()
        return None if got is None else int(got)

    def total(self) -> int:
        """Return how many events there are."""
        return int(self._db.conn.execute(select(func.count()).select_from(event)).scalar_one())
