"""Who is connected with a batch: part of step 4, for walk_components.

From the records of a batch on, whoever shares a key, an identity or a ruling with one of them is
loaded, and so on from each. Who shares no more than a line with them, which does not tie it to any
of them, stays who it is: it is set aside, and nothing is asked for on its account. That spares most
of what hangs together by switchboards and homes. docs/adr/0036.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from crm_hub.flow.batch import Tools
from crm_hub.flow.walk_records import Batch, Node, held_node
from crm_hub.flow.walk_rulings import Ruled
from crm_hub.resolve import Member, sharing
from crm_hub.store import CROWDED, Identities, SharedKeys


class Expansion:
    """Loads records into a batch. holders: joining key → who holds it, of the keys asked for."""

    def __init__(
        self,
        repo: Identities,
        shared: SharedKeys,
        tools: Tools,
        batch: Batch,
        holders: dict[str, list[int]],
        ruled: Ruled,
        *,
        whole: bool,
    ) -> None:
        """whole: nobody is set aside."""
        self._repo, self._tools, self._batch = repo, tools, batch
        self._holders, self._shared, self._ruled = holders, shared, ruled
        self._whole = whole
        self._due: Collection[str] = ()
        self._came = {*batch.nodes}
        self._asked_keys: set[str] = set()
        self._asked_identities: set[int] = set()
        self._asked_records: set[int] = set()
        self._keys = set(batch.touched)
        nodes = batch.nodes.values()
        self._identities = {n.identity_id for n in nodes if n.identity_id is not None}
        self._identities |= batch.lost_identities
        self._records = ruled.partners(batch.nodes)
        self._later: dict[str, list[int]] = defaultdict(list)
        """Key that was not asked for → those set aside who hold it."""
        self._ties: dict[int, set[int]] = defaultdict(set)
        """Record → those with whom a key may join it."""

    def run(self, records: Iterable[int] = ()) -> None:
        """Load `records` and all that is connected with what is in memory, until none is new."""
        self._records |= set(records)
        while self._keys or self._identities or self._records:
            found, sure = self._found()
            self._take_in(sure & self._batch.aside)
            self._load(found | sure, sure)
            self._tie()

    def _found(self) -> tuple[set[int], set[int]]:
        """Return who shares the keys to be asked for, and who belongs to it for another reason."""
        self._asked_keys |= self._keys
        self._asked_identities |= self._identities
        keys = self._keys - self._shared.of_kind(CROWDED, self._keys)
        looked = self._batch.looked
        found = {record for _, record in looked.known(keys)}
        found.update(self._repo.holders(looked.unknown(keys)))
        sure = self._records | {r for r, _ in self._repo.records_of(self._identities)}
        for key in self._keys & self._later.keys():
            self._holders[key] += self._later.pop(key)
        self._due = () if self._whole else keys
        self._keys, self._identities, self._records = set(), set(), set()
        return found, sure

    def _load(self, found: set[int], sure: set[int]) -> None:
        nodes, aside = self._batch.nodes, self._batch.aside
        fresh = found - nodes.keys() - self._asked_records
        self._asked_records |= fresh
        for held in self._repo.held(fresh, stored=True):
            node = held_node(held, self._tools)
            nodes[node.record_id] = node
            if not self._whole and node.record_id not in sure:
                aside.add(node.record_id)
            for key in node.joining:
                is_asked = node.record_id not in aside or key in self._asked_keys
                (self._holders if is_asked else self._later)[key].append(node.record_id)
        self._follow(fresh - aside)

    def _take_in(self, records: Collection[int]) -> None:
        """Let records that were set aside belong to it after all, with those tied to them."""
        taken: set[int] = set()
        waiting = list(records)
        while waiting:
            record = waiting.pop()
            if record not in taken:
                taken.add(record)
                waiting += self._ties[record] & self._batch.aside
        self._batch.aside -= taken
        self._follow(taken)

    def _follow(self, records: Collection[int]) -> None:
        """Note what is to be asked for on account of these."""
        for record in records:
            node = self._batch.nodes.get(record)
            if node is None:
                continue  # nobody holds it any more
            if node.identity_id is not None and node.identity_id not in self._asked_identities:
                self._identities.add(node.identity_id)
            self._keys.update(key for key in node.joining if key not in self._asked_keys)
        self._records |= self._ruled.partners(records)

    def _tie(self) -> None:
        """Take in those set aside whom a key that was asked for just now ties to the others.

        Also all who share a key of the batch, unless some of those who were there clash anyway:
        what it joins may have changed.
        """
        aside, tied = self._batch.aside, set()
        for key in self._due:
            ids = self._holders.get(key, ())
            if len(ids) < 2 or aside.isdisjoint(ids):
                continue
            members = self._members(ids)
            for a, b in sharing(key, members).ties:
                self._ties[a].add(b)
                self._ties[b].add(a)
            if key in self._batch.touched:
                there = [one for one in members if one.record_id not in self._came]
                clashing = sharing(key, there).clashing
                changed = {m.record_id for m in there if m.entity not in clashing}
                tied |= changed if len(changed) > 1 else set()
        for record in self._batch.nodes.keys() - aside:
            tied |= self._ties.get(record, set())
        self._take_in(tied & aside)

    def _members(self, ids: Iterable[int]) -> Sequence[Member]:
        return [_member(self._batch.nodes[r]) for r in ids if r in self._batch.nodes]


def _member(node: Node) -> Member:
    return Member(node.record_id, str(node.source), node.entity, node.name)
