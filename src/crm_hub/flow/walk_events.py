"""Step 6 for one batch: drafts become events, events find their people and conversations.

Three causes bring an event here: one of its tellings came, changed or went; a match key of
one of its participants now leads to another identity; or a participant changed employer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_hub.flow.batch import MappedRecord, Moment, Tools, Walked
from crm_hub.flow.walk_places import Placed, place_events
from crm_hub.flow.walk_signatures import sign_unchanged, walk_signatures
from crm_hub.flow.walk_tellings import Tellings, tell, twin_bucket
from crm_hub.flow.walk_threads import walk_threads
from crm_hub.model.ids import bounded
from crm_hub.store import Briefs, Db, EventRow, Events, Row, ThreadStore
from crm_hub.timeline import Event, Source, compose, people, shown


def walk_events(
    db: Db, tools: Tools, mapped: Sequence[MappedRecord], moment: Moment, walked: Walked
) -> None:
    """Write the events of a batch and place all events it concerns; part of T2."""
    repo = Events(db)
    told = tell(db, repo, mapped)
    if not told.touched and not repo.any():
        return
    has_briefs = tools.two_way is not None and tools.two_way.briefs is not None
    if has_briefs:
        Briefs(db).touch(_whose(repo, told.stored))
    events, late = _compose(repo, told, moment, walked)
    threads = walk_threads(db, events, told.sources, told.stored, tools.rules.free_domains)
    moved = repo.touching(walked.moved_keys) | repo.of_identities(walked.moved_identities)
    placed = place_events(db, repo, tools, events, told.stored.keys() & events.keys(),
                          moved - told.touched)  # fmt: skip
    _save_lines(db, repo, told, events, late, threads, placed)
    walk_signatures(db, tools, told, events)
    if moment.is_replay:
        sign_unchanged(db, repo, tools, mapped, told.touched)
    if has_briefs:
        Briefs(db).touch(_whose(repo, events.keys() | moved))


def _whose(repo: Events, event_ids: Iterable[int]) -> set[int]:
    return {entry[0] for entry in repo.entries(event_ids)}


def _compose(
    repo: Events, told: Tellings, moment: Moment, walked: Walked
) -> tuple[dict[int, Event], dict[int, bool]]:
    """Write every touched event as its sources now tell it; drop those nobody tells.

    Returns the events, and which of them are late.
    """
    events: dict[int, Event] = {}
    late: dict[int, bool] = {}
    new_rows, changed_rows, emptied = [], [], []
    for number in sorted(told.touched):
        sources = told.sources.get(number)
        if not sources:
            emptied.append(number)
            continue
        events[number] = compose(sources)
        before = told.stored.get(number)
        row = _event_row(
            number, events[number], sources, before, moment, is_twin=number in told.twins
        )
        late[number] = row[-1]
        if before is None:
            new_rows.append(row)
        elif tuple(before) != row:
            changed_rows.append(row)
    walked.counts["events"] += len(new_rows)
    repo.drop(emptied)
    repo.save(new_rows, changed_rows)
    return events, late


def _event_row(
    number: int,
    one: Event,
    sources: Sequence[Source],
    before: EventRow | None,
    moment: Moment,
    *,
    is_twin: bool,
) -> tuple[Any, ...]:
    draft = one.winner.draft
    times = [s.draft.occurred_at_us for s in sources]
    key: str | None = bounded(draft.key) or None
    bucket = draft.bucket or None
    if key:
        bucket = twin_bucket(key)
        if is_twin or (before is not None and before.bucket == bucket):
            key = None
        else:
            bucket = None
    if before is None:
        recorded = moment.now_us
        edge = moment.late_before_us
        late = edge is not None and one.occurred_at_us < edge
    else:
        recorded, late = before.recorded_at_us, before.late
    return (
        number, key, bucket, min(times), max(times), draft.type, one.occurred_at_us, one.seq,
        one.visibility, one.winner.record_id, draft.entry, recorded, late,
    )  # fmt: skip


def _save_lines(
    db: Db,
    repo: Events,
    told: Tellings,
    events: Mapping[int, Event],
    late: Mapping[int, bool],
    threads: dict[int, int],
    placed: Placed,
) -> None:
    """Write what timelines show of the events of this batch."""
    left = [n for n in told.stored if n in events and n not in threads]
    threads = {**ThreadStore(db).threads_of(left), **threads}
    new: list[Row] = []
    changed: list[Row] = []
    for number, event in events.items():
        row = (
            number, threads.get(number), people(placed[number]),
            shown(event, told.sources[number], late[number]),
        )  # fmt: skip
        (changed if number in told.stored else new).append(row)
    repo.save_lines(new, changed)
