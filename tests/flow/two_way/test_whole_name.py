"""A system that wants one name gets it from one that only knows the parts."""

from __future__ import annotations

from pathlib import Path

from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.names import given
from tests.flow.two_way.worlds import MAPPING, World, only

WHOLE = MAPPING.replace(
    "      given_name: {at: first, dir: both}\n      family_name: {at: last, dir: both}\n",
    "      display_name: {at: name, dir: both}\n",
).replace("when: [family_name, email]", "when: [display_name]")


def make(folder: Path) -> World:
    clock = Clock()
    return World(folder, [Side("a", clock), Side("b", clock)], mappings={"b": WHOLE})


def test_the_whole_name_is_made_of_its_parts_and_follows_them(tmp_path: Path) -> None:
    world = make(tmp_path)
    a, b = world.sides["a"], world.sides["b"]
    key = a.add(first="Dana", last="Whitfield", email=["dana@firm.example"])
    world.settle()
    assert only(b)["name"] == "Dana Whitfield"
    a.edit(key, last="Marlow")
    world.settle()
    assert only(b)["name"] == "Dana Marlow"
    assert len(b.pushed) == 2
    assert a.pushed == []


def test_a_name_that_somebody_wrote_stays(tmp_path: Path) -> None:
    world = make(tmp_path)
    a, b = world.sides["a"], world.sides["b"]
    key = a.add(first="Dana", last="Whitfield", email=["dana@firm.example"])
    world.settle()
    b.edit(next(iter(b.live())), name="Dr. D. Whitfield")
    world.settle()
    a.edit(key, title="Buyer")
    a.edit(key, last="Marlow")
    world.settle()
    assert only(b)["name"] == "Dr. D. Whitfield"
    assert only(b)["title"] == "Buyer"
    assert world.settle() == 1


def test_nobody_without_a_name_is_made(tmp_path: Path) -> None:
    world = make(tmp_path)
    world.sides["a"].add(email=["info@firm.example"])
    world.settle()
    assert world.sides["b"].live() == {}


def test_a_delete_takes_the_record_with_the_made_name_along(tmp_path: Path) -> None:
    world = make(tmp_path)
    a, b = world.sides["a"], world.sides["b"]
    key = a.add(first="Dana", last="Whitfield", email=["dana@firm.example"])
    world.settle()
    a.drop(key)
    world.settle()
    assert b.live() == {}


def test_a_name_made_anew_of_its_parts_does_not_stand_against_a_delete(tmp_path: Path) -> None:
    from tests.flow.two_way.card_world import CardWorld

    world = CardWorld(tmp_path / "hub", reformat="lower")
    name = world.add_card()
    world.round()
    raw = (world.book / name).read_bytes()
    world.save(name, raw.replace(f"FN:{given(1)} ".encode(), f"FN:{given(1)} van ".encode()))
    world.round()
    a = world.sides["a"]
    (key,) = a.live()
    # This side stores names in lower case, so that is what its users see and edit.
    a.edit(key, last="Marlow", name=f"{given(1).lower()} Marlow")
    world.round()
    assert f"FN:{given(1)} Marlow\r\n".encode() in (world.book / name).read_bytes()
    a.drop(key)
    world.settle()
    assert world.cards() == {}
    assert world.lived_on() == []
    world.hub.close()


def test_a_card_whose_name_is_its_parts_follows_them(tmp_path: Path) -> None:
    from tests.flow.two_way.card_world import CardWorld

    world = CardWorld(tmp_path / "hub")
    name = world.add_card()
    world.settle()
    a = world.sides["a"]
    (key,) = a.live()
    a.edit(key, last="Marlow", name=None)
    world.settle()
    raw = (world.book / name).read_bytes()
    assert f"FN:{given(1)} Marlow\r\nN:Marlow;{given(1)};;;\r\n".encode() in raw
    world.hub.close()
