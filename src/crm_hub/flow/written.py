"""A write that was made: how it is recognised in a record, and what it leaves in its state.

Before: confirming, which was told of it, and tracking, which sees it in what was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from crm_hub.flow.batch import MappedRecord
from crm_hub.flow.holding import hold_created
from crm_hub.landing.echo import is_reformat
from crm_hub.model.ids import SourceKey
from crm_hub.model.states import ABSENT, Awaited, FieldState, RecordState, mark, same
from crm_hub.store import Db, Held, Outbox, WriteRow

AWAITED_US = 7 * 86_400_000_000


def holds(row: WriteRow, values: Mapping[str, Any]) -> bool:
    """Whether a record holds what was written, be it reformatted."""
    return all(
        change.get("pushed") or like(change["to"] or None, values.get(name))
        for name, change in row.doc["fields"].items()
    )


def like(written: Any, found: Any) -> bool:
    """Whether a value is what was written, or what a far side makes of it."""
    return same(written, found) or (found is not None and is_reformat(written, found))


def write_over(
    record: Held, row: WriteRow, state: RecordState, at_us: int | None, now_us: int
) -> str:
    """Put what was written into a record's state; return its values, as JSON.

    at_us: the record's own time of change before the write.
    """
    values: dict[str, Any] = orjson.loads(record.data)
    state.spell_out(values, record.changed_at_us)
    written = {} if row.kind == "archive" else row.doc["fields"]
    for name, change in written.items():
        entry = state.entry(name)
        if change.get("pushed"):
            entry.rendering = change["raw"]
            continue
        shown = values.get(name) if entry.rendering is ABSENT else entry.rendering
        if row.kind == "restore":
            undone = change.get("undone", ABSENT)
            entry = state.fields[name] = entry.restored(change["stamp"], undone)
        else:
            _copied(entry, change)
        entry.awaited = Awaited(shown, at_us, now_us + AWAITED_US)
        if change["to"] in (None, []):
            values.pop(name, None)
        else:
            values[name] = change["to"]
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def _copied(entry: FieldState, change: Mapping[str, Any]) -> None:
    """The value came from elsewhere, and so did its stamp."""
    entry.stamp = change["stamp"]
    entry.rendering = entry.undone = ABSENT
    entry.copied, entry.person = True, False
    entry.cleared = change["to"] in (None, [])
    entry.added = dict(change["items"])
    if isinstance(change["to"], list):
        there = {mark(item) for item in change["to"]}
        entry.removed = {m: at for m, at in entry.removed.items() if m not in there}


def found_created(db: Db, mapped: Sequence[MappedRecord]) -> dict[int, WriteRow]:
    """Return the creates of unknown fate that new records show to have been made, by record.

    Such a record says just what was to be created, and nobody knew of it. From now on it is held
    together with the record that it was made from. The writes stay open until the far side was
    asked about them: it may have something to tidy up.
    """
    repo = Outbox(db)
    new = [m for m in mapped if m.landed.is_new and m.record is not None]
    names = {m.source.connection for m in new}
    rows = [row for n in names for state in ("sent", "unknown") for row in repo.open_rows(n, state)]
    rows = [row for row in rows if row.kind == "create"]
    found: dict[int, WriteRow] = {}
    for landed, source, record, *_ in new if rows else ():
        place = (source.connection, source.stream)
        for row in rows:
            if record and (row.connection, row.stream) == place and holds(row, record.values):
                found[landed.record_id] = row
                rows.remove(row)
                break
    hold_created(db, [(row, number) for number, row in found.items()])
    return found


def as_made(
    record_id: int, source: SourceKey, row: WriteRow, state: RecordState, now_us: int
) -> Held:
    """Return a record as it was created by a write, and put what was written into its state."""
    place = (source.connection, source.stream, source.id)
    empty = Held(record_id, "", None, "{}", None, None, *place, "")
    return empty._replace(data=write_over(empty, row, state, None, now_us))
