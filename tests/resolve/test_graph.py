"""Clusters: best edge first, a veto between clusters, caps; the same in any order."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.flow.dedupe_rows import Layout, contact_of
from crm_hub.model.rules import Bands
from crm_hub.resolve.decide import Verdict, decide
from crm_hub.resolve.graph import Edge, Edges, clusters
from crm_hub.resolve.profile import Profile, profile
from crm_hub.resolve.standing import standing
from crm_hub.resolve.whole import resolve
from tests.resolve.population_of_tests import MODEL, RULES, others


class Judge:
    """Says what a test lays down: pairs that clash, and what groups weigh together."""

    named: Sequence[int] = ()

    def __init__(self, clashing: Sequence[tuple[int, int]] = (), bits: float = 20.0) -> None:
        self.clashing = {frozenset(pair) for pair in clashing}
        self.bits = bits

    def clash(self, a: int, b: int) -> bool:
        return frozenset((a, b)) in self.clashing

    def together(self, left: Sequence[int], right: Sequence[int]) -> float:
        return self.bits

    def bearers(self, places: Sequence[int]) -> Sequence[int]:
        return self.named if set(places) & set(self.named) else ()


def names(count: int) -> list[str]:
    return [f"r{at:03d}" for at in range(count)]


def test_the_better_edge_wins_where_two_clash() -> None:
    edges = [Edge(0, 1, 5.0), Edge(1, 2, 9.0)]
    found = clusters(3, edges, names(3), Judge([(0, 2)]), Bands())
    assert found.groups == [[0], [1, 2]]


def test_a_cluster_stops_at_its_cap_and_asks() -> None:
    edges = [Edge(a, a + 1, 9.0 - a / 10) for a in range(5)]
    found = clusters(6, edges, names(6), Judge(), Bands(cluster_cap=3))
    assert max(map(len, found.groups)) == 3
    assert {reason for _, reason in found.held} == {"the cluster would be larger than the cap"}


def test_a_single_weak_edge_between_two_clusters_is_a_question() -> None:
    inside = [
        Edge(a, b, 20.0) for group in ((0, 1, 2), (3, 4, 5)) for a, b in combinations(group, 2)
    ]
    weak = Edge(2, 3, 4.0)
    assert clusters(6, [*inside, weak], names(6), Judge(), Bands()).groups == [[0, 1, 2], [3, 4, 5]]
    strong = Edge(2, 3, 12.0)
    assert clusters(6, [*inside, strong], names(6), Judge(), Bands()).groups == [list(range(6))]
    second = Edge(1, 4, 4.0)
    assert len(clusters(6, [*inside, weak, second], names(6), Judge(), Bands()).groups) == 1


def test_what_all_records_say_together_can_stop_an_edge() -> None:
    edges = [Edge(0, 1, 9.0), Edge(1, 2, 5.0)]
    found = clusters(3, edges, names(3), Judge(bits=-4.0), Bands())
    assert found.groups == [[0, 1], [2]]


def test_a_rival_of_the_same_name_makes_a_weak_edge_a_question() -> None:
    judge = Judge()
    edge = Edge(0, 1, 0.5)
    assert clusters(3, [edge], names(3), judge, Bands()).groups == [[0, 1], [2]]
    judge.named = (0, 1, 2)
    found = clusters(3, [edge], names(3), judge, Bands())
    assert found.groups == [[0], [1], [2]]
    assert [held.bits for held, _ in found.held] == pytest.approx([0.555])


def test_an_edge_is_looked_at_again_when_its_rival_became_part_of_it() -> None:
    judge = Judge(bits=0.5)
    judge.named = (0, 1, 2)
    edges = [Edge(0, 1, 0.9), Edge(1, 2, 0.8), Edge(0, 2, 9.0)]
    assert clusters(3, edges, names(3), judge, Bands()).groups == [[0, 1, 2]]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_the_order_of_edges_and_records_changes_nothing(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 14))
    pairs = list(combinations(range(count), 2))
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=30))
    bits = data.draw(st.lists(st.sampled_from([2.0, 4.0, 9.0]), min_size=30, max_size=30))
    clashing = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6))
    edges = [Edge(a, b, w) for (a, b), w in zip(chosen, bits, strict=False)]
    plain = clusters(count, edges, names(count), Judge(clashing), Bands())
    columns = Edges()
    for edge in edges:
        columns.add(edge)
    assert list(columns) == edges
    assert clusters(count, columns, names(count), Judge(clashing), Bands()) == plain
    order = data.draw(st.permutations(range(count)))  # record r stands at place order[r]
    moved = [Edge(order[e.b], order[e.a], e.bits) for e in data.draw(st.permutations(edges))]
    named = [""] * count
    for at, place in enumerate(order):
        named[place] = names(count)[at]
    again = clusters(
        count, moved, named, Judge([(order[a], order[b]) for a, b in clashing]), Bands()
    )
    there = {frozenset(named[at] for at in group) for group in again.groups}
    assert there == {frozenset(names(count)[at] for at in group) for group in plain.groups}
    for a, b in clashing:
        assert not any({a, b} <= set(group) for group in plain.groups)


def _copies() -> list[Profile]:
    """Return people of whom several records exist, some of which only hang together in a chain."""
    rng = random.Random(5)
    fields = {
        "given_name": ["f"],
        "family_name": ["l"],
        "email": ["e"],
        "phone": ["p"],
        "company": ["c"],
    }
    found = []
    for at, one in enumerate(others(150)):
        for copy in range(rng.randrange(1, 5)):
            row = {
                "f": one.first,
                "l": one.last,
                "e": one.emails[0],
                "p": one.phones[0],
                "c": one.company,
            }
            row = {k: v if rng.random() < 0.6 else "" for k, v in row.items()}
            layout = Layout([*row], fields, "person")
            found.append(profile(contact_of(f"{at}-{copy}", [*row.values()], layout, "DE"), RULES))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_same_set_in_any_order_gives_the_same_people(seed: int) -> None:
    def people(order: int) -> set[frozenset[str]]:
        profiles = _copies()
        random.Random(order).shuffle(profiles)
        found = resolve(profiles, MODEL, RULES.bands)
        return {frozenset(profiles[at].id for at in group) for group in found.clusters.groups}

    assert people(seed) == people(seed + 100)


def test_bands_decide_and_a_clash_overrules_any_weight() -> None:
    a, b = Profile("a"), Profile("b")
    bands = Bands(link=standing(2.0), review=standing(-1.0))
    verdicts = [decide(a, b, bits, bands, "").verdict for bits in (2.0, 1.9, -1.0, -1.1)]
    assert verdicts == [Verdict.SAME, Verdict.ASK, Verdict.ASK, Verdict.DIFFERENT]
    assert decide(a, b, 50.0, bands, "other birth date").verdict is Verdict.NEVER


def test_the_default_path_imports_no_splink_no_duckdb_and_no_pyarrow() -> None:
    code = (
        "import sys, crm_hub.flow.dedupe, crm_hub.cli.commands.dedupe;"
        "print([m for m in ('splink', 'duckdb', 'pyarrow', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
