"""preview, apply, push, conflicts and undo as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World, only

DANA = {"first": "Dana", "last": "Whitfield", "email": ["dana@firm.example"]}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    clock = Clock()
    found = World(tmp_path / "hub", [Side("a", clock), Side("b", clock)])
    found.hub.close()
    monkeypatch.setenv("CRM_HUB_DIR", str(tmp_path / "hub"))
    return found


def test_from_the_first_plan_to_the_undo(crm, world: World) -> None:
    a, b = world.sides["a"], world.sides["b"]
    a.add(**DANA, title="Buyer")
    told = crm.fine("sync").out
    assert "crm-hub preview b" in told
    assert b.live() == {}

    shown = crm.fine("preview", "b")
    assert "1 create" in shown.out
    assert "title: Buyer" in shown.out
    plan = crm.fine("preview", "b", "--json").data["plan"]
    assert Path(plan).stat().st_mode & 0o777 == 0o600
    assert b.live() == {}

    done = crm.fine("apply", plan, "--json").data
    assert done["created"] == 1
    assert only(b)["title"] == "Buyer"
    assert crm("apply", plan).status != 0

    crm.fine("push", "a", "--yes")
    a.edit("a1", title="Head")
    told = crm.fine("sync", "--json").data
    assert told["written"] == [
        {**told["written"][0], "connection": "b", "updated": 1, "created": 0, "error": None}
    ]
    assert only(b)["title"] == "Head"

    runs = crm.fine("undo", "--json").data
    crm.fine("undo", runs[0]["run"])
    assert only(b)["title"] == "Buyer"
    assert "took" not in crm.fine("sync").out
    assert only(b)["title"] == "Buyer"


def test_a_conflict_is_shown_and_resolved(crm, world: World) -> None:
    a, b = world.sides["a"], world.sides["b"]
    a.has_times = b.has_times = False
    a.add(**DANA)
    for _ in range(2):
        crm.fine("sync", "--yes")
    a.edit("a1", title="Buyer")
    b.edit("b1", title="Head")
    crm.fine("sync")
    (conflict,) = crm.fine("conflicts", "list", "--json").data
    assert conflict["values"] == {"a/contacts#a1": "Buyer", "b/contacts#b1": "Head"}
    assert "title" in crm.fine("conflicts", "list").out
    assert "conflict" in crm.fine("explain", "dana@firm.example", "title").out
    assert crm("conflicts", "resolve", conflict["number"], "--keep", "nobody").status == 2
    crm.fine("conflicts", "resolve", conflict["number"], "--keep", "b/contacts#b1")
    crm.fine("push")
    assert only(a)["title"] == "Head"
    assert crm.fine("conflicts", "list", "--json").data == []


def test_push_says_when_the_hub_writes_nowhere(crm, world: World) -> None:
    path = world.folder / "hub.yaml"
    path.write_text(path.read_text().replace("direction: both", "direction: pull"))
    assert "direction: both" in crm.fine("push").out
    done = crm("preview", "b")
    assert done.status == 2
    assert "direction: both" in done.err
