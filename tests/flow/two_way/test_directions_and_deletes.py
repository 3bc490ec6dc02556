"""Connections that are only written to, connections that rest, and what a delete does elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.config import set_paused
from crm_hub.flow.outbound import push
from crm_hub.flow.preview import apply, preview, save_plan
from crm_hub.flow.reading import explain_fields
from crm_hub.model.errors import ConfigError
from tests.flow.hubs import ids
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import MAPPING, World, only

DANA = {"first": "Dana", "last": "Whitfield", "email": ["dana@firm.example"]}


def pair(folder: Path, policies: dict[str, str] | None = None, push_only: str = "") -> World:
    clock = Clock()
    mappings = {
        name: MAPPING.replace("delete: propagate", policy)
        for name, policy in (policies or {}).items()
    }
    world = World(folder, [Side("a", clock), Side("b", clock)], mappings=mappings)
    if push_only:
        path = folder / "hub.yaml"
        was = f"  {push_only}:\n    direction: both\n"
        assert was in path.read_text()
        path.write_text(path.read_text().replace(was, f"  {push_only}:\n    direction: push\n"))
        world.open()
    return world


# only written to -------------------------------------------------------------------------------


def test_what_stands_in_a_system_that_is_only_written_to_counts_for_nothing(tmp_path: Path) -> None:
    world = pair(tmp_path, push_only="b")
    world.sides["a"].add(**DANA, title="Buyer")
    world.sides["b"].add(**DANA, title="Head", department="Purchasing")
    world.settle()
    assert only(world.sides["a"]) == {**DANA, "title": "Buyer"}
    assert only(world.sides["b"])["title"] == "Buyer"
    assert world.sides["a"].pushed == []
    stories = explain_fields(world.hub, "dana@firm.example").stories
    assert {s.field: s.value for s in stories}["title"] == "Buyer"


def test_an_edit_there_is_written_over_and_logged(tmp_path: Path) -> None:
    world = pair(tmp_path, push_only="b")
    world.sides["a"].add(**DANA, title="Buyer")
    world.settle()
    world.sides["b"].edit("b1", title="Head")
    world.settle()
    assert only(world.sides["b"])["title"] == "Buyer"
    assert world.sides["a"].pushed == []
    (conflict,) = world.conflicts()
    assert (conflict.doc["kept"], conflict.doc["lost"]) == ("Buyer", "Head")


def test_a_write_whose_answer_was_lost_is_read_back_there_too(tmp_path: Path) -> None:
    world = pair(tmp_path, push_only="b")
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.pull()
    world.sides["b"].faults = ["", "lost"]
    push(world.hub, "b")
    world.clock.tick(3_600_000_000)
    world.settle()
    assert len([w for w in world.sides["b"].pushed if "title" in w.fields]) == 1


def test_a_record_deleted_there_is_deleted_nowhere_else(tmp_path: Path) -> None:
    world = pair(tmp_path, push_only="b")
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["b"].drop("b1")
    world.settle()
    assert only(world.sides["a"]) == DANA
    assert world.sides["b"].live() == {}


# deletes ---------------------------------------------------------------------------------------

ARCHIVE = "delete: archive\n    archive: {state: archived}"


def test_a_delete_archives_the_record_where_the_section_says_so(tmp_path: Path) -> None:
    world = pair(tmp_path, {"b": ARCHIVE})
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].drop("a1")
    world.settle()
    assert only(world.sides["b"]) == {**DANA, "state": "archived"}
    assert world.sides["a"].live() == {}
    assert dict(world.sides["b"].pushed[-1].fields) == {"state": "archived"}
    assert world.conflicts() == []


def test_archiving_whose_answer_was_lost_is_settled_by_reading_back(tmp_path: Path) -> None:
    world = pair(tmp_path, {"b": ARCHIVE})
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].drop("a1")
    world.pull("a")
    world.sides["b"].faults = ["lost"]
    push(world.hub, "b")
    world.clock.tick(3_600_000_000)
    world.settle()
    assert only(world.sides["b"])["state"] == "archived"
    assert len(world.sides["b"].pushed) == 2  # the create, and the archiving once


def test_an_edit_beats_archiving_and_says_so(tmp_path: Path) -> None:
    world = pair(tmp_path, {"b": ARCHIVE})
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].drop("a1")
    world.sides["b"].edit("b1", title="Buyer")
    world.pull("b", "a")
    world.settle()
    assert "state" not in only(world.sides["b"])
    (conflict,) = world.conflicts()
    assert "deleted in a/contacts#a1" in conflict.doc["why"]


def test_what_an_edit_had_replaced_does_not_stand_against_a_delete(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", first="Dane", title="Buyer")
    world.pull("a")
    # Before the edit reached b.
    world.sides["a"].drop("a1")
    world.settle()
    assert world.sides["b"].live() == {}
    assert world.conflicts() == []


def test_an_edit_that_had_given_way_to_what_was_deleted_is_in_the_log(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].skew_us = 420_000_000
    world.sides["a"].edit("a1", first="Dane")
    world.sides["b"].edit("b1", first="Dan")
    world.pull("a")
    world.sides["a"].drop("a1")
    world.pull("b", "a")
    world.settle()
    assert [c.field for c in world.conflicts()] == ["given_name"]


@pytest.mark.parametrize("policy", ["ignore", "unlink"])
def test_a_delete_elsewhere_does_nothing_where_the_section_does_not_ask_for_it(
    tmp_path: Path, policy: str
) -> None:
    world = pair(tmp_path, {"b": f"delete: {policy}"})
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].drop("a1")
    world.settle()
    assert only(world.sides["b"]) == DANA


def test_a_delete_that_is_ignored_takes_nothing_from_the_golden_record(tmp_path: Path) -> None:
    world = pair(tmp_path, {"a": "delete: ignore"})
    world.sides["a"].add(**DANA, title="Buyer")
    world.settle()
    world.sides["a"].drop("a1")
    world.pull()
    found = explain_fields(world.hub, "dana@firm.example", "title")
    assert "a/contacts#a1" in found.sources.values()
    assert only(world.sides["b"])["title"] == "Buyer"


def test_of_two_records_of_one_person_the_deletion_of_one_takes_nothing_away_elsewhere(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.sides["a"].add(**DANA)
    world.settle()
    assert len(world.sides["b"].live()) == 1
    world.sides["a"].drop("a2")
    world.settle()
    assert only(world.sides["a"]) == only(world.sides["b"]) == DANA


# merges at the far side --------------------------------------------------------------------


def test_a_merge_at_the_far_side_joins_the_people_and_deletes_nobody(tmp_path: Path) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock, delta=True), Side("b", clock)])
    a, b = world.sides["a"], world.sides["b"]
    a.add(**DANA, title="Buyer")
    a.add(first="D.", last="Whitfield", email=["d.whitfield@private.example"], title="Head")
    world.settle()
    assert len(b.live()) == 2
    a.merge("a2", "a1")
    world.settle()
    numbers = ids(world.hub)
    assert numbers["a/contacts#a1"] == numbers["b/contacts#b1"] == numbers["b/contacts#b2"]
    assert len(b.live()) == 2  # the far side's own double is its users' to merge
    assert not [w for w in b.pushed if w.operation == "delete"]
    assert {p["title"] for p in b.live().values()} == {only(a)["title"]}


def test_without_a_word_of_the_merge_a_deleted_record_is_a_delete(tmp_path: Path) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock, delta=True), Side("b", clock)])
    a, b = world.sides["a"], world.sides["b"]
    a.add(**DANA)
    a.add(first="D.", last="Whitfield", email=["d.whitfield@private.example"])
    world.settle()
    a.drop("a2")
    world.settle()
    assert len(b.live()) == 1


# pauses ----------------------------------------------------------------------------------------


def test_nothing_is_written_to_a_connection_that_is_paused(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.pull()
    plan = save_plan(world.hub, preview(world.hub, "b"))
    assert set_paused(tmp_path, None, True) == ["a", "b"]
    world.open()
    sent = world.sent
    for report in (push(world.hub, "b", yes=True), apply(world.hub, plan)):
        assert report is not None
        assert isinstance(report.error, ConfigError)
        assert "crm-hub resume b" in report.error.remedy
    assert world.sent == sent
    set_paused(tmp_path, "b", False)
    world.open()
    report: Any = push(world.hub, "b")
    assert report.error is None
    assert only(world.sides["b"])["title"] == "Buyer"


# what a far side makes of a write -------------------------------------------------------------


class Spelling(Side):
    """Keeps a field of its own, made of others, as a program does that shows a name as a whole."""

    def _put(self, key: str, payload: dict[str, Any], *given: Any, **named: Any) -> Any:
        if "first" in payload:
            payload = {**payload, "shown": f"{payload['first']} {payload['last']}".upper()}
        return super()._put(key, payload, *given, **named)


def test_what_a_far_side_makes_of_our_own_write_is_no_edit_that_beats_a_delete(
    tmp_path: Path,
) -> None:
    clock = Clock()
    a, b = Side("a", clock), Spelling("b", clock)
    shown = MAPPING.replace("      title:", "      nickname: {at: shown}\n      title:")
    world = World(tmp_path, [a, b], mapping=shown)
    a.add(**DANA)
    world.settle()
    a.edit("a1", first="Dana Marie")
    world.pull("a")
    world.push("b")  # what it makes of the new name is not read yet
    a.drop("a1")
    world.pull("a", "b")
    world.push("b")
    assert b.live() == {}
    assert world.conflicts() == []
