"""Giving clusters their ids: an id stays with the records that had it, for ever.

The oldest id of a cluster wins and the others redirect to it. When a cluster splits, each
part takes back the id that its own oldest record had first (its home), so that a split
undoes a join to the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from crm_hub.resolve.cluster import Cluster


class Assignment(NamedTuple):
    """What clustering means for ids.

    identity_of: record → identity. redirects: ids that lost their records → the id that took
    them over. revived: ids that redirected and now stand for themselves again.
    """

    identity_of: dict[int, int]
    redirects: dict[int, int]
    revived: set[int]


def assign(
    clusters: Sequence[Cluster],
    identity_of: Mapping[int, int],
    home_of: Mapping[int, int],
    fresh: Iterator[int],
) -> Assignment:
    """Return the id of every record in `clusters`.

    identity_of, home_of: the ids that records have now and had first; a record without them is
    new. fresh: ids nobody has had yet.
    """
    if not identity_of and not home_of:
        numbered = zip(clusters, fresh, strict=False)  # in this order no number goes to waste
        new = {r: number for one, number in numbered for r in one.record_ids}
        return Assignment(new, {}, set())
    owner = _owners(clusters, identity_of)
    taken: dict[int, int] = {}
    for identity in sorted(owner):
        taken.setdefault(owner[identity], identity)
    used = set(taken.values())
    revived = set()
    for index, one in enumerate(clusters):
        if index in taken:
            continue
        home = _home(one, home_of, used)
        if home is not None:
            revived.add(home)
        taken[index] = next(fresh) if home is None else home
        used.add(taken[index])
    result = {r: taken[index] for index, one in enumerate(clusters) for r in one.record_ids}
    redirects = {i: taken[at] for i, at in owner.items() if taken[at] != i}
    return Assignment(result, redirects, revived)


def _owners(clusters: Sequence[Cluster], identity_of: Mapping[int, int]) -> dict[int, int]:
    """Each present id goes to the cluster that holds its oldest record."""
    oldest: dict[int, tuple[int, int]] = {}
    for index, one in enumerate(clusters):
        for record in one.record_ids:
            identity = identity_of.get(record)
            if identity is not None and (identity not in oldest or record < oldest[identity][0]):
                oldest[identity] = (record, index)
    return {identity: index for identity, (_, index) in oldest.items()}


def _home(one: Cluster, home_of: Mapping[int, int], used: set[int]) -> int | None:
    homes = sorted({home_of[r] for r in one.record_ids if r in home_of} - used)
    return homes[0] if homes else None
