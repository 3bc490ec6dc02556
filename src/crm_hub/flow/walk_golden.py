"""Step 5 for one batch: the golden records of the identities that changed, and the change log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from crm_hub.flow.batch import MANY, Moment, Tools, Walked
from crm_hub.flow.members import node_member
from crm_hub.flow.tracking import Tracked
from crm_hub.flow.walk_records import Node
from crm_hub.merge import decide, diff, display_name, golden
from crm_hub.merge.golden import Golden, dump_single, load
from crm_hub.model.states import FieldStates
from crm_hub.store import EMPTY_GOLDEN, Identities, IdentityRow, Row


@dataclass(slots=True)
class Settled:
    """What resolving decided: the members of identities, and which identities changed.

    first_new: numbers from here on were given out in this batch. moved: for a ruling, the links
    that it changed, as they were.
    """

    first_new: int
    members: dict[int, list[Node]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    moved: list[Row] | None = None


def merge_identities(
    repo: Identities,
    tools: Tools,
    settled: Settled,
    moment: Moment,
    walked: Walked,
    tracked: Tracked | None = None,
) -> None:
    """Write the golden record of every changed identity, and log what became of it."""
    old = (number for number in settled.changed if number < settled.first_new)
    stored = repo.identities(old, stored=True)
    states = _states(settled, tracked)
    new_rows: list[Row] = []
    changed_rows: list[Row] = []
    log: list[Row] = []
    for number in sorted(settled.changed):
        members = settled.members.get(number)
        before = stored.get(number)
        if members is None:
            _close(before, changed_rows, log, moment)
            continue
        run_id = moment.run_id if before is None else before.created_run_id
        record, row = _golden_row(tools, number, members, moment.now_us, run_id, states)
        if before is None:
            new_rows.append(row)
            walked.counts[members[0].entity] += 1
        elif before[1:5] != row[1:5]:
            changed_rows.append(row)
            difference = orjson.dumps(diff(load(before.golden).values, record.values)).decode()
            kind = "changed" if before.redirect_to is None else "split"
            log.append((number, moment.run_id, moment.now_us, kind, difference))
    repo.save_identities(new_rows, changed_rows)
    repo.log_changes(log)


def _states(settled: Settled, tracked: Tracked | None) -> dict[int, FieldStates]:
    """Return what is known of single fields of the records that are about to be merged."""
    if tracked is None:
        return {}
    changed = (settled.members.get(number, ()) for number in settled.changed)
    return tracked.states([n.record_id for nodes in changed if len(nodes) > 1 for n in nodes])


def _golden_row(
    tools: Tools,
    number: int,
    nodes: Sequence[Node],
    now_us: int,
    created_run_id: int,
    states: dict[int, FieldStates],
) -> tuple[Golden, tuple[Any, ...]]:
    entity = nodes[0].entity
    if len(nodes) == 1:
        record = Golden(nodes[0].values, nodes[0].record_id)
        text = dump_single(nodes[0].data, nodes[0].record_id)
    else:
        rules = tools.survivorship.get(entity, {})
        members = tools.speaking([node_member(n, tools, states) for n in nodes])
        if any(m.states for m in members):
            record = decide(members, rules, MANY[entity]).golden()
        else:
            record = golden(members, rules, MANY[entity])
        text = record.dump()
    name = display_name(entity, record.values)
    return record, (number, entity, name, None, text, now_us, created_run_id)


def _close(
    before: IdentityRow | None,
    changed_rows: list[Row],
    log: list[Row],
    moment: Moment,
) -> None:
    """An identity without records: it redirects (a merge), or it is empty (all were deleted)."""
    if before is None:
        return
    kind = "merged" if before.redirect_to is not None else "emptied"
    if kind == "emptied":
        row = (*before[:3], None, EMPTY_GOLDEN, moment.now_us, before.created_run_id)
        changed_rows.append(row)
    log.append((before.id, moment.run_id, moment.now_us, kind, "{}"))
