"""A preview is what is written; an undo takes it back; a person decides a conflict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import preview as preview_module
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound
from crm_hub.flow.preview import apply, preview, save_plan
from crm_hub.flow.resolving import resolve
from crm_hub.flow.undo import undo
from crm_hub.model.errors import ConfigError, MassWrite
from crm_hub.sdk.testing import servers
from crm_hub.store import Outbox
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import MAPPING, World, only

DANA = {"first": "Dana", "last": "Whitfield", "email": ["dana@firm.example"]}


def pair(folder: Path, **options: Any) -> World:
    clock = Clock()
    return World(folder, [Side("a", clock), Side("b", clock, **options)])


def test_on_postgresql_it_is_the_same(tmp_path: Path) -> None:
    try:
        with servers.postgres() as base, servers.postgres_database(base) as url:
            clock = Clock()
            sides = [Side("a", clock, has_times=False), Side("b", clock, has_times=False)]
            world = World(tmp_path, sides, store=url)
            dirty(world, 12)
            world.settle()
            world.sides["a"].edit("a1", title="Chief", note="x" * 300)
            world.sides["b"].edit("b9", title="Head")
            world.sides["b"].faults = ["", "lost", "busy"]
            world.settle()
            assert any(c.state == "open" for c in world.conflicts())
            with world.hub.store.read() as db:
                run = Outbox(db).runs()[-1][0]
            assert undo(world.hub, run).writes
            world.settle()
            world.sides["a"].drop("a1")
            world.settle()
            world.hub.close()
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))


def dirty(world: World, count: int) -> None:
    """Fill both sides: people only here, only there, on both with other values, and unfit ones."""
    a, b = world.sides["a"], world.sides["b"]
    for i in range(count):
        email = [f"p{i}@x.example"]
        if i % 3:
            b.add(first=f"F{i}", last=f"L{i}", email=email, department=f"D{i % 5}", title="Clerk")
        if i % 3 != 1:
            a.add(first=f"F{i}", last=f"L{i}", email=email, title="Buyer" if i % 2 else "Head")
        if i % 10 == 0:
            a.add(first=f"No{i}", last="Address", note="x" * 300)


def test_what_another_lane_reads_while_a_plan_is_carried_out_is_not_sent_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = pair(tmp_path)
    dirty(world, 12)
    world.pull()
    found = preview(world.hub, "b")
    plan_all = preview_module.plan_everything

    def planned_late(hub: Hub, name: str, inbound: Inbound) -> None:
        world.sides["a"].edit("a1", title="Astronaut")
        world.sides["a"].add(first="Zoe", last="Late", email=["zoe@x.example"])
        Inbound(hub, "a").run()
        plan_all(hub, name, inbound)

    monkeypatch.setattr(preview_module, "plan_everything", planned_late)
    report = apply(world.hub, save_plan(world.hub, found))
    assert report.error is None, report.error
    pushed = str(world.sides["b"].pushed)
    assert "Astronaut" not in pushed
    assert "zoe@x.example" not in pushed
    assert any("the next push sends them" in note for note in report.notes)
    monkeypatch.undo()
    world.settle()
    assert "Astronaut" in str(world.sides["b"].pushed)
    assert "zoe@x.example" in str(world.sides["b"].pushed)


def test_a_preview_names_the_very_rows_that_are_written(tmp_path: Path) -> None:
    world = pair(tmp_path)
    dirty(world, 60)
    world.pull()
    found = preview(world.hub, "b")
    assert found.counts["create"] == 20
    assert found.counts["update"] > 10
    assert world.sides["b"].pushed == []
    report = apply(world.hub, save_plan(world.hub, found))
    assert report.error is None, report.error
    lines = [line for line in found.lines if line.kind != "merge"]
    wanted = sorted((line.record, sorted(line.fields)) for line in lines)
    with world.hub.store.read() as db:
        (run, _, writes, _), *_ = Outbox(db).runs()
        rows = Outbox(db).of_run(run)
    assert writes == len(lines) == len(world.sides["b"].pushed)
    done = sorted(
        (w.id or "", sorted(r.doc["fields"]))
        for r, w in zip(rows, world.sides["b"].pushed, strict=True)
    )
    assert done == wanted
    assert found.calls == len(lines)


def test_a_plan_is_refused_once_anything_has_changed(tmp_path: Path) -> None:
    world = pair(tmp_path)
    dirty(world, 9)
    world.pull()
    plan = save_plan(world.hub, preview(world.hub, "b"))
    world.sides["a"].edit("a1", title="Chief")
    world.pull()
    report = apply(world.hub, plan)
    assert isinstance(report.error, ConfigError)
    assert "moved" in report.error.message
    assert world.sides["b"].pushed == []


def test_a_plan_is_refused_when_the_record_there_has_changed(tmp_path: Path) -> None:
    world = pair(tmp_path)
    dirty(world, 9)
    world.pull()
    plan = save_plan(world.hub, preview(world.hub, "b"))
    world.sides["b"].edit("b2", first="Other")
    world.pull()
    assert apply(world.hub, plan).error is not None
    assert world.sides["b"].pushed == []


def test_a_preview_writes_no_row(tmp_path: Path) -> None:
    world = pair(tmp_path)
    dirty(world, 12)
    world.pull()
    before = world.hub.store.rows_changed()
    preview(world.hub, "b")
    assert world.hub.store.rows_changed() == before


def test_a_run_does_not_create_more_than_it_may(tmp_path: Path) -> None:
    world = pair(tmp_path)
    path = tmp_path / "hub.yaml"
    path.write_text(path.read_text().replace("  b:\n", "  b:\n    creates: 5\n"))
    world.open()
    dirty(world, 30)
    world.pull()
    from crm_hub.flow.outbound import push

    report = push(world.hub, "b", yes=True)
    assert report is not None
    assert isinstance(report.error, MassWrite)
    assert world.sides["b"].pushed == []
    assert "crm-hub push b --many" in report.error.remedy


def test_an_undo_restores_what_a_run_wrote_and_lists_what_was_changed_since(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA, title="Clerk", department="Sales")
    world.settle()
    world.sides["a"].edit("a1", title="Buyer", department="Purchasing")
    world.pull()
    world.push()
    with world.hub.store.read() as db:
        run = Outbox(db).runs()[0][0]
    world.settle()
    world.sides["b"].edit("b1", department="Marketing")
    world.settle()
    found = undo(world.hub, run)
    assert found.writes == 1
    assert [name for name, _ in found.left] == ["Dana Whitfield: department"]
    assert only(world.sides["b"])["title"] == "Clerk"
    world.settle()
    assert only(world.sides["b"])["title"] == "Clerk"
    assert only(world.sides["a"])["title"] == "Buyer"
    world.sides["a"].edit("a1", title="Chief")
    world.settle()
    assert only(world.sides["b"])["title"] == "Chief"


def test_an_undo_takes_back_a_created_record_and_leaves_its_source_alone(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    with world.hub.store.read() as db:
        run = Outbox(db).runs()[0][0]
    undo(world.hub, run)
    world.settle()
    assert world.sides["b"].live() == {}
    assert only(world.sides["a"]) == DANA


def test_a_person_decides_a_conflict(tmp_path: Path) -> None:
    clock = Clock()
    sides = [Side("a", clock, has_times=False), Side("b", clock, has_times=False)]
    world = World(tmp_path, sides)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.sides["b"].edit("b1", title="Head")
    world.settle()
    (conflict,) = world.conflicts("open")
    with pytest.raises(ConfigError, match="a/contacts#a1, b/contacts#b1"):
        resolve(world.hub, conflict.id, "nobody")
    resolve(world.hub, conflict.id, "b/contacts#b1")
    world.settle()
    assert only(world.sides["a"])["title"] == only(world.sides["b"])["title"] == "Head"
    assert world.conflicts("open") == []


def test_explain_shows_what_lost(tmp_path: Path) -> None:
    from crm_hub.flow.reading import explain_fields

    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.clock.tick()
    world.sides["b"].edit("b1", title="Head")
    world.settle()
    found = explain_fields(world.hub, "dana@firm.example", "title")
    assert [c.doc["lost"] for c in found.conflicts] == ["Buyer"]
    assert found.stories[0].value == "Head"


def test_a_side_that_keeps_putting_its_value_back_is_left_alone(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA, title="Clerk")
    world.settle()
    for number in range(12):
        if only(world.sides["b"])["title"] != "Fixed":
            world.sides["b"].edit("b1", title="Fixed")
        if only(world.sides["a"])["title"] != "Ours":
            world.sides["a"].edit("a1", title="Ours")
        world.round()
        assert number < 12
    sent = [w for w in world.sides["b"].pushed if w.fields.get("title") == "Ours"]
    assert 1 <= len(sent) <= 4
    (conflict,) = world.conflicts("open")
    assert "putting its own value back" in conflict.doc["why"]


def test_a_replay_can_be_looked_at_before_it_is_done(tmp_path: Path) -> None:
    from crm_hub.flow.replay import replay
    from crm_hub.flow.replay_preview import preview_replay

    world = pair(tmp_path)
    world.sides["a"].add(**DANA, title="Buyer")
    world.settle()
    path = tmp_path / "connectors" / "fake" / "mapping.yaml"
    changed = "title: {at: title, dir: both, blank: clears, as: {enum: {Buyer: Head}}}"
    path.write_text(MAPPING.replace("title: {at: title, dir: both, blank: clears}", changed))
    world.hub.close()
    world.open()
    commits: list[int] = []
    world.hub.store.before_commit = lambda: commits.append(1)
    found = preview_replay(world.hub)
    assert commits == []
    assert found.walked == 2
    assert [(one.name, one.fields) for one in found.differing] == [
        ("Dana Whitfield", {"title": ("Buyer", "Head")})
    ]
    assert preview_replay(world.hub).differing == found.differing
    for report in replay(world.hub):
        assert report.error is None
    assert preview_replay(world.hub).differing == []


def test_too_many_deletes_stop_and_are_taken_back_with_the_rule_that_made_them(
    tmp_path: Path,
) -> None:
    from crm_hub.flow.outbound import push

    world = pair(tmp_path)
    path = tmp_path / "hub.yaml"
    path.write_text(path.read_text().replace("  b:\n", "  b:\n    deletes: 3\n"))
    world.open()
    for i in range(9):
        world.sides["a"].add(first=f"F{i}", last=f"L{i}", email=[f"p{i}@x.example"])
    world.settle()
    for key in list(world.sides["a"].live())[:8]:
        world.sides["a"].drop(key)
    world.pull()
    report = push(world.hub, "b")
    assert report is not None
    assert isinstance(report.error, MassWrite)
    assert len(world.sides["b"].live()) == 9
    mapping = tmp_path / "connectors" / "fake" / "mapping.yaml"
    mapping.write_text(MAPPING.replace("delete: propagate", "delete: unlink"))
    world.hub.close()
    world.open()
    world.settle()
    assert len(world.sides["b"].live()) == 9
    assert world.conflicts() == []
