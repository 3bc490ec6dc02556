"""A write is under way while its record is parted from others: what it carries over goes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_hub.flow.rulings import same, split, unlink
from tests.flow.hubs import ids
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.test_unmerge import _family, _live, _numbers
from tests.flow.two_way.worlds import World


@pytest.mark.parametrize("fault", ["lost", "late"])
def test_a_write_of_unknown_fate_is_taken_back_once_it_is_over(tmp_path: Path, fault: str) -> None:
    world = _family(tmp_path)
    before = _live(world)
    one, other = sorted(_numbers(world))
    same(world.hub, f"P{one}", f"P{other}")
    world.sides["b"].faults = [fault]
    world.push("b")
    assert {row.state for row in world.open_writes()} >= {"unknown"}
    found = split(world.hub, f"P{one}")
    assert [why for _, why in found.left] == [
        "a write to it is under way; once it is over it is taken back too"
    ]
    world.settle()
    assert _live(world) == before
    assert world.conflicts("open") == []


def test_what_is_to_be_taken_back_is_not_carried_on_meanwhile(tmp_path: Path) -> None:
    clock = Clock()
    sides = [
        Side("a", clock),
        Side("b", clock, guard="none", has_versions=False, has_times=False),
        Side("c", clock, guard="none", has_versions=False, has_times=False),
    ]
    world = World(tmp_path, sides)
    world.sides["c"].add(first="Karl", last="Huber", email=["karl@huber.example"])
    world.sides["b"].add(first="Emil", last="Ott", email=["emil@ott.example"])
    world.settle()
    before = _live(world)
    one, other = sorted(_numbers(world))
    same(world.hub, f"P{one}", f"P{other}")
    world.push("c")
    split(world.hub, f"P{one}")
    world.settle()
    assert _live(world) == before


def test_a_record_that_moved_without_a_change_is_repaired_all_the_same(tmp_path: Path) -> None:
    world = _family(tmp_path)
    before = _live(world)
    one, other = sorted(_numbers(world))
    same(world.hub, f"P{one}", f"P{other}")
    world.settle()
    split(world.hub, f"P{one}")
    for side in world.sides.values():
        for key in side.live():
            side.edit(key)
    world.settle()
    assert _live(world) == before


def test_of_a_record_that_was_edited_meanwhile_only_the_edit_stays(tmp_path: Path) -> None:
    world = _family(tmp_path)
    one, other = sorted(_numbers(world))
    same(world.hub, f"P{one}", f"P{other}")
    world.settle()
    split(world.hub, f"P{one}")
    world.sides["b"].edit("b1", note="pays late")
    world.settle()
    held = sorted((row["first"], row.get("note")) for row in world.sides["b"].live().values())
    assert held == [("Emil", None), ("Karl", "pays late")]


def test_a_mailbox_that_is_about_to_go_joins_nobody(tmp_path: Path) -> None:
    """Two of one name, one of whom has two cards that were parted."""
    clock = Clock()
    world = World(tmp_path, [Side("a", clock), Side("b", clock)])
    world.sides["a"].add(first="Karl", last="Huber", email=["karl@huber.example"])
    world.sides["a"].add(first="Karl", last="Huber", email=["karl@ott.example"])
    world.settle()
    unlink(world.hub, "b/contacts#b1")
    world.settle()
    were, before = ids(world.hub), _live(world)
    same(world.hub, "b/contacts#b1", "b/contacts#b2")
    world.push("b")
    unlink(world.hub, "b/contacts#b2")
    world.settle()
    assert (ids(world.hub), _live(world)) == (were, before)


def test_a_record_that_was_made_without_an_answer_belongs_to_whom_it_was_made_for(
    tmp_path: Path,
) -> None:
    """Its address alone would join it to the card that the other one was parted from."""
    clock = Clock()
    world = World(tmp_path, [Side(name, clock) for name in "abc"])
    world.sides["b"].add(first="Karl", last="Huber", email=["karl@huber.example"])
    world.settle()
    world.sides["b"].edit("b1", email=["karl@huber.example", "karl@ott.example"])
    unlink(world.hub, "c/contacts#c1")
    world.pull()
    world.sides["b"].faults = ["lost"]
    world.push("b")
    world.settle()
    assert ids(world.hub)["b/contacts#b2"] == ids(world.hub)["c/contacts#c1"]
    assert world.sides["b"].live()["b2"]["email"] == ["karl@huber.example"]
