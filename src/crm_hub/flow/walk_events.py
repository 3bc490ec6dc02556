"""Step 6 for one batch: drafts become events, events find their people.

Three causes bring an event here: one of its tellings came, changed or went; a match key of
one of its participants now leads to another identity; or a participant changed employer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any

import orjson

from crm_hub.flow.batch import MappedRecord, Moment, Tools, Walked
from crm_hub.flow.walk_threads import walk_threads
from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.model.ids import bounded
from crm_hub.resolve import (
    EmailKind,
    Similarity,
    compare_names,
    email_kind,
    person_form,
)
from crm_hub.store import Db, EventRow, Events, Identities, Row
from crm_hub.timeline import Near, Source, Span, compose, fallback_key, group, place
from crm_hub.timeline.compose import Event
from crm_hub.timeline.place import Holder, Participant, Who

Mark = tuple[int, str]


@dataclass(slots=True)
class _Work:
    """Events to write anew, with the sources known in memory, and those only to place again."""

    sources: dict[int, list[Source]] = field(default_factory=lambda: defaultdict(list))
    stored: dict[int, EventRow] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    emptied: set[int] = field(default_factory=set)


def walk_events(
    db: Db, tools: Tools, mapped: Sequence[MappedRecord], moment: Moment, walked: Walked
) -> None:
    """Write the events of a batch and place all events it concerns; part of T2."""
    repo = Events(db)
    changed = _changed(repo, mapped)
    if not changed and not repo.any():
        return
    work = _Work()
    if changed:
        _tell(db, repo, changed, work)
    events = _compose(repo, work, moment, walked)
    walk_threads(db, events, work.sources, work.stored, tools.rules.free_domains)
    replaced = repo.touching(walked.moved_keys) | repo.of_identities(walked.moved_identities)
    _place(db, repo, tools, events, replaced - work.touched - work.emptied)


# tellings ---------------------------------------------------------------------------------


def _changed(repo: Events, mapped: Sequence[MappedRecord]) -> list[MappedRecord]:
    """Return the records whose tellings differ from what is stored of them."""
    old: dict[int, dict[str, str]] = defaultdict(dict)
    for row in repo.sources_of_records(m.landed.record_id for m in mapped if not m.landed.is_new):
        old[row.record_id][row.entry] = row.draft
    changed = []
    for one in mapped:
        before = old.get(one.landed.record_id, {})
        if (one.events or before) and before != {d.entry: _dump(d) for d in one.events}:
            changed.append(one)
    return changed


def _dump(draft: EventDraft) -> str:
    return orjson.dumps(draft).decode()


def load_draft(text: str) -> EventDraft:
    """Return a stored draft."""
    doc = orjson.loads(text)
    doc["participants"] = [ParticipantDraft(**p) for p in doc["participants"]]
    return EventDraft(**doc)


def _tell(db: Db, repo: Events, changed: Sequence[MappedRecord], work: _Work) -> None:
    """Store the new tellings, give each its event, and note every event that is affected."""
    old_ids = [m.landed.record_id for m in changed if not m.landed.is_new]
    work.touched |= {row.event_id for row in repo.sources_of_records(old_ids)}
    drafts = [(m, draft) for m in changed for draft in m.events]
    first = db.next_id("event")
    fresh = count(first)
    event_of: dict[Mark, int] = {}
    _by_key(repo, drafts, fresh, event_of, work)
    rows = _by_bucket(repo, drafts, fresh, event_of, work)
    db.take_ids("event", next(fresh) - first)
    added = []
    for one, draft in drafts:
        number = event_of[one.landed.record_id, draft.entry]
        added.append((one.landed.record_id, draft.entry, number, _dump(draft)))
        work.touched.add(number)
        if number >= first:
            work.sources[number].append(Source(one.landed.record_id, str(one.source), draft))
    repo.save_sources(old_ids, added)
    repo.move_sources(rows)
    work.stored.update(repo.events(n for n in work.touched if n < first))
    for row in repo.sources_of_events(n for n in work.touched if n < first):
        order = f"{row.connection}/{row.stream}#{row.key}"
        work.sources[row.event_id].append(Source(row.record_id, order, load_draft(row.draft)))


def _by_key(
    repo: Events,
    drafts: Sequence[tuple[MappedRecord, EventDraft]],
    fresh: Any,
    event_of: dict[Mark, int],
    work: _Work,
) -> None:
    keys = {bounded(d.key) for _, d in drafts if d.key}
    number_of = {key: row.id for key, row in repo.by_key(keys).items()}
    for one, draft in drafts:
        mark = (one.landed.record_id, draft.entry)
        if draft.key:
            key = bounded(draft.key)
            if key not in number_of:
                number_of[key] = next(fresh)
            event_of[mark] = number_of[key]
        elif not draft.bucket:
            event_of[mark] = next(fresh)


def _by_bucket(
    repo: Events,
    drafts: Sequence[tuple[MappedRecord, EventDraft]],
    fresh: Any,
    event_of: dict[Mark, int],
    work: _Work,
) -> list[tuple[int, int, str]]:
    """Group keyless drafts by closeness; return tellings that move to another event."""
    nears: dict[str, list[Near]] = defaultdict(list)
    for one, draft in drafts:
        if not draft.key and draft.bucket:
            mark = (one.landed.record_id, draft.entry)
            nears[draft.bucket].append(Near(mark, draft.occurred_at_us, draft.tolerance_us))
    spans: dict[str, list[Span]] = defaultdict(list)
    for row in repo.by_bucket(nears):
        spans[row.bucket or ""].append(Span(row.id, row.span_from_us, row.span_to_us))
    joined: dict[int, int] = {}
    for bucket, found in nears.items():
        for one_group in group(found, spans[bucket]):
            if not one_group.marks:
                continue
            number = min(one_group.event_ids, default=0) or next(fresh)
            event_of.update(dict.fromkeys(one_group.marks, number))
            joined.update({n: number for n in one_group.event_ids if n != number})
    work.touched |= joined.keys()
    return [
        (joined[row.event_id], row.record_id, row.entry) for row in repo.sources_of_events(joined)
    ]


# events -----------------------------------------------------------------------------------


def _compose(repo: Events, work: _Work, moment: Moment, walked: Walked) -> dict[int, Event]:
    """Write every touched event as its sources now tell it; drop those nobody tells."""
    events: dict[int, Event] = {}
    new_rows, changed_rows = [], []
    for number in sorted(work.touched):
        sources = work.sources.get(number)
        if not sources:
            work.emptied.add(number)
            continue
        events[number] = compose(sources)
        before = work.stored.get(number)
        row = _event_row(number, events[number], sources, before, moment)
        if before is None:
            new_rows.append(row)
        elif tuple(before) != row:
            changed_rows.append(row)
    walked.counts["events"] += len(new_rows)
    repo.save(new_rows, changed_rows)
    repo.drop(sorted(work.emptied))
    return events


def _event_row(
    number: int,
    one: Event,
    sources: Sequence[Source],
    before: EventRow | None,
    moment: Moment,
) -> tuple[Any, ...]:
    draft = one.winner.draft
    times = [s.draft.occurred_at_us for s in sources]
    late_before = moment.late_before_us
    recorded = moment.now_us if before is None else before.recorded_at_us
    late = (
        before.late if before is not None
        else late_before is not None and one.occurred_at_us < late_before
    )  # fmt: skip
    return (
        number, bounded(draft.key) or None, None if draft.key else draft.bucket or None,
        min(times), max(times), draft.type, one.occurred_at_us, one.seq, one.visibility,
        one.winner.record_id, draft.entry, recorded, late,
    )  # fmt: skip


# places -----------------------------------------------------------------------------------


def _place(
    db: Db, repo: Events, tools: Tools, events: dict[int, Event], again: Iterable[int]
) -> None:
    """Resolve participants and write timeline entries of new, changed and moved events."""
    drafts: dict[int, list[ParticipantDraft]] = {n: e.participants for n, e in events.items()}
    when = {n: (e.occurred_at_us, e.seq) for n, e in events.items()}
    before: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    again = set(again)
    for number, row in repo.events(again).items():
        drafts[number] = []
        when[number] = (row.occurred_at_us, row.seq)
    for p in repo.participants(drafts):
        before[p.event_id].append(tuple(p[2:]))
        if p.event_id in again:
            drafts[p.event_id].append(ParticipantDraft(p.role, p.key, p.name))
    if not drafts:
        return
    who = _who(db, tools, drafts.values())
    placed = {number: place(found, who) for number, found in drafts.items()}
    entries = _entries(db, repo, placed, when)
    _save(repo, placed, before, entries)


def _who(db: Db, tools: Tools, drafts: Iterable[Sequence[ParticipantDraft]]) -> Who:
    keys = {p.key for found in drafts for p in found if p.key and not tools.is_own(p.key)}
    keys |= {f for key in keys if (f := fallback_key(key, tools.rules.free_domains))}
    holders: dict[str, list[Holder]] = defaultdict(list)
    for key, number, entity, name in Identities(db).by_keys(keys):
        holders[key].append(Holder(number, entity, name))
    rules = tools.rules

    def shared(key: str) -> bool:
        return key[:2] == "e:" and email_kind(key[2:], rules) is not EmailKind.PERSONAL

    return Who(holders, _agree, shared, tools.is_own, rules.free_domains)


@lru_cache(maxsize=65_536)
def _agree(name: str, display_name: str) -> bool:
    forms = person_form({"display_name": name}), person_form({"display_name": display_name})
    return compare_names("person", *forms) >= Similarity.COMPATIBLE


def _entries(
    db: Db,
    repo: Events,
    placed: dict[int, list[Participant]],
    when: dict[int, tuple[int, int]],
) -> dict[int, set[tuple[int, int, int, int]]]:
    """Return the timeline entries of each event: its people, their firms, firms addressed."""
    people = {p.identity_id for found in placed.values() for p in found if p.identity_id}
    firms: dict[int, list[tuple[int, Any, Any]]] = defaultdict(list)
    for person, firm, _title, from_us, to_us in Identities(db).memberships(people):
        firms[person].append((firm, from_us, to_us))
    entries = {}
    for number, found in placed.items():
        at_us, seq = when[number]
        ids = {p.identity_id for p in found if p.identity_id}
        for person in list(ids):
            ids |= {
                firm
                for firm, from_us, to_us in firms.get(person, ())
                if (from_us is None or from_us <= at_us) and (to_us is None or at_us < to_us)
            }
        entries[number] = {(identity, at_us, seq, number) for identity in ids}
    return entries


def _save(
    repo: Events,
    placed: dict[int, list[Participant]],
    before: dict[int, list[tuple[Any, ...]]],
    entries: dict[int, set[tuple[int, int, int, int]]],
) -> None:
    stored: dict[int, set[tuple[int, int, int, int]]] = defaultdict(set)
    for row in repo.entries(before):
        stored[row[3]].add(row)
    replaced: list[int] = []
    participants: list[Row] = []
    rows: list[Row] = []
    for number, found in placed.items():
        if before.get(number) == [tuple(p) for p in found] and stored[number] == entries[number]:
            continue
        if number in before or number in stored:
            replaced.append(number)
        participants.extend((number, i, *p) for i, p in enumerate(found))
        rows.extend(entries[number])
    repo.save_placement(replaced, participants, sorted(rows))
