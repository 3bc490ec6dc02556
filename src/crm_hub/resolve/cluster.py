"""Splitting a connected component of records into identities.

Edges come from shared keys; the best edge goes first, and an edge is refused when the two
sides clash (Kruskal with a veto). Ties fall by source key, so the same set of records gives
the same clusters in whatever order they arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from crm_hub.resolve.names import NameForm, Similarity, compare_names

_STRONG, _EMAIL, _PHONE, _DOMAIN = 4, 3, 2, 1
_KIND_RANK = {"s:": _STRONG, "e:": _EMAIL, "p:": _PHONE, "d:": _DOMAIN}
_METHOD = {_STRONG: "strong id", _EMAIL: "e-mail", _PHONE: "phone", _DOMAIN: "domain"}


@dataclass(frozen=True, slots=True)
class Member:
    """A record as resolving sees it. `order` is its source key: a tie-break no load changes.

    exclusive: strong ids (by name) of which one identity can only have one.
    """

    record_id: int
    order: str
    entity: str
    name: NameForm
    exclusive: tuple[tuple[str, str], ...] = ()


class Cluster(NamedTuple):
    """Records that are one identity, and by which kind of key each of them got in."""

    record_ids: tuple[int, ...]
    methods: Mapping[int, str]


class _Edge(NamedTuple):
    rank: int
    likeness: int
    a: Member
    b: Member


def cluster(members: Sequence[Member], holders: Mapping[str, Sequence[int]]) -> list[Cluster]:
    """Return the identities among `members`; `holders` names the records of each joining key."""
    by_id = {m.record_id: m for m in members}
    edges: list[_Edge] = []
    for key, ids in holders.items():
        present = [by_id[i] for i in ids if i in by_id]
        if len(present) > 1:
            edges.extend(_edges_of(key, present))
    edges.sort(key=lambda e: (-e.rank, -e.likeness, e.a.order, e.b.order))
    return _join(members, edges)


def _edges_of(key: str, present: Sequence[Member]) -> Iterable[_Edge]:
    """Pairs that share a key and may be one. In a group whose names clash only equal names do.

    A nameless record that shares a mailbox with two different people belongs to neither.
    """
    rank = _KIND_RANK[key[:2]]
    pairs = []
    clashing: set[str] = set()
    for first, second in combinations(present, 2):
        if first.entity != second.entity:
            continue
        a, b = (first, second) if first.order < second.order else (second, first)
        likeness = compare_names(a.entity, a.name, b.name)
        if likeness is Similarity.CLASH and rank != _STRONG:
            clashing.add(a.entity)
        else:
            pairs.append(_Edge(rank, likeness, a, b))
    for edge in pairs:
        needed = Similarity.SAME if edge.a.entity in clashing else _NEEDED[rank]
        if rank == _STRONG or edge.likeness >= needed:
            yield edge


_NEEDED = {
    _STRONG: Similarity.CLASH,
    _EMAIL: Similarity.UNKNOWN,
    _PHONE: Similarity.UNKNOWN,
    _DOMAIN: Similarity.COMPATIBLE,
}


def _join(members: Sequence[Member], edges: Iterable[_Edge]) -> list[Cluster]:
    group_of = {m.record_id: [m] for m in members}
    methods: dict[int, str] = {}
    for edge in edges:
        left, right = group_of[edge.a.record_id], group_of[edge.b.record_id]
        if left is right or _clash(left, right, by_names=edge.rank != _STRONG):
            continue
        for side in (left, right):
            for member in side:
                methods.setdefault(member.record_id, _METHOD[edge.rank])
        left.extend(right)
        for member in right:
            group_of[member.record_id] = left
    groups = {id(g): g for g in group_of.values()}
    return [
        Cluster(
            tuple(sorted(m.record_id for m in group)),
            {m.record_id: methods.get(m.record_id, "alone") for m in group},
        )
        for group in groups.values()
    ]


def _clash(left: Sequence[Member], right: Sequence[Member], *, by_names: bool) -> bool:
    for name, value in {pair for m in left for pair in m.exclusive}:
        if any(n == name and v != value for m in right for n, v in m.exclusive):
            return True
    if not by_names:
        return False
    entity = left[0].entity
    theirs = {m.name for m in right}
    return any(
        compare_names(entity, mine, other) is Similarity.CLASH
        for mine in {m.name for m in left}
        for other in theirs
    )
