"""A folder of cards and a second system: equal in the end, nothing doubled, no byte too many.

CRM_HUB_CARD_EDITS says how many random edits are made (scripts/soak makes many more).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.files import swap

from tests.flow.two_way.card_world import KEPT, CardWorld
from tests.flow.two_way.names import email, family, given

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
    assert held[0] == held[1], (held[0] - held[1], held[1] - held[0], world.lived_on())
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


class Died(BaseException):
    """The process is gone at this moment."""


class Doomed:
    """The module `os` of a process that dies at its n-th call, before or after it is done."""

    def __init__(self, n: int, after: bool) -> None:
        self.calls, self._n, self._after = 0, n, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in ("open", "fsync", "link", "replace", "unlink"):
            return real

        def called(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if not self._n or self.calls < self._n:
                return real(*given, **named)
            if self.calls == self._n and self._after:
                with contextlib.suppress(FileNotFoundError):
                    real(*given, **named)
            raise Died  # and whatever would clean up does nothing any more

        return called


def one_round(
    world: CardWorld, number: int, n: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Make, change and delete a card, dying at the n-th file operation; return how many it took."""
    side, doomed = world.sides["a"], Doomed(n, after)
    side.add(name=f"{given(3000 + number)} {family(3000 + number)}", email=[email(3000 + number)])
    name = f"{given(2 * number)} {family(4000 + number)}"
    side.edit(f"a{2 * number + 1}", name=name, title="Buyer")
    side.drop(f"a{2 * number + 2}")
    with monkeypatch.context() as patched:
        patched.setattr(swap, "os", doomed)
        with contextlib.suppress(Died):
            world.round()
    world.hub.close()
    world.clock.tick(86_400_000_000)
    world.open()
    world.settle()
    held = world.held()
    assert held[0] == held[1], (n, after, held[0] - held[1], held[1] - held[0])
    assert max(held[0].values()) == 1
    assert sorted(p.name for p in world.book.iterdir()) == sorted(world.cards()), "litter is left"
    return doomed.calls


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_file_operation_of_a_round_the_next_ones_converge(
    tmp_path: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, rounds = CardWorld(tmp_path / "hub"), 20
    for number in range(2 * rounds):
        world.sides["a"].add(name=f"{given(number)} {family(number)}", email=[email(number)])
    world.settle()
    calls = one_round(world, 0, 0, after, monkeypatch)
    assert 10 <= calls < rounds
    for n in range(1, calls + 1):
        one_round(world, n, n, after, monkeypatch)
    world.hub.close()
