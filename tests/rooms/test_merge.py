"""Survivorship is a function of the members; explain tells the winner and what it beat."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crm_hub.flow.batch import MANY
from crm_hub.merge import MergeMember, diff, display_name, explain, golden
from crm_hub.model.rules import Win

MANY_PERSON = MANY["person"]


def _member(number: int, at: int | None, values: dict, system: str = "crm") -> MergeMember:
    return MergeMember(number, f"{system}/{number}", (system,), at, values)


def _title(rules, *members):
    return golden(list(members), rules, MANY_PERSON).values["title"]


def test_the_newest_certain_value_wins_and_an_undated_one_loses_to_any_date():
    a, b = _member(1, 5, {"title": "old"}), _member(2, 9, {"title": "new"})
    c = _member(3, None, {"title": "undated"})
    assert _title({}, a, b, c) == _title({}, c, b, a) == "new"
    assert _title({}, c, a) == "old"


def test_an_ordered_rule_prefers_a_system_over_a_newer_value():
    rules = {"title": Win("ordered", ("erp", "crm"))}
    a, b = _member(1, 9, {"title": "crm"}, "crm"), _member(2, 1, {"title": "erp"}, "erp")
    assert _title(rules, a, b) == "erp"


def test_a_ladder_never_steps_down():
    rules = {"title": Win("ladder", ("lead", "customer"))}
    assert _title(
        rules, _member(1, 9, {"title": "lead"}), _member(2, 1, {"title": "customer"})
    ) == ("customer")


def test_the_strictest_answer_wins():
    rules = {"title": Win("strictest", ("denied", "granted"))}
    assert _title(
        rules, _member(1, 9, {"title": "granted"}), _member(2, 1, {"title": "denied"})
    ) == ("denied")


def test_lists_are_united_without_repeats():
    a = _member(1, 9, {"email": ["A@x.example"], "address": [{"city": "X"}]})
    b = _member(2, 1, {"email": ["a@x.example", "b@x.example"], "address": [{"city": "X"}]})
    found = golden([b, a], {}, MANY_PERSON).values
    assert found == {"email": ["A@x.example", "b@x.example"], "address": [{"city": "X"}]}


_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["a", "b"]),
        "company": st.sampled_from(["c", "d"]),
        "email": st.lists(
            st.sampled_from(["A@x", "a@x", "b@x"]), min_size=1, max_size=2, unique=True
        ),
    },
)


@given(
    rows=st.lists(st.tuples(st.none() | st.integers(0, 2), _VALUES), min_size=1, max_size=5),
    data=st.data(),
)
def test_golden_and_explain_do_not_depend_on_the_order_of_members(rows, data):
    members = [_member(i, at, values) for i, (at, values) in enumerate(rows)]
    mixed = data.draw(st.permutations(members))
    assert golden(mixed, {}, MANY_PERSON) == golden(members, {}, MANY_PERSON)
    assert explain(mixed, {}, MANY_PERSON) == explain(members, {}, MANY_PERSON)


def test_explain_names_the_winner_first_and_every_loser():
    a, b = _member(1, 5, {"title": "old"}), _member(2, 9, {"title": "new"})
    (story,) = explain([a, b], {}, MANY_PERSON)
    assert (story.value, story.rule) == ("new", "latest")
    assert [(c.record_id, c.value) for c in story.candidates] == [(2, "new"), (1, "old")]


def test_a_change_set_names_old_and_new():
    assert diff({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": [1, None], "b": [2, 3], "c": [None, 4]}


def test_somebody_without_a_name_is_called_by_an_address():
    assert display_name("person", {"email": ["x@y.example"]}) == "x@y.example"
    assert display_name("person", {}) == "(no name)"
