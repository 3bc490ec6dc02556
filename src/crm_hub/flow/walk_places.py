"""Step 6, second half, for one batch: whose timelines its events stand on.

Before it: walk_events has written the events. A participant is looked up by match key; what was
placed before is written again only where it differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from crm_hub.flow.batch import Tools
from crm_hub.model.canonical import ParticipantDraft
from crm_hub.resolve import EmailKind, email_kind, names_agree
from crm_hub.resolve.normal.organization import domain_label
from crm_hub.store import Db, Events, Identities, Memberships, Row, Told
from crm_hub.timeline import (
    Event,
    Holder,
    Participant,
    Who,
    fallback_key,
    firm_behind,
    people,
    place,
)

Entry = tuple[int, int, int, int]
Placed = dict[int, list[Participant]]


def place_events(
    db: Db,
    repo: Events,
    tools: Tools,
    events: Mapping[int, Event],
    stored: Collection[int],
    again: Collection[int],
) -> Placed:
    """Resolve participants and write timeline entries; return who takes part in `events`.

    stored: those of `events` that were there before this batch. again: further events, which only
    somebody's identity or employer moved.
    """
    drafts: dict[int, Sequence[ParticipantDraft]] = {n: e.participants for n, e in events.items()}
    when = {n: (e.occurred_at_us, e.seq) for n, e in events.items()}
    before: dict[int, list[Participant]] = {number: [] for number in stored}
    for number, row in repo.events(again).items():
        when[number] = (row.occurred_at_us, row.seq)
        before[number] = []
    for p in repo.participants(before):
        before[p.event_id].append(Participant._make(p[2:]))
    for number in before.keys() - events.keys():
        drafts[number] = [ParticipantDraft(p.role, p.key, p.name) for p in before[number]]
    if not drafts:
        return {}
    who = _who(db, tools, drafts.values())
    placed = {number: place(found, who) for number, found in drafts.items()}
    _save(repo, placed, before, _entries(db, placed, when, who))
    repo.save_people(
        [
            (people(placed[number]), number)
            for number in before.keys() - events.keys()
            if placed[number] != before[number]
        ]
    )
    return placed


def _who(db: Db, tools: Tools, drafts: Iterable[Sequence[ParticipantDraft]]) -> Who:
    rules = tools.rules
    named = {p.key for found in drafts for p in found if p.key}
    own = {key for key in named if tools.is_own(key)}
    keys = named - own
    keys |= {f for key in keys if (f := fallback_key(key, rules.free_domains))}
    holders: dict[str, list[Holder]] = defaultdict(list)
    for key, number, entity, name in Identities(db).by_keys(keys):
        holders[key].append(Holder(number, entity, name))

    def shared(key: str) -> bool:
        return key[:2] == "e:" and email_kind(key[2:], rules) is not EmailKind.PERSONAL

    is_own: Callable[[str], bool] = own.__contains__
    return Who(holders, names_agree, shared, is_own, rules.free_domains)


def _entries(
    db: Db, placed: Placed, when: dict[int, tuple[int, int]], who: Who
) -> dict[int, set[Entry]]:
    """Return the timeline entries of each event: its people, their firms, firms addressed."""
    found = {n: {p.identity_id for p in told if p.identity_id} for n, told in placed.items()}
    firms: dict[int, list[Told]] = defaultdict(list)
    everybody = set().union(*found.values())
    for told in Memberships(db).of_people(everybody):
        firms[told.person_id].append(told)
    elsewhere = _elsewhere(db, placed, firms, who) if firms else set()
    entries = {}
    for number, ids in found.items():
        at_us, seq = when[number]
        ids |= {at for p in placed[number] if (at := firm_behind(p, who)) is not None}
        for person in list(ids) if firms else ():
            ids |= {
                told.organization_id
                for told in firms.get(person, ())
                if _is_there(told, at_us) and (number, *told[:2]) not in elsewhere
            }
        entries[number] = {(identity, at_us, seq, number) for identity in ids}
    return entries


def _is_there(told: Told, at_us: int) -> bool:
    """Whether somebody works at a firm at a time, by what records say."""
    begun = told.from_us is None or told.from_us <= at_us
    return begun and (told.to_us is None or at_us < told.to_us)


def _elsewhere(
    db: Db, placed: Placed, firms: Mapping[int, Sequence[Told]], who: Who
) -> set[tuple[int, int, int]]:
    """Return the (event, person, firm) of what somebody takes part in, but not for that firm.

    Who has a mailbox at the firm's domain and writes from another that is not free does so for
    somebody else, as those do who left. Free mailboxes and phones tell nothing.
    """
    doubtful: dict[tuple[int, int, int], set[str]] = {}
    for number, participants in placed.items():
        at: dict[int, set[str | None]] = defaultdict(set)
        for p in participants:
            if p.identity_id is not None and p.identity_id in firms:
                at[p.identity_id].add(p.fallback)
        for person, domains in at.items():
            named = {domain for domain in domains if domain is not None}
            if len(named) < len(domains):
                continue
            here = {h.identity_id for domain in named for h in who.holders.get(domain, ())}
            for told in firms[person]:
                if told.organization_id not in here:
                    doubtful[number, person, told.organization_id] = {d[2:] for d in named}
    boxes = Memberships(db).boxes({key[1:] for key in doubtful})
    return {
        key
        for key, domains in doubtful.items()
        if (own := boxes.get(key[1:])) and set(map(_label, own)).isdisjoint(map(_label, domains))
    }


def _label(domain: str) -> str:
    """Return what a domain is called, the same for oak.example and mail.oak.co.uk."""
    return domain_label(domain) or domain


def _save(
    repo: Events,
    placed: Placed,
    before: Mapping[int, list[Participant]],
    entries: Mapping[int, set[Entry]],
) -> None:
    stored: dict[int, set[Entry]] = defaultdict(set)
    for row in repo.entries(before):
        stored[row[3]].add(row)
    replaced: list[int] = []
    participants: list[Row] = []
    rows: list[Row] = []
    for number, found in placed.items():
        if number in before:
            if before[number] == found and stored[number] == entries[number]:
                continue
            replaced.append(number)
        participants += [(number, i, *p) for i, p in enumerate(found)]
        rows += entries[number]
    repo.save_placement(replaced, participants, sorted(rows))
