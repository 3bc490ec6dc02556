"""Splitting a connected component of records into identities.

Edges come from shared keys; the best edge goes first, and an edge is refused when the two
sides clash (Kruskal with a veto). Ties fall by source key, so the same set of records gives
the same clusters in whatever order they arrived. What a person ruled goes before every key, and
no key joins what a ruling keeps apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from crm_hub.resolve.names import NameForm, Similarity, compare_names
from crm_hub.resolve.normal.organization import is_part
from crm_hub.resolve.rulings import Honoured, Ruling, honour, parted

BY_HAND = "by hand"
_STRONG, _EMAIL, _PHONE, _DOMAIN = 4, 3, 2, 1
_KIND_RANK = {"s:": _STRONG, "e:": _EMAIL, "p:": _PHONE, "d:": _DOMAIN}
_METHOD = {_STRONG: "strong id", _EMAIL: "e-mail", _PHONE: "phone", _DOMAIN: "domain"}


class Member(NamedTuple):
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


def cluster(
    members: Sequence[Member],
    holders: Mapping[str, Sequence[int]],
    rulings: Collection[Ruling] = (),
) -> list[Cluster]:
    """Return the identities among `members`; `holders` names the records of each joining key.

    rulings: what people decided about any of them.
    """
    by_id = {m.record_id: m for m in members}
    edges: list[_Edge] = []
    for key, ids in holders.items():
        present = [by_id[i] for i in ids if i in by_id]
        if len(present) > 1:
            edges.extend(_edges_of(key, present)[0])
    if not edges and not rulings:  # most of those who share a line with others
        return [Cluster((m.record_id,), {m.record_id: "alone"}) for m in members]
    edges.sort(key=lambda e: (-e.rank, -e.likeness, e.a.order, e.b.order))
    return _join(members, edges, honour(rulings, by_id))


class Sharing(NamedTuple):
    """Those who share a key. ties: pairs that it may join. clashing: entities of which two of them
    are clearly two."""

    ties: list[tuple[int, int]]
    clashing: set[str]


def sharing(key: str, present: Sequence[Member]) -> Sharing:
    """Return what a key says of those who share it."""
    edges, clashing = _edges_of(key, present)
    return Sharing([(edge.a.record_id, edge.b.record_id) for edge in edges], clashing)


def _edges_of(key: str, present: Sequence[Member]) -> tuple[list[_Edge], set[str]]:
    """Return the pairs that share a key and may be one, and the entities whose names clash.

    In a group whose names clash only equal names do. A nameless record that shares a mailbox with
    two different people belongs to neither.
    """
    rank = _KIND_RANK[key[:2]]
    pairs = []
    clashing: set[str] = set()
    for first, second in combinations(present, 2):
        if first.entity != second.entity:
            continue
        a, b = (first, second) if first.order < second.order else (second, first)
        is_firm = a.entity == "organization"
        if rank == _PHONE and is_firm and is_part(a.name.whole, b.name.whole):
            continue  # the switchboard of a house is that of all its firms
        likeness = compare_names(a.entity, a.name, b.name)
        if likeness is Similarity.CLASH and rank != _STRONG:
            clashing.add(a.entity)
        else:
            pairs.append(_Edge(rank, likeness, a, b))
    joining = [
        edge for edge in pairs
        if rank == _STRONG
        or edge.likeness >= (Similarity.SAME if edge.a.entity in clashing else _NEEDED[rank])
    ]  # fmt: skip
    return joining, clashing


_NEEDED = {
    _STRONG: Similarity.CLASH,
    _EMAIL: Similarity.UNKNOWN,
    _PHONE: Similarity.UNKNOWN,
    _DOMAIN: Similarity.COMPATIBLE,
}


def _join(members: Sequence[Member], edges: Iterable[_Edge], honoured: Honoured) -> list[Cluster]:
    group_of, methods = _by_hand(members, honoured)
    for edge in edges:
        left, right = group_of[edge.a.record_id], group_of[edge.b.record_id]
        if left is right or _refused(left, right, honoured, by_names=edge.rank != _STRONG):
            continue
        for side in (left, right):
            for atom in side:
                for member in atom:
                    methods.setdefault(member.record_id, _METHOD[edge.rank])
        left.extend(right)
        for atom in right:
            for member in atom:
                group_of[member.record_id] = left
    groups = {id(g): g for g in group_of.values()}
    return [
        Cluster(
            tuple(sorted(m.record_id for atom in group for m in atom)),
            {m.record_id: methods.get(m.record_id, "alone") for atom in group for m in atom},
        )
        for group in groups.values()
    ]


_Atom = tuple[Member, ...]


class Borders:
    """Which groups of records a ruling or an id keeps apart, whatever else speaks for them."""

    def __init__(self, members: Sequence[Member], rulings: Iterable[Ruling] = ()) -> None:
        self._honoured = honour(rulings, [m.record_id for m in members])
        self._atoms = {r: g[0] for r, g in _by_hand(members, self._honoured)[0].items()}

    def apart(self, left: Sequence[int], right: Sequence[int]) -> bool:
        """Tell whether two groups of records must stay apart."""
        here, there = ([self._atoms[r] for r in side] for side in (left, right))
        return _refused(here, there, self._honoured, by_names=False)


def _by_hand(
    members: Sequence[Member], honoured: Honoured
) -> tuple[dict[int, list[_Atom]], dict[int, str]]:
    """Return the groups that rulings alone make, each of one atom, and who got in by them."""
    by_id = {m.record_id: m for m in members}
    group_of: dict[int, list[_Atom]] = {}
    methods: dict[int, str] = {}
    for member in members:
        if member.record_id in group_of:
            continue
        records = honoured.atoms.get(member.record_id, (member.record_id,))
        group = [tuple(by_id[r] for r in records)]
        for record in records:
            group_of[record] = group
            if len(records) > 1:
                methods[record] = BY_HAND
    return group_of, methods


def _refused(
    left: Sequence[_Atom], right: Sequence[_Atom], honoured: Honoured, *, by_names: bool
) -> bool:
    """Tell whether two groups must stay apart: by a ruling, by their ids or by their names."""
    if honoured.apart:
        theirs = [m.record_id for atom in right for m in atom]
        if parted((m.record_id for atom in left for m in atom), theirs, honoured.apart):
            return True
    return _ids_clash(left, right) or (by_names and _names_clash(left, right))


def _ids_clash(left: Sequence[_Atom], right: Sequence[_Atom]) -> bool:
    """Tell whether two atoms hold different values of an id of which there is only one.

    Records that a person made one may hold several; each of these is then that person's.
    """
    mine = [found for atom in left if (found := _ids(atom))]
    if not mine:
        return False
    theirs = [found for atom in right if (found := _ids(atom))]
    return any(
        one[name].isdisjoint(other[name])
        for one in mine
        for other in theirs
        for name in one.keys() & other.keys()
    )


def _ids(atom: _Atom) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for member in atom:
        for name, value in member.exclusive:
            found.setdefault(name, set()).add(value)
    return found


def _names_clash(left: Sequence[_Atom], right: Sequence[_Atom]) -> bool:
    entity = left[0][0].entity
    theirs = {tuple({m.name for m in atom}) for atom in right}
    return any(
        all(
            compare_names(entity, one, other) is Similarity.CLASH for one in mine for other in names
        )
        for mine in {tuple({m.name for m in atom}) for atom in left}
        for names in theirs
    )
