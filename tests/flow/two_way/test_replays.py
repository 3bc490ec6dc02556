"""A changed mapping or rule: replay shows what will be written, then the next push writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow.outbound import push
from crm_hub.flow.reading import explain_fields
from crm_hub.flow.replay import replay
from crm_hub.flow.replay_preview import preview_replay
from crm_hub.store import Machinery
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import MAPPING, World, only

DANA = {"first": "Dana", "last": "Whitfield", "email": ["dana@firm.example"]}
TITLE = "title: {at: title, dir: both, blank: clears}"


def pair(folder: Path) -> World:
    clock = Clock()
    mappings = {"a": MAPPING, "b": MAPPING}
    return World(folder, [Side("a", clock), Side("b", clock)], mappings=mappings)


def changed(world: World, name: str, was: str, now: str) -> None:
    path = world.folder / f"{name}.yaml"
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, now))
    world.hub.close()
    world.open()


def replayed(world: World, *names: str) -> None:
    for report in replay(world.hub, names):
        assert report.error is None, report.error


def test_a_changed_mapping_is_shown_and_then_written(tmp_path: Path) -> None:
    world = pair(tmp_path)
    a, b = world.sides["a"], world.sides["b"]
    for number in range(3):
        a.add(first="Ann", last=f"L{number}", email=[f"p{number}@x.example"], title="Buyer")
    world.settle()
    enum = "title: {at: title, dir: both, blank: clears, as: {enum: {Buyer: Head}}}"
    changed(world, "a", TITLE, enum)
    sent = world.sent
    found = preview_replay(world.hub, ["a"])
    assert [(one.kind, one.fields) for one in found.differing] == [
        ("changed", {"title": ("Buyer", "Head")})
    ] * 3
    assert [(line.stream, line.kind, line.fields) for line in found.writes] == [
        ("b/contacts", "update", {"title": ("Buyer", "Head")})
    ] * 3
    assert world.open_writes() == []
    replayed(world, "a")
    assert world.sent == sent
    shown = sorted(line.name for line in found.writes)
    assert sorted(row.doc["name"] for row in world.open_writes()) == shown
    world.push("a", "b")
    assert {row["title"] for row in b.live().values()} == {"Head"}
    assert {row["title"] for row in a.live().values()} == {"Buyer"}  # its own word for it
    assert world.round() == 0


def test_a_changed_rule_is_shown_and_then_written(tmp_path: Path) -> None:
    world = pair(tmp_path)
    a, b = world.sides["a"], world.sides["b"]
    rules = tmp_path / "mappings" / "survivorship.yaml"
    rules.parent.mkdir(exist_ok=True)
    rules.write_text("version: 1\nentities: {person: {title: manual}}\n")
    world.hub.close()
    world.open()
    a.add(**DANA, title="Buyer")
    b.add(**DANA, title="Head")
    world.settle()
    assert len(world.conflicts("open")) == 1
    rules.write_text("version: 1\nentities: {person: {title: [b, a]}}\n")
    world.hub.close()
    world.open()
    found = preview_replay(world.hub)
    assert [(line.stream, line.fields) for line in found.writes] == [
        ("a/contacts", {"title": ("Buyer", "Head")})
    ]
    replayed(world)
    assert world.conflicts("open") == []
    world.push("a", "b")
    assert only(a)["title"] == only(b)["title"] == "Head"
    lost = {c.doc.get("lost") for c in world.conflicts()} | {
        v for c in world.conflicts() for v in c.doc.get("values", {}).values()
    }
    assert "Buyer" in lost
    assert world.round() == 0


@pytest.mark.parametrize("how", ["too long", "rejected"])
def test_after_a_correction_of_the_mapping_what_was_set_aside_goes_out_by_itself(
    tmp_path: Path, how: str
) -> None:
    world = pair(tmp_path)
    a, b = world.sides["a"], world.sides["b"]
    a.add(**DANA)
    world.settle()
    a.edit("a1", **({"note": "x" * 300} if how == "too long" else {"title": "reject me"}))
    world.settle()
    assert letters(world) == ["outbound" if how == "too long" else "push"]
    if how == "too long":
        changed(world, "b", "longest: 200", "longest: 400")
    else:
        changed(world, "b", TITLE, "title: {at: title, dir: both, as: {enum: {Buyer: reject me}}}")
    report = push(world.hub, "b")
    assert report is not None
    assert report.error is None
    assert letters(world) == ["push"] * 0
    if how == "too long":
        assert only(b)["note"] == "x" * 300


def letters(world: World) -> list[Any]:
    with world.hub.store.read() as db:
        return [letter.step for letter in Machinery(db).dead("b")]


def test_a_changed_rule_counts_in_a_hub_that_writes_nowhere_too(tmp_path: Path) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock), Side("b", clock)], read_only=["a", "b"])
    world.sides["b"].add(**DANA, title="Head")
    world.sides["a"].add(**DANA, title="Buyer")  # later
    world.pull()
    rules = tmp_path / "mappings" / "survivorship.yaml"
    rules.parent.mkdir(exist_ok=True)
    rules.write_text("version: 1\nentities: {person: {title: [b, a]}}\n")
    world.hub.close()
    world.open()
    found = preview_replay(world.hub)
    assert [one.fields for one in found.differing] == [{"title": ("Buyer", "Head")}]
    replayed(world)
    assert explain_fields(world.hub, "dana@firm.example", "title").stories[0].value == "Head"
    assert preview_replay(world.hub).differing == []
