"""Step 7: what the identities that changed need at the far sides becomes writes due.

Part of T2, and of T3 for the lanes that were settled. Before: walk_golden. After: outbound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from crm_hub.flow.batch import MANY, Moment, Tools, TwoWay
from crm_hub.flow.briefs import made_for
from crm_hub.flow.clashes import log_clashes
from crm_hub.flow.gone_elsewhere import doomed_by, lost_of
from crm_hub.flow.holding import hold_together
from crm_hub.flow.lanes import bury, lasting, open_writes, reconcile, taken_back
from crm_hub.flow.members import held_member, node_member
from crm_hub.flow.repairs import repair_late
from crm_hub.flow.tracking import Lost, Tracked
from crm_hub.flow.walk_golden import Settled
from crm_hub.merge import Decided, MergeMember, decide, display_name, whole_name
from crm_hub.model.ids import SourceKey
from crm_hub.model.routes import Route
from crm_hub.outbox import plan as drafting
from crm_hub.outbox import taking_away
from crm_hub.outbox.drafts import Drafts, Target, Wanted, create_lane, record_lane
from crm_hub.store import Briefs, Db, Identities, Outbox, WriteRow


@dataclass(slots=True)
class Subject:
    """One identity with its members; drafts: what it needs."""

    identity_id: int
    entity: str
    members: list[MergeMember]
    sources: dict[int, SourceKey]
    decided: Decided = field(default_factory=Decided)
    drafts: Drafts = field(default_factory=Drafts)

    @property
    def name(self) -> str:
        values = {n: d.value for n, d in self.decided.fields.items() if d.value is not None}
        return display_name(self.entity, values)

    def wanted(self) -> dict[str, Wanted]:
        """Return the golden values as the outbox room takes them."""
        fields = dict(self.decided.fields)
        made = whole_name(self.members, self.decided) if self.entity == "person" else None
        if made is not None:
            fields["display_name"] = made
        return {n: Wanted(d.value, d.stamp, d.items, d.open, d.origin) for n, d in fields.items()}

    def targets(self, two_way: TwoWay) -> list[tuple[MergeMember, Route]]:
        """Return the members that the hub may write to."""
        found = []
        for member in self.members:
            source = self.sources[member.record_id]
            route = two_way.routes.get((source.connection, source.stream))
            if route is not None:
                found.append((member, route))
        return found


def plan_settled(db: Db, tools: Tools, settled: Settled, tracked: Tracked, moment: Moment) -> None:
    """Plan the writes of the identities that a batch changed."""
    two_way = tools.two_way
    if two_way is None:
        return
    repair_late(db, tools, tracked.settled, moment)
    subjects, closed = [], []
    for number in sorted(settled.changed):
        nodes = settled.members.get(number)
        if nodes is None:
            closed.append(number)
        elif nodes[0].entity in two_way.entities:
            members = [node_member(n, tools) for n in nodes]
            sources = {n.record_id: n.source for n in nodes}
            subjects.append(Subject(number, nodes[0].entity, members, sources))
    repo = Outbox(db)
    gone = repo.open_in([record_lane(one.record_id) for one in tracked.lost])
    over = [*repo.open_of(closed), *gone.values()]
    repo.remove(row.id for row in over if row.state in ("due", "dead"))
    # Where two identities became one, the one that stays says what is still in dispute.
    repo.close_conflicts([row.id for row in repo.conflicts_of(closed, "open")], "decided")
    plan_subjects(db, tools, subjects, tracked, moment)


def plan_again(db: Db, tools: Tools, identity_ids: Iterable[int], moment: Moment) -> None:
    """Plan identities of which something may have changed since."""
    tracked = Tracked(db)
    plan_subjects(db, tools, subjects_of(db, tools, identity_ids), tracked, moment)


def plan_settled_lanes(db: Db, tools: Tools, rows: Iterable[WriteRow], moment: Moment) -> None:
    """Plan anew whoever writes that were settled belong to by now."""
    repo, listed = Identities(db), list(rows)
    repair_late(db, tools, listed, moment)
    links = repo.links_of([row.record_id for row in listed if row.record_id is not None])
    found = {
        links[row.record_id][0] if row.record_id in links else repo.follow(row.identity_id)
        for row in listed
    }
    plan_again(db, tools, sorted(found), moment)


def subjects_of(db: Db, tools: Tools, identity_ids: Iterable[int]) -> list[Subject]:
    """Return stored identities as planning takes them."""
    two_way = tools.two_way
    found: dict[int, Subject] = {}
    for held in Identities(db).held_by_identity(identity_ids):
        if two_way is None or held.entity not in two_way.entities:
            continue
        number = held.identity_id or 0
        subject = found.setdefault(number, Subject(number, held.entity, [], {}))
        subject.members.append(held_member(held, tools))
        subject.sources[held.record_id] = SourceKey(held.connection, held.stream, held.key)
    return [found[number] for number in sorted(found)]


def plan_subjects(
    db: Db, tools: Tools, subjects: Sequence[Subject], tracked: Tracked, moment: Moment
) -> None:
    """Draft what the subjects need, and store it: writes, conflicts, and who is held together."""
    two_way = tools.two_way
    if two_way is None or not subjects:
        return
    lost = lost_of(tracked.lost, two_way)
    opened = open_writes(db, subjects, two_way)
    next_us = draft_all(db, tools, subjects, tracked, lost, opened, moment.now_us)
    Briefs(db).looked_at(next_us)
    hold_together(db, two_way, subjects)
    log_clashes(db, two_way, subjects, tracked.edits, lost, moment)
    bury(db, subjects, two_way, moment)
    reconcile(db, subjects, two_way, opened, moment)


def draft_all(
    db: Db,
    tools: Tools,
    subjects: Sequence[Subject],
    tracked: Tracked,
    lost: Mapping[int, Sequence[Lost]],
    opened: Mapping[str, WriteRow],
    now_us: int,
) -> dict[int, int | None]:
    """Decide each subject's golden values, and draft its writes. Writes nothing.

    opened: the open writes of their lanes. Returns from when on the brief of an identity may say
    something else.
    """
    two_way = tools.two_way
    if two_way is None:
        return {}
    _decide(tools, two_way, subjects, tracked, opened)
    wanted = {s.identity_id: s.wanted() for s in subjects}
    made = made_for(db, two_way, subjects, wanted, now_us)
    for number, one in made.items():
        wanted[number] |= one.values
    needed = [
        member.record_id
        for s in subjects
        for member, route in s.targets(two_way)
        if drafting.needs_payload(route, member.values, wanted[s.identity_id])
    ]
    repo = Outbox(db)
    sent = repo.sent(needed)
    for subject in subjects:
        want = wanted[subject.identity_id]
        doomed = doomed_by(subject, two_way, lost.get(subject.identity_id, ()), tracked.edits)
        for member, route in subject.targets(two_way):
            if member.record_id in doomed:
                target = _target(member, route, {})
                cause = doomed[member.record_id]
                take_away = taking_away.TAKE_AWAY[route.section.delete]
                take_away(subject.identity_id, subject.name, cause, target, subject.drafts)
            elif member.record_id in sent:
                payload = orjson.loads(sent[member.record_id].payload)
                target = _target(member, route, payload)
                drafting.update(subject.identity_id, subject.name, want, target, subject.drafts)
    _creates(repo, two_way, subjects, wanted)
    return {number: one.next_us for number, one in made.items()}


def _decide(
    tools: Tools,
    two_way: TwoWay,
    subjects: Sequence[Subject],
    tracked: Tracked,
    opened: Mapping[str, WriteRow],
) -> None:
    states = tracked.states([m.record_id for s in subjects for m in s.members])
    for subject in subjects:
        subject.members = [
            taken_back(replace(m, states=states.get(m.record_id, {})), opened)
            for m in subject.members
        ]
        rules = tools.survivorship.get(subject.entity, {})
        counting = tools.speaking(lasting(subject, opened, two_way))
        subject.decided = decide(counting, rules, MANY[subject.entity])


def _target(member: MergeMember, route: Route, payload: dict[str, Any]) -> Target:
    return Target(
        member.record_id, route, member.values, member.states, member.changed_at_us, payload
    )


def _creates(
    repo: Outbox,
    two_way: TwoWay,
    subjects: Sequence[Subject],
    wanted: Mapping[int, dict[str, Wanted]],
) -> None:
    routes = [r for r in two_way.routes.values() if r.section.create_when is not None]
    if not routes:
        return
    possible: list[tuple[Subject, Route, str]] = []
    for subject in subjects:
        there = {(s.connection, s.stream) for s in subject.sources.values()}
        for route in routes:
            if (route.connection, route.stream) not in there:
                lane = create_lane(subject.identity_id, route)
                possible.append((subject, route, lane))
    if not possible:
        return
    done = repo.created(lane for _, _, lane in possible)
    left = {row[:3] for row in repo.left({s.identity_id for s, _, _ in possible})}
    for subject, route, lane in possible:
        number = subject.identity_id
        if lane not in done and (number, route.connection, route.stream) not in left:
            anchor = min(subject.members, key=lambda m: m.order).record_id
            drafting.create(
                number, subject.name, subject.entity, wanted[number], route, anchor, subject.drafts
            )
