"""Edits are later than what they replace, also where it stands in other records.

Part of tracking: the stamp that an edit gets from its own record alone may be too old.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import orjson

from crm_hub.flow.batch import MANY
from crm_hub.merge.three_way import Edit
from crm_hub.model.states import RecordState, same
from crm_hub.store import Db, Held, Identities, Outbox


def outrank(
    db: Db, edits: Sequence[Edit], held: Mapping[int, Held], saved: Mapping[int, RecordState]
) -> None:
    """Let edits be later than the values that those who made them saw.

    Whoever edits a value that several records hold replaces it in all of them, even where it was
    put there once more since. Where a source gives no time, an edit of a field that is in dispute
    ends the dispute, whoever makes it: what was seen before it is older than it.
    """
    mine = [e for e in edits if e.kept and e.record_id in held]
    mine = [e for e in mine if e.field not in MANY[held[e.record_id].entity]]
    if not mine:
        return
    repo, edited = Outbox(db), {(e.record_id, e.field) for e in edits}
    of = {e.record_id: held[e.record_id].identity_id or 0 for e in mine}
    opened = {(c.identity_id, c.field) for c in repo.conflicts_of(set(of.values()), "open")}
    others: dict[int, list[Held]] = defaultdict(list)
    for one in Identities(db).held_by_identity(set(of.values())):
        others[one.identity_id or 0].append(one)
    states = repo.states([one.record_id for found in others.values() for one in found])
    for edit in mine:
        number, has_time = of[edit.record_id], held[edit.record_id].changed_at_us is not None
        disputed = not has_time and (number, edit.field) in opened
        entry = saved[edit.record_id].entry(edit.field)
        for one in others[number]:
            if (one.record_id, edit.field) in edited:
                continue
            value = orjson.loads(one.data).get(edit.field)
            if disputed or (edit.before is not None and same(value, edit.before)):
                stamp = _stamp(one, states.get(one.record_id), edit.field)
                entry.stamp = max(entry.stamp or 0, 1 + (stamp or 0))


def _stamp(one: Held, state: RecordState | None, field: str) -> int | None:
    entry = None if state is None else state.fields.get(field)
    return one.changed_at_us if entry is None else entry.stamp
