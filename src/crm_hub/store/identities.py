"""Canonical records, match keys, identity links and golden records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Select, bindparam, func, or_, select

from crm_hub.store.db import Db, Row
from crm_hub.store.match_keys import Entry, Mark, MatchKeys
from crm_hub.store.schema import (
    canonical_record,
    change_log,
    drift,
    identity,
    identity_link,
    population,
    record_link,
    source_record,
    stream,
)

_ASCII = re.compile(r"[\x01-\x7f]+")
_AT_ONCE = 10_000

EMPTY_GOLDEN = '{"p":0,"v":{}}'
"""The golden record of an identity all of whose records are gone; its id stays reserved."""


class Held(NamedTuple):
    """A mapped record as resolving and merging need it.

    data: its values as JSON. keys: its match keys, a line each.
    """

    record_id: int
    entity: str
    changed_at_us: int | None
    data: str
    identity_id: int | None
    home_id: int | None
    connection: str
    stream: str
    key: str
    keys: str


class IdentityRow(NamedTuple):
    """An identity as stored; `golden` is {"v": values, "p": origin} as JSON."""

    id: int
    entity: str
    display_name: str
    redirect_to: int | None
    golden: str
    updated_at_us: int
    created_run_id: int = 0


class Reference(NamedTuple):
    """What a record refers to, by match key, since when and until when, where that is known."""

    record_id: int
    relation: str
    entity: str
    key: str
    from_us: int | None
    to_us: int | None


_HELD = (
    select(
        canonical_record.c.record_id,
        canonical_record.c.entity,
        canonical_record.c.changed_at_us,
        canonical_record.c.data,
        identity_link.c.identity_id,
        identity_link.c.home_id,
        stream.c.connection,
        stream.c.name,
        source_record.c.key,
        canonical_record.c.match_keys,
    )
    .join(source_record, source_record.c.id == canonical_record.c.record_id)
    .join(stream, stream.c.id == source_record.c.stream_id)
    .outerjoin(identity_link, identity_link.c.record_id == canonical_record.c.record_id)
)
_LINKS = select(identity_link)
_HOMES = select(identity_link.c.record_id, identity_link.c.identity_id, identity_link.c.home_id)
_RECORDS_OF = select(identity_link.c.record_id, identity_link.c.identity_id).where(
    identity_link.c.state != "revoked"
)
_REFERENCES = select(record_link)
_IDENTITIES = select(identity)
_MEASURED = select(population.c.at_us).where(population.c.entity == bindparam("entity"))
_LIVE = identity.c.redirect_to.is_(None) & (identity.c.golden != EMPTY_GOLDEN)


class Identities:
    """Everything the rooms from mapping to merge keep."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._keys = MatchKeys(db)

    # mapping ------------------------------------------------------------------------------

    def save_canonical(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Store canonical records; rows hold record, entity, changed_at_us, data, keys."""
        self._db.insert(canonical_record, new)
        self._db.upsert(canonical_record, changed)

    def drop_records(self, record_ids: Sequence[int]) -> None:
        """Forget canonical records and their keys; links are revoked, raw records stay."""
        keys = self._keys.of_records(record_ids)
        for table in (canonical_record, record_link):
            self._db.delete_in(table, table.c.record_id, record_ids)
        self._keys.remove(keys)
        rows = [("revoked", record_id) for record_id in record_ids]
        self._db.update(identity_link, ("state",), rows)

    def add_drifts(self, stream_id: int, found: dict[tuple[str, str], tuple[int, int]]) -> None:
        """Count values that did not fit: (field, reason) → (how many, one record)."""
        d = drift.c
        for (field, reason), (count, record_id) in found.items():
            stmt = select(d.count).where(
                d.stream_id == stream_id, d.field == field, d.reason == reason
            )
            before = self._db.conn.execute(stmt).scalar() or 0
            self._db.upsert(drift, [(stream_id, field, reason, before + count, record_id)])

    def set_drift(
        self, stream_id: int, field: str, reason: str, count: int, record_id: int
    ) -> None:
        """Say how often this is so now; unlike `add_drifts`, what was said before is over."""
        d = drift.c
        place = (d.stream_id == stream_id) & (d.field == field) & (d.reason == reason)
        before = self._db.conn.execute(select(d.count).where(place)).scalar() or 0
        if count and count != before:
            self._db.upsert(drift, [(stream_id, field, reason, count, record_id)])
        elif before and not count:
            self._db.delete(drift, [(stream_id, field, reason)])

    def clear_drifts(self, stream_ids: Iterable[int]) -> None:
        """Forget the drifts of these streams; a replay counts them anew."""
        self._db.delete_in(drift, drift.c.stream_id, stream_ids)

    def drifts(self, stream_id: int) -> list[tuple[str, str, int]]:
        """Return (field, reason, count) of the values of one stream that did not fit."""
        stmt = select(drift.c.field, drift.c.reason, drift.c.count).where(
            drift.c.stream_id == stream_id
        )
        rows = self._db.conn.execute(stmt.order_by(drift.c.count.desc()))
        return [(row[0], row[1], row[2]) for row in rows]

    # resolve ------------------------------------------------------------------------------

    def held(self, record_ids: Iterable[int], *, stored: bool = False) -> list[Held]:
        """Return mapped records by number. stored: as for `Db.ask_in`."""
        rows = self._db.ask_in(_HELD, canonical_record.c.record_id, record_ids, stored=stored)
        return [Held(*row) for row in rows]

    def held_by_identity(self, identity_ids: Iterable[int]) -> list[Held]:
        """Return the mapped records of these identities."""
        return [
            Held(*row) for row in self._db.ask_in(_HELD, identity_link.c.identity_id, identity_ids)
        ]

    def links_of(self, record_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return (identity, home identity) by record."""
        rows = self._db.ask_in(_HOMES, identity_link.c.record_id, record_ids)
        return {row[0]: (row[1], row[2]) for row in rows}

    def mapped_numbers(self, entity: str, after: int, limit: int) -> list[int]:
        """Return numbers of mapped records of an entity that are above `after`, in order."""
        c = canonical_record.c
        stmt = select(c.record_id).where(c.entity == entity, c.record_id > after)
        return list(self._db.conn.execute(stmt.order_by(c.record_id).limit(limit)).scalars())

    def count_mapped(self, entity: str) -> int:
        """Return how many mapped records of an entity there are."""
        stmt = select(func.count()).select_from(canonical_record)
        found = self._db.conn.execute(stmt.where(canonical_record.c.entity == entity)).scalar()
        return int(found or 0)

    def received_after(self, entity: str, at_us: int) -> list[int]:
        """Return the mapped records of an entity that came or changed after an instant."""
        c, r = canonical_record.c, source_record.c
        stmt = select(c.record_id).join(source_record, r.id == c.record_id)
        stmt = stmt.where(c.entity == entity, r.received_at_us > at_us).order_by(c.record_id)
        return list(self._db.conn.execute(stmt).scalars())

    def link_rows(self, record_ids: Iterable[int]) -> list[Row]:
        """Return the identity links of these records, every column, in order."""
        rows = self._db.ask_in(_LINKS, identity_link.c.record_id, record_ids)
        return sorted(tuple(row) for row in rows)

    def records_of(
        self, identity_ids: Iterable[int], *, stored: bool = False
    ) -> list[tuple[int, int]]:
        """Return (record, identity) of the records linked to these identities.

        stored: as for `Db.ask_in`.
        """
        column = identity_link.c.identity_id
        rows = self._db.ask_in(_RECORDS_OF, column, identity_ids, stored=stored)
        return [(row[0], row[1]) for row in rows]

    def holders(self, keys: Iterable[str]) -> list[int]:
        """Return every record that holds one of `keys`, once for each key it holds."""
        return [number for _, number in self._keys.holders(keys)]

    def held_keys(self, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that any record holds."""
        return {key for key, _ in self._keys.holders(keys)}

    def keys_of(self, record_ids: Iterable[int]) -> list[tuple[str, int]]:
        """Return (key, record) for every key of these records."""
        return self._keys.of_records(record_ids)

    def is_measured(self, entity: str) -> bool:
        """Whether the records of an entity were measured, so that likeness joins."""
        return bool(self._db.ask(_MEASURED, {"entity": entity}))

    def add_keys(self, entries: Sequence[Entry]) -> None:
        """Let records be found by keys that now stand with them."""
        self._keys.add(entries)

    def remove_keys(self, rows: Sequence[Row]) -> None:
        """Let records no longer hold keys: (key, record)."""
        self._keys.remove(rows)

    def mark_names(self, rows: Sequence[tuple[str, int]], marks: Mapping[int, Mark]) -> None:
        """Let names, (key, record), carry the marks that their records have now."""
        self._keys.mark(rows, marks)

    def swap_keys(self, stale: Sequence[tuple[str, int]], fresh: Sequence[tuple[str, int]]) -> None:
        """Let stored records hold other keys: (key, record) to take away and to give."""
        self._keys.remove(stale)
        self._keys.give(fresh)

    def save_links(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Store identity links; rows hold record, identity, home, method, state, at_us."""
        self._db.insert(identity_link, new)
        self._db.upsert(identity_link, changed)

    def references_of(self, record_ids: Iterable[int]) -> list[Reference]:
        """Return what these records refer to."""
        rows = self._db.ask_in(_REFERENCES, record_link.c.record_id, record_ids)
        return [Reference(*row) for row in rows]

    def referring(self, keys: Iterable[str]) -> set[int]:
        """Return the records that refer to one of `keys`."""
        return {row[0] for row in self._db.ask_in(_REFERENCES, record_link.c.key, keys)}

    def has_references(self) -> bool:
        """Whether any record refers to another; a hub without links asks nothing further."""
        return self._db.holds_any(record_link)

    def save_references(self, record_ids: Sequence[int], rows: Sequence[Row]) -> None:
        """Replace what the changed records `record_ids` refer to; new records just add rows."""
        self._db.delete_in(record_link, record_link.c.record_id, record_ids)
        self._db.insert(record_link, rows)

    # merge --------------------------------------------------------------------------------

    def identities(self, ids: Iterable[int], *, stored: bool = False) -> dict[int, IdentityRow]:
        """Return identities by number, redirected ones as they are. stored: as for `Db.ask_in`."""
        rows = self._db.ask_in(_IDENTITIES, identity.c.id, ids, stored=stored)
        return {row[0]: IdentityRow(*row) for row in rows}

    def save_identities(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Store golden records; rows hold every column of `identity`."""
        self._db.insert(identity, new)
        self._db.upsert(identity, changed)

    def redirect(self, redirects: dict[int, int]) -> None:
        """Let ids that lost their records lead to the id that took them over."""
        rows = [(target, identity_id) for identity_id, target in redirects.items()]
        self._db.update(identity, ("redirect_to",), rows)

    def log_changes(self, rows: Sequence[Row]) -> None:
        """Append to the change log; rows hold identity, run, at_us, kind, diff."""
        if rows:
            first = self._db.take_ids("change_log", len(rows))
            self._db.insert(change_log, [(first + i, *row) for i, row in enumerate(rows)])

    def next_change(self) -> int:
        """Return the number that the next entry of the change log will get."""
        return self._db.next_id("change_log")

    def next_identity(self) -> int:
        """Return the number that the next identity will get."""
        return self._db.next_id("identity")

    def numbers_from(self, number: int) -> list[int]:
        """Return the numbers of the identities from this one on."""
        stmt = select(identity.c.id).where(identity.c.id >= number).order_by(identity.c.id)
        return list(self._db.conn.execute(stmt).scalars())

    def changes_after(self, number: int) -> list[tuple[int, str, str]]:
        """Return (identity, kind, diff) of the change log from this number on, in order."""
        c = change_log.c
        stmt = select(c.identity_id, c.kind, c.diff).where(c.id >= number).order_by(c.id)
        return [(row[0], row[1], row[2]) for row in self._db.conn.execute(stmt)]

    def titles(self, person_ids: Iterable[int]) -> dict[int, str]:
        """Return the job title in the golden record of these people, where there is one."""
        found = {}
        for row in self.identities(person_ids).values():
            title = orjson.loads(row.golden)["v"].get("title")
            if title:
                found[row.id] = str(title)
        return found

    # reading ------------------------------------------------------------------------------

    def follow(self, identity_id: int) -> int:
        """Return the id that stands for `identity_id` now, through redirects."""
        seen = set()
        while identity_id not in seen:
            seen.add(identity_id)
            row = self.identities([identity_id]).get(identity_id)
            if row is None or row.redirect_to is None:
                break
            identity_id = row.redirect_to
        return identity_id

    def by_keys(self, keys: Iterable[str]) -> list[tuple[str, int, str, str]]:
        """Return (key, identity, entity, display name) of whoever holds one of `keys`."""
        return self._keys.identities(keys)

    def behind(self, keys: Sequence[str], entities: Sequence[str]) -> list[IdentityRow]:
        """Return the identities of these entities that hold one of a few keys, by number."""
        found = {
            row[0]: IdentityRow(*row)
            for key in keys
            for row in self._keys.behind(key)
            if row[1] in entities
        }
        return sorted(found.values())

    def with_value(self, entity: str, field: str) -> list[IdentityRow]:
        """Return live identities of an entity that have a golden value for a field, by number.

        No index leads to them: this reads all identities once.
        """
        stmt = select(identity).where(_LIVE, identity.c.entity == entity)
        stmt = stmt.where(identity.c.golden.contains(f'"{field}":', autoescape=True))
        rows = (IdentityRow(*r) for r in self._db.conn.execute(stmt.order_by(identity.c.id)))
        return [row for row in rows if field in orjson.loads(row.golden)["v"]]

    def search(self, query: str, entities: Sequence[str], limit: int) -> list[IdentityRow]:
        """Return live identities whose name or golden values contain `query`, by name."""
        texts = (identity.c.display_name, identity.c.golden)
        return self._search(query, texts, entities, limit)

    def search_name(self, query: str, entities: Sequence[str], limit: int) -> list[IdentityRow]:
        """Return live identities whose name contains `query`, by name."""
        return self._search(query, (identity.c.display_name,), entities, limit)

    def _search(
        self, query: str, texts: Sequence[Any], entities: Sequence[str], limit: int
    ) -> list[IdentityRow]:
        stmt = select(identity).where(_LIVE, identity.c.entity.in_(list(entities)))
        for part in _ASCII.findall(query):
            held = (func.lower(t).contains(part.lower(), autoescape=True) for t in texts)
            stmt = stmt.where(or_(*held))
        if not query.isascii():
            return self._search_letters(query.lower(), stmt, [t.name for t in texts], limit)
        stmt = stmt.order_by(func.lower(identity.c.display_name), identity.c.id).limit(limit)
        return [IdentityRow(*row) for row in self._db.conn.execute(stmt)]

    def _search_letters(
        self, query: str, stmt: Select[Any], names: Sequence[str], limit: int
    ) -> list[IdentityRow]:
        """Look for small letters here, for a store may know those of ASCII alone."""
        found: list[IdentityRow] = []
        after = 0
        while True:
            page = stmt.where(identity.c.id > after).order_by(identity.c.id).limit(_AT_ONCE)
            rows = [IdentityRow(*row) for row in self._db.conn.execute(page)]
            if not rows:
                break
            found += [one for one in rows if any(query in getattr(one, n).lower() for n in names)]
            after = rows[-1].id
        return sorted(found, key=lambda one: (one.display_name.lower(), one.id))[:limit]

    def methods(self, identity_id: int) -> list[tuple[int, str]]:
        """Return (record, how it got in) of an identity's records."""
        t = identity_link.c
        stmt = select(t.record_id, t.method).where(
            t.identity_id == identity_id, t.state != "revoked"
        )
        rows = self._db.conn.execute(stmt.order_by(t.record_id))
        return [(row[0], row[1]) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many live identities there are of each entity."""
        stmt = select(identity.c.entity, func.count()).where(_LIVE).group_by(identity.c.entity)
        return {row[0]: row[1] for row in self._db.conn.execute(stmt)}
