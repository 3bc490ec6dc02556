"""Between steps 3 and 4, in a hub that writes: what is an edit, and what is our own write?

Reads the state of each record, turns what was read into what the record asserts, and stores the
new state; part of T2. Before: mapping. After: walk_identities, walk_golden, planning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from crm_hub.flow.batch import MANY, MappedRecord, Moment, TwoWay
from crm_hub.flow.holding import HELD_TOGETHER
from crm_hub.flow.stamping import outrank
from crm_hub.flow.written import as_made, found_created, holds, write_over
from crm_hub.landing import echo
from crm_hub.mapping import SectionPlan
from crm_hub.merge import three_way
from crm_hub.merge.three_way import Edit, Fields
from crm_hub.model.canonical import CanonicalRecord, Claim
from crm_hub.model.ids import SourceKey
from crm_hub.model.states import ABSENT, FieldStates, RecordState, mark, same
from crm_hub.outbox.drafts import record_lane
from crm_hub.store import Db, Held, Identities, Outbox, Rulings, WriteRow

LOOK_AGAIN = b"\x02"
"""The hash of a record whose old value was seen after our write."""
UNREAD = b"\x01"
"""The hash of a record that we wrote and have not read back."""


@dataclass(slots=True)
class Lost:
    """A record that was deleted in its source: what it held, and whether that concerns others.

    stamps: when each of its values was made, where that is known.
    """

    record_id: int
    identity_id: int
    source: SourceKey
    values: dict[str, Any]
    stamps: dict[str, int | None]
    propagates: bool


@dataclass(slots=True)
class Tracked:
    """What a batch says besides its values. near: echoes recognised by likeness alone.

    settled: writes of unknown fate that it shows to have been made.
    """

    db: Db
    near: int = 0
    edits: list[Edit] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    settled: list[WriteRow] = field(default_factory=list)
    _states: dict[int, FieldStates] = field(default_factory=dict)

    def states(self, record_ids: Iterable[int]) -> dict[int, FieldStates]:
        """Return what is known of single fields of these records."""
        missing = [r for r in record_ids if r not in self._states]
        if missing:
            found = Outbox(self.db).states(missing)
            held = {h.record_id: h for h in Identities(self.db).held(found)}
            for number in missing:
                state = found.get(number)
                fits = state is not None and number in held and is_of(state, held[number])
                self._states[number] = state.fields if state is not None and fits else {}
        return self._states

    def keep(self, record_id: int, state: RecordState) -> None:
        self._states[record_id] = state.fields


def digest(values_json: str) -> str:
    """Return the mark of a record's values, by which its state knows that it belongs to them."""
    return blake2b(values_json.encode(), digest_size=8).hexdigest()


def is_of(state: RecordState, held: Held) -> bool:
    """Whether a state belongs to the values that are stored now."""
    return state.digest == digest(held.data)


def track(
    db: Db,
    two_way: TwoWay,
    section: SectionPlan,
    mapped: Sequence[MappedRecord],
    moment: Moment,
    *,
    is_silent: bool = False,
) -> Tracked:
    """Return the edits among `mapped`; its records then assert what they should be taken for.

    is_silent: the connection is only written to, so that a delete there concerns nobody else.
    """
    concerns = section.delete in ("propagate", "archive") and not moment.is_own and not is_silent
    tracked = Tracked(db)
    repo = Outbox(db)
    ids = [m.landed.record_id for m in mapped if not m.landed.is_new]
    held = {h.record_id: h for h in Identities(db).held(ids)} if ids else {}
    states = repo.states(held)
    uncertain = _uncertain(repo, held)
    created = found_created(db, mapped)
    ours = repo.versions([r for r, one in states.items() if one.awaits])
    saved: dict[int, RecordState] = {}
    again: list[int] = []
    for landed, source, record, *_ in mapped:
        before = held.get(landed.record_id)
        if record is None:
            if before is not None and before.identity_id is not None:
                route = two_way.routes.get((source.connection, source.stream))
                told = route is not None and route.ability.tells_deletes
                state = states.get(landed.record_id)
                unread = not told and _was_never_read(before, state)
                tracked.lost.append(_lost(before, source, state, concerns and not unread))
            continue
        if record.entity not in two_way.entities:
            continue
        if landed.record_id in created:
            row = created[landed.record_id]
            fresh = saved[landed.record_id] = RecordState()
            made = as_made(landed.record_id, source, row, fresh, moment.now_us)
            _look(record, made, fresh, section, moment, False, tracked, again)
            continue
        if before is None:
            tracked.edits += [
                Edit(landed.record_id, name, None, value) for name, value in record.values.items()
            ]
            continue
        state = states.get(landed.record_id)
        if state is None or not is_of(state, before):
            state = RecordState()
        sent = uncertain.get(landed.record_id)
        if sent is not None and holds(sent, record.values):
            # It had been made: what it wrote is no edit of somebody's.
            text = write_over(before, sent, state, before.changed_at_us, moment.now_us)
            before = before._replace(data=text)
            tracked.settled.append(sent)
        known = ours.get(landed.record_id)
        is_ours = known is not None and known == state.version
        if _look(record, before, state, section, moment, is_ours, tracked, again):
            saved[landed.record_id] = state
    outrank(db, tracked.edits, held, saved)
    _add_claims(repo, mapped)
    if held and Rulings(db).any():
        _drop_what_goes(db, {m.landed.record_id: m.record for m in mapped}, tracked.settled)
    repo.save_states(saved)
    repo.save(
        [
            row._replace(
                state="confirmed", settled_at_us=moment.now_us, run_id=moment.run_id, reason=""
            )
            for row in tracked.settled
        ]
    )
    repo.look_again(again, LOOK_AGAIN)
    return tracked


def _uncertain(repo: Outbox, records: Iterable[int]) -> dict[int, WriteRow]:
    """Return the writes of these records that were sent, and of which nobody knows more."""
    rows = repo.open_in(map(record_lane, records)).values()
    return {
        row.record_id: row
        for row in rows
        if row.record_id is not None
        and row.state in ("sent", "unknown")
        and row.kind in ("update", "restore")
    }


def _was_never_read(before: Held, state: RecordState | None) -> bool:
    """Whether the hub created a record and no pull has shown it yet.

    A listing that is a moment old does not hold it: that it is missing there deletes nothing.
    """
    if state is None or not state.awaits:
        return False
    values = orjson.loads(before.data)
    waiting = {name: one.awaited for name, one in state.fields.items() if one.awaited is not None}
    return all(same(one.before, values.get(name)) for name, one in waiting.items())


def _lost(before: Held, source: SourceKey, state: RecordState | None, propagates: bool) -> Lost:
    values: dict[str, Any] = orjson.loads(before.data)
    if state is None or not is_of(state, before):
        state = RecordState()
    state.spell_out(values, before.changed_at_us)
    stamps = {name: one.stamp for name, one in state.fields.items()}
    return Lost(before.record_id, before.identity_id or 0, source, values, stamps, propagates)


def _look(
    record: CanonicalRecord,
    before: Held,
    state: RecordState,
    section: SectionPlan,
    moment: Moment,
    is_ours: bool,
    tracked: Tracked,
    again: list[int],
) -> bool:
    """Put what the record asserts in place of what was read; tell whether its state changed."""
    values: dict[str, Any] = orjson.loads(before.data)
    state.spell_out(values, before.changed_at_us)
    if moment.is_replay:
        changed = _replayed(record, values, state)
    else:
        sight = echo.Sight(record.changed_at_us, is_ours, moment.now_us)
        near = state.near
        reading = echo.read(state, values, record.values, sight)
        tracked.near += state.near - near
        fields = Fields(MANY[record.entity], section.clears)
        tracked.edits += three_way.edited(
            before.record_id, state, reading.values, reading.edits, record.changed_at_us, fields
        )
        changed = reading.changed or bool(reading.edits)
        if reading.again:
            again.append(before.record_id)
        record.values = reading.values
    text = orjson.dumps(record.values, option=orjson.OPT_SORT_KEYS).decode()
    state.digest = digest(text)
    tracked.keep(before.record_id, state)
    return changed or record.changed_at_us != before.changed_at_us


def _replayed(record: CanonicalRecord, values: dict[str, Any], state: RecordState) -> bool:
    """The same payload read with another mapping is no edit: values move, stamps stay."""
    changed = False
    for name in values.keys() | record.values.keys():
        entry = state.fields.get(name)
        shown = values.get(name)
        if entry is not None and entry.rendering is not ABSENT:
            shown = entry.rendering
        if record.values.get(name) == shown:
            if name in values:
                record.values[name] = values[name]
            continue
        changed = True
        if entry is not None:
            entry.rendering, entry.awaited = ABSENT, None
        if name not in record.values:
            state.fields.pop(name, None)
    state.spell_out(record.values, record.changed_at_us)
    return changed


def _add_claims(repo: Outbox, mapped: Sequence[MappedRecord]) -> None:
    records = {m.landed.record_id: m.record for m in mapped if m.record is not None}
    for record_id, value in repo.claims(records):
        records[record_id].claims.append(Claim("strong", HELD_TOGETHER, value))


def _drop_what_goes(
    db: Db, records: Mapping[int, CanonicalRecord | None], settled: Iterable[WriteRow]
) -> None:
    """What is about to be taken back from a record, say a mailbox, says nothing of who it is.

    It came from people whom a ruling has parted from it since. settled: writes that turn out to
    have been made; what such a one carried over is taken back too, once this is walked.
    """
    opened = Outbox(db).open_in(map(record_lane, records)).values()
    goes = _carried_late(db, settled)
    for row in opened:
        if row.kind == "restore" and row.record_id is not None:
            items = _items(row, "was") - _items(row, "to")
            goes[row.record_id] = goes.get(row.record_id, set()) | items
    for number, items in goes.items():
        record = records.get(number)
        if record is not None:
            claims = record.claims
            record.claims = [one for one in claims if (one.kind, mark(one.value)) not in items]


def _carried_late(db: Db, settled: Iterable[WriteRow]) -> dict[int, set[Item]]:
    """Return record → what writes brought it from those whom a later ruling parted from it."""
    made = {row.record_id: row for row in settled if row.record_id is not None}
    theirs: dict[int, set[int]] = {}
    for ruling in Rulings(db).of(made) if made else ():
        if ruling.kind == "different":
            for mine, parted in (ruling.sides, ruling.sides[::-1]):
                for number in made.keys() & set(mine):
                    if made[number].made_at_us <= ruling.at_us:
                        theirs.setdefault(number, set()).update(parted)
    others = {record for ids in theirs.values() for record in ids}
    said = {h.record_id: _said(orjson.loads(h.data)) for h in Identities(db).held(others)}
    return {
        number: (_items(made[number], "to") - _items(made[number], "was"))
        & {item for other in ids for item in said.get(other, ())}
        for number, ids in theirs.items()
    }


Item = tuple[str, str]
"""The name of a field that finds people, and the mark of a value in it."""

_FINDING = ("email", "phone")


def _items(row: WriteRow, at: str) -> set[Item]:
    fields = row.doc["fields"].items()
    return {(n, mark(i)) for n, one in fields if n in _FINDING for i in one[at] or []}


def _said(values: Mapping[str, Any]) -> set[Item]:
    return {(n, mark(i)) for n in _FINDING for i in values.get(n) or []}
