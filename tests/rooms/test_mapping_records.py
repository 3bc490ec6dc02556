"""Payload → canonical record: paths, values, claims, links, drift."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from crm_hub.mapping import SectionPlan, compile_section
from crm_hub.model.canonical import CanonicalRecord, Claim, Drift, Link, Mapped
from crm_hub.model.errors import ConfigError, RecordError


def plan(section: dict[str, Any], zone: str = "UTC") -> SectionPlan:
    return compile_section(section, name="people", connection="crm1", region="US", zone=zone)


def person(fields: dict[str, Any], **more: Any) -> SectionPlan:
    return plan({"entity": "person", "fields": fields, **more})


def record(mapped: Mapped) -> CanonicalRecord:
    assert mapped.record is not None
    return mapped.record


def values(fields: dict[str, Any], payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    mapped = person(fields, **more).map(payload)
    assert mapped.drifts == []
    return record(mapped).values


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("name", {"name": "Ann"}),
        ("First Name", {"First Name": "Ann"}),
        ("a.b.c.d", {"a": {"b": {"c": {"d": "Ann"}}}}),
        ("names.1", {"names": ["Bob", "Ann"]}),
        ("names.value", {"names": [{"value": "Ann"}, {"value": "Bob"}]}),
        ("names.value", {"names": [{"other": "x"}, {"value": " "}, {"value": "Ann"}]}),
        ("cols.[id=NAME].value", {"cols": [{"id": "X"}, {"id": "NAME", "value": "Ann"}]}),
        ("cols.[id=7].values", {"cols": [{"id": 7, "values": ["Ann"]}]}),
        ("p.[a.b]", {"p": {"a.b": "Ann"}}),
        ("[a.b].c", {"a.b": {"c": "Ann"}}),
        ("name", {"name": ["", None, "Ann"]}),
    ],
)  # fmt: skip
def test_a_path_finds_its_value(path: str, payload: dict[str, Any]) -> None:
    assert values({"given_name": path}, payload) == {"given_name": "Ann"}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"a": None},
        {"a": "text"},
        {"a": []},
        {"a": {"b": "  "}},
        {"a": {"b": []}},
        {"a": {"b": {}}},
        {"a": [1, 2]},
        {"a": [{"c": 1}]},
    ],
)
def test_a_blank_says_nothing(payload: dict[str, Any]) -> None:
    assert (
        values({"given_name": "a.b", "email": "a.b", "title": {"at": ["a.b", "x"]}}, payload) == {}
    )


def test_in_a_flat_section_a_path_is_one_literal_key() -> None:
    payload = {"Tel. [home].1": "212-555-0147", "Currency.": "EUR", "Sum": "3"}
    fields = {"phone": "Tel. [home].1"}
    assert values(fields, payload, flat=True) == {"phone": ["+12125550147"]}
    deal = {"amount": {"at": "Sum", "as": {"money": {"currency_at": "Currency."}}}}
    mapped = plan({"entity": "deal", "flat": True, "fields": deal}).map(payload)
    assert record(mapped).values == {"amount": {"minor_units": 300, "currency": "EUR"}}


def test_a_field_of_many_takes_every_path_in_order_and_each_value_once() -> None:
    fields = {"email": {"at": ["b", "a", "more"], "as": {"split": ";"}}}
    payload = {"a": "x@a.example", "b": "y@a.example;x@A.example", "more": ["z@a.example"]}
    assert values(fields, payload) == {"email": ["y@a.example", "x@a.example", "z@a.example"]}


def test_a_single_field_takes_the_first_path_that_is_not_blank() -> None:
    assert values({"title": {"at": ["a", "b"]}}, {"a": " ", "b": "Boss"}) == {"title": "Boss"}


def test_constants_defaults_joins_and_objects_make_values() -> None:
    fields = {
        "source": {"const": "website"},
        "stage": {"at": "stage", "default": "lead"},
        "display_name": {"join": [{"at": "first"}, {"at": "last"}], "with": " "},
        "nickname": {"join": ["The ", {"at": "nick"}]},
        "suffix": {"join": ["x", {"at": "nothing"}]},
        "address": {"of": {"street": "street", "city": {"at": "town"}}},
    }
    payload = {"first": "Ann", "nick": "Boss", "town": "Boston"}
    assert values(fields, payload) == {
        "source": "website",
        "stage": "lead",
        "display_name": "Ann",
        "nickname": "The Boss",
        "address": [{"city": "Boston"}],
    }
    assert values({"address": fields["address"]}, {"other": 1}) == {}


def test_a_note_keeps_its_lines_and_other_text_does_not() -> None:
    payload = {"a": "one \n\n\n two"}
    assert values({"note": "a", "title": "a"}, payload) == {
        "note": "one\n\n two",
        "title": "one two",
    }


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"at": "s", "is": "PAID"}, True),
        ({"at": "s", "is": ["open", "paid"]}, True),
        ({"at": "s", "is": "open"}, False),
        ({"at": "s", "not": ["draft"]}, True),
        ({"at": "s", "not": "paid"}, False),
        ({"at": "none", "not": "paid"}, True),
        ({"at": "none", "is": "paid"}, False),
        ({"at": "s", "present": True}, True),
        ({"at": "none", "present": True}, False),
        ({"at": "none", "present": False}, True),
        ({"at": "flag", "is": True}, True),
        ({"at": "n", "is": 7}, True),
        ({"at": "tags", "is": "b"}, True),
        ({"at": "tags", "not": "b"}, False),
        ({"at": "obj", "present": True}, True),
        ({"at": "mail", "as": "domain", "is": "acme.example"}, True),
        ([{"at": "s", "is": "paid"}, {"at": "n", "is": 8}], False),
    ],
)
def test_a_condition_decides_whether_a_value_is_taken(when: Any, holds: bool) -> None:
    payload = {
        "v": "x", "s": " Paid ", "flag": True, "n": 7, "tags": ["a", "b"], "obj": {"a": 1},
        "mail": "ann@acme.example",
    }  # fmt: skip
    assert values({"title": {"at": "v", "when": when}}, payload) == (
        {"title": "x"} if holds else {}
    )


def test_a_value_that_does_not_fit_becomes_drift_and_the_record_goes_on() -> None:
    fields = {
        "given_name": "first",
        "email": "mails",
        "birthday": "born",
        "address": {"of": {"city": {"at": "city", "as": {"enum": {"a": "b"}}}}},
    }
    payload = {"first": "Ann", "mails": ["ann@acme.example", "?"], "born": "1/2/3", "city": "c"}
    mapped = person(fields).map(payload)
    assert record(mapped).values == {"given_name": "Ann", "email": ["ann@acme.example"]}
    assert sorted(drift.field for drift in mapped.drifts) == ["address", "birthday", "email"]
    assert Drift("email", "not an e-mail address") in mapped.drifts


def test_claims_say_who_the_record_is() -> None:
    plan_of = person(
        {"email": "mail", "phone": "tel"},
        identity=[
            {"strong": "crm_id", "at": "id", "exclusive": True},
            {"strong": "vat", "at": "vats", "as": "upper", "scope": "hub"},
            {"match": "email"},
            {"match": "phone"},
        ],
    )
    payload = {
        "id": 7, "vats": ["de1", "de2"], "mail": "Ann@Acme.example",
        "tel": ["212-555-0147", "555-0147", "212-555-0147 x12"],
    }  # fmt: skip
    assert record(plan_of.map(payload)).claims == [
        Claim("strong", "crm_id", "7", "crm1", True),
        Claim("strong", "vat", "DE1"),
        Claim("strong", "vat", "DE2"),
        Claim("email", "email", "Ann@acme.example"),
        Claim("phone", "phone", "+12125550147"),
    ]
    assert record(plan_of.map({"id": " "})).claims == []


def test_links_name_other_records_by_their_strong_id() -> None:
    links = {
        "employer": {"entity": "organization", "strong": "firm", "at": "f", "as": {"split": ";"}},
        "first": {"entity": "organization", "strong": "firm", "at": "f", "as": {"split": ";"},
                  "many": False, "scope": "hub"},
    }  # fmt: skip
    mapped = person({}, links=links).map({"f": "7; 8"})
    assert record(mapped).links == [
        Link("employer", "organization", "s:crm1:firm:7"),
        Link("employer", "organization", "s:crm1:firm:8"),
        Link("first", "organization", "s::firm:7"),
    ]


def test_a_link_has_the_time_it_holds_where_the_source_says_so() -> None:
    links = {
        "employer": {"entity": "organization", "strong": "firm", "at": "f", "from": "start",
                     "to": {"at": "end", "as": "date"}},
    }  # fmt: skip
    plan = person({}, links=links)
    (link,) = record(plan.map({"f": "7", "start": "2026-03-10T12:00:00Z", "end": ""})).links
    assert link[3:] == (1_773_144_000_000_000, None)
    mapped = plan.map({"f": "7", "start": "soon", "end": "2026-03-10"})
    (link,) = record(mapped).links
    assert link.from_us is None
    assert link.to_us is not None
    assert [drift.field for drift in mapped.drifts] == ["links.employer"]
    assert record(plan.map({"start": "soon"})).links == []


def test_the_time_of_change_is_read_from_the_payload_and_else_taken_from_the_change() -> None:
    plan_of = person({}, changed_at={"at": "updated", "as": "time"})
    assert (
        record(plan_of.map({"updated": "1970-01-02T00:00:00Z"}, 5)).changed_at_us == 86_400_000_000
    )
    assert record(plan_of.map({}, 5)).changed_at_us == 5
    unreadable = plan_of.map({"updated": "lately"}, 5)
    assert record(unreadable).changed_at_us == 5
    assert [drift.field for drift in unreadable.drifts] == ["changed_at"]
    assert record(person({}).map({}, 7)).changed_at_us == 7


def test_a_record_may_say_what_entity_it_is() -> None:
    section = {
        "entity": {"at": "kind", "as": [{"enum": {"org": "organization"}}], "default": "person"},
        "fields": {"display_name": "fn", "given_name": "first", "legal_name": "fn"},
    }
    firm = record(plan(section).map({"kind": "ORG", "fn": "Acme", "first": "x"}))
    assert (firm.entity, firm.values) == (
        "organization",
        {"display_name": "Acme", "legal_name": "Acme"},
    )
    ann = record(plan(section).map({"fn": "Ann", "first": "Ann"}))
    assert (ann.entity, ann.values) == ("person", {"display_name": "Ann", "given_name": "Ann"})
    odd = plan(section).map({"kind": "robot", "fn": "R2"})
    assert record(odd).entity == "person"
    assert [drift.field for drift in odd.drifts] == ["entity"]


def test_a_new_field_is_fine_unless_the_section_says_fail() -> None:
    fields = {"given_name": "properties.first"}
    payload = {"properties": {"first": "Ann", "second": 2}, "fresh": 1}
    assert values(fields, payload) == {"given_name": "Ann"}
    assert values(fields, payload, unknown="drop") == {"given_name": "Ann"}
    with pytest.raises(RecordError, match="fresh") as caught:
        person(fields, unknown="fail").map(payload)
    assert "replay" in caught.value.remedy


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("clearwater_hooks")
    monkeypatch.setitem(sys.modules, "clearwater_hooks", module)
    return module


def test_a_hook_reshapes_the_payload_and_leaves_the_original_alone(hooks: ModuleType) -> None:
    def reshape(payload: dict[str, Any]) -> dict[str, Any]:
        payload["inner"]["name"] = payload["inner"]["name"].title()
        return payload["inner"]  # type: ignore[no-any-return]

    hooks.reshape = reshape  # type: ignore[attr-defined]
    payload = {"inner": {"name": "ann"}}
    fields = {"given_name": "name"}
    assert values(fields, payload, hook="clearwater_hooks:reshape") == {"given_name": "Ann"}
    assert payload == {"inner": {"name": "ann"}}


def test_a_hook_that_fails_costs_its_record_only_and_tells_no_value(hooks: ModuleType) -> None:
    def fails(payload: dict[str, Any]) -> dict[str, Any]:
        raise ValueError(payload["secret"])

    hooks.fails, hooks.none = fails, lambda _payload: None  # type: ignore[attr-defined]
    with pytest.raises(RecordError, match="failed \\(ValueError\\)") as caught:
        person({}, hook="clearwater_hooks:fails").map({"secret": "canary"})
    assert "canary" not in str(caught.value)
    with pytest.raises(RecordError, match="gave no object"):
        person({}, hook="clearwater_hooks:none").map({})


@pytest.mark.parametrize("hook", ["clearwater_nowhere:f", "email_validator:nothing_here"])
def test_a_hook_that_cannot_be_loaded_is_a_matter_for_the_admin(hook: str) -> None:
    with pytest.raises(ConfigError, match="cannot be loaded"):
        person({}, hook=hook).map({})


def test_records_together_say_what_each_says_alone() -> None:
    fields = {"given_name": "name", "created_at": {"at": ["made", "born"], "as": "time"}}
    more = {"identity": [{"strong": "number", "at": "id"}], "unknown": "fail"}
    plan_of = person(fields, **more)
    payloads: list[dict[str, Any]] = [
        {"id": "1", "name": "Ann", "made": "2026-01-01T00:00:00Z", "born": None},
        {"id": "2", "name": "Bob", "made": "never", "born": "2026-01-02T00:00:00Z"},
        {"id": "3", "name": "Cay", "made": " ", "born": "unknown"},
    ]
    alone = [plan_of.map(payload, 7) for payload in payloads]
    assert plan_of.map_all(payloads, [7, 7, 7]) == alone
    assert [len(one.drifts) for one in alone] == [0, 1, 1]
    assert record(alone[1]).values["created_at"] == "2026-01-02T00:00:00Z"

    odd = {"id": "4", "name": "Dee", "surprise": 1}
    with pytest.raises(RecordError) as refused:
        plan_of.map(odd)
    found = plan_of.map_all([payloads[0], odd, *payloads[1:]], [7, 7, 7, 7])
    assert [found[0], *found[2:]] == alone
    assert isinstance(found[1], RecordError)
    assert found[1].message == refused.value.message


def test_a_stream_of_events_refuses_the_record_that_tells_none() -> None:
    event = {"type": "note", "occurred_at": "when", "subject": "text"}
    plan_of = plan({"events": {"note": event}})
    good = {"when": "2026-01-01T00:00:00Z", "text": "hello"}
    told, refused = plan_of.map_all([good, {"when": "never"}], [None, None])
    assert isinstance(told, Mapped)
    assert len(told.events) == 1
    assert isinstance(refused, RecordError)
