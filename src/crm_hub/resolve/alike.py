"""Joining by likeness what keys and rulings left apart.

The clusters that keys made are the pieces; a piece joins another along the weightiest pair, by the
same rules as a whole table (graph.py). Ids, rulings and clashes between any two records hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from crm_hub.model.rules import Bands
from crm_hub.resolve.cluster import Cluster
from crm_hub.resolve.graph import Edge, clusters
from crm_hub.resolve.kinds import PEOPLE, Kind
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.score import Scorer

LIKENESS = "likeness"


class Liked(NamedTuple):
    """Two records, and the weight that makes them one, in bits."""

    a: int
    b: int
    bits: float


class Held(NamedTuple):
    """A pair that was weighty enough and yet did not join, and why."""

    pair: Liked
    reason: str


def join_alike(
    pieces: Sequence[Cluster],
    liked: Iterable[Liked],
    order: Mapping[int, str],
    profile: Callable[[int], Profile],
    apart: Callable[[Sequence[int], Sequence[int]], bool],
    scorer: Scorer,
    kind: Kind,
    bands: Bands,
) -> tuple[list[Cluster], list[Held]]:
    """Return the clusters of the pieces, and the pairs that were held up.

    order: record → its source key. profile: the evidence of a record. apart: whether a ruling or
    an id keeps two groups of records apart.
    """
    piece_of = {record: at for at, one in enumerate(pieces) for record in one.record_ids}
    pairs: dict[Edge, Liked] = {}
    for pair in sorted(liked, key=lambda p: (-p.bits, *sorted((order[p.a], order[p.b])))):
        a, b = piece_of[pair.a], piece_of[pair.b]
        if a != b:
            edge = Edge(min(a, b), max(a, b), pair.bits, contested=kind is PEOPLE)
            pairs.setdefault(edge, pair)
    if not pairs:
        return list(pieces), []
    judge = _Judge(pieces, profile, apart, scorer, kind)
    names = [min(order[r] for r in one.record_ids) for one in pieces]
    found = clusters(len(pieces), list(pairs), names, judge, bands)
    out = [_joined([pieces[at] for at in group]) for group in found.groups]
    held = {(edge.a, edge.b): reason for edge, reason in found.held}
    return out, [Held(p, held[e.a, e.b]) for e, p in pairs.items() if (e.a, e.b) in held]


def _joined(pieces: Sequence[Cluster]) -> Cluster:
    """Return the pieces as one; who came in alone came in by likeness."""
    if len(pieces) == 1:
        return pieces[0]
    records = sorted(r for one in pieces for r in one.record_ids)
    methods = {r: how for one in pieces for r, how in one.methods.items()}
    alone = {one.record_ids[0] for one in pieces if len(one.record_ids) == 1}
    methods |= dict.fromkeys(alone, LIKENESS)
    return Cluster(tuple(records), methods)


class _Judge:
    def __init__(
        self,
        pieces: Sequence[Cluster],
        profile: Callable[[int], Profile],
        apart: Callable[[Sequence[int], Sequence[int]], bool],
        scorer: Scorer,
        kind: Kind,
    ) -> None:
        self._pieces, self._profile, self._apart = pieces, profile, apart
        self._scorer, self._kind = scorer, kind

    def clash(self, a: int, b: int) -> bool:
        """Tell whether two pieces cannot be one."""
        left, right = self._pieces[a].record_ids, self._pieces[b].record_ids
        if self._apart(left, right):
            return True
        theirs = [self._profile(r) for r in right]
        return any(self._kind.clash(self._profile(r), p, False) for r in left for p in theirs)

    def together(self, left: Sequence[int], right: Sequence[int]) -> float:
        """Return the weight between two groups of pieces."""
        return self._scorer.together(self._of(left), self._of(right))

    def bearers(self, _places: Sequence[int]) -> Sequence[int]:
        """Return nobody: who else bears the name is not known here (docs/adr/0020)."""
        return ()

    def _of(self, places: Sequence[int]) -> list[Profile]:
        return [self._profile(r) for at in places for r in self._pieces[at].record_ids]
