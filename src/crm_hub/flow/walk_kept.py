"""The pairs that are one by likeness, kept between batches; part of step 4, for walk_alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from crm_hub.flow.walk_records import Node
from crm_hub.resolve.alike import Liked
from crm_hub.store import LikedRow, Likeness

Pair = tuple[int, int]


class KeptPairs:
    """Those of the records that a batch meets, as they were when it began."""

    def __init__(self, repo: Likeness) -> None:
        self._repo = repo
        self._rows: dict[Pair, LikedRow] = {}
        self._asked: set[int] = set()

    def read(self, nodes: Iterable[Node]) -> list[Pair]:
        """Read the pairs of nodes that were not asked for yet, and return them."""
        return self._read({node.record_id for node in nodes if node.home_id is not None})

    def _read(self, records: set[int]) -> list[Pair]:
        rows = {pair_of(*row[:2]): row for row in self._repo.pairs_of(records - self._asked)}
        self._asked |= records
        self._rows |= rows
        return list(rows)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._rows)

    def liked(self, pair: Pair) -> Liked:
        """Return a pair as it was weighed."""
        a, b, millibits = self._rows[pair]
        return Liked(a, b, millibits / 1000)

    def store(self, liked: Mapping[Pair, Liked], weighed: set[int], gone: set[int]) -> None:
        """Bring the store up to date with records all of whose pairs were weighed, and with those
        that have gone. liked: all pairs of theirs that are one now."""
        self._read(gone)
        concerned = weighed | gone
        now = {
            pair: LikedRow(one.a, one.b, round(one.bits * 1000))
            for pair, one in liked.items() if not concerned.isdisjoint(pair)
        }  # fmt: skip
        was = {pair: row for pair, row in self._rows.items() if not concerned.isdisjoint(pair)}
        fresh = [row for pair, row in sorted(now.items()) if was.get(pair) != row]
        stale = [row for pair, row in sorted(was.items()) if now.get(pair) != row]
        if fresh or stale:
            self._repo.swap_pairs(stale, fresh)


def pair_of(a: int, b: int) -> Pair:
    """Return two records as a pair, in one order."""
    return (a, b) if a < b else (b, a)
