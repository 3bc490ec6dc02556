"""From pairs to clusters: the best edge goes first, and a clash between two clusters stops it.

Bare connected components would let one wrong edge join two hundred people. Here an edge joins two
clusters only when no member of one clashes with a member of the other, when the two stand for one
person in spite of their other records and of other clusters of that name (standing.py), when the
cluster stays under a cap, and, where both are large, when the edge is strong or does not stand
alone. What is stopped so is a question for a person. The answer depends on the set alone:
edges of one weight fall by the ids of their records.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple, Protocol, overload

from crm_hub.model.rules import Bands
from crm_hub.resolve.standing import MOST_RIVALS, SURE, standing

_SWEEPS = 2
_TOO_LITTLE = "not enough speaks for it"


class Edge(NamedTuple):
    """Two records by place, and the weight between them in bits.

    sure: something else than the weight joins them (a shared reference). contested: two people of
    the name are known.
    """

    a: int
    b: int
    bits: float
    sure: bool = False
    contested: bool = False


class Edges(Sequence[Edge]):
    """Edges in columns: a tenth of the memory of as many tuples."""

    def __init__(self) -> None:
        self._a, self._b, self._bits = array("I"), array("I"), array("d")
        self._marks = bytearray()

    def add(self, edge: Edge) -> None:
        """Put an edge behind the others."""
        self._a.append(edge.a)
        self._b.append(edge.b)
        self._bits.append(edge.bits)
        self._marks.append(edge.sure + 2 * edge.contested)

    def __len__(self) -> int:
        return len(self._marks)

    @overload
    def __getitem__(self, at: int) -> Edge: ...
    @overload
    def __getitem__(self, at: slice) -> list[Edge]: ...
    def __getitem__(self, at: int | slice) -> Edge | list[Edge]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        mark = self._marks[at]
        return Edge(self._a[at], self._b[at], self._bits[at], bool(mark & 1), bool(mark & 2))


class Clusters(NamedTuple):
    """groups: places of the records of each cluster, sorted. by: place → the edge it came in by.

    held: edges that somebody is to look at, with the reason.
    """

    groups: list[list[int]]
    by: dict[int, Edge]
    held: list[tuple[Edge, str]]


class Judge(Protocol):
    """What the joining asks about two groups of places."""

    def clash(self, a: int, b: int) -> bool:
        """Tell whether two records cannot be one."""

    def together(self, left: Sequence[int], right: Sequence[int]) -> float:
        """Return the weight between two groups, of all that their records say together."""

    def bearers(self, places: Sequence[int]) -> Iterable[int]:
        """Return the places of all records that bear one of the whole names of these."""


def clusters(
    count: int, edges: Sequence[Edge], names: Sequence[str], judge: Judge, bands: Bands
) -> Clusters:
    """Return the clusters of `count` records.

    edges: those that may join. names: an id for each place, which no load order changes.
    """
    joining = _Joining(count, judge, bands, edges)
    ordered: Iterable[int] = _best_first(edges, names)
    for _ in range(_SWEEPS):
        # What was joined since has fewer rivals and more to say.
        joining.held = []
        ordered = array("I", (at for at in ordered if joining.take(edges[at])))
    groups = {id(g): g for g in joining.group_of.values()}
    found = [sorted(g) for g in groups.values()]
    found += [[place] for place in range(count) if place not in joining.group_of]
    found.sort()
    return Clusters(found, joining.by, joining.held)


def _best_first(edges: Sequence[Edge], names: Sequence[str]) -> Iterator[int]:
    """Yield the places of edges, the weightiest first, those of one weight by their names."""
    bits = array("d", (-edge.bits for edge in edges))
    by_weight = array("I", sorted(range(len(bits)), key=bits.__getitem__))
    for _, group in groupby(by_weight, key=bits.__getitem__):
        alike = list(group)
        if len(alike) > 1:
            alike.sort(key=lambda at: sorted((names[edges[at].a], names[edges[at].b])))
        yield from alike


class _Near:
    """The records that each has an edge to, in two flat arrays: a set for each costs ten times as
    much."""

    def __init__(self, count: int, edges: Sequence[Edge]) -> None:
        self._ends = array("I", bytes(array("I").itemsize * (count + 1)))
        for edge in edges:
            self._ends[edge.a] += 1
            self._ends[edge.b] += 1
        self._ends = array("I", accumulate(self._ends))
        self._others = array("I", bytes(array("I").itemsize * 2 * len(edges)))
        for edge in edges:
            for one, other in ((edge.a, edge.b), (edge.b, edge.a)):
                self._ends[one] -= 1
                self._others[self._ends[one]] = other

    def of(self, place: int) -> array[int]:
        """Return the others that one has an edge to."""
        # Filled from the back, an end has become its beginning.
        return self._others[self._ends[place] : self._ends[place + 1]]


class _Joining:
    def __init__(self, count: int, judge: Judge, bands: Bands, edges: Sequence[Edge]) -> None:
        self.judge = judge
        self.bands = bands
        self.group_of: dict[int, list[int]] = {}
        self.by: dict[int, Edge] = {}
        self.held: list[tuple[Edge, str]] = []
        self.near = _Near(count, edges)
        self._weighed: dict[tuple[int, int, int, int], float | None] = {}

    def take(self, edge: Edge) -> bool:
        """Join the clusters of an edge, if they may be; tell whether to look at it again."""
        left = self.group_of.get(edge.a) or [edge.a]
        right = self.group_of.get(edge.b) or [edge.b]
        if left is right:
            return False
        together = self._together(left, right)
        if together is None:
            return False
        bits = self._standing(edge, left, right, together)
        if bits < self.bands.link:
            if bits >= self.bands.review:
                self.held.append((edge._replace(bits=bits), _TOO_LITTLE))
            return True
        if reason := self._doubt(edge, left, right):
            self.held.append((edge._replace(bits=bits), reason))
            return True
        taken = edge._replace(bits=bits)
        for place in (edge.a, edge.b):
            self.by.setdefault(place, taken)
        if len(left) < len(right):
            left, right = right, left
        left.extend(right)
        for place in (*right, edge.a, edge.b):
            self.group_of[place] = left
        return False

    def _together(self, left: list[int], right: list[int]) -> float | None:
        """Return the weight between two clusters, None where they clash.

        Two large ones have many edges, and each is looked at twice: the answer is kept. A cluster
        is known by its first record and its size, since it only grows.
        """
        size = len(left) + len(right)
        if size == 2:
            return None if self.judge.clash(left[0], right[0]) else 0.0
        pair = (left[0], len(left), right[0], len(right))
        if left[0] > right[0]:
            pair = pair[2:] + pair[:2]
        if pair not in self._weighed:
            clash = any(self.judge.clash(one, other) for one in left for other in right)
            self._weighed[pair] = None if clash else self.judge.together(left, right)
        return self._weighed[pair]

    def _standing(self, edge: Edge, left: list[int], right: list[int], together: float) -> float:
        size, smaller = len(left) + len(right), min(len(left), len(right))
        more = together if size > 2 else None
        if edge.sure:
            enough = more is None or more >= self.bands.together
            return max(edge.bits, self.bands.link) if enough else self.bands.review
        contested = self.bands.contested if edge.contested else 0.0
        bits = standing(edge.bits, more, 0, size, smaller, contested)
        if edge.bits >= SURE or bits < self.bands.review:
            return bits  # rivals only speak against it
        rivals = self._rivals(left, right)
        return standing(edge.bits, more, rivals, size, smaller, contested)

    def _rivals(self, left: list[int], right: list[int]) -> int:
        """Return how many other clusters bear the name, up to MOST_RIVALS."""
        mine = {*left, *right}
        seen: set[int] = set()
        for place in self.judge.bearers((*left, *right)):
            if place in mine:
                continue
            group = self.group_of.get(place)
            seen.add(id(group) if group else -place - 1)
            if len(seen) == MOST_RIVALS:
                break
        return len(seen)

    def _doubt(self, edge: Edge, left: list[int], right: list[int]) -> str:
        """Return why an edge is not enough for the clusters behind it, "" when it is."""
        if len(left) + len(right) > self.bands.cluster_cap:
            return "the cluster would be larger than the cap"
        if edge.bits < self.bands.bridge and min(len(left), len(right)) >= self.bands.bridge_size:
            others = set(right)
            if sum(at in others for one in left for at in self.near.of(one)) < 2:
                return "a single weak edge between two clusters"
        return ""
