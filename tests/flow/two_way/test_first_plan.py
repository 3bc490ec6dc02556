"""A route is approved, and the process dies before everything that goes there was planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import preview
from crm_hub.flow.outbound import push
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World


@pytest.mark.parametrize("planned", [0, 1])
def test_a_first_plan_that_was_cut_off_is_made_whole_by_the_next_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: int
) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock), Side("b", clock)])
    for number in range(4):
        name = "ABCD"[number] * 4
        world.sides["a"].add(first=name, last=f"L{name}", email=[f"{name}@x.example"])
    world.pull()
    plan, left = preview._plan, [planned]

    def dies(*given: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        plan(*given)

    monkeypatch.setattr(preview, "BATCH", 2)
    monkeypatch.setattr(preview, "_plan", dies)
    with pytest.raises(KeyboardInterrupt):
        push(world.hub, "b", yes=True)
    assert not world.sides["b"].live()
    monkeypatch.setattr(preview, "_plan", plan)
    push(world.hub, "b")  # as a daemon does, without a new approval
    assert len(world.sides["b"].live()) == 4
    calls = world.sides["b"].calls
    push(world.hub, "b")
    assert (len(world.sides["b"].created), world.sides["b"].calls) == (4, calls)
