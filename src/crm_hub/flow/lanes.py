"""Bringing the outbox in line with what is wanted: a lane has one open write at most.

The last part of step 7. Before: planning, which drafted the writes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from crm_hub.flow.batch import Moment, TwoWay
from crm_hub.flow.clashes import outlived_later
from crm_hub.merge import MergeMember
from crm_hub.model.routes import Route
from crm_hub.model.states import ABSENT, FieldState, same
from crm_hub.outbox.drafts import Draft, Problem, record_lane
from crm_hub.store import Db, DeadLetter, Identities, Landings, Machinery, Outbox, WriteRow

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject

OUTBOUND_STEP = "outbound"
TAKEN_AWAY = {"delete": "propagate", "archive": "archive"}
"""Kinds of writes that take a record away, and the policy that asks for each."""
UNDO = "the undo of run "
"""How the cause of a deletion begins that takes back a creation."""


def bury(db: Db, subjects: Sequence[Subject], two_way: TwoWay, moment: Moment) -> None:
    """Set aside what a target cannot take; what it now can is taken out again."""
    problems: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    looked: set[tuple[str, str, str]] = set()
    for subject in subjects:
        for member, route in subject.targets(two_way):
            looked.add(_place(subject, route, member.record_id))
            looked.add(_place(subject, route, None))
        for problem in subject.drafts.problems:
            problems[_place(subject, problem.route, problem.record_id)].append(problem)
    machinery = Machinery(db)
    dead = {
        (connection, stream): machinery.dead_keys(connection, stream, OUTBOUND_STEP)
        for connection, stream in {place[:2] for place in looked | problems.keys()}
    }
    machinery.revive(
        dead[place[:2]][place[2]]
        for place in looked - problems.keys()
        if place[2] in dead[place[:2]]
    )
    machinery.bury(
        [
            DeadLetter(
                0, *place, OUTBOUND_STEP,
                "; ".join(f"{p.field}: {p.reason}" for p in found),
                "Correct the value or the field's mapping; the rest of the record is written.",
                "", None, None, moment.now_us, 1,
            )
            for place, found in problems.items()
            if place[2] not in dead[place[:2]]
        ]
    )  # fmt: skip


def unfit(db: Db, routes: Iterable[Route]) -> set[int]:
    """Return the identities that have a value which a target could not take."""
    found = set()
    for route in routes:
        keys = Machinery(db).dead_keys(route.connection, route.stream, OUTBOUND_STEP)
        new = [_NEW.fullmatch(key) for key in keys]
        found |= {int(match[1]) for match in new if match}
        stream = Landings(db).stream(route.connection, route.stream)
        known = {} if stream is None else Landings(db).known(stream.id, keys)
        links = Identities(db).links_of([row[0] for row in known.values()])
        found |= {identity for identity, _ in links.values()}
    return found


_NEW = re.compile(r"\(new for (\d+)\)")


def _place(subject: Subject, route: Route, record_id: int | None) -> tuple[str, str, str]:
    key = f"(new for {subject.identity_id})" if record_id is None else subject.sources[record_id].id
    return route.connection, route.stream, key


def open_writes(db: Db, subjects: Sequence[Subject], two_way: TwoWay) -> dict[str, WriteRow]:
    """Return the open writes of the subjects' lanes."""
    repo, targets = Outbox(db), [m for s in subjects for m, _ in s.targets(two_way)]
    opened = repo.open_in({record_lane(m.record_id) for m in targets})
    return opened | {row.lane: row for row in repo.open_of(s.identity_id for s in subjects)}


def taken_back(member: MergeMember, opened: Mapping[str, WriteRow]) -> MergeMember:
    """Return a member as it will be once what the hub had carried to it is taken back.

    What is to go from a record must not be carried on from there meanwhile.
    """
    row = opened.get(record_lane(member.record_id))
    if row is None or row.kind != "restore":
        return member
    values, states = dict(member.values), dict(member.states)
    for name, change in row.doc["fields"].items():
        values.pop(name, None)
        if change["to"] not in (None, []):
            values[name] = change["to"]
        known = states.get(name) or FieldState(member.changed_at_us)
        states[name] = known.restored(change["stamp"], change.get("undone", ABSENT))
    return replace(member, values=values, states=states)


def lasting(subject: Subject, opened: Mapping[str, WriteRow], two_way: TwoWay) -> list[MergeMember]:
    """Return the members that are not about to be taken away; all where every one is.

    What goes says nothing any more, least of all for others whom it joins on its way out, once the
    record is gone that a ruling told from them.
    """
    rows = {m.record_id: opened.get(record_lane(m.record_id)) for m in subject.members}
    going = {
        record for record, row in rows.items()
        if row is not None and row.kind in TAKEN_AWAY and stays(row, [subject], two_way)
    }  # fmt: skip
    return [m for m in subject.members if m.record_id not in going] or subject.members


def reconcile(
    db: Db,
    subjects: Sequence[Subject],
    two_way: TwoWay,
    opened: Mapping[str, WriteRow],
    moment: Moment,
) -> None:
    """Bring the open writes of the subjects' lanes in line with the drafts."""
    repo = Outbox(db)
    drafts = {d.lane: d for s in subjects for d in s.drafts.writes}
    added: list[WriteRow] = []
    changed: list[WriteRow] = []
    removed: list[int] = []
    for lane in sorted(drafts.keys() | opened.keys()):
        draft, there = drafts.get(lane), opened.get(lane)
        if there is None:
            added += [] if draft is None else [_row(draft, moment)]
        elif stays(there, subjects, two_way):
            continue
        elif draft is None:
            removed.append(there.id)
        elif (draft.kind, _json(draft.doc())) != (there.kind, there.doc):
            changed.append(_row(draft, moment)._replace(id=there.id))
    repo.add(added)
    repo.save(changed)
    repo.remove(removed)
    touched = {row.id for row in changed} | set(removed)
    deletes = [
        row
        for row in opened.values()
        if row.kind in TAKEN_AWAY and row.id in touched and _is_overtaken(row, subjects, two_way)
    ]
    repo.add_conflicts([outlived_later(row, moment) for row in deletes])


def stays(row: WriteRow, subjects: Sequence[Subject], two_way: TwoWay) -> bool:
    """Whether planning leaves a write alone: it is under way, or was wanted for other reasons."""
    if row.state in ("sent", "unknown") or row.kind == "restore":
        return True
    if row.kind not in TAKEN_AWAY or _is_overtaken(row, subjects, two_way):
        return False
    route = two_way.routes.get((row.connection, row.stream))
    undoes = row.doc["fields"]["values"]["cause"].startswith(UNDO)
    return undoes or (route is not None and route.section.delete == TAKEN_AWAY[row.kind])


def _is_overtaken(row: WriteRow, subjects: Sequence[Subject], two_way: TwoWay) -> bool:
    """Whether somebody edited the record since its deletion was planned: an edit beats a delete.

    Only what the hub writes there counts. The far side makes other fields of it, so those may say
    something new because of the hub's own last write.
    """
    was = row.doc["fields"]["values"]["was"]
    route = two_way.routes.get((row.connection, row.stream))
    for subject in subjects:
        for member in subject.members:
            if member.record_id == row.record_id:
                names = {*was, *member.values} if route is None else route.section.fields
                return any(not same(member.values.get(name), was.get(name)) for name in names)
    return True


def _row(draft: Draft, moment: Moment) -> WriteRow:
    return WriteRow(
        0, draft.route.connection, draft.route.stream, draft.lane, draft.identity_id,
        draft.record_id, draft.kind, _json(draft.doc()), uuid4().hex, "due", 0, moment.now_us,
        moment.now_us, None, None, "",
    )  # fmt: skip


def _json(doc: dict[str, Any]) -> dict[str, Any]:
    """Return what comes back when it is stored, so that equal drafts compare equal."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(doc, option=orjson.OPT_SORT_KEYS))
    return found
