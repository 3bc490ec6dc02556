"""Sequences that the long hunt of test_machine.py has found, each kept as it was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.machine import PROFILES, Countdown, Died, TwoWay
from tests.flow.two_way.resting import ids
from tests.flow.two_way.worlds import World, only


def test_of_two_edits_at_once_read_stale_after_a_crash_the_lost_one_is_logged() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[5], PROFILES[5]], approved=False)
    state.add(at=1)
    state.add(at=1)
    state.add_the_same_person_elsewhere(at=1, which=9)
    state.stale(at=0)
    state.put_back_what_stood_there_before(at=2, which=1)
    state.time_passes()
    state.two_edits_at_once(at=2, between="", name="first", which=4)
    state.stale(at=2)
    state.crash(at=0, commits=True, n=3)
    state.stale(at=2)
    state.edit_in_peace(at=0, name="title", which=1)
    state.teardown()


def test_what_differed_before_the_first_plan_is_logged_when_it_is_written_over(
    tmp_path: Path,
) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock), Side("b", clock)])
    world.sides["a"].add(first="Dana", last="Whitfield", email=["d@x.example"], title="Buyer")
    world.sides["b"].add(first="Dana", last="Whitfield", email=["d@x.example"], title="Head")
    world.pull()
    world.settle()
    assert {p["title"] for s in world.sides.values() for p in s.live().values()} == {"Head"}
    (conflict,) = world.conflicts()
    assert (conflict.field, conflict.state) == ("title", "decided")
    assert (conflict.doc["kept"], conflict.doc["lost"]) == ("Head", "Buyer")


def test_what_differed_between_two_people_who_turn_out_to_be_one_is_logged(tmp_path: Path) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock, can_delete=False), Side("b", clock)])
    world.sides["a"].add(first="Dana", last="Whitfield", email=["d@x.example"], title="Buyer")
    world.sides["b"].add(first="Dana", last="Whitfield", email=["w@x.example"], title="Head")
    world.settle()
    # Each has got a copy of the other; now somebody tells the hub that both are one.
    world.sides["a"].edit("a1", email=["d@x.example", "w@x.example"])
    world.settle()
    titles = {p["title"] for s in world.sides.values() for p in s.live().values()}
    assert len(titles) == 1
    lost = {c.doc["lost"] for c in world.conflicts() if c.field == "title"}
    assert lost == {"Buyer", "Head"} - titles


def test_a_write_that_is_planned_twice_says_nothing_of_a_value_that_was_replaced_knowingly() -> (
    None
):
    state = TwoWay()
    state.begin(profiles=[PROFILES[0], PROFILES[1]], approved=False)
    state.add(at=2)
    state.edit_a_long_text(at=0, which=7)
    state.quiet()
    state.put_back_what_stood_there_before(at=0, which=8)
    state.edit_in_peace(at=1, name="first", which=7)
    state.teardown()


def test_an_edit_of_a_third_side_without_a_clock_ends_a_dispute_of_the_other_two() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[4], PROFILES[1], PROFILES[4]], approved=False)
    state.add(at=1)
    state.quiet()
    state.edit(at=0, name="title", which=4)
    state.edit(at=2, name="title", which=6)
    state.edit_in_peace(at=1, name="title", which=6)
    state.teardown()


def test_a_delete_that_makes_two_people_one_is_at_rest_a_round_later() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[6], PROFILES[2], PROFILES[0]], approved=True)
    state.add(at=1)
    state.quiet()
    state.drop(at=2, which=9)
    state.add_the_same_person_elsewhere(at=1, which=5)
    state.two_edits_at_once(at=2, between="time", name="first", which=5)
    state.quiet()
    assert state.world.round() == 0
    state.teardown()


def test_a_create_that_never_arrived_is_not_made_once_its_source_is_deleted() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[2], PROFILES[2]], approved=True)
    state.add(at=0)
    state.crash(at=0, commits=False, n=9)
    state.trouble(at=1, fault="down")
    state.drop(at=2, which=6)
    state.push_one(at=1)
    state.quiet()
    assert [side.live() for side in state.world.sides.values()] == [{}, {}]
    state.teardown()


def test_two_people_whom_a_write_shows_to_be_one_are_at_rest_a_round_later() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[3], PROFILES[0], PROFILES[2]], approved=True)
    state.add(at=1)
    state.add_the_same_person_elsewhere(at=1, which=0)
    state.two_edits_at_once(at=1, between="pull", name="first", which=0)
    state.put_back_what_stood_there_before(at=1, which=1)
    state.push_one(at=1)
    state.add_the_same_person_elsewhere(at=2, which=8)
    state.quiet()
    assert state.world.round() == 0
    state.teardown()


def test_an_edit_that_shows_two_people_to_be_one_says_what_it_writes_over() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[5], PROFILES[1], PROFILES[2]], approved=False)
    state.add(at=2)
    state.add_the_same_person_elsewhere(at=2, which=2)
    state.edit(at=0, name="first", which=2)
    state.edit_in_peace(at=0, name="first", which=3)
    (conflict,) = state.world.conflicts()
    assert (conflict.state, conflict.doc["kept"], conflict.doc["lost"]) == ("decided", "v3", "v2")
    state.teardown()


def test_a_request_that_arrives_after_a_crash_makes_nothing_twice(tmp_path: Path) -> None:
    clock = Clock()
    a, b = Side("a", clock), Side("b", clock, idempotency="none", late_us=3_000_000)
    world = World(tmp_path, [a, b])
    world.push(yes=True)
    a.add(first="Dana", last="Whitfield", email=["d@x.example"])
    world.pull()
    b.faults = ["late"]
    world.hub.store.before_commit = Countdown(3)  # once the call has failed, before that is kept
    with pytest.raises(Died):
        world.push("b")
    world.hub.close()
    world.open()
    world.push("b")
    world.round()
    world.settle()
    assert len(b.live()) == 1


def test_what_the_hub_wrote_without_an_answer_is_no_newer_than_an_edit_made_since(
    tmp_path: Path,
) -> None:
    clock = Clock()
    a, b, c = (Side(name, clock) for name in "abc")
    world = World(tmp_path, [a, b, c])
    a.add(first="Dana", last="Whitfield", email=["d@x.example"])
    world.settle()
    a.edit("a1", title="Buyer")
    world.pull("a")
    c.faults = ["lost"]
    b.edit("b1", title="Head")
    world.push("c")
    world.pull("b", "c")
    world.settle()
    assert {only(side)["title"] for side in (a, b, c)} == {"Head"}


def test_an_edit_is_later_than_its_value_where_that_was_put_there_once_more() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[4], PROFILES[6], PROFILES[6]], approved=False)
    state.add(at=0)
    state.edit_in_peace(at=1, name="first", which=2)
    state.put_back_what_stood_there_before(at=2, which=3)
    state.pull_one(at=2)
    state.put_back_what_stood_there_before(at=2, which=2)
    state.edit_in_peace(at=0, name="first", which=2)
    state.teardown()


def test_what_a_ruling_parted_draws_nobody_over_when_one_of_it_is_made_one_with_others() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[1], PROFILES[3], PROFILES[1]], approved=False)
    state.add(at=2)
    state.edit_in_peace(at=2, name="first", which=8)
    state.unlink(at=0, which=6)
    state.edit_in_peace(at=0, name="first", which=8)
    state.link(at=2, other=8, which=7)
    state.unlink(at=1, which=9)
    state.unlink(at=1, which=0)
    state.add(at=0)
    state.add(at=0)
    state.unlink_undoes_link(at=2, between="rest", by_split=True, other=0, which=5)
    state.teardown()


def test_a_late_repair_leaves_what_was_carried_over_since_the_two_were_parted() -> None:
    state = TwoWay()
    state.begin(approved=True, profiles=[PROFILES[3], PROFILES[3]])
    state.add(at=1)
    state.edit_in_peace(at=0, name="first", which=0)
    state.add(at=2)
    state.edit_in_peace(at=2, name="first", which=6)
    state.unlink(at=2, which=0)
    state.link(at=0, other=5, which=4)
    state.quiet()
    state.teardown()


def test_what_was_copied_while_they_were_one_is_not_taken_from_where_it_was_typed() -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[3], PROFILES[3], PROFILES[1]], approved=False)
    state.add(at=1)
    state.edit_in_peace(at=1, name="first", which=5)
    state.edit(at=1, name="department", which=3)
    state.edit_in_peace(at=1, name="title", which=3)
    state.blank_a_field_that_a_blank_does_not_clear(at=1, which=2)
    state.edit_in_peace(at=2, name="title", which=7)
    state.unlink(at=0, which=2)
    state.quiet()
    state.teardown()


@pytest.mark.parametrize("between", ["rest", "crash"])
def test_a_blank_that_came_over_is_taken_back_too(between: str) -> None:
    state = TwoWay()
    state.begin(profiles=[PROFILES[4], PROFILES[4], PROFILES[0]], approved=False)
    state.add(at=0)
    state.unlink_undoes_link(at=0, between="rest", by_split=True, other=8, which=8)
    state.unlink(at=2, which=3)
    state.add(at=1)
    state.quiet()
    state.add(at=2)
    state.edit_in_peace(at=0, name="title", which=7)
    state.edit(at=0, name="title", which=6)
    state.put_back_what_stood_there_before(at=2, which=2)
    state.unlink_undoes_link(at=2, between=between, by_split=True, other=2, which=4)
    state.teardown()


def test_a_mailbox_that_a_write_of_unknown_fate_carried_over_joins_nobody() -> None:
    state = TwoWay()
    state.begin(profiles=[{}, {}], approved=False)
    state.add(at=0)
    state.quiet()
    state.add(at=0)
    state.unlink(at=0, which=0)  # its copy gets one of its own, which holds the same mailbox
    state.unlink_undoes_link(at=0, between="crash", by_split=False, other=0, which=4)
    state.teardown()


def test_what_a_record_said_before_is_its_own_when_another_of_its_people_is_taken_out() -> None:
    state = TwoWay()
    state.begin(profiles=[{}, {}], approved=True)
    state.add(at=2)
    state.add(at=1)
    state.add_the_same_person_elsewhere(at=0, which=4)
    state.crash(at=0, commits=True, n=10)
    state.add(at=2)
    state.add_the_same_person_elsewhere(at=2, which=3)
    state.drop(at=2, which=3)
    state.pull_one(at=1)
    state.push_one(at=2)
    state.link(at=0, other=0, which=2)  # a copy that the hub had made of the third, and the first
    state.quiet()
    state.put_back_what_stood_there_before(at=2, which=6)
    state.unlink(at=1, which=8)  # the third: its copy stays, with what it had said before
    state.unlink_undoes_link(at=2, between="push", by_split=False, other=4, which=0)
    state.teardown()


def test_what_only_a_create_that_is_sent_again_says_reaches_the_others_a_round_later() -> None:
    state = TwoWay()
    state.begin(profiles=[{}, {}], approved=False)
    state.add(at=0)
    state.push_without_an_answer(at=1, fault="lost")
    state.drop(at=2, which=4)
    state.add_the_same_person_elsewhere(at=1, which=9)
    state.drop(at=1, which=3)
    state.quiet()
    state.teardown()


def test_a_create_confirmed_after_its_record_was_parted_draws_nobody_over() -> None:
    state = TwoWay()
    state.begin(profiles=[{}, {}, {}], approved=False)
    state.add(at=2)
    state.push_without_an_answer(at=1, fault="lost")
    state.push_without_an_answer(at=2, fault="lost")  # the copy without an answer has been read
    state.unlink(at=1, which=5)
    state.edit(at=1, name="phone", which=3)
    state.quiet()  # each gets a copy in the first system, and only now that answer comes
    were = ids(state.world.hub)
    assert were["a/contacts#a1"] == were["c/contacts#c1"] != were["b/contacts#b1"]
    state.teardown()


def test_what_another_typed_and_has_changed_since_is_taken_back_with_the_rest() -> None:
    state = TwoWay()
    state.begin(profiles=[{}, {}, {}], approved=False)
    state.add(at=0)
    state.edit_in_peace(at=2, name="title", which=9)
    state.put_back_what_stood_there_before(at=2, which=9)  # the title, which went to both others
    state.push_without_an_answer(at=1, fault="late")
    state.unlink(at=0, which=9)
    state.unlink(at=2, which=1)
    state.quiet()
    assert [p.get("title") for s in state.world.sides.values() for p in s.live().values()] == (
        [None] * 7
    )
    state.teardown()


def test_a_copy_about_to_be_deleted_gives_nothing_to_whom_it_joins_on_its_way_out() -> None:
    state = TwoWay()
    state.begin(profiles=[{}, {}, {}], approved=True)
    state.add(at=0)
    state.edit_in_peace(at=1, name="title", which=0)
    state.unlink(at=1, which=0)  # that title is only the second system's now, and its copies'
    state.quiet()
    state.drop(at=0, which=1)  # a copy: the deletion takes all of that person with it
    state.quiet()
    left = [p for s in state.world.sides.values() for p in s.live().values()]
    assert len(left) == 2, "the first person, and the copy in the third system"
    assert not any("title" in one for one in left)
    state.teardown()
