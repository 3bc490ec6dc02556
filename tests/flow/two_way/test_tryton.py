"""Parties of a real Tryton and a second system: equal in the end, nothing doubled, no echo.

CRM_HUB_ERP_EDITS says how many random edits are made (scripts/soak makes many more).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.tryton.rpc import Rpc

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
    assert held[0] == held[1], (held[0] - held[1], held[1] - held[0], world.lived_on())
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


class Died(BaseException):
    """The process is gone at this moment."""


class Fate:
    """Counts the calls to Tryton and lets the process die at the n-th, before or after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.n, self.after = 0, 0, False
        real = Rpc._answer

        def answer(rpc: Rpc, *given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.n and not self.after:
                raise Died
            found = real(rpc, *given, **named)
            if self.calls == self.n:
                raise Died
            return found

        monkeypatch.setattr(Rpc, "_answer", answer)


def one_round(world: ErpWorld, number: int, fate: Fate, n: int, after: bool) -> int:
    """Give both something to do, die at the n-th call of the round; return how many calls it took.

    A new contact, an edited one and a deleted one go to Tryton; an edited party comes from there.
    """
    side = world.sides["a"]
    row = {"email": [world.email()], "phone": [world.phone()], "state": "on"}
    side.add(name=world.name(), **row)
    side.edit(f"a{3 * number + 1}", name=world.name(), email=[world.email()])
    side.drop(f"a{3 * number + 2}")
    third = side.live()[f"a{3 * number + 3}"]["name"]
    party = next(k for k, p in world.parties().items() if p["name"] == third)
    world.erp.model("party.party", "write", [party], {"name": world.name()})
    fate.calls, fate.n, fate.after = 0, n, after
    with contextlib.suppress(Died):
        world.round()
    took, fate.n = fate.calls, 0
    world.hub.close()
    world.clock.tick(86_400_000_000)
    world.open()
    world.settle()
    held = world.held()
    assert held[0] == held[1], (n, after, held[0] - held[1], held[1] - held[0])
    assert max(held[0].values()) == 1
    stamps = world.sql("SELECT COUNT(*), COUNT(DISTINCT code) FROM party_identifier")
    assert stamps[0][0] == stamps[0][1], "a party was made twice"
    return took


def killed_again_and_again(world: ErpWorld, fate: Fate, after: bool, kills: int) -> None:
    for _ in range(3 * (kills + 1)):
        reached = {"email": [world.email()], "phone": [world.phone()]}
        world.sides["a"].add(name=world.name(), **reached, state="on")
    world.settle()
    calls = one_round(world, 0, fate, 0, after)
    assert calls >= 15
    step = max(1, calls // kills)
    for number, n in enumerate(range(1 + after, calls + 1, step)[:kills], 1):
        one_round(world, number, fate, n, after)
    world.hub.close()


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_some_calls_of_a_round_the_next_ones_converge(
    tmp_path: Path, erp: Erp, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_again_and_again(ErpWorld(tmp_path / "hub", erp), Fate(monkeypatch), after, 5)


@pytest.mark.soak
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_call_of_a_round_the_next_ones_converge(
    tmp_path: Path, erp: Erp, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_again_and_again(ErpWorld(tmp_path / "hub", erp), Fate(monkeypatch), after, 40)
