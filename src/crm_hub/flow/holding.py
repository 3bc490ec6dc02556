"""Records that are kept equal are held together by a claim of the hub's own.

An edit of an address must not part them. Part of step 7. Before: planning, which decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING

from crm_hub.flow.batch import TwoWay
from crm_hub.model.ids import strong_key
from crm_hub.store import Db, Identities, Outbox, Rulings, WriteRow

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject

HELD_TOGETHER = "crm_hub"
"""The name of the strong id that the hub gives records which it keeps equal."""


def hold_together(db: Db, two_way: TwoWay, subjects: Sequence[Subject]) -> None:
    """Give records that are kept equal from now on a claim of their own."""
    found = newly_held(db, two_way, subjects)
    _add(Outbox(db), [(r, value) for records, value in found.values() for r in records])


def hold_created(db: Db, made: Sequence[tuple[WriteRow, int]]) -> None:
    """Hold each created record together with the one that most of its values come from.

    But for those that people have parted since: the hub may hear late that it made them.
    """
    anchors = {number: row.doc["anchor"] for row, number in made if row.doc.get("anchor")}
    for number in _parted(db, anchors):
        del anchors[number]
    links = Identities(db).links_of(anchors.values())
    claims = _Claims(db, _held(db, anchors.values()))
    values = {a: claims.own([a], links[a][0] if a in links else None) for a in anchors.values()}
    rows = [(one, values[anchor]) for n, anchor in anchors.items() for one in (anchor, n)]
    there = [(claim_key(value), anchor) for anchor, value in values.items()]
    Outbox(db).add_claims(rows, there)  # the new record gets its key from the walk


def _parted(db: Db, anchors: Mapping[int, int]) -> set[int]:
    """Return the records that people ruled not to be who they were made from."""
    repo = Rulings(db)
    if not repo.any():
        return set()
    links = Identities(db).links_of({*anchors, *anchors.values()})
    return {
        number
        for row in repo.of(anchors)
        if row.kind == "different"
        for one, other in (row.sides, row.sides[::-1])
        for number in one
        if (anchor := anchors.get(number)) in other
        if number in links and anchor in links and links[number][0] != links[anchor][0]
    }


def newly_held(
    db: Db, two_way: TwoWay, subjects: Sequence[Subject]
) -> dict[int, tuple[list[int], str]]:
    """Return identity → the records that are about to be kept equal with others, and the claim."""
    kept = {s.identity_id: _kept_equal(s, two_way) for s in subjects}
    held = _held(db, {r for ids in kept.values() for r in ids})
    loose = {
        number: ids
        for number, ids in kept.items()
        if len(ids) > 1 and not set.intersection(*(held[r] for r in ids))
    }
    claims = _Claims(db, {r: held[r] for ids in loose.values() for r in ids})
    found = {}
    for number, ids in loose.items():
        value = claims.own(ids, number)
        found[number] = ([r for r in ids if value not in held[r]], value)
    return found


class _Claims:
    """The claims that records hold. held: record → values.

    A claim that a record of another identity holds as well, as where a ruling parted what the hub
    had kept equal, ties nobody in: it would draw the others to that identity.
    """

    def __init__(self, db: Db, held: Mapping[int, set[str]]) -> None:
        self._held, self._repo = held, Identities(db)
        self._identities: dict[str, set[int]] = defaultdict(set)
        values = {value for values in held.values() for value in values}
        keys = {claim_key(value) for value in values.union(map(_name, held))}
        for key, identity, *_ in self._repo.by_keys(keys):
            self._identities[key].add(identity)

    def own(self, records: Sequence[int], identity_id: int | None) -> str:
        """Return the claim of records of one identity: the first it alone has, else a new one."""
        values = {value for r in records for value in self._held[r]}
        own = (v for v in values if self._identities[claim_key(v)] <= {identity_id})
        return min(own, default="") or self._fresh(sorted(records))

    def _fresh(self, records: Sequence[int]) -> str:
        for name in map(_name, records):
            if claim_key(name) not in self._identities:
                return name
        names = (f"{_name(records[0])}.{n}" for n in count(2))
        return next(n for n in names if not self._repo.held_keys([claim_key(n)]))


def _name(record_id: int) -> str:
    """Return what the claim is called that comes first from a record."""
    return f"r{record_id}"


def _held(db: Db, record_ids: Iterable[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {record_id: set() for record_id in record_ids}
    for record_id, value in Outbox(db).claims(found):
        found[record_id].add(value)
    return found


def _add(repo: Outbox, rows: Sequence[tuple[int, str]]) -> None:
    repo.add_claims(rows, [(claim_key(value), record_id) for record_id, value in rows])


def claim_key(value: str) -> str:
    """Return the match key of records that the hub holds together."""
    return strong_key("", HELD_TOGETHER, value)


def _kept_equal(subject: Subject, two_way: TwoWay) -> list[int]:
    targets = [member.record_id for member, _ in subject.targets(two_way)]
    if not targets:
        return []
    steady = [
        record_id
        for record_id, source in subject.sources.items()
        if source.connection in two_way.steady
    ]
    return sorted({*targets, *steady})
