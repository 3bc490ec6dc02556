"""The steps by example: what is read, what is blank, what does not fit."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_hub.mapping.steps import STEPS, Locale, Misfit

NEW_YORK = Locale("crm1", "US", ZoneInfo("America/New_York"))


def read(name: str, value: Any, params: Any = None, locale: Locale = NEW_YORK) -> Any:
    return STEPS[name].build(params, locale).inbound(value)


@pytest.mark.parametrize(
    ("name", "params", "value", "expected"),
    [
        ("text", None, "  Ann \t of\n Acme ", "Ann of Acme"),
        ("text", None, 7.0, "7"),
        ("text", None, 7.5, "7.5"),
        ("text", None, True, "true"),
        ("multiline", None, " a  b \r\n\r\n\r\n c ", "a  b\n\n c"),
        ("lower", None, " ANN ", "ann"),
        ("upper", None, " us ", "US"),
        ("lines", None, "a\r\n\n b ", ["a", "b"]),
        ("split", ";", "a; b ;;c", ["a", "b", "c"]),
        ("join", ", ", ["a", " ", "b"], "a, b"),
        ("first", None, ["a", "b"], "a"),
        ("affix", {"prefix": "tel:", "suffix": ";"}, "tel:42;", "42"),
        ("affix", {"prefix": "tel:"}, "42", "42"),
        ("email", None, " Ann.Smith@ACME.Example ", "Ann.Smith@acme.example"),
        ("email", None, "Ann Smith <ann@acme.example>", "ann@acme.example"),
        ("email", None, '"<x>" <ann@acme.example>', "ann@acme.example"),
        ("email", None, "mailto:ann@acme.example", "ann@acme.example"),
        ("email", None, "ann@bücher.example", "ann@bücher.example"),
        ("email", None, "ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("email", None, "ann@server.local", "ann@server.local"),
        ("phone", None, "(212) 555-0147", "+12125550147"),
        ("phone", None, "1-212-555-0147", "+12125550147"),
        ("phone", None, "+49 30 901820", "+4930901820"),
        ("phone", None, 2125550147, "+12125550147"),
        ("phone", None, "212-555-0147 ext. 12", "+12125550147 ext. 12"),
        ("phone", None, "555-0147", "555-0147"),
        ("phone", None, "ask  Ann", "ask Ann"),
        ("url", None, "www.Acme.example/A", "https://www.acme.example/A"),
        ("url", None, "HTTP://Acme.example", "http://acme.example"),
        ("domain", None, "https://www.Acme.example/about", "acme.example"),
        ("domain", None, "ann@Acme.example", "acme.example"),
        ("domain", None, "xn--bcher-kva.example", "bücher.example"),
        ("address", None, "1 Main St", {"street": "1 Main St"}),
        ("address", None, {"city": " Boston", "planet": "x"}, {"city": "Boston"}),
        ("date", None, "2026-03-10", "2026-03-10"),
        ("date", None, "1980-05-01T00:00:00Z", "1980-05-01"),
        ("date", None, 315532800000, "1980-01-01"),
        ("date", None, "20260310", "2026-03-10"),
        ("date", "%d/%m/%Y", "03/04/2026", "2026-04-03"),
        ("date", ["%d/%m/%Y", "%d.%m.%Y"], "3.4.2026", "2026-04-03"),
        ("time", None, "2026-03-10T08:40:00-04:00", "2026-03-10T12:40:00Z"),
        ("time", None, "2026-03-10 08:40", "2026-03-10T12:40:00Z"),
        ("time", None, "2026-03-10 12:40:00 UTC", "2026-03-10T12:40:00Z"),
        ("time", None, "2026-03-10 08:40:00 -0400", "2026-03-10T12:40:00Z"),
        ("time", None, "2026-03-10T12:40:00.5Z", "2026-03-10T12:40:00.500Z"),
        ("time", None, "2026-03-10", "2026-03-10T04:00:00Z"),
        ("time", None, "Tue, 10 Mar 2026 08:40:00 -0400", "2026-03-10T12:40:00Z"),
        ("time", None, "Tue, 10 Mar 2026 12:40:00 -0000", "2026-03-10T12:40:00Z"),
        ("time", None, 1773146400, "2026-03-10T12:40:00Z"),
        ("time", None, "1773146400", "2026-03-10T12:40:00Z"),
        ("time", None, "1773146400000", "2026-03-10T12:40:00Z"),
        ("time", None, "1773146400.25", "2026-03-10T12:40:00.250Z"),
        ("time", None, "20260310084000", "2026-03-10T12:40:00Z"),
        ("time", "%m/%d/%Y %I:%M %p", "03/10/2026 08:40 AM", "2026-03-10T12:40:00Z"),
        ("number", None, "1,234.50", 1234.5),
        ("number", None, "1.234,50", 1234.5),
        ("number", None, "1 234,50", 1234.5),
        ("number", None, "1'234.50", 1234.5),
        ("number", None, "1.234.567", 1234567),
        ("number", None, "(12.50)", -12.5),
        ("number", None, "12.50-", -12.5),
        ("number", None, "0.125", 0.125),
        ("number", None, "1.5E3", 1500),
        ("number", {"decimal": ","}, "1.234", 1234),
        ("number", {"decimal": "."}, "1.234", 1.234),
        ("integer", None, "12.0", 12),
        ("bool", None, "Ja", True),
        ("bool", None, 0, False),
        ("not", None, "true", False),
        ("money", {"currency": "USD"}, "1,234.50", {"minor_units": 123450, "currency": "USD"}),
        ("money", {"currency": "USD"}, "$ 12", {"minor_units": 1200, "currency": "USD"}),
        ("money", {"currency": "USD"}, 0.1 + 0.2, {"minor_units": 30, "currency": "USD"}),
        ("money", {"currency": "JPY"}, "1200", {"minor_units": 1200, "currency": "JPY"}),
        ("money", {"currency": "KWD"}, "1.2340", {"minor_units": 1234, "currency": "KWD"}),
        ("money", {"currency": "EUR"}, "12.5000", {"minor_units": 1250, "currency": "EUR"}),
        ("money", None, "12,50 €", {"minor_units": 1250, "currency": "EUR"}),
        ("money", None, "USD 12.50", {"minor_units": 1250, "currency": "USD"}),
        ("enum", {"Lead": "lead", "sql": "sales_qualified"}, " SQL", "sales_qualified"),
        ("enum", {True: "denied", False: "granted"}, "true", "denied"),
        ("enum", {"a": "b", "*": "other"}, "zzz", "other"),
    ],
)  # fmt: skip
def test_a_value_is_read(name: str, params: Any, value: Any, expected: Any) -> None:
    got = read(name, value, params)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"first", "join"}))
def test_white_space_is_blank_for_every_step(name: str) -> None:
    params = {
        "split": ";",
        "affix": {"prefix": "x"},
        "enum": {"a": "b"},
        "money": {"currency": "USD"},
    }
    assert read(name, "  ", params.get(name)) in (None, "", [], {})


@pytest.mark.parametrize(
    ("name", "params", "value"),
    [
        ("text", None, {"a": 1}),
        ("email", None, "nobody"),
        ("email", None, "a@b@c.example"),
        ("email", None, "a@localhost"),
        ("email", None, "ann@acme.example; bob@acme.example"),
        ("email", None, "x" * 300 + "@acme.example"),
        ("url", None, "javascript://acme.example/%0aalert(1)"),
        ("url", None, "two words.example"),
        ("url", None, "http://[::1"),
        ("url", None, "http://acme.example:notaport"),
        ("domain", None, "localhost"),
        ("domain", None, "a_b!.example"),
        ("domain", None, "xn--\u0000.example"),
        ("date", None, "03/04/2026"),
        ("date", None, "2026-02-30"),
        ("date", "%d/%m/%Y", "2026-03-10"),
        ("time", None, "soon"),
        ("time", None, "0"),
        ("time", None, 0),
        ("time", None, True),
        ("time", None, 1e300),
        ("time", None, "0001-01-01T00:00:00+14:00"),
        ("time", None, "9" * 5000),
        ("time", None, "x" * 100_000),
        ("number", None, "1,234"),
        ("number", None, "1.234"),
        ("number", None, "1,23,456"),
        ("number", None, "12 apples"),
        ("number", None, "9" * 30),
        ("number", None, "1e99"),
        ("number", None, "٣"),
        ("number", None, "-"),
        ("number", None, "."),
        ("number", None, False),
        ("integer", None, "1.5"),
        ("bool", None, "maybe"),
        ("money", {"currency": "USD"}, "12.505"),
        ("money", {"currency": "USD"}, "12 EUR"),
        ("money", {"currency": "USD"}, "12 €"),
        ("money", {"currency": "USD"}, "1,234"),
        ("money", {"currency": "USD"}, {"amount": 3}),
        ("money", {"currency": "USD"}, "1e30"),
        ("money", None, "12"),
        ("money", None, "$12"),
        ("enum", {"a": "b"}, "c"),
    ],
)
def test_a_value_that_does_not_fit_is_named_without_repeating_it(
    name: str, params: Any, value: Any
) -> None:
    with pytest.raises(Misfit) as caught:
        read(name, value, params)
    if isinstance(value, str) and len(value) > 3:
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("text", "x"),
        ("phone", "US"),
        ("split", None),
        ("split", 3),
        ("affix", "x"),
        ("affix", {"prefix": 3}),
        ("enum", {}),
        ("enum", {"a": ["b"]}),
        ("date", "%"),
        ("date", "%Q"),
        ("date", []),
        ("time", 5),
        ("number", {"decimal": "x"}),
        ("money", {"currency": "dollars"}),
        ("money", {"currency": "USD", "currency_at": "x"}),
        ("money", {"currency_at": "a..b"}),
    ],
)
def test_wrong_parameters_of_a_step_are_refused(name: str, params: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        STEPS[name].build(params, NEW_YORK)


def test_a_local_time_that_comes_twice_is_the_first() -> None:
    assert read("time", "2026-11-01 01:30") == "2026-11-01T05:30:00Z"


def test_a_local_time_that_is_skipped_is_read_as_if_the_clock_had_not_changed() -> None:
    assert read("time", "2026-03-08 02:30") == "2026-03-08T07:30:00Z"


def test_a_date_as_an_instant_is_midnight_in_the_zone_on_both_sides_of_a_clock_change() -> None:
    instant = STEPS["date"].build(None, NEW_YORK).instant
    assert instant is not None
    day_us = 86_400_000_000
    assert instant("2026-03-09") - instant("2026-03-08") == day_us * 23 // 24
    assert instant("2026-11-02") - instant("2026-11-01") == day_us * 25 // 24


def test_a_number_without_a_country_is_read_with_the_connections_region() -> None:
    german = NEW_YORK._replace(region="DE")
    assert read("phone", "030 901820", locale=german) == "+4930901820"
    assert read("phone", "212-555-0147", locale=german) != "+12125550147"
    assert read("phone", "+1 212-555-0147", locale=german) == "+12125550147"
