"""Who works where: a person's references to organizations, resolved, early or late.

A membership appears as soon as both sides are known, whichever came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from crm_hub.flow.batch import MappedRecord, Walked
from crm_hub.flow.houses import RELATION
from crm_hub.store import Db, Identities, Memberships, Told

Span = tuple[int | None, int | None]


def refresh_memberships(
    db: Db, repo: Identities, changed: Iterable[int], touched: Collection[str], walked: Walked
) -> None:
    """Bring memberships up to date.

    changed: identities whose records or values moved. touched: match keys that did; whoever
    refers to one of them is looked at too.
    """
    if not repo.has_references():
        return
    strong = {key for key in touched if key[:2] == "s:"}
    referring = repo.links_of(repo.referring(strong))
    store, changed = Memberships(db), set(changed)
    people = changed | {identity for identity, _ in referring.values()}
    wanted = _wanted(repo, people)
    stored = {told[:2]: told for told in store.of_people(people)}
    # Which firm sees a mail hangs on all mailboxes of its people, and on all its domains.
    walked.moved_identities |= {person for person, _ in stored} & changed
    if any(key[:2] == "d:" for key in touched):
        walked.moved_identities |= {told.person_id for told in store.of_firms(changed)}
    stale = {p for p, o in wanted.keys() ^ stored.keys()}
    stale |= {key[0] for key in wanted.keys() & stored.keys() if wanted[key] != stored[key]}
    if stale:
        store.save(sorted(stale), [row for key, row in sorted(wanted.items()) if key[0] in stale])
        walked.moved_identities |= stale


def refresh_unchanged(db: Db, mapped: Sequence[MappedRecord], walked: Walked) -> None:
    """In a replay, look at everybody's memberships, and at which firm sees what they write."""
    repo = Identities(db)
    links = repo.links_of([one.landed.record_id for one in mapped if one.record is not None])
    refresh_memberships(db, repo, {identity for identity, _ in links.values()}, (), walked)


def _wanted(repo: Identities, people: set[int]) -> dict[tuple[int, int], Told]:
    person_of = dict(repo.records_of(people))
    told: dict[str, list[tuple[int, Span]]] = defaultdict(list)
    for one in repo.references_of(person_of):
        if one.entity == "organization" and one.relation != RELATION:
            told[one.key].append((person_of[one.record_id], (one.from_us, one.to_us)))
    spans: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for key, firm, entity, _name in repo.by_keys(told):
        if entity == "organization":
            for person, span in told[key]:
                spans[person, firm].append(span)
    titles = repo.titles({person for person, _ in spans})
    return {
        (person, firm): Told(person, firm, titles.get(person, ""), *_whole(found))
        for (person, firm), found in spans.items()
    }


def _whole(spans: Sequence[Span]) -> Span:
    """Return the time that several tellings of one membership span.

    What says no time at all counts only where nothing does; an open end is none.
    """
    dated = [span for span in spans if span != (None, None)]
    begins = [start for start, _ in dated]
    ends = [end for _, end in dated]
    from_us = None if None in begins else min((b for b in begins if b is not None), default=None)
    to_us = None if None in ends else max((e for e in ends if e is not None), default=None)
    return from_us, to_us
