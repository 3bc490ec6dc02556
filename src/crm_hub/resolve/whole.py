"""A whole set of records resolved into people or organizations: population, pairs, clusters.

Pure, and one function: `resolve`. The steps are the modules beside it; the bulk path of a
hub takes the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from crm_hub.model.rules import Bands
from crm_hub.resolve.bearers import Bearers
from crm_hub.resolve.blocking import candidates
from crm_hub.resolve.graph import Clusters, Edge, Edges, clusters
from crm_hub.resolve.kinds import PEOPLE, Kind
from crm_hub.resolve.population import Population, settle
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.score import Scorer
from crm_hub.resolve.standing import OTHER_NAME
from crm_hub.resolve.weights import Model, calibrated

Progress = Callable[[str, int, int], None]
_EVERY = 2_000
_COPY_BITS = 60.0


class Question(NamedTuple):
    """A pair that somebody is asked about, and why it was not decided."""

    a: int
    b: int
    bits: float
    reason: str


class Resolved(NamedTuple):
    """What came of a set: clusters of places, open questions, and what scored them."""

    clusters: Clusters
    questions: list[Question]
    scorer: Scorer
    population: Population
    pairs: int


def resolve(
    profiles: Sequence[Profile],
    model: Model,
    bands: Bands,
    kind: Kind = PEOPLE,
    progress: Progress = lambda _step, _done, _all: None,
) -> Resolved:
    """Return which of `profiles` are one person or firm; the set alone decides, not its order.

    The profiles are changed: what only the whole set can tell is marked in them.
    """
    population = settle(profiles)
    scorer = Scorer(calibrated(model, population), population, kind.names)
    strict = population.references_identify
    kind.contested(profiles, strict)
    kept, copies = _without_copies(profiles)
    # Who is compared with each other is then near each other in the processor's cache, too.
    kept.sort(key=lambda place: (profiles[place].family, profiles[place].given))
    firsts = [profiles[place] for place in kept]
    edges = Edges()
    pairs = 0
    for index, near in candidates(firsts, kind.keys):
        one = firsts[index]
        for place in near:
            other = firsts[place]
            if kind.clash(one, other, strict):  # of a third of the pairs, and quickly asked
                continue
            levels = scorer.levels(one, other)
            bits = scorer.weight(levels, one, other)
            sure = not one.refs.isdisjoint(other.refs) and bits >= bands.reference
            contested = one.contested and other.contested
            if contested:
                bits -= max(0.0, scorer.of_name(levels, one, other))
            if scorer.is_other_name(levels):
                bits -= OTHER_NAME
            if scorer.is_nameless(levels) and kind.nameless(one, other):
                continue
            if sure or bits >= bands.weigh:
                edges.add(Edge(place, index, bits, sure, contested))
        pairs += len(near)
        if index % _EVERY == 0:
            progress("comparing", index, len(firsts))
    names = [one.id for one in firsts]
    judge = _Judge(firsts, scorer, kind, strict)
    joined = clusters(len(firsts), edges, names, judge, bands)
    questions = [
        question._replace(a=kept[question.a], b=kept[question.b])
        for question in _questions(joined, names)
    ]
    return Resolved(_with_copies(joined, kept, copies), questions, scorer, population, pairs)


def _without_copies(profiles: Sequence[Profile]) -> tuple[list[int], dict[int, list[int]]]:
    """Return the places of records that are no copy of another, and first → its copies.

    A copy says word for word the same and names a person (a mailbox, a number, a reference): there
    is nothing to compare, and a thousand of them would fill every block. The first is the one of
    the smallest id.
    """
    # By the hash of what it says: the texts of a million records stand in memory once.
    same: dict[int, list[int]] = {}
    for place, one in enumerate(profiles):
        if (one.given or one.company) and (one.mails or one.phones or one.refs or one.domains):
            same.setdefault(hash(_said(one)), []).append(place)
    copies = {}
    for group in same.values():
        if len(group) > 1:
            first, *others = sorted(group, key=lambda place: profiles[place].id)
            said = _said(profiles[first])
            copies[first] = [place for place in others if _said(profiles[place]) == said]
    hidden = {place for others in copies.values() for place in others}
    return [place for place in range(len(profiles)) if place not in hidden], copies


def _said(one: Profile) -> tuple[object, ...]:
    return tuple(getattr(one, column) for column in _SAID)


_SAID = tuple(column for column in Profile.__dataclass_fields__ if column not in ("id", "source"))


def _with_copies(found: Clusters, kept: Sequence[int], copies: Mapping[int, list[int]]) -> Clusters:
    """Return the clusters by the places of all records, copies beside their firsts."""
    by: dict[int, Edge] = {}
    while found.by:  # each goes when it is renumbered: of a million they are a quarter gigabyte
        at, e = found.by.popitem()
        by[kept[at]] = Edge(kept[e.a], kept[e.b], e.bits)
    for first, others in copies.items():
        for place in others:
            by[place] = Edge(first, place, _COPY_BITS)
            by.setdefault(first, by[place])
    groups = sorted(
        sorted(place for at in group for place in (kept[at], *copies.get(kept[at], ())))
        for group in found.groups
    )
    held = [(Edge(kept[e.a], kept[e.b], e.bits), reason) for e, reason in found.held]
    return Clusters(groups, by, held)


class _Judge:
    """Answers what the joining asks, from the profiles behind the places."""

    def __init__(
        self, profiles: Sequence[Profile], scorer: Scorer, kind: Kind, strict: bool
    ) -> None:
        self._profiles = profiles
        self._kind = kind
        self._scorer = scorer
        self._strict = strict
        self._bearers = Bearers(profiles, kind.name)

    def clash(self, a: int, b: int) -> bool:
        """Tell whether two records cannot be one."""
        return bool(self._kind.clash(self._profiles[a], self._profiles[b], self._strict))

    def together(self, left: Sequence[int], right: Sequence[int]) -> float:
        """Return the weight between two groups of records."""
        one, other = ([self._profiles[at] for at in side] for side in (left, right))
        return self._scorer.together(one, other)

    def bearers(self, places: Sequence[int]) -> Iterator[int]:
        """Return the places of all records that may bear one of the whole names of these."""
        return self._bearers.of([self._profiles[at] for at in places])


def _questions(found: Clusters, names: Sequence[str]) -> list[Question]:
    """Return the pairs that are still open: the best of any two clusters, the weightiest first."""
    cluster_of = {place: at for at, group in enumerate(found.groups) for place in group}
    best: dict[tuple[int, int], Question] = {}
    for edge, reason in sorted(
        found.held, key=lambda h: (-h[0].bits, *sorted((names[h[0].a], names[h[0].b])))
    ):
        one, other = sorted((cluster_of[edge.a], cluster_of[edge.b]))
        if one != other:
            best.setdefault((one, other), Question(edge.a, edge.b, edge.bits, reason))
    return list(best.values())
