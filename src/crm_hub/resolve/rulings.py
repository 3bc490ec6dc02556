"""What people decided about records, as clustering takes it.

The newest ruling is honoured first: where two contradict each other, the later one holds. So the
same rulings give the same clusters in whatever order the records come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Ruling(NamedTuple):
    """Records are one (`same`), or those of `left` are not those of `right`.

    number: later rulings have higher ones.
    """

    number: int
    same: bool
    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def records(self) -> tuple[int, ...]:
        return (*self.left, *self.right)


class Honoured(NamedTuple):
    """atoms: record → all records that are one with it by ruling. apart: record → never with."""

    atoms: dict[int, list[int]]
    apart: dict[int, set[int]]


def honour(rulings: Iterable[Ruling], present: Iterable[int]) -> Honoured:
    """Return what rulings mean for the records that are `present`."""
    here = set(present)
    atoms: dict[int, list[int]] = {}
    apart: dict[int, set[int]] = defaultdict(set)
    for ruling in sorted(rulings, reverse=True):
        if ruling.same:
            _unite([r for r in ruling.records if r in here], atoms, apart)
            continue
        for one in ruling.left:
            for other in ruling.right:
                if atoms.get(one) is None or atoms.get(one) is not atoms.get(other):
                    apart[one].add(other)
                    apart[other].add(one)
    return Honoured(atoms, dict(apart))


def _unite(records: Sequence[int], atoms: dict[int, list[int]], apart: dict[int, set[int]]) -> None:
    for first, other in pairwise(records):
        left, right = atoms.setdefault(first, [first]), atoms.setdefault(other, [other])
        if left is right or parted(left, right, apart):
            continue
        left.extend(right)
        for record in right:
            atoms[record] = left


def parted(left: Iterable[int], right: Sequence[int], apart: dict[int, set[int]]) -> bool:
    """Tell whether a ruling keeps two groups of records apart."""
    return any(not found.isdisjoint(right) for r in left if (found := apart.get(r)))
