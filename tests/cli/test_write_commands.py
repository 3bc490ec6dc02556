"""preview, apply, push, outbox, runs, conflicts and undo as a person types them."""

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

    runs = crm.fine("undo", "--json").data["runs"]
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
    (conflict,) = crm.fine("conflicts", "list", "--json").data["conflicts"]
    assert conflict["values"] == {"a/contacts#a1": "Buyer", "b/contacts#b1": "Head"}
    assert "title" in crm.fine("conflicts", "list").out
    shown = crm.fine("conflicts", "show", conflict["number"]).out
    assert "a/contacts#a1: Buyer" in shown
    assert "crm-hub conflicts resolve" in shown
    told = crm.fine("conflicts", "show", conflict["number"], "--json").data
    assert told["values"] == conflict["values"]
    assert crm("conflicts", "show", 99).status == 2
    assert crm.fine("status", "--json").data["outbox"]["open_conflicts"] == 1
    assert "1 conflicts are open" in crm.fine("status").out
    assert "conflict" in crm.fine("explain", "dana@firm.example", "title").out
    assert crm("conflicts", "resolve", conflict["number"], "--keep", "nobody").status == 2
    crm.fine("conflicts", "resolve", conflict["number"], "--keep", "b/contacts#b1")
    crm.fine("push")
    assert only(a)["title"] == "Head"
    assert crm.fine("conflicts", "list", "--json").data == {"conflicts": []}


def test_push_says_when_the_hub_writes_nowhere(crm, world: World) -> None:
    path = world.folder / "hub.yaml"
    path.write_text(path.read_text().replace("direction: both", "direction: pull"))
    assert "direction: both" in crm.fine("push").out
    done = crm("preview", "b")
    assert done.status == 2
    assert "direction: both" in done.err


def test_what_waits_is_listed_shown_and_tried_again(crm, world: World) -> None:
    a, b = world.sides["a"], world.sides["b"]
    a.add(**DANA)
    for _ in range(2):
        crm.fine("sync", "--yes")
    assert crm.fine("outbox", "list", "--json").data == {"writes": []}
    assert "Nothing waits" in crm.fine("outbox", "list").out
    a.edit("a1", title="reject me", department="Purchasing")
    crm.fine("sync")
    (write,) = crm.fine("outbox", "list", "b", "--state", "dead", "--json").data["writes"]
    assert write["record"] == "b1"
    assert write["fields"]["title"] == {"was": None, "to": "reject me"}
    assert "not accepted" in write["reason"]
    shown = crm.fine("outbox", "show", write["number"]).out
    assert "title: reject me" in shown
    assert "not accepted" in shown
    assert crm("outbox", "show", 10**30).status == 2

    (told,) = [
        c for c in crm.fine("status", "--json").data["outbox"]["connections"]
        if c["connection"] == "b"
    ]  # fmt: skip
    assert (told["dead"], told["waiting"], told["state"]) == (1, 0, "attention")
    assert "crm-hub outbox list b" in crm.fine("status").out

    assert crm.fine("outbox", "retry", "--json").data == {"retried": [write["number"]]}
    (again,) = crm.fine("outbox", "list", "--json").data["writes"]
    assert (again["state"], again["tries"]) == ("due", 0)
    a.edit("a1", title="Buyer")
    crm.fine("sync")
    assert only(b)["title"] == "Buyer"
    (over,) = crm.fine("outbox", "list", "--state", "confirmed", "--json").data["writes"][-1:]
    assert crm("outbox", "retry", over["number"]).status == 2


def test_the_latest_runs_are_listed(crm, world: World) -> None:
    world.sides["a"].add(**DANA)
    crm.fine("sync", "--yes")
    found = crm.fine("runs", "--json").data["runs"]
    assert [(r["kind"], r["connection"], r["state"]) for r in found] == [
        ("push", "b", "done"),
        ("push", "a", "done"),
        ("sync", "a", "done"),
    ]
    assert found[0]["counts"] == {"created": 1}
    assert len(crm.fine("runs", "b", "--json").data["runs"]) == 1
    assert "1 created" in crm.fine("runs", "--last", "1").out


def test_a_push_that_failed_is_seen_until_one_ends_well(crm, world: World) -> None:
    a, b = world.sides["a"], world.sides["b"]
    a.add(**DANA)
    for _ in range(2):
        crm.fine("sync", "--yes")
    path = world.folder / "hub.yaml"
    text = path.read_text()
    path.write_text(text.replace("  b:\n", "  b:\n    creates: 0\n"))
    a.add(first="Ann", last="Lindqvist", email=["ann@x.example"])
    assert crm("sync").status == 1
    crm.fine("sync", "a")

    def state() -> str:
        rows = crm.fine("status", "--json").data["outbox"]["connections"]
        return {row["connection"]: row["state"] for row in rows}["b"]

    assert state() == "failing"
    path.write_text(text)
    crm.fine("sync")
    assert state() == "ok"
    assert len(b.live()) == 2


def test_pausing_all_stops_everything_until_it_is_resumed(crm, world: World) -> None:
    world.sides["a"].add(**DANA)
    crm.fine("sync", "--yes")
    world.sides["a"].edit("a1", title="Buyer")
    crm.fine("sync", "a")
    assert crm("pause").status == 2
    assert "Paused b" in crm.fine("pause", "--all").out
    assert crm("push", "b").status == 1
    assert "title" not in only(world.sides["b"])
    crm.fine("resume", "--all")
    crm.fine("push")
    assert only(world.sides["b"])["title"] == "Buyer"


def test_a_direction_is_written_down_when_connecting(crm, world: World) -> None:
    crm.fine("connect", "fake", "b", "--replace", "--direction", "push")
    text = (world.folder / "hub.yaml").read_text()
    assert "direction: push" in text
    crm.fine("connect", "fake", "b", "--replace", "--set", "side=b")
    assert "direction: push" in (world.folder / "hub.yaml").read_text()
