"""Step 4, first half: every record connected with a batch, split into components.

Before: walk_records. After: walk_identities, which clusters each component.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from crm_hub.flow.batch import Tools
from crm_hub.flow.walk_alike import Alike
from crm_hub.flow.walk_records import Batch, Node, held_node
from crm_hub.flow.walk_rulings import Ruled
from crm_hub.store import CROWDED, Db, Identities, Likeness, SharedKeys


@dataclass(slots=True)
class Groups:
    """Connected records: nodes by component, holders of each joining key, lone records."""

    components: list[list[Node]]
    holders: dict[str, list[int]]
    lone: list[Node]
    ruled: Ruled
    alike: Alike


def components(db: Db, repo: Identities, tools: Tools, batch: Batch) -> Groups:
    """Load every record connected with the batch, and split all of them into components."""
    holders: dict[str, list[int]] = defaultdict(list)
    for node in batch.nodes.values():
        for key in node.joining:
            holders[key].append(node.record_id)
    shared = SharedKeys(db)
    ruled, alike = Ruled(db), Alike(db, repo, tools)
    alike.look_anew((*batch.nodes, *batch.gone))
    promoted = _promote(db, shared, tools, batch)
    expansion = _Expansion(repo, shared, tools, batch, holders, ruled)
    expansion.run()
    alike.look_anew(record for key in promoted for record in holders[key])
    while True:
        # A crowd's number says nothing of a person, and pairs are weighed by that.
        demoted = _demote(shared, tools, batch, holders)
        alike.look_anew(record for key in demoted for record in holders[key])
        alike.learn(batch, holders)
        more = alike.meet(batch, holders)
        if not more:
            break
        expansion.run(more)
    alike.conclude(batch)
    met = {key: ids for key, ids in holders.items() if len(ids) > 1}
    crowded = shared.of_kind(CROWDED, met)
    kept = {k: sorted(ids) for k, ids in met.items() if k not in crowded}
    return _split(batch, kept, ruled, alike)


class _Expansion:
    """Loads records that share a key, an identity or a ruling with those in memory."""

    def __init__(
        self,
        repo: Identities,
        shared: SharedKeys,
        tools: Tools,
        batch: Batch,
        holders: dict[str, list[int]],
        ruled: Ruled,
    ) -> None:
        self._repo, self._tools, self._batch = repo, tools, batch
        self._holders, self._shared, self._ruled = holders, shared, ruled
        self._asked_keys: set[str] = set()
        self._asked_identities: set[int] = set()
        self._asked_records: set[int] = set()
        self._keys = set(batch.touched)
        nodes = batch.nodes.values()
        self._identities = {n.identity_id for n in nodes if n.identity_id is not None}
        self._identities |= batch.lost_identities
        self._records = ruled.partners(batch.nodes)

    def run(self, records: Iterable[int] = ()) -> None:
        """Load `records` and all that is connected with what is in memory, until none is new."""
        self._records |= set(records)
        while self._keys or self._identities or self._records:
            self._load(self._found())

    def _found(self) -> set[int]:
        self._asked_keys |= self._keys
        self._asked_identities |= self._identities
        keys = self._keys - self._shared.of_kind(CROWDED, self._keys)
        looked = self._batch.looked
        found = {record for _, record in looked.known(keys)}
        found.update(self._repo.holders(looked.unknown(keys)))
        found.update(r for r, _ in self._repo.records_of(self._identities))
        found |= self._records
        self._keys, self._identities, self._records = set(), set(), set()
        return found - self._batch.nodes.keys() - self._asked_records

    def _load(self, fresh: set[int]) -> None:
        self._asked_records |= fresh
        for held in self._repo.held(fresh, stored=True):
            node = held_node(held, self._tools)
            self._batch.nodes[held.record_id] = node
            if held.identity_id is not None and held.identity_id not in self._asked_identities:
                self._identities.add(held.identity_id)
            for key in node.joining:
                self._holders[key].append(node.record_id)
                if key not in self._asked_keys:
                    self._keys.add(key)
        self._records = self._ruled.partners(fresh)


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
    joined = [*holders.values(), *ruled.together(batch.nodes), *map(list, alike.liked)]
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
    return Groups(list(connected.values()), holders, lone, ruled, alike)
