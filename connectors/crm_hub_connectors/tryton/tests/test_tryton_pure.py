"""What needs no server: Tryton's JSON, the set of ids, kinds of parties, sums of invoices."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.tryton import codec, kinds
from crm_hub_connectors.tryton.known import Known
from crm_hub_connectors.tryton.rpc import FaultError, error_of
from crm_hub_connectors.tryton.settings import TrytonSettings
from crm_hub_connectors.tryton.shape import change_of
from crm_hub_connectors.tryton.streams import INVOICES, PARTIES, PAYMENTS
from crm_hub_connectors.tryton.walk import Walk
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_hub.sdk import AuthRefused, CheckpointExpired, ConfigError, RecordError, Unavailable
from crm_hub.sdk.testing import corpus

FIXTURES = Path(__file__).parents[1] / "fixtures"
TODAY = date(2026, 3, 10)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_an_amount_comes_through_as_it_was_written(amount: Decimal) -> None:
    text = codec.decoded({"__class__": "Decimal", "decimal": str(amount)})
    assert isinstance(text, str)
    assert Decimal(text) == amount


@pytest.mark.parametrize("text", ["0.1", "12.40", "-0.00", "1E+3", "99999999999999999999.99"])
def test_an_amount_loses_no_digit(text: str) -> None:
    shown = codec.decoded({"__class__": "Decimal", "decimal": text})
    assert Decimal(shown) == Decimal(text)
    assert "e" not in shown.lower()


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_goes_out_and_comes_back_to_the_microsecond(moment: datetime) -> None:
    text = codec.decoded(codec.encoded(moment))
    assert datetime.fromisoformat(text) == moment


def test_days_and_spans_are_read_and_dotted_names_lose_their_dot() -> None:
    day = {"__class__": "date", "year": 2026, "month": 3, "day": 1}
    span = {"__class__": "timedelta", "seconds": 90.5}
    row = {"party.": {"id": 3, "lang.": {"code": "de"}}, "on": day, "for": span}
    assert codec.decoded(row) == {
        "party": {"id": 3, "lang": {"code": "de"}}, "on": "2026-03-01", "for": 90.5,
    }  # fmt: skip


MALFORMED: list[Any] = [
    {"__class__": "Decimal", "decimal": 12.4},
    {"__class__": "Decimal", "decimal": "NaN"},
    {"__class__": "Decimal", "decimal": "twelve"},
    {"__class__": "Decimal"},
    {"__class__": "date", "year": 2026, "month": 13, "day": 1},
    {"__class__": "date", "year": "x", "month": 1, "day": 1},
    {"__class__": "Fraction", "n": 1},
    {"a": float("inf")},
]


@pytest.mark.parametrize("value", MALFORMED)
def test_a_value_that_tryton_does_not_write_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        codec.decoded(value)


def test_a_deep_answer_is_refused_in_time() -> None:
    value: Any = []
    for _ in range(500):
        value = [value]
    with pytest.raises(codec.Malformed):
        codec.decoded(value)


def shaped(text: bytes) -> object:
    """Read a row as the connector does; `corpus` wants a HubError for what is malformed."""
    try:
        return change_of(INVOICES, json.loads(text), TODAY)
    except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError, RecursionError):
        raise RecordError("the row is malformed") from None


def test_nasty_rows_cost_neither_time_nor_memory() -> None:
    good = (FIXTURES / "invoice.json").read_bytes()
    cases = {
        "whole": good,
        "cut": good[:200],
        "huge amount": good.replace(b'"356.96"', b'"1E+999999999"'),
        "tiny amount": good.replace(b'"356.96"', b'"1E-999999999"'),
        "many lines": b'{"id": 1, "lines": [' + b'{"a": 1},' * 100_000 + b'{"a": 1}]}',
        "deep": b'{"id": 1, "a": ' + b"[" * 900 + b"]" * 900 + b"}",
    }
    found = corpus.run("crm_hub_connectors.tryton.tests.test_tryton_pure:shaped", cases)
    assert not [one for one in found if one.is_bad], corpus.report(found)
    assert [one.outcome for one in found] == ["read", *["refused"] * 5]


@given(st.sets(st.integers(0, 5_000)), st.sets(st.integers(0, 5_000)))
def test_a_set_of_ids_survives_its_checkpoint(added: set[int], removed: set[int]) -> None:
    known = Known()
    known.add(added)
    known.remove(removed)
    again = Known.load(known.dump())
    assert set(again) == added - removed
    assert len(again) == len(known) == len(added - removed)


def test_a_hundred_thousand_ids_fit_in_a_checkpoint() -> None:
    known = Known()
    known.add(range(1, 300_000, 3))
    assert len(known.dump()) < 1_000
    assert len(known) == 100_000


@pytest.mark.parametrize(
    "checkpoint",
    [{"known": "!!"}, {"since": "yesterday"}, {"after": "x"}, {"day": 7}, {"known": "AAAA"}],
)
def test_a_checkpoint_of_somebody_else_has_expired(checkpoint: dict[str, Any]) -> None:
    with pytest.raises(CheckpointExpired):
        Walk.load(checkpoint)


@pytest.mark.parametrize(
    ("party", "kind"),
    [
        ({"name": "Ann Bell"}, ""),
        ({"name": "Harbor Lane Books GmbH"}, "organization"),
        ({"name": "Osaka Mills, Ltd."}, "organization"),
        ({"name": "Marlow & Finch LLP"}, "organization"),
        ({"name": "Cody Se"}, "organization"),
        ({"name": "Gmbhard Inchley"}, ""),
        ({"name": None}, ""),
        ({"name": "Kai Ott", "identifiers": [{"type": "eu_vat", "code": "DE1"}]}, "organization"),
        ({"name": "Kai Ott", "identifiers": [{"type": "fr_siret", "code": "1"}]}, "organization"),
        ({"name": "Kai Ott", "identifiers": [{"type": "us_ssn", "code": "1"}]}, ""),
        ({"name": "Books GmbH", "categories": [{"name": "Person"}]}, "person"),
        ({"name": "Kai Ott", "categories": [{"name": "x"}, {"name": "Company"}]}, "organization"),
    ],
)
def test_a_party_is_what_its_category_numbers_or_name_say(party: dict[str, Any], kind: str) -> None:
    assert kinds.kind_of(party) == kind


@pytest.mark.parametrize(
    ("error", "family"),
    [
        (["UserError", ["You are not allowed to access \"Sale\".", "", None]], ConfigError),
        (["UserWarning", ["name", "Really post it?", ""]], ConfigError),
        (["LoginException", ["code", "Code for hub", "char"]], AuthRefused),
        (["ConcurrencyException", "Records were modified"], Unavailable),
        (["'sale.sale'", ""], FaultError),
        ([], FaultError),
        ("text", FaultError),
        ({"a": 1}, FaultError),
    ],
)  # fmt: skip
def test_an_error_with_status_200_finds_its_family(error: Any, family: type[Exception]) -> None:
    assert type(error_of("model.sale.sale.read", error)) is family


def test_the_text_of_a_bug_in_tryton_is_not_passed_on() -> None:
    shown = str(error_of("model.party.party.read", ["ann@bell.example is wrong", "Traceback"]))
    assert "ann" not in shown
    assert "Traceback" not in shown


# invoices ---------------------------------------------------------------------------------


def invoice(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = json.loads((FIXTURES / "invoice.json").read_bytes())
    row.update(changes)
    payload = change_of(INVOICES, row, TODAY).payload
    assert payload is not None
    return payload


def test_a_part_payment_goes_to_the_oldest_instalment() -> None:
    found = invoice()
    assert found["dues"] == ["2026-02-20 USD 128.48", "2026-04-21 USD 178.48"]
    assert (found["due_on"], found["overdue_on"]) == ("2026-02-20", "2026-02-21")


def test_an_instalment_that_is_paid_is_no_longer_due() -> None:
    left = {"__class__": "Decimal", "decimal": "100.00"}
    found = invoice(amount_to_pay=left)
    assert "dues" not in found
    assert (found["due_on"], found["overdue_on"]) == ("2026-04-21", None)


def test_a_cancelled_invoice_is_never_overdue() -> None:
    assert invoice(state="cancelled")["overdue_on"] is None


def test_what_was_paid_late_stays_told_as_overdue_and_what_was_paid_in_time_is_not() -> None:
    day = {"__class__": "date", "year": 2026, "month": 4, "day": 21}
    assert invoice(state="paid", reconciled=day)["overdue_on"] is None
    assert invoice(state="paid", reconciled={**day, "day": 22})["overdue_on"] == "2026-04-22"


def test_a_payment_counts_as_unallocated_only_without_an_invoice() -> None:
    row = json.loads((FIXTURES / "payment.json").read_bytes())
    used, free = row, {**row, "invoice_payments.": []}
    shown = [change_of(PAYMENTS, one, TODAY).payload or {} for one in (used, free)]
    assert [(p["received"], p["unallocated"]) for p in shown] == [
        ("50.00", "0"),
        ("50.00", "50.00"),
    ]
    assert change_of(PAYMENTS, {**free, "reconciliation": 4}, TODAY).payload["unallocated"] == "0"  # type: ignore[index]


def test_a_party_is_as_new_as_the_newest_of_what_belongs_to_it() -> None:
    row = json.loads((FIXTURES / "party.json").read_bytes())
    change = change_of(PARTIES, row, TODAY)
    assert change.changed_at == datetime(2026, 3, 5, 8, 30, 0, 17, tzinfo=UTC)
    assert change.version is not None
    own, _, children = change.version.partition("/")
    assert own == "1772524800.00000"
    row["contact_mechanisms."][0]["_timestamp"] = "1772524999.00000"
    moved = change_of(PARTIES, row, TODAY).version or ""
    assert moved.startswith(own)
    assert moved != change.version
    assert children
    assert change.payload is not None
    # Archived contact data is left out.
    assert [c["value"] for c in change.payload["contact_mechanisms"]] == ["pia@harborlane.example"]


# settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://erp.example"}, {"url": "erp.example"}, {"url": "https://a:b@erp.example"},
        {"url": "https://erp.example/?x=1"}, {"database": "../erp"}, {"streams": "partys"},
        {"username": "a:b"}, {"page_size": 0},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    good = {"url": "https://erp.example", "database": "erp", "username": "hub", "password": "x"}
    TrytonSettings.model_validate(good)
    with pytest.raises(ValidationError):
        TrytonSettings.model_validate({**good, **wrong})
