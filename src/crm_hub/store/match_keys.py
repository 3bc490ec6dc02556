"""Who holds a match key. The table keeps hashes; the keys as text stand with their record.

An index of texts that come in any order is the dearest thing a store writes: each new record
dirties a page for each of its keys. A 64-bit hash makes it a third as large, and on SQLite new
entries wait in a small table until they are merged into the large one, in order. Two keys may
have one hash: the text decides. docs/adr/0017.

A name has many bearers, of whom few are ever looked at, so that its entries carry a mark by which
to choose, and the records are not read for it. There the hash alone decides: whom two names of one
hash bring together is weighed, and found to be two. docs/adr/0031.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from struct import Struct
from typing import Any

from sqlalchemy import Select, any_, bindparam, func, insert, select, union_all
from xxhash import xxh3_64_intdigest

from crm_hub.store.db import Db, Row
from crm_hub.store.schema import (
    canonical_record,
    identity,
    identity_link,
    match_key,
    match_key_recent,
)
from crm_hub.store.sql import among

RECENT = 128_000
"""So many entries wait in the small table: each merge rewrites most pages of the large one."""

Entry = tuple[int, int, bytes | None]
"""(hash of a key, record that holds it, mark)"""

Mark = tuple[int, int, int]
"""Three numbers below 2^32; all 0 where there is nothing to say."""

NAME = "n:"
"""How the key of a name begins."""

_HALF = 1 << 63
_BY_HASH = itemgetter(0)
_PACK = Struct("<3I")
_NO_MARK: Mark = (0, 0, 0)
_NO_MARKS: Mapping[int, Mark] = {}


def key_hash(key: str) -> int:
    """Return the number a match key is looked up by, as a signed 64-bit integer."""
    return xxh3_64_intdigest(key.encode()) - _HALF


def entries_of(
    rows: Iterable[tuple[str, int]], marks: Mapping[int, Mark] = _NO_MARKS
) -> list[Entry]:
    """Return what (key, record) are looked up by. marks: of records that have a name."""
    packed = {record: _PACK.pack(*mark) for record, mark in marks.items() if mark != _NO_MARK}
    return [
        (key_hash(key), record, packed.get(record) if key[:2] == NAME else None)
        for key, record in rows
    ]


def joined(keys: Iterable[str]) -> str:
    """Return keys as they stand with their record: a match key is one line of text."""
    return "\n".join(keys)


def split(text: str) -> list[str]:
    """Return the keys of a record from their text."""
    return text.split("\n") if text else []


_TEXTS = select(canonical_record.c.record_id, canonical_record.c.match_keys)
_ASKED = func.json_each(bindparam("among")).table_valued("value")
_BEARERS = {
    # Joined key by key: `IN (…)` would make an index of all that are asked, once for each table.
    "sqlite": _TEXTS.where(
        canonical_record.c.record_id.in_(
            union_all(
                *(
                    select(table.c.record_id).join_from(
                        _ASKED, table, table.c.key == _ASKED.c.value
                    )
                    for table in (match_key, match_key_recent)
                )
            )
        )
    ),
    # An array is made first, so that neither table can be read whole or joined by guess.
    "postgresql": _TEXTS.where(
        canonical_record.c.record_id
        == any_(
            func.array(
                select(match_key.c.record_id)
                .where(among("postgresql", match_key.c.key))
                .scalar_subquery()
            )
        )
    ),
}
_ENTRIES: dict[str, Select[Any]] = {
    "sqlite": select(
        union_all(
            *(
                select(table).join_from(_ASKED, table, table.c.key == _ASKED.c.value)
                for table in (match_key, match_key_recent)
            )
        ).subquery()
    ),
    "postgresql": select(match_key).where(among("postgresql", match_key.c.key)),
}
_NAMED = {
    table.name: select(
        canonical_record.c.match_keys, identity.c.id, identity.c.entity, identity.c.display_name
    )
    .join(table, table.c.record_id == canonical_record.c.record_id)
    .join(identity_link, identity_link.c.record_id == table.c.record_id)
    .join(identity, identity.c.id == identity_link.c.identity_id)
    for table in (match_key, match_key_recent)
}
_BEHIND = {
    table.name: select(canonical_record.c.match_keys, identity)
    .join_from(table, identity_link, identity_link.c.record_id == table.c.record_id)
    .join(canonical_record, canonical_record.c.record_id == table.c.record_id)
    .join(identity, identity.c.id == identity_link.c.identity_id)
    .where(table.c.key == bindparam("key"))
    for table in (match_key, match_key_recent)
}


class MatchKeys:
    """Finds records by match key, and keeps what it finds them by."""

    def __init__(self, db: Db) -> None:
        self._db = db
        # PostgreSQL takes rows in bulk as they come; a second table would only be one more to ask.
        self._tables = (match_key, match_key_recent) if db.name == "sqlite" else (match_key,)

    def add(self, entries: Sequence[Entry]) -> None:
        """Let records be found by keys that now stand with them."""
        # As the table lies: each page of it is then met once.
        self._db.insert(self._tables[-1], sorted(entries, key=_BY_HASH))
        if len(self._tables) > 1 and entries:
            first = self._db.take_ids(match_key_recent.name, len(entries))
            if first // RECENT != (first + len(entries)) // RECENT:
                self._db.at_end(self._merge)  # it is dear, and changes no answer

    def give(self, rows: Iterable[tuple[str, int]]) -> None:
        """Let mapped records hold keys beside their own, where they do not yet: (key, record)."""
        wanted = set(rows)
        held = self._texts({r for _, r in wanted})
        added = sorted((key, r) for key, r in wanted if r in held and key not in held[r])
        for key, record_id in added:
            held[record_id].append(key)
        self._save_texts({r: held[r] for _, r in added})
        self.add(entries_of(added))

    def remove(self, rows: Iterable[tuple[str, int]]) -> None:
        """Let records no longer hold keys, if these still stand with them: (key, record)."""
        gone: dict[int, set[str]] = defaultdict(set)
        for key, record_id in rows:
            gone[record_id].add(key)
        entries = [(key_hash(key), r) for r, keys in gone.items() for key in keys]
        for table in self._tables:
            self._db.delete(table, entries)
        held = {r: keys for r, keys in self._texts(gone).items() if gone[r] & {*keys}}
        self._save_texts({r: [k for k in keys if k not in gone[r]] for r, keys in held.items()})

    def mark(self, rows: Iterable[tuple[str, int]], marks: Mapping[int, Mark]) -> None:
        """Let names that records keep, (key, record), carry the marks that these have now."""
        changed = [(mark, key, record) for key, record, mark in entries_of(rows, marks)]
        for table in self._tables:
            self._db.update(table, ("mark",), changed)

    def _texts(self, record_ids: Iterable[int], *, stored: bool = False) -> dict[int, list[str]]:
        column = canonical_record.c.record_id
        rows = self._db.ask_in(_TEXTS, column, record_ids, stored=stored)
        return {number: split(text) for number, text in rows}

    def _save_texts(self, held: dict[int, list[str]]) -> None:
        rows = [(joined(keys), record_id) for record_id, keys in held.items()]
        self._db.update(canonical_record, ("match_keys",), rows)

    def holders(self, keys: Iterable[str]) -> list[tuple[str, int]]:
        """Return (key, record) for every record that holds one of `keys`."""
        asked = set(keys)
        found = self._bearers(asked).items()
        held = ((key, number) for number, held in found for key in asked.intersection(held))
        return sorted(held, key=lambda row: row[::-1])

    def marks(self, names: Iterable[str]) -> list[tuple[str, int, Mark]]:
        """Return (key, record, mark) for the bearers of names, and holders of what is near."""
        of_hash = {key_hash(name): name for name in names}
        if not of_hash:
            return []
        self._db.reach(self._tables[-1])
        asked = {"among": self._db.listed(sorted(of_hash))}
        return [
            (of_hash[key], record, _PACK.unpack(mark) if mark else _NO_MARK)
            for key, record, mark in self._db.ask(_ENTRIES[self._db.name], asked, stored=True)
        ]

    def identities(self, keys: Iterable[str]) -> list[tuple[str, int, str, str]]:
        """Return (key, identity, entity, display name) of whoever holds one of `keys`."""
        asked = set(keys)
        found = self._found(asked, _NAMED)
        return sorted({(key, *row) for text, *row in found for key in asked & {*split(text)}})

    def behind(self, key: str) -> list[Row]:
        """Return the identities that hold a key, as stored; asked for every timeline."""
        given = {"key": key_hash(key)}
        rows = (row for table in self._tables for row in self._db.ask(_BEHIND[table.name], given))
        return [tuple(row[1:]) for row in rows if key in split(row[0])]

    def of_records(self, record_ids: Iterable[int]) -> list[tuple[str, int]]:
        """Return (key, record) for every key of these records."""
        return [(key, r) for r, keys in self._texts(record_ids).items() for key in keys]

    def _bearers(self, keys: set[str]) -> dict[int, list[str]]:
        """Return the keys of each record that holds one of `keys`."""
        if not keys:
            return {}
        self._db.reach(self._tables[-1])
        hashes = self._db.listed(sorted(map(key_hash, keys)))
        # Who is found by a key is stored: a record's keys come after the record.
        rows = self._db.ask(_BEARERS[self._db.name], {"among": hashes}, stored=True)
        return {number: split(text) for number, text in rows}

    def _found(self, keys: set[str], queries: Mapping[str, Select[Any]]) -> set[Row]:
        hashes = sorted(map(key_hash, keys))
        return {
            tuple(row)
            for table in self._tables
            for row in self._db.ask_in(queries[table.name], table.c.key, hashes)
        }

    def _merge(self) -> None:
        """Merge the small table into the large one, in order."""
        waiting = select(match_key_recent).order_by(*match_key_recent.primary_key)
        columns = [c.name for c in match_key_recent.c]
        self._db.conn.execute(
            insert(match_key).prefix_with("OR IGNORE").from_select(columns, waiting)
        )
        self._db.conn.execute(match_key_recent.delete())
