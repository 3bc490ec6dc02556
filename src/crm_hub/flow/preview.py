"""What a push would write, row by row, without writing: the plan that somebody approves.

The same drafting as in T2, over every identity. `crm-hub apply` carries out a plan only while
the world is as it was when the plan was made.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from crm_hub.flow.batch import Moment, Tools, TwoWay
from crm_hub.flow.holding import newly_held
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, SyncReport
from crm_hub.flow.lanes import TAKEN_AWAY, open_writes, stays
from crm_hub.flow.outbound import Outbound, mark_of, paused
from crm_hub.flow.planning import Subject, draft_all, plan_subjects, subjects_of
from crm_hub.flow.tracking import Tracked
from crm_hub.flow.two_way import UNPLANNED, approve, of_routes, possible_routes, route_of
from crm_hub.merge import MergeMember
from crm_hub.model.errors import ConfigError
from crm_hub.model.routes import Route
from crm_hub.model.values import to_us
from crm_hub.outbox import life
from crm_hub.store import Db, Outbox, RouteRow, WriteRow

BATCH = 1000
FOLDER = "plans"


class Line(NamedTuple):
    """One write to come. fields: canonical field → (what stands there, what will).

    Of the kind merge: no write, but a record that is from now on kept equal with `joins`.
    """

    stream: str
    kind: str
    record: str
    name: str
    fields: dict[str, tuple[Any, Any]]
    joins: tuple[str, ...] = ()


@dataclass(slots=True)
class Preview:
    """All writes to come to one connection. counts: by kind, and records that need nothing.

    calls: how many requests of writing and of reading they will cost. digest: of the writes and
    of what they are based on. marks: of each write, by its lane.
    """

    connection: str
    lines: list[Line] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    digest: str = ""
    problems: list[str] = field(default_factory=list)
    marks: dict[str, bytes] = field(default_factory=dict)


def preview(hub: Hub, name: str) -> Preview:
    """Return what a push to `name` would write now. Writes nothing.

    Raises: ConfigError when the hub may not write there.
    """
    tools = _tools_with(hub, possible_routes(hub, name))
    found = Preview(name)
    docs: list[Any] = []
    with hub.store.read() as db:
        for subjects in _subjects(db, tools):
            if tools.two_way is not None:
                opened = open_writes(db, subjects, tools.two_way)
                draft_all(db, tools, subjects, Tracked(db), {}, opened, to_us(hub.now()))
                _add(db, tools.two_way, name, subjects, opened, found, docs)
    routes = [r for r in _routes(tools) if r.connection == name]
    found.calls = sum(_calls(r, found.lines) for r in routes)
    docs.append([r.section.digest for r in routes])
    found.digest = blake2b(
        orjson.dumps(docs, option=orjson.OPT_SORT_KEYS), digest_size=16
    ).hexdigest()
    return found


def _routes(tools: Tools) -> list[Route]:
    return [] if tools.two_way is None else list(tools.two_way.routes.values())


def _tools_with(hub: Hub, rows: Sequence[RouteRow]) -> Tools:
    """Return the tools as they are once these routes are approved."""
    tools = hub.tools
    routes = {(r.connection, r.stream): r for r in _routes(tools)}
    for row in rows:
        route = route_of(hub, row)
        if route is not None:
            routes[row.connection, row.stream] = route
    return replace(tools, two_way=of_routes(hub, routes.values()))


def _subjects(db: Db, tools: Tools) -> Iterator[list[Subject]]:
    entities = sorted(tools.two_way.entities) if tools.two_way is not None else []
    after = 0
    while numbers := Outbox(db).numbers(entities, after, BATCH):
        yield subjects_of(db, tools, numbers)
        after = numbers[-1]


def _add(
    db: Db,
    two_way: TwoWay,
    name: str,
    subjects: Sequence[Subject],
    opened: Mapping[str, WriteRow],
    found: Preview,
    docs: list[Any],
) -> None:
    """Add the lines of some subjects: their drafts, and the open writes that stay as they are."""
    repo = Outbox(db)
    keys: dict[int, str] = {}
    lanes: dict[str, Any] = {}
    merges: list[Line] = []
    joined = newly_held(db, two_way, subjects)
    for subject in subjects:
        targets = [t for t in subject.targets(two_way) if t[1].connection == name]
        keys.update({m.record_id: subject.sources[m.record_id].id for m, _ in targets})
        found.counts["conflict"] += sum(
            any(d.open and f in r.section.fields for f, d in subject.decided.fields.items())
            for _, r in targets
        )
        writes = [d for d in subject.drafts.writes if d.route.connection == name]
        merges += _merges(subject, targets, joined.get(subject.identity_id))
        lanes.update({d.lane: (d.route.stream, d.kind, d.record_id, d.doc()) for d in writes})
        found.counts["skip"] += len(targets) - sum(d.kind != "create" for d in writes)
        found.problems += [
            f"{subject.name}: {p.field}: {p.reason}"
            for p in subject.drafts.problems
            if p.route.connection == name
        ]
    for lane, row in opened.items():
        if stays(row, subjects, two_way):
            lanes.pop(lane, None)
            if row.state == "due" and row.connection == name:
                lanes[lane] = (row.stream, row.kind, row.record_id, row.doc)
    found.lines += merges
    found.counts["merge"] += len(merges)
    docs += [list(line) for line in merges]
    versions = repo.versions(keys)
    for lane in sorted(lanes):
        stream, kind, record_id, doc = lanes[lane]
        found.counts[kind] += 1
        record = "" if record_id is None else keys.get(record_id, "")
        found.lines.append(Line(stream, kind, record, doc["name"], changes(doc, kind)))
        found.marks[lane] = mark_of(kind, doc)
        docs.append([lane, kind, doc, versions.get(record_id or 0)])


def _merges(
    subject: Subject,
    targets: Sequence[tuple[MergeMember, Route]],
    joined: tuple[list[int], str] | None,
) -> list[Line]:
    """Return the records that the hub takes for the same as others, and has not kept equal yet."""
    if joined is None:
        return []
    found = []
    for member, route in targets:
        if member.record_id not in joined[0]:
            continue
        others = {str(s) for r, s in subject.sources.items() if r != member.record_id}
        key = subject.sources[member.record_id].id
        found.append(Line(route.stream, "merge", key, subject.name, {}, tuple(sorted(others))))
    return found


def changes(doc: dict[str, Any], kind: str) -> dict[str, tuple[Any, Any]]:
    """Return field → (what stands there, what will) of a write."""
    if kind in TAKEN_AWAY:
        return {path: (None, value) for path, value in doc.get("constants", {}).items()}
    return {name: (one["was"], one["to"]) for name, one in doc["fields"].items()}


def _calls(route: Route, lines: Sequence[Line]) -> int:
    mine = [line for line in lines if line.stream == route.stream and line.kind != "merge"]
    size = max(1, route.ability.batch_size)
    reads = route.ability.guard not in life.RACE_GUARDS
    compared = sum(line.kind != "create" for line in mine) if reads else 0
    return -(-len(mine) // size) + -(-compared // size)


# approving -------------------------------------------------------------------------------------


def save_plan(hub: Hub, found: Preview) -> Path:
    """Write a plan file into the hub's folder, for its owner's eyes alone; return its path."""
    folder = hub.folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    stamp = hub.now().strftime("%Y%m%d-%H%M%S")
    path = folder / f"{found.connection}-{stamp}-{found.digest[:8]}.json"
    doc = {
        "version": 1,
        "connection": found.connection,
        "made_at": hub.now().isoformat(),
        "digest": found.digest,
        "counts": dict(found.counts),
        "calls": found.calls,
        "rows": [line._asdict() for line in found.lines],
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(doc, option=orjson.OPT_INDENT_2))
    return path


def read_plan(path: Path) -> tuple[str, str]:
    """Return the connection and the digest of a plan file. Raises: ConfigError."""
    try:
        doc = orjson.loads(path.read_bytes())
        return str(doc["connection"]), str(doc["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} is no plan", remedy="Make one: crm-hub preview NAME") from None


def apply(hub: Hub, path: Path) -> SyncReport:
    """Carry out a plan: approve its routes, write its rows to the outbox, and send exactly these.

    What another lane adds or changes after the last look is left to the next push.
    Raises: ConfigError when anything has changed since the plan was made.
    """
    name, digest = read_plan(path)
    inbound = Inbound(hub, name)
    inbound.kind = "push"

    def work() -> None:
        if hub.connection(name).paused:
            raise paused(name)
        found = preview(hub, name)
        if found.digest != digest:
            raise ConfigError(
                f"{name}: the world has moved since this plan was made; nothing was written",
                remedy=f"Look at what would be written now: crm-hub preview {name}",
            )
        approve(hub, possible_routes(hub, name))
        plan_everything(hub, name, inbound)
        Outbound(hub, inbound, many=True, marks=found.marks).run()

    return inbound.recorded(work)


def plan_everything(hub: Hub, name: str, inbound: Inbound) -> None:
    """Plan the writes of every identity, as preview drafts them, batch by batch.

    Where that is cut off it is made again, before anything is sent.
    """
    tools = hub.tools
    with hub.store.read() as db:
        batches = [[s.identity_id for s in subjects] for subjects in _subjects(db, tools)]
    for numbers in batches:
        with inbound.transaction() as db:
            moment = inbound.moment(db)
            _plan(db, tools, numbers, moment)
    routes = {} if tools.two_way is None else tools.two_way.routes
    with hub.store.write() as db:
        repo = Outbox(db)
        new = [r for r in repo.routes() if r.connection == name and r.digest == UNPLANNED]
        known = [(r, routes[name, r.stream]) for r in new if (name, r.stream) in routes]
        repo.approve([r._replace(digest=route.section.digest) for r, route in known])


def _plan(db: Db, tools: Tools, numbers: Sequence[int], moment: Moment) -> None:
    plan_subjects(db, tools, subjects_of(db, tools, numbers), Tracked(db), moment)
