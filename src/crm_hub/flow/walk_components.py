"""Step 4, first half: every record connected with a batch, split into components.

Before: walk_records. After: walk_identities, which clusters each component.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from crm_hub.flow.batch import Tools
from crm_hub.flow.walk_records import Batch, Node, held_node
from crm_hub.flow.walk_rulings import Ruled
from crm_hub.store import Db, Identities


@dataclass(slots=True)
class Groups:
    """Connected records: nodes by component, holders of each joining key, lone records."""

    components: list[list[Node]]
    holders: dict[str, list[int]]
    lone: list[Node]
    ruled: Ruled


def components(db: Db, repo: Identities, tools: Tools, batch: Batch) -> Groups:
    """Load every record connected with the batch, and split all of them into components."""
    ruled = Ruled(db)
    holders: dict[str, list[int]] = defaultdict(list)
    for node in batch.nodes.values():
        for key in node.joining:
            holders[key].append(node.record_id)
    _expand(repo, tools, batch, holders, ruled)
    met = {key: ids for key, ids in holders.items() if len(ids) > 1}
    shared = _demote(repo, tools, batch, met)
    return _split(batch, {k: sorted(ids) for k, ids in met.items() if k not in shared}, ruled)


def _expand(
    repo: Identities, tools: Tools, batch: Batch, holders: dict[str, list[int]], ruled: Ruled
) -> None:
    """Load records that share a key, an identity or a ruling with those in memory, until done."""
    frontier = set(batch.touched)
    identities = {n.identity_id for n in batch.nodes.values() if n.identity_id is not None}
    identities |= batch.lost_identities
    asked_keys: set[str] = set()
    asked_identities: set[int] = set()
    partners = ruled.partners(batch.nodes)
    while frontier or identities or partners:
        asked_keys |= frontier
        asked_identities |= identities
        found = set(repo.holders(frontier - repo.shared(frontier)))
        found.update(r for r, _ in repo.records_of(identities))
        found |= partners
        fresh = found - batch.nodes.keys()
        frontier, identities, partners = set(), set(), ruled.partners(fresh)
        for held in repo.held(fresh):
            node = held_node(held, tools)
            batch.nodes[held.record_id] = node
            if held.identity_id is not None and held.identity_id not in asked_identities:
                identities.add(held.identity_id)
            for key in node.joining:
                holders[key].append(node.record_id)
                if key not in asked_keys:
                    frontier.add(key)


def _demote(
    repo: Identities, tools: Tools, batch: Batch, holders: dict[str, list[int]]
) -> set[str]:
    """Return the keys that too many differently named records hold, and store the news."""
    cap = tools.rules.holders_cap
    was = repo.shared(holders)
    demoted = {
        key: len(ids)
        for key, ids in holders.items()
        if len(ids) > cap and key not in was and _names(batch, ids) > cap
    }
    repo.set_shared(demoted, ())
    return was | demoted.keys()


def _names(batch: Batch, record_ids: Iterable[int]) -> int:
    return len({batch.nodes[r].name.whole for r in record_ids})


def _split(batch: Batch, holders: dict[str, list[int]], ruled: Ruled) -> Groups:
    joined = [*holders.values(), *ruled.together(batch.nodes)]
    parent = {r: r for ids in joined for r in ids}

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    by_identity: dict[int, int] = {}
    for ids in joined:
        for other in ids[1:]:
            parent[root(other)] = root(ids[0])
    for node in batch.nodes.values():
        if node.identity_id is not None:
            parent.setdefault(node.record_id, node.record_id)
            first = by_identity.setdefault(node.identity_id, node.record_id)
            parent[root(node.record_id)] = root(first)
    connected: dict[int, list[Node]] = defaultdict(list)
    lone = []
    for record_id, node in batch.nodes.items():
        if record_id in parent:
            connected[root(record_id)].append(node)
        else:
            lone.append(node)
    return Groups(list(connected.values()), holders, lone, ruled)
