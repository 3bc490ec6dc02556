"""Parties of a real Tryton and a second system: equal in the end, nothing doubled, no echo.

CRM_HUB_ERP_EDITS says how many random edits are made (scripts/soak makes many more).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.tryton import Erp, tryton
from tests.flow.two_way.erp_world import ErpWorld

EDITS = int(os.environ.get("CRM_HUB_ERP_EDITS", "60"))
SCALE = int(os.environ.get("CRM_HUB_SOAK_SCALE", "1"))


@pytest.fixture
def erp() -> Iterator[Erp]:
    try:
        with tryton() as server:
            yield server
    except Unobtainable as missing:
        pytest.skip(str(missing))


def random_edits(world: ErpWorld, count: int, at_once: int = 10) -> None:
    for _ in range(0, count, at_once):
        world.people(at_once)
        world.round()
    assert world.settle(rounds=3) <= 3
    at_rest = world.stamps()
    assert world.round() == 0
    assert world.stamps() == at_rest
    held = world.held()
    assert held[0] == held[1], (held[0] - held[1], held[1] - held[0])
    assert max(held[0].values()) == 1
    assert len(world.sides["a"].created) == len(set(world.sides["a"].created))
    assert world.writes["dead"] == 0


def test_after_random_edits_on_both_sides_they_are_equal_and_at_rest(
    tmp_path: Path, erp: Erp
) -> None:
    world = ErpWorld(tmp_path / "hub", erp)
    random_edits(world, EDITS)
    assert world.writes["created"] >= EDITS // 10
    world.hub.close()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3 * SCALE))
def test_after_very_many_random_edits_they_are_equal_and_at_rest(
    tmp_path: Path, erp: Erp, seed: int
) -> None:
    reformat = ("none", "lower", "spaces")[seed % 3]
    world = ErpWorld(tmp_path / "hub", erp, seed=seed + 2, reformat=reformat)
    random_edits(world, 1000, at_once=20)
    world.hub.close()
