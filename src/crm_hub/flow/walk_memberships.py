"""Who works where: a person's references to organizations, resolved, early or late.

A membership appears as soon as both sides are known, whichever came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from crm_hub.flow.batch import Walked
from crm_hub.store import Db, Identities, Memberships


def refresh_memberships(
    db: Db, repo: Identities, changed: Iterable[int], touched: Iterable[str], walked: Walked
) -> None:
    """Bring memberships up to date.

    changed: identities whose records or values moved. touched: match keys that did; whoever
    refers to one of them is looked at too.
    """
    if not repo.has_references():
        return
    strong = {key for key in touched if key[:2] == "s:"}
    referring = repo.links_of(repo.referring(strong))
    people = set(changed) | {identity for identity, _ in referring.values()}
    wanted, store = _wanted(repo, people), Memberships(db)
    stored = {(row[0], row[1]): row for row in store.of_people(people)}
    stale = {p for p, o in wanted.keys() ^ stored.keys()}
    stale |= {key[0] for key in wanted.keys() & stored.keys() if wanted[key] != stored[key]}
    if stale:
        store.save(sorted(stale), [row for key, row in sorted(wanted.items()) if key[0] in stale])
        walked.moved_identities |= stale


def _wanted(
    repo: Identities, people: set[int]
) -> dict[tuple[int, int], tuple[int, int, str, None, None]]:
    rows = repo.records_of(people)
    person_of = dict(rows)
    keys_of: dict[str, set[int]] = defaultdict(set)
    for record_id, _relation, entity, key in repo.references_of(person_of):
        if entity == "organization":
            keys_of[key].add(person_of[record_id])
    firms = [row for row in repo.by_keys(keys_of) if row[2] == "organization"]
    titles = repo.titles({p for row in firms for p in keys_of[row[0]]})
    wanted = {}
    for key, firm, _entity, _name in firms:
        for person in keys_of[key]:
            wanted[person, firm] = (person, firm, titles.get(person, ""), None, None)
    return wanted
