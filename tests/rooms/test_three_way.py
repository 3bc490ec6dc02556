"""Golden values of records that the hub writes to: by stamps, whatever the order of the members."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm_hub.merge.golden import MergeMember
from crm_hub.merge.three_way import Fields, decide, edited, tick
from crm_hub.model.rules import Win
from crm_hub.model.states import FieldState, RecordState

MANY = frozenset({"email"})


def member(number: int, values: dict[str, Any], **states: FieldState) -> MergeMember:
    return MergeMember(number, f"s{number}", (f"s{number}",), None, values, states)


stamps = st.one_of(st.none(), st.integers(1, 4))
members = st.lists(
    st.builds(
        lambda title, stamp, email, copied: (title, stamp, email, copied),
        st.sampled_from(["x", "y", "z"]),
        stamps,
        st.lists(st.sampled_from("abc"), max_size=3, unique=True),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@given(rows=members, order=st.randoms(use_true_random=False))
def test_the_order_of_the_members_plays_no_part(rows: Any, order: Any) -> None:
    made = [
        member(
            i,
            {"title": title, **({"email": email} if email else {})},
            title=FieldState(stamp, copied=copied),
            email=FieldState(stamp, removed={"c": 3} if i == 0 else {}),
        )
        for i, (title, stamp, email, copied) in enumerate(rows)
    ]
    shuffled = list(made)
    order.shuffle(shuffled)
    assert decide(made, {}, MANY) == decide(shuffled, {}, MANY)


@given(previous=stamps, at=stamps)
def test_an_edit_is_later_than_the_value_it_replaces(previous: int | None, at: int | None) -> None:
    stamp = tick(previous, at)
    assert previous is None or stamp > previous
    assert at is None or stamp >= at


def test_equal_stamps_with_different_values_decide_nothing() -> None:
    a, b = (member(i, {"title": t}, title=FieldState(7)) for i, t in enumerate("xy"))
    assert decide([a, b], {}, MANY).fields["title"].open
    later = member(1, {"title": "y"}, title=FieldState(8))
    assert not decide([a, later], {}, MANY).fields["title"].open
    assert decide([a, later], {}, MANY).fields["title"].value == "y"


def test_a_rule_decides_what_stamps_cannot() -> None:
    a, b = (member(i, {"title": t}, title=FieldState(7)) for i, t in enumerate("xy"))
    decision = decide([a, b], {"title": Win("ordered", ("s1", "s0"))}, MANY).fields["title"]
    assert (decision.value, decision.open) == ("y", False)


def test_manual_waits_for_a_person() -> None:
    rules = {"title": Win("manual")}
    a = member(0, {"title": "x"}, title=FieldState(9))
    b = member(1, {"title": "y"}, title=FieldState(7))
    assert decide([a, b], rules, MANY).fields["title"].open
    chosen = member(1, {"title": "y"}, title=FieldState(7, person=True))
    decision = decide([a, chosen], rules, MANY).fields["title"]
    assert (decision.value, decision.open) == ("y", False)


def test_a_removed_item_is_gone_everywhere_until_it_is_added_later() -> None:
    a = member(0, {"email": ["x", "y"]}, email=FieldState(5))
    b = member(1, {"email": ["y"]}, email=FieldState(5, removed={"x": 6}))
    assert decide([a, b], {}, MANY).fields["email"].value == ["y"]
    again = member(0, {"email": ["x", "y"]}, email=FieldState(5, added={"x": 7}))
    assert decide([again, b], {}, MANY).fields["email"].value == ["x", "y"]


def test_a_cleared_value_beats_an_older_one_only_where_a_blank_clears() -> None:
    values = {"title": "x", "note": "n"}
    state = RecordState()
    state.spell_out(values, 5)
    edits = edited(
        1, state, values, {"title": None, "note": None}, 9, Fields(MANY, frozenset({"title"}))
    )
    assert values == {}
    assert [(e.field, e.kept) for e in edits] == [("title", True), ("note", False)]
    here = member(1, values, **state.fields)
    other = member(2, {"title": "x", "note": "n"})
    found = decide([here, other], {}, MANY)
    assert found.golden().values == {"note": "n"}
