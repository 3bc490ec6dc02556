"""Many rows changed at once are what they would be one by one, on both stores."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from crm_hub.store import Store
from crm_hub.store.schema import source_record, thread_waiting

ODD = (
    "",
    "ann",
    'a "quote"',
    "back\\slash",
    "line\nbreak",
    "tab\t",
    "Zoë 🙂",
    "{1,2}",
    "%s",
    "NULL",
)
COLUMNS = ("hash", "version", "changed_at_us", "received_at_us", "deleted", "payload")


def _row(number: int, again: int = 0) -> tuple[Any, ...]:
    text = ODD[(number + again) % len(ODD)]
    version = None if number % 3 else text
    at_us = None if number % 2 else -(1 << 62) + number
    return (
        number, 1, str(number), bytes([number % 256, 0, 255]) * again, version, at_us, (1 << 62) + 1,
        bool((number + again) % 2), text,
    )  # fmt: skip


def _stored(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as db:
        rows = db.conn.execute(select(source_record).order_by(source_record.c.id)).fetchall()
    return [(*row[:3], bytes(row[3]), *row[4:]) for row in rows]


@pytest.mark.parametrize("count", [3, 600, 1_337])
def test_updates_of_many_rows_set_the_columns_named_and_no_others(store: Store, count: int) -> None:
    with store.write() as db:
        db.insert(source_record, [_row(n) for n in range(count + 1)])
        changed = [_row(n, again=1) for n in range(count)]
        db.update(source_record, COLUMNS, [(*row[3:], row[0]) for row in changed])
        db.update(source_record, COLUMNS, [])
    assert _stored(store) == [*changed, _row(count)]


@pytest.mark.parametrize("count", [3, 600])
def test_upserts_of_many_rows_add_and_replace_and_the_last_of_a_key_counts(
    store: Store, count: int
) -> None:
    with store.write() as db:
        db.insert(source_record, [_row(n) for n in range(count)])
        first = [_row(n, again=2) for n in range(1, count + 2)]
        db.upsert(source_record, first + [_row(n, again=1) for n in range(1, count + 2)])
    assert _stored(store) == [_row(0), *(_row(n, again=1) for n in range(1, count + 2))]


def test_rows_that_are_nothing_but_a_key_are_added_once(store: Store) -> None:
    rows = [(n % 30, n % 30) for n in range(60)]
    with store.write() as db:
        db.upsert(thread_waiting, rows)
        db.upsert(thread_waiting, rows)
    with store.read() as db:
        found = db.conn.execute(select(thread_waiting)).fetchall()
    assert sorted(tuple(row) for row in found) == sorted(set(rows))
