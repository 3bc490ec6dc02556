"""What a far side shows after our write: an echo, a stale copy, or somebody's edit."""

from __future__ import annotations

from typing import Any

import pytest

from crm_hub.landing.echo import Sight, is_reformat, read
from crm_hub.model.states import Awaited, FieldState, RecordState, dump, load

NOW = 1_000_000


def awaiting(before: Any = "old", at_us: int | None = None, until_us: int = NOW * 2) -> RecordState:
    entry = FieldState(stamp=5, copied=True, awaited=Awaited(before, at_us, until_us))
    return RecordState({"title": entry}, version="7")


def look(state: RecordState, had: Any, found: Any, **sight: Any) -> Any:
    given = Sight(sight.get("at"), sight.get("ours", False), sight.get("now", NOW))
    seen = {} if found is None else {"title": found}
    return read(state, {"title": had}, seen, given)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Dana Whitfield", "dana whitfield"),
        ("Dana  Whitfield", " Dana Whitfield "),
        ("Director of buying and selling", "Director of buying"),
        ("+12125550100", "+1 (212) 555-0100"),
        (["a@x.example", "B@x.example"], ["b@x.example", "a@x.example"]),
        ({"street": "Main St 1", "city": "Boston"}, {"street": "MAIN ST 1", "city": "Boston"}),
        (12, "12"),
    ],
)
def test_a_far_side_may_store_a_value_like_this(written: Any, found: Any) -> None:
    assert is_reformat(written, found)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Director of buying", "Director"),
        ("Dana", "Diana"),
        ("+12125550100", "+12125550101"),
        (["a@x.example", "b@x.example"], ["a@x.example"]),
        ("Room 5", "Room 55"),
        ({"street": "Main St 1"}, {"street": "Main St 2"}),
        ("Dana", None),
        ("Dana", ["Dana"]),
    ],
)
def test_anything_else_is_somebodys_edit(written: Any, found: Any) -> None:
    assert not is_reformat(written, found)


def test_an_echo_is_used_up_once_and_its_rendering_is_remembered() -> None:
    state = awaiting()
    first = look(state, "New Title", "new title")
    assert first.edits == {}
    assert state.near == 1
    assert state.fields["title"].rendering == "new title"
    assert look(state, "New Title", "new title").edits == {}
    assert look(state, "New Title", "NEW TITLE").edits == {"title": "NEW TITLE"}


def test_our_own_version_explains_any_rendering() -> None:
    state = awaiting()
    assert look(state, "CEO", "Chief Executive Officer", ours=True).edits == {}
    assert state.near == 0
    assert look(state, "CEO", "Chief Executive Officer").edits == {}


def test_the_old_value_is_believed_when_it_is_seen_twice() -> None:
    state = awaiting()
    first = look(state, "new", "old")
    assert first.again
    assert first.edits == {}
    assert look(state, "new", "old").edits == {"title": "old"}


def test_the_old_value_is_believed_at_once_when_the_record_is_certainly_newer() -> None:
    assert look(awaiting(at_us=50), "new", "old", at=60).edits == {"title": "old"}
    assert look(awaiting(at_us=50), "new", "old", at=50).again


def test_an_echo_is_not_waited_for_forever() -> None:
    state = awaiting(until_us=NOW - 1)
    assert look(state, "New Title", "new title").edits == {"title": "new title"}


def test_the_same_value_put_back_again_and_again_is_counted() -> None:
    state = awaiting(before="x")
    entry = state.fields["title"]
    for count in (1, 2, 3):
        entry.awaited = Awaited("x", None, NOW * 2)
        look(state, "ours", "theirs")
        assert entry.bounces == count
    entry.awaited = Awaited("x", None, NOW * 2)
    look(state, "ours", "another")
    assert entry.bounces == 1


def test_a_state_comes_back_from_its_stored_form() -> None:
    state = awaiting()
    state.fields["email"] = FieldState(
        None, rendering=None, added={"a": 1}, removed={"b": 2}, undone=["x"], bounced=None
    )
    assert load(dump(state)) == state
