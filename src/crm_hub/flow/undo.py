"""Taking back what a run wrote, where the far side still holds our value; the rest is listed.

The values of before go through the outbox like any write, so that somebody's edit made since is
never written over. What was taken back is not written again until the golden value changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport
from crm_hub.flow.lanes import UNDO
from crm_hub.flow.outbound import push
from crm_hub.flow.repairs import is_ours
from crm_hub.flow.tracking import Tracked
from crm_hub.model.entities import MADE
from crm_hub.model.errors import ConfigError
from crm_hub.model.states import FieldStates
from crm_hub.model.values import to_us
from crm_hub.outbox.drafts import record_lane
from crm_hub.store import Db, Held, Identities, Outbox, WriteRow


@dataclass(slots=True)
class Undone:
    """What an undo does. writes: how many go out. left: (record, why it stays as it is)."""

    run_id: int
    writes: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    reports: list[SyncReport] = field(default_factory=list)


def undo(hub: Hub, run_id: int, *, sent: bool = True) -> Undone:
    """Take back the writes of a run; return what is taken back and what is not.

    sent: also send what takes them back. Raises: ConfigError when the run wrote nothing.
    """
    found = Undone(run_id)
    with hub.store.write() as db:
        repo = Outbox(db)
        rows = repo.of_run(run_id)
        if not rows:
            raise ConfigError(
                f"run {run_id} wrote nothing that could be taken back",
                remedy="The runs that wrote something: crm-hub undo",
            )
        back = _back(db, rows, found, to_us(hub.now()))
        busy = repo.open_in([row.lane for row in back])
        replaced = {lane: row.id for lane, row in busy.items() if row.state in ("due", "dead")}
        for row in [r for r in back if r.lane in busy and r.lane not in replaced]:
            found.left.append((row.doc["name"], "another write is under way; try again later"))
            back.remove(row)
        repo.remove(replaced.values())
        repo.add(back)
        found.writes = len(back)
    if sent:
        names = sorted({row.connection for row in back})
        reports = [push(hub, name, many=True) for name in names]
        found.reports = [report for report in reports if report is not None]
    return found


def _back(db: Db, rows: Sequence[WriteRow], found: Undone, now_us: int) -> list[WriteRow]:
    numbers = _records(db, rows)
    held = {h.record_id: h for h in Identities(db).held(numbers.values())}
    states = Tracked(db).states(held)
    out: dict[int, WriteRow] = {}
    for row in reversed(rows):
        number = numbers.get(row.id)
        record = held.get(number or 0)
        if row.kind == "archive":
            found.left.append((row.doc["name"], "it was archived; bring it back there"))
        elif row.kind == "delete" or record is None or number is None:
            why = "it was deleted" if row.kind == "delete" else "the record is gone"
            found.left.append((row.doc["name"], f"{why}; create it again in its source"))
        elif number in out:
            found.left.append((row.doc["name"], "the run wrote it more than once; undo again"))
        else:
            made = _one(row, record, states[number], found, now_us)
            if made is not None:
                out[number] = made
    return list(out.values())


def _records(db: Db, rows: Sequence[WriteRow]) -> dict[int, int]:
    """Return write → record; of a created one, the member of the identity in that stream."""
    found = {row.id: row.record_id for row in rows if row.record_id is not None}
    for row in rows:
        if row.kind == "create":
            for held in Identities(db).held_by_identity([row.identity_id]):
                if (held.connection, held.stream) == (row.connection, row.stream):
                    found[row.id] = held.record_id
    return found


def _one(
    row: WriteRow, record: Held, states: FieldStates, found: Undone, now_us: int
) -> WriteRow | None:
    values: dict[str, Any] = orjson.loads(record.data)
    fields = {}
    for name, change in row.doc["fields"].items():
        if change.get("pushed") and (row.kind == "create" or name in MADE):
            continue
        if is_ours(name, change, values, states):
            fields[name] = {
                "to": change["was"], "was": change["to"], "stamp": change["was_stamp"],
                "was_stamp": change["stamp"], "items": {}, "raw": change["base"],
                "base": change["raw"], "undone": change["to"],
            }  # fmt: skip
        else:
            found.left.append((f"{row.doc['name']}: {name}", "it was changed since"))
    if row.kind == "create":
        if len(fields) < sum(not one.get("pushed") for one in row.doc["fields"].values()):
            return None
        doc = {"values": {"was": values, "cause": f"{UNDO}{row.run_id}"}}
        return _row(row, record, "delete", doc, now_us)
    return _row(row, record, "restore", fields, now_us) if fields else None


def _row(row: WriteRow, record: Held, kind: str, fields: dict[str, Any], now_us: int) -> WriteRow:
    doc = {"fields": fields, "name": row.doc["name"]}
    return WriteRow(
        0, row.connection, row.stream, record_lane(record.record_id), row.identity_id,
        record.record_id, kind, doc, uuid4().hex, "due", 0, now_us, now_us, None, None, "",
    )  # fmt: skip
