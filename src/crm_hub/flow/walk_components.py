"""Step 4, first half: every record connected with a batch, split into components.

Before: walk_records. After: walk_identities, which clusters each component. Who is connected is
found by walk_expansion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from crm_hub.flow.batch import Tools
from crm_hub.flow.walk_alike import Alike
from crm_hub.flow.walk_expansion import Expansion
from crm_hub.flow.walk_records import Batch, Node
from crm_hub.flow.walk_rulings import Ruled
from crm_hub.store import CROWDED, Db, Identities, Likeness, SharedKeys


@dataclass(slots=True)
class Groups:
    """Connected records: nodes by component, holders of each joining key, lone records.

    aside: those who hold such a key and stay who they are, whatever comes of the others.
    """

    components: list[list[Node]]
    holders: dict[str, list[int]]
    lone: list[Node]
    ruled: Ruled
    alike: Alike
    aside: dict[int, Node]


def components(
    db: Db, repo: Identities, tools: Tools, batch: Batch, *, whole: bool = False
) -> Groups:
    """Load every record connected with the batch, and split all of them into components.

    whole: also those who only share a line with some of them (walk_expansion.py).
    """
    holders: dict[str, list[int]] = defaultdict(list)
    for node in batch.nodes.values():
        for key in node.joining:
            holders[key].append(node.record_id)
    shared = SharedKeys(db)
    ruled, alike = Ruled(db), Alike(db, repo, tools)
    alike.look_anew((*batch.nodes, *batch.gone))
    promoted = _promote(db, shared, tools, batch)
    whole = whole or not alike.keeps_pairs()
    expansion = Expansion(repo, shared, tools, batch, holders, ruled, whole=whole)
    expansion.run()
    alike.look_anew(record for key in promoted for record in holders[key])
    while True:
        # A crowd's number says nothing of a person, and pairs are weighed by that.
        demoted = _demote(shared, tools, batch, holders)
        alike.look_anew(record for key in demoted for record in holders[key])
        alike.learn(batch, holders)
        more = alike.meet(batch, holders) | alike.anew(batch.aside)
        if not more:
            break
        expansion.run(more)
    alike.conclude(batch)
    met = {key: ids for key, ids in holders.items() if len(ids) > 1}
    crowded = shared.of_kind(CROWDED, met)
    kept = {k: sorted(ids) for k, ids in met.items() if k not in crowded}
    return _split(batch, kept, ruled, alike)


def _promote(db: Db, shared: SharedKeys, tools: Tools, batch: Batch) -> set[str]:
    """Let keys of a crowd join again when it has gone, and return these."""
    muted = shared.of_kind(CROWDED, batch.touched)
    if not muted:
        return set()
    counts = Likeness(db).count_holders(muted)
    for key, _ in batch.keys_added:
        if key in muted:
            counts[key] = counts.get(key, 0) + 1
    cap = tools.rules.holders_cap
    found = {key for key in muted if counts.get(key, 0) <= cap}
    shared.forget(found)
    return found


def _demote(
    shared: SharedKeys, tools: Tools, batch: Batch, holders: dict[str, list[int]]
) -> set[str]:
    """Return the keys that too many differently named records hold by now, and store the news."""
    cap = tools.rules.holders_cap
    many = {key: ids for key, ids in holders.items() if len(ids) > cap}
    was = shared.of_kind(CROWDED, many)
    demoted = {
        key: len(ids) for key, ids in many.items()
        if key not in was and _names(batch, ids) > cap
    }  # fmt: skip
    shared.save(CROWDED, demoted)
    return {*demoted}


def _names(batch: Batch, record_ids: Iterable[int]) -> int:
    return len({batch.nodes[r].name.whole for r in record_ids})


def _split(batch: Batch, holders: dict[str, list[int]], ruled: Ruled, alike: Alike) -> Groups:
    nodes = {r: node for r, node in batch.nodes.items() if r not in batch.aside}
    shared = ([r for r in ids if r in nodes] for ids in holders.values())
    joined = [*filter(None, shared), *ruled.together(nodes), *map(list, alike.liked)]
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
    for node in nodes.values():
        if node.identity_id is not None:
            parent.setdefault(node.record_id, node.record_id)
            first = by_identity.setdefault(node.identity_id, node.record_id)
            parent[root(node.record_id)] = root(first)
    connected: dict[int, list[Node]] = defaultdict(list)
    lone = []
    for record_id, node in nodes.items():
        if record_id in parent:
            connected[root(record_id)].append(node)
        else:
            lone.append(node)
    aside = {record: batch.nodes[record] for record in batch.aside}
    return Groups(list(connected.values()), holders, lone, ruled, alike, aside)
