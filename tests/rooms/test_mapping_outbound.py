"""The mapping backwards: what goes out, where it goes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from crm_hub.mapping import compile_outbound, compile_plan, lint, parse
from crm_hub.model.entities import BOOKED
from crm_hub.model.errors import ConfigError
from crm_hub.model.routes import OutSection, Unfit

HEAD = "version: 1\nconnector: x\nstreams:\n  contacts:\n    entity: person\n    fields:\n"


def out(fields: str, tail: str = "") -> OutSection | None:
    file = parse(HEAD + fields + tail, "x.yaml")
    return compile_outbound(
        "contacts", file.sections["contacts"], connection="x", region="US", zone="UTC", digest=""
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title: {at: title, dir: both}", "Buyer"),
        ("title: {at: properties.job.title, dir: both}", "Buyer"),
        ("title: {at: 'columns.[name=Job].value', dir: both}", "Buyer"),
        ("email: {at: emails.value, dir: both}", ["a@x.example", "b@x.example"]),
        ("email: {at: email, dir: both, as: {split: ;}}", ["a@x.example", "b@x.example"]),
        ("stage: {at: stage, dir: both, as: {enum: {sql: sales_qualified}}}", "sales_qualified"),
        (
            "address: {of: {street: s, city: a.c}, dir: both}",
            [{"street": "Main St 1", "city": "Boston"}],
        ),
        ("birthday: {at: born, dir: both}", "1980-02-03"),
    ],
)
def test_what_is_written_is_read_as_the_same_value(field: str, value: Any) -> None:
    section = out(f"      {field}\n")
    assert section is not None
    ((name, one),) = section.fields.items()
    payload = section.put({"other": 1}, one.render(value))
    assert payload["other"] == 1
    assert one.found(payload) == one.render(value)
    file = parse(HEAD + f"      {field}\n", "x.yaml")
    plan = compile_plan(file, connection="x", region="US", zone="UTC")
    record = plan.sections["contacts"].map(payload).record
    assert record is not None
    assert record.values == {name: value}


def test_putting_a_list_keeps_what_else_stands_beside_an_item() -> None:
    section = out("      email: {at: emails.value, dir: both}\n")
    assert section is not None
    there = {"emails": [{"value": "a@x.example", "type": "work"}, {"value": "b@x.example"}]}
    payload = section.put(there, {"emails.value": ["c@x.example", "a@x.example"]})
    assert payload["emails"] == [
        {"value": "c@x.example"},
        {"value": "a@x.example", "type": "work"},
    ]
    assert there["emails"][1] == {"value": "b@x.example"}


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("email: {at: [a, b], dir: both}", "exactly one path"),
        ("title: {at: a, as: [{enum: {x: y, z: y}}], dir: both}", "a step cannot be written back"),
        ("title: {at: a, default: none, dir: push}", "`default`"),
        ("title: {at: a, when: {at: b, is: c}, dir: both}", "`when`"),
        ("title: {join: [{at: a}, {at: b}], dir: both}", "exactly one path"),
    ],
)
def test_a_field_that_cannot_be_written_back_is_refused(field: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        out(f"      {field}\n")


def test_a_value_the_target_cannot_take_is_unfit() -> None:
    section = out(
        "      title: {at: t, dir: both, longest: 5}\n"
        "      stage: {at: s, dir: both, as: {enum: {a: lead}}}\n"
    )
    assert section is not None
    with pytest.raises(Unfit, match="longer than the 5"):
        section.fields["title"].render("Director")
    with pytest.raises(Unfit, match="no word"):
        section.fields["stage"].render("customer")


def test_a_field_that_is_only_written_is_not_read() -> None:
    file = parse(HEAD + "      title: {at: t, dir: push}\n      note: n\n", "x.yaml")
    plan = compile_plan(file, connection="x", region="US", zone="UTC")
    record = plan.sections["contacts"].map({"t": "x", "n": "y"}).record
    assert record is not None
    assert record.values == {"note": "y"}


def test_a_section_without_outbound_fields_writes_nothing() -> None:
    assert out("      title: t\n") is None


@pytest.mark.parametrize("entity", sorted(BOOKED))
def test_what_is_booked_is_never_written(entity: str) -> None:
    text = (
        f"version: 1\nconnector: x\nstreams:\n  docs:\n    entity: {entity}\n"
        "    identity: [{strong: number, at: id}]\n"
        "    fields: {display_name: {at: number, dir: both}}\n"
    )
    file = parse(text, "x.yaml")
    with pytest.raises(ConfigError, match=f"{entity}s are booked elsewhere and never written"):
        compile_outbound(
            "docs", file.sections["docs"], connection="x", region="US", zone="UTC", digest="d"
        )
    (finding,) = [one for one in lint(file, []) if one.severity == "warning"]
    assert f"{entity}s are booked elsewhere and never written" in finding.message
