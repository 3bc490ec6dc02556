"""After records were parted: what the hub had carried from one to the other is taken back.

While two people were one, each one's values were written into the other's records. Before:
rulings. The writes go through the outbox and never over somebody's later edit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from crm_hub.flow.batch import Moment, Tools
from crm_hub.flow.holding import claim_key
from crm_hub.flow.tracking import Tracked
from crm_hub.model.ids import bounded, email_key, phone_key
from crm_hub.model.states import FieldStates, mark, same
from crm_hub.outbox.drafts import record_lane
from crm_hub.store import Db, Held, Identities, Outbox, Rulings, WriteRow

Parts = tuple[Sequence[int], Sequence[int]]
_KEYS = {"email": email_key, "phone": phone_key}


def let_go(db: Db, tools: Tools, parts: Parts, since_us: int) -> set[str]:
    """Take the ties between two parts that the hub itself made; return the keys that went.

    since_us: since when they were one; what was written earlier came from elsewhere.

    Records that it kept equal are no longer held together, and a mailbox or number that it
    carried over no longer finds the wrong one.
    """
    if tools.two_way is None:
        return set()
    dropped = _drop_claims(Outbox(db), parts)
    rows = [
        (bounded(_KEYS[name](item)), record.record_id)
        for record, name, change in _carried(db, parts, since_us)
        if name in _KEYS
        for item in _gone(change)
    ]
    Identities(db).remove_keys(rows)
    return dropped | {key for key, _ in rows}


def _gone(change: dict[str, Any]) -> list[Any]:
    stays = {mark(item) for item in change["to"] or []}
    return [item for item in change["was"] or [] if mark(item) not in stays]


def _drop_claims(repo: Outbox, parts: Parts) -> set[str]:
    """Let each claim stay with the part whose record it is named after, else with the oldest."""
    part_of = {record: at for at, found in enumerate(parts) for record in found}
    holders: dict[str, set[int]] = defaultdict(set)
    for record, value in repo.claims(part_of):
        holders[value].add(record)
    rows = []
    for value, records in holders.items():
        number = value[1:]
        named = int(number) if number.isdigit() and int(number) in part_of else min(records)
        rows += [(r, value) for r in records if part_of[r] != part_of[named]]
    repo.drop_claims(rows, [(claim_key(value), record) for record, value in rows])
    return {claim_key(value) for _, value in rows}


def repair(
    db: Db, tools: Tools, parts: Parts, since_us: int, moment: Moment, until_us: int | None = None
) -> list[tuple[str, str]]:
    """Plan writes that give each record back what it held; return what must stay, and why.

    since_us, until_us: when they were one; None: until now.
    """
    if tools.two_way is None:
        return []
    repo, routes = Outbox(db), tools.two_way.routes
    fields: dict[int, dict[str, Any]] = defaultdict(dict)
    records: dict[int, Held] = {}
    for record, name, change in _carried(db, parts, since_us, until_us):
        if (record.connection, record.stream) in routes:
            fields[record.record_id][name] = change
            records[record.record_id] = record
    now = {h.record_id: h for h in Identities(db).held(records)}
    lanes = {record_lane(number): number for part in parts for number in part}
    opened = repo.open_in(lanes)
    busy = {lane: row for lane, row in opened.items() if row.state in ("sent", "unknown")}
    free = [lane for lane in sorted(lanes.keys() - busy.keys()) if lanes[lane] in records]
    repo.remove(opened[lane].id for lane in free if lane in opened)
    repo.add([_row(now[lanes[lane]], fields[lanes[lane]], moment) for lane in free])
    why = "a write to it is under way; once it is over it is taken back too"
    return [(row.doc["name"], why) for row in busy.values()]


def repair_late(db: Db, tools: Tools, rows: Sequence[WriteRow], moment: Moment) -> None:
    """Take back what writes carried over that were under way while their records were parted.

    rows: writes that have just been settled; one that was to take something back, and met another
    version there, may have left something to do.
    """
    repo = Rulings(db)
    mine = {row.record_id: row for row in rows if row.record_id is not None}
    if not mine or not repo.any():
        return
    for ruling in repo.of(mine):
        here = [mine[record] for side in ruling.sides for record in side if record in mine]
        late = any(row.kind == "restore" or row.made_at_us <= ruling.at_us for row in here)
        if ruling.kind == "different" and late:
            since_us = ruling.doc.get("since_us", 0)
            repair(db, tools, ruling.sides, since_us, moment, ruling.at_us)


def rehome(db: Db, records: Sequence[int]) -> None:
    """Let open writes of records that were parted belong to the identities they are in now."""
    repo, lanes = Outbox(db), {record_lane(number): number for number in records}
    links = Identities(db).links_of(records)
    opened = [row for row in repo.open_in(lanes).values() if lanes[row.lane] in links]
    repo.save([row._replace(identity_id=links[lanes[row.lane]][0]) for row in opened])


def _row(record: Held, fields: dict[str, Any], moment: Moment) -> WriteRow:
    doc = {"fields": fields, "name": f"{record.connection}/{record.stream}#{record.key}"}
    return WriteRow(
        0, record.connection, record.stream, record_lane(record.record_id),
        record.identity_id or 0, record.record_id, "restore", doc, uuid4().hex, "due", 0,
        moment.now_us, moment.now_us, None, None, "",
    )  # fmt: skip


def _carried(
    db: Db, parts: Parts, since_us: int, until_us: int | None = None
) -> Iterator[tuple[Held, str, dict[str, Any]]]:
    """Yield (record, field, change that takes it back) of what was carried from part to part.

    What was written after until_us came from elsewhere, unless it was to take something back.
    """
    held = {h.record_id: h for h in Identities(db).held([*parts[0], *parts[1]])}
    values = {number: orjson.loads(one.data) for number, one in held.items()}
    states = Tracked(db).states(held)
    writes: dict[str, list[WriteRow]] = defaultdict(list)
    for row in Outbox(db).confirmed_in(record_lane(number) for number in held):
        is_late = until_us is not None and row.made_at_us > until_us and row.kind != "restore"
        if row.made_at_us >= since_us and not is_late:
            writes[row.lane].append(row)
    for mine, theirs in (parts, parts[::-1]):
        for number in mine:
            made = writes.get(record_lane(number), [])
            if number not in held or not made:
                continue
            for name in sorted({f for row in made for f in row.doc["fields"]}):
                own = _own(name, (n for n in mine if n != number), values, states, writes)
                said = _own(name, theirs, values, states, writes)
                speak = {n for n in theirs if _says(name, values.get(n, {}), states.get(n, {}))}
                foreign = _Foreign(speak, said - own, own)
                change = _back(name, made, values[number], states[number], foreign)
                if change is not None:
                    yield held[number], name, change


def _own(
    name: str,
    records: Iterable[int],
    values: Mapping[int, Mapping[str, Any]],
    states: Mapping[int, FieldStates],
    writes: Mapping[str, Sequence[WriteRow]],
) -> set[str]:
    """Return what records say of their own in a field, as marks.

    writes: what the hub wrote to them while they were one with others; the rest is their own.
    """
    found: set[str] = set()
    for number in records:
        held, known = values.get(number, {}), states.get(number, {})
        said = _marks(held.get(name)) if _says(name, held, known) else set()
        if (entry := known.get(name)) is not None and entry.copied:
            for row in writes.get(record_lane(number), ()):
                if change := row.doc["fields"].get(name):
                    said -= _marks(change["to"]) - _marks(change["was"])
        found |= said
    return found


def _says(name: str, values: Mapping[str, Any], states: FieldStates) -> bool:
    """Tell whether a record says something in a field; that it was cleared is said too."""
    entry = states.get(name)
    return values.get(name) not in (None, []) or (entry is not None and entry.cleared)


def _marks(value: Any) -> set[str]:
    """Return what a value says, a cleared one too."""
    if value in (None, []):
        return {""}
    return {mark(item) for item in (value if isinstance(value, list) else [value])}


class _Foreign(NamedTuple):
    """What tells a value of the other part: its records that say something, what they alone say
    now, and what others of one's own part say. A single value may be from one of the first, which
    says something else by now; one that says nothing any more has not taken it back.
    """

    records: set[int]
    said: set[str]
    own: set[str]

    def brought(self, change: Mapping[str, Any]) -> bool:
        """Tell whether a write brought a value of the other part."""
        marks = _marks(change["to"])
        if not marks.isdisjoint(self.said):
            return True
        is_single = not isinstance(change["to"], list) and not isinstance(change["was"], list)
        return is_single and change.get("from") in self.records and marks.isdisjoint(self.own)


def _back(
    name: str,
    made: Sequence[WriteRow],
    values: dict[str, Any],
    states: FieldStates,
    foreign: _Foreign,
) -> dict[str, Any] | None:
    """Return the change to what stood there before the first write of a foreign value."""
    last = oldest = None
    for row in reversed(made):
        change = row.doc["fields"].get(name)
        if row.kind not in ("update", "restore") or change is None or change.get("pushed"):
            continue
        if last is None and not is_ours(name, change, values, states):
            return None
        if not foreign.brought(change):
            break
        last, oldest = last or change, change
    if last is None or oldest is None or _marks(oldest["was"]) == _marks(last["to"]):
        return None
    return {
        "to": oldest["was"], "was": last["to"], "stamp": oldest["was_stamp"],
        "was_stamp": last["stamp"], "items": {}, "raw": oldest["base"], "base": last["raw"],
    }  # fmt: skip


def is_ours(name: str, change: dict[str, Any], values: dict[str, Any], states: FieldStates) -> bool:
    """Whether a field still holds what was written, and nobody has touched it."""
    if change.get("pushed"):
        return False
    state = states.get(name)
    return state is not None and state.copied and same(values.get(name), change["to"] or None)
