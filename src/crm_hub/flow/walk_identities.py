"""Steps 4 and 5 for one batch: keys, components, clusters, ids, golden records.

Only records that share a key with another need the slow path; the rest become an identity
of their own at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

from crm_hub.flow.batch import MappedRecord, Moment, Tools, Walked
from crm_hub.flow.tracking import Tracked
from crm_hub.flow.walk_components import Groups, components
from crm_hub.flow.walk_golden import Settled, merge_identities
from crm_hub.flow.walk_memberships import refresh_memberships
from crm_hub.flow.walk_newcomers import take_newcomers, welcome
from crm_hub.flow.walk_questions import ask, join
from crm_hub.flow.walk_records import Batch, Node, store_canonical
from crm_hub.resolve import Cluster, Member, assign, cluster
from crm_hub.resolve.cluster import Borders
from crm_hub.store import Db, Identities, Row


def walk_identities(
    db: Db,
    tools: Tools,
    mapped: Sequence[MappedRecord],
    moment: Moment,
    walked: Walked,
    tracked: Tracked | None = None,
    batch: Batch | None = None,
) -> Settled | None:
    """Resolve and merge a batch of mapped records; part of T2. None: no identity was touched.

    tracked: what a hub that writes knows of single fields. batch: as for `store_canonical`.
    """
    repo = Identities(db)
    batch = store_canonical(repo, tools, mapped, batch or Batch())
    if not batch.dirty and not batch.gone:
        return None
    return settle(db, repo, tools, batch, moment, walked, tracked)


def settle(
    db: Db,
    repo: Identities,
    tools: Tools,
    batch: Batch,
    moment: Moment,
    walked: Walked,
    tracked: Tracked | None = None,
    was: Mapping[int, int] | None = None,
) -> Settled:
    """Cluster what a batch concerns, give identities, and merge them.

    was: given where a person ruled, record → the identity that an undo is to give it again.
    """
    # What is written back is planned from all that was settled, so there nobody goes ahead.
    newcomers = take_newcomers(db, batch) if tracked is None and was is None else []
    for node in batch.nodes.values():
        batch.touched.update(node.claimed)
    groups = components(db, repo, tools, batch, whole=was is not None)
    repo.add_keys(batch.entries)
    fresh = welcome(db, repo, newcomers, moment, walked) if newcomers else ()
    settled, links = decide(db, repo, tools, batch, groups, moment, walked, was)
    repo.redirect(links.redirects)
    repo.save_links(links.new, links.moved)
    ask(db, batch, groups, moment)
    groups.alike.keep(batch)
    merge_identities(repo, tools, settled, moment, walked, tracked)
    touched = batch.touched.union(*(node.claimed for node in newcomers))
    walked.moved_keys |= touched
    refresh_memberships(db, repo, settled.changed.union(fresh), touched, walked)
    return settled


@dataclass(slots=True)
class Links:
    """Identity links to store, and ids that lead to others from now on."""

    new: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    redirects: dict[int, int] = field(default_factory=dict)


def decide(
    db: Db,
    repo: Identities,
    tools: Tools,
    batch: Batch,
    groups: Groups,
    moment: Moment,
    walked: Walked,
    was: Mapping[int, int] | None,
) -> tuple[Settled, Links]:
    """Give every record of a batch and of its components its identity."""
    first = db.next_id("identity")
    fresh = count(first)
    free = _free_homes(repo, batch)
    settled = Settled(first)
    links = Links()
    parted: list[int] = []
    for node in groups.lone:
        number = (_own_home(node, free) if free else None) or next(fresh)
        settled.members[number] = [node]
        settled.changed.add(number)
        _link(node, number, "alone", moment, links)
    for component in groups.components:
        found = _cluster(tools, component, groups)
        stood = {n.record_id: n.identity_id for n in component if n.identity_id is not None}
        before = stood | {r: was[r] for r in stood.keys() & was.keys()} if was else stood
        homes = {n.record_id: n.home_id for n in component if n.home_id in free}
        result = assign(found, before, homes, fresh)
        parted += _parted(found, stood)
        by_id = {n.record_id: n for n in component}
        for one in found:
            number = result.identity_of[one.record_ids[0]]
            settled.members[number] = [by_id[r] for r in one.record_ids]
            for record_id in one.record_ids:
                node = by_id[record_id]
                if node.identity_id == number:
                    continue
                if node.identity_id is not None:
                    settled.changed.add(node.identity_id)
                    walked.moved_identities.add(node.identity_id)
                    walked.moved_keys.update(node.claimed)
                settled.changed.add(number)
                _link(node, number, one.methods[record_id], moment, links)
        free -= result.revived
        links.redirects |= result.redirects
    groups.alike.meet_again(batch, parted, groups.holders)
    db.take_ids("identity", next(fresh) - first)
    settled.changed.update(n.identity_id for r in batch.dirty if (n := batch.nodes[r]).identity_id)
    if was is not None:
        settled.moved = repo.link_rows(row[0] for row in links.moved)
    settled.changed |= batch.lost_identities
    walked.moved_identities |= batch.lost_identities
    return settled, links


def _parted(found: Sequence[Cluster], before: Mapping[int, int]) -> list[int]:
    """Return the records of identities that are more than one now."""
    if len(found) == 1:
        return []
    at = {record: number for number, one in enumerate(found) for record in one.record_ids}
    parts: dict[int, set[int]] = {}
    for record, identity in before.items():
        parts.setdefault(identity, set()).add(at[record])
    return [record for record, identity in before.items() if len(parts[identity]) > 1]


def _free_homes(repo: Identities, batch: Batch) -> set[int]:
    """Return the first ids of records that nobody stands under now: a split may revive them."""
    homes = {n.home_id for n in batch.nodes.values() if n.home_id is not None}
    if homes:
        homes -= {n.identity_id for n in batch.nodes.values()}
    # Newcomers stand under fresh ids, which are nobody's home yet.
    return homes - {identity for _, identity in repo.records_of(homes, stored=True)}


def _own_home(node: Node, free: set[int]) -> int | None:
    if node.home_id not in free:
        return None
    free.discard(node.home_id)
    return node.home_id


def _link(
    node: Node,
    number: int,
    method: str,
    moment: Moment,
    links: Links,
) -> None:
    rows = links.new if node.home_id is None else links.moved
    node.home_id = node.home_id or number
    node.identity_id = number
    rows.append((node.record_id, number, node.home_id, method, "auto", moment.now_us))


def _cluster(tools: Tools, component: Sequence[Node], groups: Groups) -> list[Cluster]:
    keys = set(chain.from_iterable(n.keys for n in component)) & groups.holders.keys()
    holders = {key: groups.holders[key] for key in sorted(keys)}
    beside = groups.aside.keys() & set(chain.from_iterable(holders.values()))
    members = [
        Member(n.record_id, str(n.source), n.entity, n.name, _exclusive(n, tools))
        for n in (*component, *(groups.aside[r] for r in sorted(beside)))
    ]
    rulings = groups.ruled.on(n.record_id for n in component)
    found = cluster(members, holders, rulings)
    if beside:
        found = [one for one in found if not beside.issuperset(one.record_ids)]
    return join(groups.alike, component, found, lambda: Borders(members, rulings), tools)


def _exclusive(node: Node, tools: Tools) -> tuple[tuple[str, str], ...]:
    if not tools.exclusive:
        return ()
    found = []
    for key in node.keys:
        if key[:2] == "s:":
            _, scope, name, value = key.split(":", 3)
            if (scope, name) in tools.exclusive:
                found.append((f"{scope}:{name}", value))
    return tuple(found)
