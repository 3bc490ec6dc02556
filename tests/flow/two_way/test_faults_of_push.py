"""The n-th call or the n-th commit of a two-way sync fails, for every n: the next rounds converge."""

from __future__ import annotations

import contextlib
import copy
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push
from crm_hub.model.errors import Unavailable
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World


class Died(BaseException):
    """The process is gone: nothing may catch this and write on."""


class Nth:
    """Lets the n-th call fail; counts all of them."""

    def __init__(self, n: int = 0, error: Callable[[], BaseException] = Died) -> None:
        self.calls, self._n, self._error = 0, n, error

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == self._n:
            raise self._error()


_prepared: dict[str, tuple[Path, list[Side]]] = {}


def prepared(folder: Path, idempotency: str) -> World:
    """Return a world in which both sides have something for the other; built once, then copied."""
    if idempotency not in _prepared:
        template = Path(tempfile.mkdtemp()) / "hub"
        world = _build(template, idempotency)
        world.hub.close()
        _prepared[idempotency] = (template, list(world.sides.values()))
    template, sides = _prepared[idempotency]
    copies = copy.deepcopy(sides)  # together, so that they still share one clock
    shutil.copytree(template, folder)
    return World.of(folder, copies)


def _build(folder: Path, idempotency: str) -> World:
    clock = Clock()
    sides = [
        Side("a", clock, idempotency=idempotency),
        Side("b", clock, idempotency=idempotency, has_times=False, batch_size=2),
    ]
    world = World(folder, sides)
    a, b = sides
    for i in range(3):
        a.add(first=f"F{i}", last=f"L{i}", email=[f"p{i}@x.example"])
    world.settle()
    a.drop("a3")
    a.edit("a1", title="Buyer")
    b.edit("b2", department="Sales")
    a.add(first="New", last="Here", email=["new@x.example"])
    b.add(first="New", last="There", email=["there@x.example"])
    a.edit("a2", title="Head")
    b.edit("b2", title="Chief")
    return world


def two_rounds(hub: Hub) -> None:
    for _ in range(2):
        list(sync(hub, accept_deletes=True))
        for name in ("a", "b"):
            push(hub, name, yes=True, many=True)


def converged(world: World) -> None:
    world.clock.tick(86_400_000_000)
    world.settle()
    held = [
        sorted(
            (tuple(sorted((k, str(v)) for k, v in p.items() if k != "id")))
            for p in side.live().values()
        )
        for side in world.sides.values()
    ]
    assert held[0] == held[1], world.show()
    assert len(held[0]) == 4, f"doubled or lost: {world.show()}"
    for side in world.sides.values():
        assert len(side.created) == len(set(side.created))


def count(folder: Path, idempotency: str) -> tuple[int, int]:
    world = prepared(folder, idempotency)
    calls, commits = Nth(), Nth()
    for side in world.sides.values():
        side.before_call = calls
    world.hub.store.before_commit = commits
    two_rounds(world.hub)
    world.hub.store.before_commit = None
    converged(world)
    world.hub.close()
    return calls.calls, commits.calls


def run(folder: Path, idempotency: str, how: str, n: int) -> None:
    world = prepared(folder, idempotency)
    fault = Nth(n, Died if how != "refused" else lambda: Unavailable("the side is down"))
    if how == "commit":
        world.hub.store.before_commit = fault
    elif how == "lost":
        _lose(world, n)
    else:
        for side in world.sides.values():
            side.before_call = fault
    with contextlib.suppress(Died):
        two_rounds(world.hub)
    for side in world.sides.values():
        side.before_call = None
        side.faults.clear()
    world.hub.close()
    world.open()
    converged(world)
    world.hub.close()
    shutil.rmtree(folder)


def _lose(world: World, n: int) -> None:
    """The n-th call is made at the far side, and its answer never comes."""
    fault = Nth(n)

    def count_calls(side: Side) -> Any:
        def called() -> None:
            fault.calls += 1
            if fault.calls == n:
                side.faults.insert(0, "lost")

        return called

    for side in world.sides.values():
        side.before_call = count_calls(side)


@pytest.mark.parametrize("idempotency", ["external_id", "none"])
@pytest.mark.parametrize("how", ["commit", "refused", "killed", "lost"])
def test_whatever_fails_once_the_next_rounds_converge(
    tmp_path: Path, idempotency: str, how: str
) -> None:
    calls, commits = count(tmp_path / "whole", idempotency)
    assert calls >= 10
    assert commits > 15
    for n in range(1, (commits if how == "commit" else calls) + 1):
        run(tmp_path / f"{n}", idempotency, how, n)


@pytest.mark.parametrize("links", [2, 3, 5])
def test_hubs_in_a_ring_come_to_rest(tmp_path: Path, links: int) -> None:
    """Each hub keeps two of the systems equal; together they are a circle."""
    clock = Clock()
    reformats: list[Any] = ["none", "lower", "truncate"]
    sides = [Side(f"s{i}", clock, reformat=reformats[i % 3]) for i in range(links)]
    worlds = [World(tmp_path / f"hub{i}", [sides[i], sides[(i + 1) % links]]) for i in range(links)]
    sides[0].add(first="Dana", last="Whitfield", email=["dana@x.example"], title="Buyer")
    rounds = [sum(world.round() for world in worlds) for _ in range(links + 3)]
    assert rounds[-2:] == [0, 0], rounds
    assert [len(side.live()) for side in sides] == [1] * links
    sides[1].edit(next(iter(sides[1].live())), title="Head of everything and of the rest")
    rounds = [sum(world.round() for world in worlds) for _ in range(links + 3)]
    assert rounds[-2:] == [0, 0], rounds
    assert sum(rounds) <= links + 1
