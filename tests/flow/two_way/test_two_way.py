"""An edit made in one system reaches the others, once, for the right fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.config import remove_connection
from crm_hub.store import Machinery
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import MAPPING, World, only

DANA = {"first": "Dana", "last": "Whitfield", "email": ["dana@firm.example"]}


def pair(
    folder: Path, a: dict[str, Any] | None = None, b: dict[str, Any] | None = None, **options: Any
) -> World:
    clock = Clock()
    return World(folder, [Side("a", clock, **(a or {})), Side("b", clock, **(b or {}))], **options)


def test_a_new_record_is_created_once_in_the_other_system(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    assert only(world.sides["b"]) == DANA
    assert len(world.sides["b"].pushed) == 1
    assert world.sides["a"].pushed == []


def test_an_edit_reaches_the_other_system_and_changes_nothing_else(tmp_path: Path) -> None:
    world = pair(tmp_path)
    key = world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit(key, title="Buyer")
    world.settle()
    assert only(world.sides["b"]) == {**DANA, "title": "Buyer"}
    assert dict(world.sides["b"].pushed[-1].fields) == {"title": "Buyer"}
    assert len(world.sides["b"].pushed) == 2
    assert world.sides["a"].pushed == []


def test_an_edit_there_comes_back_here_even_with_a_clock_that_is_slow(tmp_path: Path) -> None:
    world = pair(tmp_path, b={"skew_us": -420_000_000})
    world.sides["a"].add(**DANA, title="Clerk")
    world.settle()
    (key,) = world.sides["b"].live()
    world.sides["a"].edit(next(iter(world.sides["a"].live())), title="Buyer")
    world.settle()
    world.sides["b"].edit(key, title="Head of buying")
    world.settle()
    assert only(world.sides["a"])["title"] == "Head of buying"
    assert world.conflicts() == []


def test_edits_of_different_fields_at_once_both_survive(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.sides["b"].edit("b1", department="Purchasing")
    world.settle()
    expected = {**DANA, "title": "Buyer", "department": "Purchasing"}
    assert only(world.sides["a"]) == only(world.sides["b"]) == expected
    assert world.conflicts() == []


def test_of_two_edits_at_once_the_later_wins_and_the_other_is_kept_as_a_conflict(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.clock.tick()
    world.sides["b"].edit("b1", title="Head")
    world.settle()
    assert only(world.sides["a"])["title"] == only(world.sides["b"])["title"] == "Head"
    (conflict,) = world.conflicts()
    assert (conflict.field, conflict.state) == ("title", "decided")
    assert (conflict.doc["kept"], conflict.doc["lost"]) == ("Head", "Buyer")


def test_two_edits_at_once_without_any_clock_wait_for_a_person(tmp_path: Path) -> None:
    world = pair(tmp_path, a={"has_times": False}, b={"has_times": False})
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.sides["b"].edit("b1", title="Head")
    world.settle()
    assert only(world.sides["a"])["title"] == "Buyer"
    assert only(world.sides["b"])["title"] == "Head"
    (conflict,) = world.conflicts("open")
    assert conflict.field == "title"
    world.sides["b"].edit("b1", title="Chief")
    world.settle()
    assert only(world.sides["a"])["title"] == "Chief"
    assert world.conflicts("open") == []


def test_a_blank_erases_only_where_the_mapping_says_so(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA, title="Buyer", department="Purchasing")
    world.settle()
    world.sides["b"].edit("b1", title=None, department=None)
    world.settle()
    assert only(world.sides["a"]) == only(world.sides["b"]) == {**DANA, "department": "Purchasing"}
    (conflict,) = world.conflicts()
    assert (conflict.field, conflict.doc["lost"]) == ("department", None)


def test_an_address_taken_out_of_a_list_goes_everywhere_and_one_put_in_comes_everywhere(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**{**DANA, "email": ["dana@firm.example", "old@firm.example"]})
    world.settle()
    world.sides["b"].edit("b1", email=["new@firm.example", "dana@firm.example"])
    world.settle()
    for side in world.sides.values():
        assert sorted(only(side)["email"]) == ["dana@firm.example", "new@firm.example"]


def test_an_edited_address_does_not_part_the_records(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", email=["whitfield@other.example"], last="Marlow")
    world.settle()
    assert only(world.sides["b"]) == only(world.sides["a"])
    assert only(world.sides["b"])["email"] == ["whitfield@other.example"]


@pytest.mark.parametrize("reformat", ["truncate", "lower", "reorder", "spaces"])
@pytest.mark.parametrize("versions", [True, False])
def test_what_the_other_system_makes_of_our_write_is_no_edit(
    tmp_path: Path, reformat: str, versions: bool
) -> None:
    world = pair(tmp_path, b={"reformat": reformat, "has_versions": versions})
    long = "Director of buying and of many other things"
    world.sides["a"].add(**{**DANA, "email": ["Dana@firm.example", "b@firm.example"]}, title=long)
    world.settle()
    world.sides["a"].edit("a1", title=long.replace("buying", "selling"))
    world.settle()
    assert only(world.sides["a"])["title"] == long.replace("buying", "selling")
    assert world.sides["a"].pushed == []
    assert len(world.sides["b"].pushed) == 2
    world.sides["b"].edit("b1", title="Chief")
    world.settle()
    assert only(world.sides["a"])["title"] == "Chief"


@pytest.mark.parametrize("idempotency", ["none", "native", "external_id"])
def test_a_create_whose_answer_was_lost_is_not_made_twice(tmp_path: Path, idempotency: str) -> None:
    world = pair(tmp_path, b={"idempotency": idempotency})
    world.sides["a"].add(**DANA)
    world.pull()
    world.sides["b"].faults = ["lost"]
    world.push("b")
    world.settle()
    assert len(world.sides["b"].live()) == 1
    world.sides["a"].edit("a1", title="Buyer")
    world.settle()
    assert only(world.sides["b"])["title"] == "Buyer"


def test_an_update_whose_answer_was_lost_is_settled_by_reading_back(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.pull("a")
    world.sides["b"].faults = ["lost"]
    world.push("b")
    world.settle()
    titles = [w.fields for w in world.sides["b"].pushed if "title" in w.fields]
    assert len(titles) == 1
    assert world.sides["a"].pushed == []


@pytest.mark.parametrize("guard", ["version", "etag", "compare", "none"])
def test_an_edit_made_between_reading_and_writing_is_not_written_over(
    tmp_path: Path, guard: str
) -> None:
    world = pair(tmp_path, b={"guard": guard})
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.pull()
    world.sides["b"].edit("b1", title="Head", department="Purchasing")
    world.push()
    world.settle()
    assert only(world.sides["a"]) == only(world.sides["b"])
    assert only(world.sides["a"])["title"] == "Head"
    assert [c.doc["lost"] for c in world.conflicts()] == ["Buyer"]


def test_nothing_is_written_where_hub_yaml_does_not_say_so(tmp_path: Path) -> None:
    world = pair(tmp_path, read_only=["b"])
    world.sides["a"].add(**DANA)
    assert world.round() == 0
    assert world.sides["b"].live() == {}


def test_nothing_is_written_before_the_first_plan_is_approved(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    assert world.round(yes=False) == 0
    (report, _) = world.push("b", "a", yes=False)
    assert any("crm-hub preview b" in note for note in report.notes)


def test_what_must_not_be_created_is_not_created(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA, department="Secret")
    world.sides["a"].add(first="No", last="Address")
    world.settle()
    assert world.sides["b"].live() == {}


def test_a_delete_goes_to_the_other_system_and_nothing_comes_back(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].drop("a1")
    world.settle()
    assert world.sides["a"].live() == world.sides["b"].live() == {}


def test_an_edit_beats_a_delete_and_says_so(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].drop("a1")
    world.sides["b"].edit("b1", last="Marlow")
    world.settle()
    assert only(world.sides["b"])["last"] == "Marlow"
    assert any("deleted in a/contacts#a1" in c.doc["why"] for c in world.conflicts())


def test_a_record_that_was_unlinked_by_a_delete_is_not_created_again(tmp_path: Path) -> None:
    world = pair(tmp_path, mapping=MAPPING.replace("delete: propagate", "delete: unlink"))
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["b"].drop("b1")
    world.settle()
    world.sides["a"].edit("a1", title="Buyer")
    world.settle()
    assert world.sides["b"].live() == {}
    assert only(world.sides["a"])["title"] == "Buyer"


def test_a_value_the_target_cannot_take_is_set_aside_and_the_rest_is_written(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA, note="x" * 300)
    world.settle()
    assert only(world.sides["b"]) == DANA
    from crm_hub.store import Machinery

    with world.hub.store.read() as db:
        letters = Machinery(db).dead("b")
    assert [(d.step, d.reason) for d in letters] == [
        ("outbound", "note: longer than the 200 characters that the target takes")
    ]
    world.sides["a"].edit("a1", note="short")
    world.settle()
    assert only(world.sides["b"])["note"] == "short"
    with world.hub.store.read() as db:
        assert Machinery(db).dead("b") == []


def test_what_the_far_side_rejects_is_set_aside_and_tried_again_when_it_changes(
    tmp_path: Path,
) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="reject me")
    world.settle()
    assert len(world.sides["b"].pushed) == 2
    world.sides["a"].edit("a1", title="Buyer")
    world.settle()
    assert only(world.sides["b"])["title"] == "Buyer"


def test_a_busy_side_is_left_alone_until_it_wishes(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.pull()
    world.sides["b"].faults = ["busy"]
    world.push("b")
    calls = world.sides["b"].calls
    world.push("b")
    assert world.sides["b"].calls == calls
    world.settle()
    assert only(world.sides["b"]) == DANA


def test_echoes_recognised_by_likeness_alone_are_counted(tmp_path: Path) -> None:
    from crm_hub.flow.inbound import sync

    world = pair(tmp_path, b={"reformat": "lower", "has_versions": False})
    world.sides["a"].add(**DANA)
    world.pull()
    world.push()
    (report,) = sync(world.hub, ["b"])
    assert report.counts["near echoes"] == 2


def test_a_created_record_that_a_late_listing_lacks_deletes_nothing(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.pull()
    world.push("b")
    rows, world.sides["b"].rows = world.sides["b"].rows, {}
    world.pull("b")
    world.sides["b"].rows = rows
    world.settle()
    assert only(world.sides["a"]) == only(world.sides["b"]) == DANA
    assert len(world.sides["b"].created) == 1


def test_what_was_rejected_is_sent_again_when_somebody_asks(tmp_path: Path) -> None:
    from crm_hub.flow.replay import retry

    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.settle()
    world.sides["a"].edit("a1", title="reject me")
    world.settle()
    sent = len(world.sides["b"].pushed)
    retry(world.hub)
    world.settle()
    assert len(world.sides["b"].pushed) == sent + 1


def test_of_two_that_were_rejected_the_one_that_was_asked_for_alone_is_sent(tmp_path: Path) -> None:
    from crm_hub.flow.replay import retry

    world = pair(tmp_path)
    for name in ("dana", "lee"):
        key = world.sides["a"].add(**{**DANA, "first": name, "email": [f"{name}@firm.example"]})
        world.settle()
        world.sides["a"].edit(key, title="reject me")
        world.settle()
    with world.hub.store.read() as db:
        first, second = Machinery(db).dead()
    sent = len(world.sides["b"].pushed)
    retry(world.hub, [second.id])
    world.settle()
    assert len(world.sides["b"].pushed) == sent + 1
    with world.hub.store.read() as db:
        assert [one.record_key for one in Machinery(db).dead()] == [
            first.record_key,
            second.record_key,
        ]


def test_records_of_a_connection_that_was_taken_out_stand_in_no_ones_way(tmp_path: Path) -> None:
    clock = Clock()
    ranked = MAPPING.replace("title: {at: title,", "title: {at: title, win: [a, b],")
    world = World(tmp_path, [Side(name, clock) for name in "abc"], mapping=ranked)
    key = world.sides["a"].add(**DANA, title="Clerk")
    world.settle()
    remove_connection(tmp_path, "c")
    del world.sides["c"]
    world.open()
    world.sides["a"].edit(key, title="Buyer")
    world.settle()
    assert only(world.sides["b"])["title"] == "Buyer"


def test_a_route_that_another_process_approved_is_used(tmp_path: Path) -> None:
    world = pair(tmp_path)
    world.sides["a"].add(**DANA)
    world.pull()
    assert world.hub.tools.two_way is None
    running = world.hub
    world.open()
    world.push("a", "b")
    world.hub.close()
    world.hub = running
    world.sides["a"].edit("a1", title="Buyer")
    world.settle()
    world.sides["a"].edit("a1", title="Chief")
    world.settle()
    assert only(world.sides["b"])["title"] == "Chief"


def test_a_field_that_is_only_written_is_not_read_and_not_written_twice(tmp_path: Path) -> None:
    mapping = MAPPING.replace(
        "note: {at: note, dir: both, longest: 200}", "note: {at: note, dir: push}"
    )
    world = pair(tmp_path, b={"reformat": "lower"}, mappings={"b": mapping})
    world.sides["a"].add(**DANA, note="Calls in the morning")
    world.settle()
    assert only(world.sides["b"])["note"] == "calls in the morning"
    sent = world.sent
    world.sides["b"].edit("b1", note="something else")
    world.settle()
    assert world.sent == sent
    assert only(world.sides["a"])["note"] == "Calls in the morning"
    world.sides["a"].edit("a1", note="Calls in the evening")
    world.settle()
    assert only(world.sides["b"])["note"] == "calls in the evening"


def test_a_changed_mapping_is_no_edit(tmp_path: Path) -> None:
    from crm_hub.flow.replay import replay

    world = pair(tmp_path)
    world.sides["a"].add(**DANA, title="Buyer")
    world.settle()
    world.sides["b"].edit("b1", title="Head of buying")
    world.settle()
    path = tmp_path / "connectors" / "fake" / "mapping.yaml"
    changed = "title: {at: title, dir: both, blank: clears, as: upper}"
    path.write_text(MAPPING.replace("title: {at: title, dir: both, blank: clears}", changed))
    world.hub.close()
    world.open()
    for report in replay(world.hub):
        assert report.error is None
    world.settle()
    assert only(world.sides["a"])["title"].upper() == "HEAD OF BUYING"
    assert world.conflicts() == []
