"""Step 6, first half, for one batch: each telling gets its event.

Three ways: an exact key, where tellings of one message id are parted if they are different mails;
a bucket and closeness in time; or an event of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

import orjson

from crm_hub.flow.batch import MappedRecord
from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.model.ids import bounded
from crm_hub.store import Db, EventRow, Events, Row
from crm_hub.timeline import Mark, Near, Source, Span, alike, group

Drafts = Sequence[tuple[MappedRecord, EventDraft]]


@dataclass(slots=True)
class Tellings:
    """What a batch tells. sources: of each event, everybody who tells it now.

    stored: events as they are in the store. touched: events to write anew. first: the number
    from which on events are new. twins: events that share their key with an older one.
    """

    first: int = 0
    sources: dict[int, list[Source]] = field(default_factory=lambda: defaultdict(list))
    stored: dict[int, EventRow] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    twins: set[int] = field(default_factory=set)


def tell(db: Db, repo: Events, mapped: Sequence[MappedRecord]) -> Tellings:
    """Store the tellings that differ from what is stored, each with its event."""
    changed = _changed(repo, mapped)
    return _Telling(db, repo).run(changed) if changed else Tellings()


def _changed(repo: Events, mapped: Sequence[MappedRecord]) -> list[MappedRecord]:
    old: dict[int, dict[str, str]] = defaultdict(dict)
    for row in repo.sources_of_records(m.landed.record_id for m in mapped if not m.landed.is_new):
        old[row.record_id][row.entry] = row.draft
    changed = []
    for one in mapped:
        before = old.get(one.landed.record_id)
        if before is None:
            if one.events:
                changed.append(one)
        elif before != {d.entry: _dump(d) for d in one.events}:
            changed.append(one)
    return changed


def _dump(draft: EventDraft) -> str:
    return orjson.dumps(draft).decode()


def load_draft(text: str) -> EventDraft:
    """Return a stored draft."""
    doc = orjson.loads(text)
    doc["participants"] = [ParticipantDraft(**p) for p in doc["participants"]]
    return EventDraft(**doc)


def stored_sources(repo: Events, events: Iterable[int]) -> list[tuple[int, Source]]:
    """Return (event, telling) of all that is stored of these events."""
    return [
        (row.event_id, Source(
            row.record_id, f"{row.connection}/{row.stream}#{row.key}", load_draft(row.draft),
            f"{row.connection}/{row.stream}",
        ))
        for row in repo.sources_of_events(events)
    ]  # fmt: skip


def twin_bucket(key: str) -> str:
    """Return the bucket of events that share a key with another one."""
    return "=" + key


class _Telling:
    def __init__(self, db: Db, repo: Events) -> None:
        self.db = db
        self.repo = repo
        self.was_of: dict[Mark, int] = {}
        self.event_of: dict[Mark, int] = {}
        self.moved: list[Row] = []
        self.out = Tellings(db.next_id("event"))
        self.fresh = count(self.out.first)

    def run(self, changed: Sequence[MappedRecord]) -> Tellings:
        repo, out = self.repo, self.out
        old_ids = [m.landed.record_id for m in changed if not m.landed.is_new]
        self.was_of = {(r.record_id, r.entry): r.event_id for r in repo.sources_of_records(old_ids)}
        out.touched |= set(self.was_of.values())
        repo.save_sources(old_ids, [])
        drafts = [(m, draft) for m in changed for draft in m.events]
        self._by_key(drafts)
        self._by_bucket(drafts)
        added = []
        for one, draft in drafts:
            number = self.event_of.get((one.landed.record_id, draft.entry)) or next(self.fresh)
            added.append((one.landed.record_id, draft.entry, number, _dump(draft)))
            out.touched.add(number)
            if number >= out.first:
                out.sources[number].append(_source(one, draft))
        self.db.take_ids("event", next(self.fresh) - out.first)
        repo.save_sources([], added)
        repo.move_sources(self.moved)
        self._load()
        return out

    def _load(self) -> None:
        """Read all tellings of the events that others told before."""
        out = self.out
        moved = {number for number, *_ in self.moved if number >= out.first}
        asked = [n for n in out.touched if n < out.first or n in moved]
        for number in moved:
            out.sources[number] = []
        out.stored.update(self.repo.events(n for n in asked if n < out.first))
        for number, source in stored_sources(self.repo, asked):
            out.sources[number].append(source)

    # by key -------------------------------------------------------------------------------

    def _by_key(self, drafts: Drafts) -> None:
        told: dict[str, list[tuple[Mark, EventDraft]]] = defaultdict(list)
        for one, draft in drafts:
            if draft.key:
                told[bounded(draft.key)].append(((one.landed.record_id, draft.entry), draft))
        known = {key: [row.id] for key, row in self.repo.by_key(told).items()}
        keyed = dict(known)
        for row in self.repo.by_bucket(map(twin_bucket, told)):
            known.setdefault((row.bucket or "")[1:], []).append(row.id)
        doubtful = []
        for key, found in told.items():
            if not found[0][1].message_ids or (len(found) == 1 and key not in known):
                number = min(known[key]) if key in known else next(self.fresh)
                self.event_of.update((mark, number) for mark, _ in found)
            else:
                doubtful.append(key)
        if doubtful:
            self._part(doubtful, told, known, keyed.keys())

    def _part(
        self,
        keys: Sequence[str],
        told: dict[str, list[tuple[Mark, EventDraft]]],
        known: dict[str, list[int]],
        keyed: Iterable[str],
    ) -> None:
        """Give the tellings of message ids that come more than once their events."""
        asked = {number for key in keys for number in known.get(key, ())}
        before: dict[int, list[tuple[Mark, EventDraft]]] = defaultdict(list)
        for number, source in stored_sources(self.repo, asked):
            before[number].append(((source.record_id, source.draft.entry), source.draft))
        for key in keys:
            numbers = sorted(known.get(key, ()))
            bare = [number for number in numbers if not before[number]]
            stored = {mark: n for n in numbers for mark, _ in before[n]}
            # A telling that changed stays with its event, and so does its number.
            was = {m: n for m, _ in told[key] if (n := self.was_of.get(m, 0)) in numbers} | stored
            found = [*(one for n in numbers for one in before[n]), *told[key]]
            has_key = key in keyed
            groups = [[found[at][0] for at in one] for one in alike([d for _, d in found])]
            for marks in sorted(groups, key=lambda one: not any(mark in was for mark in one)):
                number = min((was[m] for m in marks if was.get(m) in numbers), default=0)
                number = number or next((n for n in bare if n in numbers), 0)
                if number:
                    numbers.remove(number)  # the rest of an event that falls apart gets another
                else:
                    number = next(self.fresh)
                    if has_key:
                        self.out.twins.add(number)
                    has_key = True
                self._gather(marks, stored, number)

    def _gather(self, marks: Sequence[Mark], stored: dict[Mark, int], number: int) -> None:
        for mark in marks:
            before = stored.get(mark)
            if before is None:
                self.event_of[mark] = number
            elif before != number:
                self.moved.append((number, *mark))
                self.out.touched |= {before, number}

    # by closeness -------------------------------------------------------------------------

    def _by_bucket(self, drafts: Drafts) -> None:
        """Group keyless drafts by closeness; tellings of events that become one move there."""
        nears: dict[str, list[Near]] = defaultdict(list)
        for one, draft in drafts:
            if not draft.key and draft.bucket:
                mark = (one.landed.record_id, draft.entry)
                nears[draft.bucket].append(Near(mark, draft.occurred_at_us, draft.tolerance_us))
        spans: dict[str, list[Span]] = defaultdict(list)
        for row in self.repo.by_bucket(nears):
            spans[row.bucket or ""].append(Span(row.id, row.span_from_us, row.span_to_us))
        joined: dict[int, int] = {}
        for bucket, found in nears.items():
            for one_group in group(found, spans[bucket]):
                if not one_group.marks:
                    continue
                number = min(one_group.event_ids, default=0) or next(self.fresh)
                self.event_of.update(dict.fromkeys(one_group.marks, number))
                joined.update({n: number for n in one_group.event_ids if n != number})
        self.out.touched |= joined.keys()
        self.moved += [
            (joined[row.event_id], row.record_id, row.entry)
            for row in self.repo.sources_of_events(joined)
        ]


def _source(one: MappedRecord, draft: EventDraft) -> Source:
    source = one.source
    return Source(one.landed.record_id, str(source), draft, f"{source.connection}/{source.stream}")
