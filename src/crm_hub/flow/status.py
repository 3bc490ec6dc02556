"""What is covered and what is not: counted, never assumed."""

from __future__ import annotations

from typing import NamedTuple

from crm_hub.flow.digests import Digests
from crm_hub.flow.hub import Hub
from crm_hub.model.values import to_us
from crm_hub.store import (
    Db,
    Events,
    Identities,
    Landings,
    Likeness,
    Machinery,
    Outbox,
    OutboxFigures,
    RunRow,
    StreamRow,
)


class StreamStatus(NamedTuple):
    """One stream's coverage. Times are microseconds since 1970 UTC, lag in seconds.

    source_count: live objects the source says it holds, repeats of one id not counted; None
    when it cannot tell. coverage: 0 to 100, None when nobody can say.
    """

    connection: str
    kind: str
    stream: str
    source_count: int | None
    hub_count: int
    coverage: float | None
    last_event_us: int | None
    lag_s: int | None
    dead: int
    waiting: int
    state: str
    problems: list[str]


class OutboxStatus(NamedTuple):
    """The writes of one connection that are not over. waiting: due or under way.

    oldest_s: since when the oldest of them waits. state: ok, waiting, attention, not approved,
    paused or failing. problems: for a person.
    """

    connection: str
    direction: str
    waiting: int
    unknown: int
    dead: int
    oldest_s: int | None
    state: str
    problems: list[str]


class Written(NamedTuple):
    """What a hub has to write. conflicts: how many are open, in all connections together."""

    connections: list[OutboxStatus]
    conflicts: int


_NEVER = "likeness joins nobody before the first rebuild"


class WhoIsWho(NamedTuple):
    """What waits for a person. questions: how many are open. rebuild: why one is due, or ""."""

    questions: int
    rebuild: str


def who_is_who(hub: Hub) -> WhoIsWho:
    """Return which decisions about people and firms are waiting."""
    with hub.store.read() as db:
        repo = Likeness(db)
        questions = repo.count_questions()
        if not repo.holds_measured():
            return WhoIsWho(questions, _NEVER if questions else "")
    from crm_hub.flow.rebuild_due import due  # a new hub does not need it

    return WhoIsWho(questions, due(hub))


def written(hub: Hub) -> Written:
    """Return the state of the outbox; no connections for a hub that writes nowhere."""
    names = hub.written_to()
    if not names:
        return Written([], 0)
    now_us = to_us(hub.now())
    with hub.store.read() as db:
        repo = Outbox(db)
        figures, approved = repo.figures(), {row.connection for row in repo.routes()}
        runs = Machinery(db).last_runs("push")
        count = repo.open_count()
    rows = []
    for name in names:
        one = hub.config.connections[name]
        found = figures.get(name, OutboxFigures(0, 0, 0, None))
        run, pushed_us = runs.get(name), hub.last_looked_us(name, "push")
        failure = run.message if run is not None and _ended_badly(run, pushed_us) else ""
        state, problems = _outbox_state(name, one.paused, name in approved, found, failure)
        age_s = None if found.oldest_us is None else max(0, now_us - found.oldest_us) // 1_000_000
        rows.append(
            OutboxStatus(
                name, one.direction, found.waiting, found.unknown, found.dead, age_s, state,
                problems,
            )
        )  # fmt: skip
    return Written(rows, count)


def _ended_badly(run: RunRow, well_us: int | None) -> bool:
    """Whether the last run failed and none has ended well since."""
    failed = run.state in ("failed", "paused")
    return failed and (well_us or 0) <= (run.ended_at_us or run.started_at_us)


def _outbox_state(
    name: str, paused: bool, approved: bool, found: OutboxFigures, failure: str
) -> tuple[str, list[str]]:
    problems = []
    if found.dead:
        problems.append(f"{found.dead} writes were set aside: crm-hub outbox list {name}")
    if found.unknown:
        problems.append(f"{found.unknown} writes got no answer; they are looked up, not repeated")
    if failure:
        return ("paused" if paused else "failing"), [failure, *problems]
    if paused:
        return "paused", problems
    if not approved:
        return "not approved", [f"its first plan waits for approval: crm-hub preview {name}"]
    if problems:
        return "attention", problems
    return ("waiting" if found.waiting else "ok"), []


def status(hub: Hub) -> list[StreamStatus]:
    """Return the state of every stream of every connection."""
    rows: list[StreamStatus] = []
    with hub.store.read() as db:
        facts = _Facts(db, Digests(hub))
        for name in hub.config.connections:
            rows.extend(_connection(hub, db, name, facts))
    return rows


class _Facts:
    """The counts that concern all streams, read once."""

    def __init__(self, db: Db, digests: Digests) -> None:
        self.digests = digests
        machinery, landings = Machinery(db), Landings(db)
        self.live = landings.live_counts()
        self.dead = machinery.dead_counts()
        self.waiting = landings.waiting()
        self.inbox = machinery.inbox_counts()
        self.runs = machinery.last_runs("sync")
        self.streams: dict[str, list[StreamRow]] = {}
        for stream in landings.streams():
            self.streams.setdefault(stream.connection, []).append(stream)


def _connection(hub: Hub, db: Db, name: str, facts: _Facts) -> list[StreamStatus]:
    one = hub.config.connections[name]
    run = facts.runs.get(name)
    looked_us = hub.last_looked_us(name)
    rows = [
        _stream(hub, db, one.kind, stream, facts, looked_us)
        for stream in facts.streams.get(name, [])
    ]
    inbox = {state: n for (c, state), n in facts.inbox.items() if c == name}
    if inbox:
        rows.append(_inbox(name, one.kind, inbox, facts))
    if not rows:
        rows.append(
            StreamStatus(name, one.kind, "", None, 0, None, None, None, 0, 0, "never synced", [])
        )
    state, problems = _state(one.paused, run, looked_us)
    return [
        row._replace(state=state or row.state, problems=problems + row.problems) for row in rows
    ]


def _state(paused: bool, run: RunRow | None, looked_us: int | None) -> tuple[str, list[str]]:
    """What stands over all streams of a connection; a success without effect leaves no run."""
    if paused:
        return "paused", ["paused by an admin"]
    if run is None or (looked_us or 0) > (run.ended_at_us or run.started_at_us):
        return "", []
    if run.state in ("failed", "paused"):
        prefix = f"{run.connection}: "  # so that it is told once, not of each stream
        return "failing", [prefix + run.message.removeprefix(prefix)]
    if run.state == "running":
        return "interrupted", ["the last run did not end; the next one goes on from there"]
    return "", []


def _stream(
    hub: Hub, db: Db, kind: str, stream: StreamRow, facts: _Facts, looked_us: int | None
) -> StreamStatus:
    live = facts.live.get(stream.id, 0)
    dead = facts.dead.get((stream.connection, stream.name), 0)
    source = None if stream.source_count is None else stream.source_count - stream.repeats
    coverage = None if source is None else 100.0 if source == 0 else round(100 * live / source, 1)
    problems = [
        f"{n} × {field}: {reason}" for field, reason, n in Identities(db).drifts(stream.id)[:3]
    ]
    meant = facts.digests.of(stream.connection).get(stream.shape)
    if meant is not None and stream.plan_digest not in (None, meant):
        problems.insert(0, f"the mapping has changed; run: crm-hub replay {stream.connection}")
    seen_us = max(filter(None, (looked_us, stream.updated_at_us)), default=None)
    lag_s = None if seen_us is None else max(0, (to_us(hub.now()) - seen_us) // 1_000_000)
    green = coverage is None or coverage >= 100
    state = "ok" if green and not dead else "incomplete"
    last = Events(db).last_event_us(stream.id)
    return StreamStatus(
        stream.connection, kind, stream.name, source, live, coverage, last, lag_s, dead,
        facts.waiting.get(stream.id, 0), state,
        problems,
    )  # fmt: skip


def _inbox(name: str, kind: str, inbox: dict[str, int], facts: _Facts) -> StreamStatus:
    """The requests a door has taken: walked, left out on purpose, waiting, or dead."""
    total = sum(inbox.values())
    settled = inbox.get("done", 0) + inbox.get("ignored", 0)
    waiting, dead = inbox.get("due", 0), facts.dead.get((name, "inbox"), 0)
    coverage = round(100 * settled / total, 1)
    state = "ok" if settled == total else "waiting" if waiting else "incomplete"
    return StreamStatus(
        name, kind, "inbox", total, settled, coverage, None, None, dead, waiting, state, []
    )
