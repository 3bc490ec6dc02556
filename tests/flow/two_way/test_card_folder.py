"""A folder of cards and a second system: equal in the end, nothing doubled, no byte too many.

CRM_HUB_CARD_EDITS says how many random edits are made (scripts/soak makes many more).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.flow.two_way.card_world import KEPT, CardWorld

EDITS = int(os.environ.get("CRM_HUB_CARD_EDITS", "150"))
SCALE = int(os.environ.get("CRM_HUB_SOAK_SCALE", "1"))


def random_edits(world: CardWorld, count: int, at_once: int = 10) -> None:
    for _ in range(0, count, at_once):
        world.people(at_once)
        world.round()
    assert world.settle(rounds=3) <= 3
    at_rest = {p.name: p.stat().st_mtime_ns for p in world.book.iterdir()}
    assert world.round() == 0
    assert {p.name: p.stat().st_mtime_ns for p in world.book.iterdir()} == at_rest
    held = world.held()
    assert held[0] == held[1], (held[0] - held[1], held[1] - held[0])
    assert max(held[0].values()) == 1
    assert world.writes["dead"] == 0
    for name, raw in world.cards().items():
        if name.startswith("card-"):
            assert KEPT.encode() in raw


def test_after_random_edits_on_both_sides_they_are_equal_and_at_rest(tmp_path: Path) -> None:
    world = CardWorld(tmp_path / "hub")
    random_edits(world, EDITS)
    assert world.writes["created"] >= EDITS // 10
    world.hub.close()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3 * SCALE))
def test_after_very_many_random_edits_they_are_equal_and_at_rest(tmp_path: Path, seed: int) -> None:
    reformat = ("none", "lower", "spaces")[seed % 3]
    world = CardWorld(tmp_path / "hub", seed=seed + 2, reformat=reformat)
    random_edits(world, 2000, at_once=20)
    world.hub.close()
