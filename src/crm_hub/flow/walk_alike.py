"""Likeness in the walk: who among the stored records may be the same as one of a batch.

Part of step 4. A record is compared with those of its name that also agree in place or firm, or
say too little to disagree (resolve/marks.py), and with those written nearly so (resolve/near.py).
Whether a pair is one, a question or neither hangs on the two records, on which keys are several
people's, and on what was last measured: never on which of them came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, combinations

from crm_hub.flow.batch import Tools
from crm_hub.flow.walk_kept import KeptPairs, Pair, pair_of
from crm_hub.flow.walk_lookup import Bears
from crm_hub.flow.walk_names import namesakes_of
from crm_hub.flow.walk_records import Batch, Node, held_node
from crm_hub.flow.weighing import Weighing, weighing
from crm_hub.resolve import Similarity, compare_names
from crm_hub.resolve.alike import Held, Liked
from crm_hub.resolve.decide import Verdict, decide
from crm_hub.resolve.evidence import evidence
from crm_hub.resolve.kinds import KINDS, Kind
from crm_hub.resolve.marks import SILENT
from crm_hub.resolve.measured import NOT_MEASURED
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.score import Scorer, Step
from crm_hub.resolve.standing import OTHER_NAME
from crm_hub.store import CROWDED, SEVERAL, Db, Identities, Likeness, SharedKeys

_MOST_NAMES = 12
BEFORE_REBUILD = "alike; before the first rebuild nothing joins by likeness"


class Alike:
    """The pairs of a batch that were weighed, or kept since they were, and what came of them.

    liked: pairs that are one. asked: pairs that are a question, with the reason.
    """

    def __init__(self, db: Db, repo: Identities, tools: Tools) -> None:
        self.liked: dict[Pair, Liked] = {}
        self.asked: dict[Pair, Held] = {}
        self._liked_of: dict[int, list[Liked]] = defaultdict(list)
        self._tools = tools
        self._repo, self._identities, self._shared = Likeness(db), repo, SharedKeys(db)
        self._met: set[int] = set()
        self._asked_names: set[str] = set()
        self._weighed: set[Pair] = set()
        self._visitors: dict[int, Node] = {}
        self._profiles: dict[int, Profile] = {}
        self._several: set[str] = set()
        self._crowded: set[str] = set()
        self._by: dict[str, Weighing] = {}
        self._asked_keys: set[str] = set()
        self._anew: set[int] = set()
        self._kept = KeptPairs(self._repo)

    # what is looked at anew -------------------------------------------------------------------

    def look_anew(self, records: Iterable[int]) -> None:
        """Take in records about which something has changed: what they say, their names' crowd,
        or whose their keys are."""
        self._anew.update(records)

    def anew(self, records: set[int]) -> set[int]:
        """Return those of these records about which something has changed."""
        return records & self._anew

    def keeps_pairs(self) -> bool:
        """Tell whether only the pairs of what changed are to be weighed."""
        return all(self._weighing(kind).pairs == "kept" for kind in KINDS.values())

    def stands(self, a: int, b: int) -> bool:
        """Tell whether a pair of stored records was left as it was, with its question if it has
        one. What is one, and may have been held up, is always decided again."""
        pair = pair_of(a, b)
        return pair not in self.liked and self._stands(pair)

    def _stands(self, pair: Pair) -> bool:
        return self._met.isdisjoint(pair) and self._anew.isdisjoint(pair)

    def _is_due(self, node: Node) -> bool:
        """Tell whether the pairs of a node are to be weighed.

        Only what changed can have others than before: where nothing was measured nothing joins by
        likeness, and else the pairs that are one are kept; unless some may be missing yet.
        """
        if node.record_id in self._met:
            return False
        kind = KINDS.get(node.entity)
        is_kept = kind is None or self._weighing(kind).pairs == "kept"
        return node.record_id in self._anew or not is_kept

    # several people's keys --------------------------------------------------------------------

    def learn(self, batch: Batch, holders: dict[str, list[int]]) -> None:
        """Find out which keys belong to several people now, and store the news.

        Clearly different first names make a number a home's or a firm's; when they are gone, it
        is one person's again.
        """
        looked = {
            key: ids for key, ids in holders.items()
            if key[:2] in ("e:", "p:") and key not in self._asked_keys
        }  # fmt: skip
        touched = {key for key in batch.touched if key[:2] in ("e:", "p:")} - self._asked_keys
        kinds = self._shared.kinds({*looked, *touched})
        # Who holds a crowd's number is not in memory, but may be met by name.
        crowded = {key for key, kind in kinds.items() if kind == CROWDED}
        for key in crowded & looked.keys():
            del looked[key]
        was = {key for key, kind in kinds.items() if kind == SEVERAL}
        now = {k: len(ids) for k, ids in looked.items() if len(ids) > 1 and _several(batch, ids)}
        promoted = {key for key in was - now.keys() if key in looked or key in touched}
        self._shared.save(SEVERAL, {k: n for k, n in now.items() if k not in was})
        self._shared.forget(promoted)
        # Pairs of a line's other holders come and go when it becomes one, and at the cap.
        most = self._tools.rules.holders_cap - len(batch.dirty) - len(batch.gone)
        lines = {k for k in touched & now.keys() if now[k] > most or not batch.dirty}
        lines |= promoted.union(now.keys() - was)
        self.look_anew(r for key in lines for r in holders.get(key, ()))
        self._crowded |= crowded
        self._several |= now.keys() | crowded
        self._asked_keys |= looked.keys() | crowded | touched

    # comparing ------------------------------------------------------------------------------

    def meet(self, batch: Batch, holders: dict[str, list[int]]) -> set[int]:
        """Compare the nodes that were not yet; return the records that belong with them."""
        found: set[int] = set()
        while True:
            # Who is set aside and now looked at anew is taken in first, with all its keys.
            fresh = [node for node in _near(batch) if self._is_due(node)]
            self._met.update(n.record_id for n in fresh)
            of_name, turned = self._of_one_name(batch, fresh)
            self.look_anew(turned)
            found |= turned | self._recall(batch)
            pairs = (of_name | self._of_one_key(batch, fresh, holders)) - self._weighed
            self._weighed |= pairs
            found |= self._weigh_all(batch, pairs)
            if turned.isdisjoint(batch.nodes):
                return found - (batch.nodes.keys() - batch.aside)

    def _recall(self, batch: Batch) -> set[int]:
        """Return who is one, as before, with nodes that stay as they are."""
        pairs = filter(self._stands, self._kept.read(_near(batch)))
        return set(chain.from_iterable(pairs))

    def meet_again(
        self, batch: Batch, parted: Sequence[int], holders: dict[str, list[int]]
    ) -> None:
        """Weigh the pairs of records that were one and no longer are: some may be questions now."""
        if parted:
            self.look_anew(parted)
            self.meet(batch, holders)

    def conclude(self, batch: Batch) -> None:
        """Take in the kept pairs of which neither record was weighed; nothing is met after it."""
        standing = [pair for pair in self._kept if self._stands(pair)]
        self._read_several(batch, chain.from_iterable(standing))
        self.liked |= {pair: self._kept.liked(pair) for pair in standing}
        for one in self.liked.values():
            self._liked_of[one.a].append(one)

    def liked_among(self, nodes: Mapping[int, Node]) -> list[Liked]:
        """Return the pairs that are one of which both records are among these."""
        return [p for record in nodes for p in self._liked_of.get(record, ()) if p.b in nodes]

    def keep(self, batch: Batch) -> None:
        """Store which pairs are one now, of what was weighed."""
        self._kept.store(self.liked, self._met, {*batch.gone})
        for entity, by in self._by.items():
            if by.pairs == "of other rules":
                self._repo.doubt_pairs(entity)

    def _weigh_all(self, batch: Batch, pairs: set[Pair]) -> set[int]:
        """Weigh pairs; return the records of those that are one."""
        records = {record for pair in pairs for record in pair}
        self._load(records - batch.nodes.keys())
        self._read_several(batch, records)
        found: set[int] = set()
        for a, b in sorted(pairs):
            left, right = self.node(batch, a), self.node(batch, b)
            if left is None or right is None or left.entity != right.entity:
                continue
            if self._weigh(left, right):
                found.update((a, b))
        return found

    def _of_one_name(self, batch: Batch, fresh: Sequence[Node]) -> tuple[set[Pair], set[int]]:
        """Return pairs of fresh nodes and others of their name, or near it, worth comparing.

        Also the records whose name or place began or ceased to be a crowd's: looked at anew.
        """
        named = [(n, key) for n in fresh for key in n.alike]
        touched = {key for key, _ in batch.names_gone} - self._asked_names
        wanted = {key for _, key in named} | touched
        if not wanted:
            return set(), set()
        of_name = namesakes_of(batch, wanted, self._named(batch, wanted))
        turned = {r for key in wanted - self._asked_names for r in of_name[key].turned}
        self._asked_names |= wanted
        pairs: set[Pair] = set()
        for node, key in named:
            pairs.update(pair_of(node.record_id, r) for r in of_name[key].worth(node))
        return pairs, turned

    def _named(self, batch: Batch, wanted: set[str]) -> Iterable[Bears]:
        """Return the stored records of these names, and of what is near."""
        looked, near = batch.looked_names, self._tools.near
        found = looked.known(wanted) + self._repo.named(looked.unknown(wanted))
        if near is not None:
            found += [(key, record, SILENT) for key, record in near(wanted)]
        return found

    def _of_one_key(
        self, batch: Batch, fresh: Sequence[Node], holders: dict[str, list[int]]
    ) -> set[Pair]:
        """Return pairs of fresh nodes that share a line of several people and may be one by name.

        What is one person's alone joins by itself, and names that clash are not worth weighing.
        """
        cap = self._tools.rules.holders_cap
        pairs: set[Pair] = set()
        lines = self._several - self._crowded
        mine = {n.record_id for n in fresh}
        for key in {k for n in fresh for k in n.joining if k in lines} if lines else ():
            ids = sorted(set(holders.get(key, ())))
            if len(ids) <= cap:
                pairs.update(
                    (a, b) for a, b in combinations(ids, 2)
                    if (a in mine or b in mine) and _may_be_one(batch.nodes[a], batch.nodes[b])
                )  # fmt: skip
        return pairs

    def _load(self, records: set[int]) -> None:
        wanted = records - self._visitors.keys()
        if not wanted:
            return
        for held in self._identities.held(wanted, stored=True):
            self._visitors[held.record_id] = held_node(held, self._tools)

    def _read_several(self, batch: Batch, records: Iterable[int]) -> None:
        nodes = filter(None, (self.node(batch, r) for r in records))
        keys = {k for n in nodes for k in n.keys if k[:2] in ("e:", "p:")} - self._asked_keys
        kinds = self._shared.kinds(keys)
        self._several |= kinds.keys()
        self._crowded |= {key for key, kind in kinds.items() if kind == CROWDED}
        self._asked_keys |= keys

    def node(self, batch: Batch, record: int) -> Node | None:
        return batch.nodes.get(record) or self._visitors.get(record)

    def _weigh(self, left: Node, right: Node) -> bool:
        """Weigh a pair; tell whether it is one."""
        kind = KINDS.get(left.entity)
        if kind is None:
            return False
        a, b = (left, right) if str(left.source) <= str(right.source) else (right, left)
        one, other = self.profile(a), self.profile(b)
        scorer, bands = self.scorer(kind), self._tools.rules.bands
        levels = scorer.levels(one, other)
        bits = scorer.weight(levels, one, other)
        if scorer.is_other_name(levels):
            bits -= OTHER_NAME
        if bits < bands.weigh and one.refs.isdisjoint(other.refs):
            return False
        verdict = decide(one, other, bits, bands, kind.clash(one, other, False)).verdict
        pair = Liked(a.record_id, b.record_id, round(bits, 3))
        if verdict is Verdict.SAME and self._weighing(kind).measured is NOT_MEASURED:
            self.asked[pair_of(pair.a, pair.b)] = Held(pair, BEFORE_REBUILD)
            return False
        if verdict is Verdict.SAME:
            self.liked[pair_of(pair.a, pair.b)] = pair
        elif verdict is Verdict.ASK:
            self.asked[pair_of(pair.a, pair.b)] = Held(pair, "not enough speaks for it")
        return verdict is Verdict.SAME

    # what was weighed -------------------------------------------------------------------------

    def profile(self, node: Node) -> Profile:
        """Return the evidence of a node."""
        found = self._profiles.get(node.record_id)
        if found is None:
            measured = self._weighing(KINDS[node.entity]).measured
            rules, several = self._tools.rules, self._several.intersection(node.keys)
            said = self._tools.said and self._tools.said(node.record_id, node.data)
            found = evidence(
                str(node.source), node.entity, node.values, rules, measured, several, said
            )
            self._profiles[node.record_id] = found
        return found

    def scorer(self, kind: Kind) -> Scorer:
        """Return what weighs pairs of a kind, by what was measured last."""
        return self._weighing(kind).scorer

    def _weighing(self, kind: Kind) -> Weighing:
        found = self._by.get(kind.entity)
        if found is None:
            found = self._by[kind.entity] = weighing(self._repo, self._tools, kind)
        return found

    def waterfall(self, batch: Batch, pair: Liked) -> list[Step]:
        """Return why a pair weighs what it does."""
        a, b = self.node(batch, pair.a), self.node(batch, pair.b)
        if a is None or b is None:
            return []
        return self.scorer(KINDS[a.entity]).waterfall(self.profile(a), self.profile(b))


def _near(batch: Batch) -> list[Node]:
    return [node for node in batch.nodes.values() if node.record_id not in batch.aside]


def _may_be_one(a: Node, b: Node) -> bool:
    likeness = compare_names(a.entity, a.name, b.name) if a.entity == b.entity else None
    return likeness is Similarity.COMPATIBLE


def _several(batch: Batch, record_ids: Iterable[int]) -> bool:
    """Whether two of these records are clearly two people."""
    names = {(n.entity, n.name) for r in record_ids if (n := batch.nodes.get(r)) is not None}
    people = sorted(name for entity, name in names if entity == "person")[:_MOST_NAMES]
    return any(
        compare_names("person", a, b) is Similarity.CLASH for a, b in combinations(people, 2)
    )
