"""Laws of the mapping room: steps can be undone, fast paths change nothing, nothing raises."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from crm_hub.mapping import compile_section, overlay, parse
from crm_hub.mapping.steps import STEPS, Locale, Misfit, contact, phones
from crm_hub.mapping.values import is_blank
from crm_hub.model.canonical import Mapped
from crm_hub.model.errors import ConfigError, RecordError
from crm_hub.model.values import from_us, to_us

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
LOCALES = st.builds(
    Locale,
    st.just("crm1"),
    st.sampled_from(["US", "DE", "GB"]),
    st.sampled_from(ZONES).map(ZoneInfo),
)
TEXTS = st.text(max_size=40).filter(lambda text: "\x00" not in text)
NAMES = st.text("abcXYZ09._-+ äßÉ", min_size=1, max_size=30)
WORDS = st.text("abcXYZ019äß -", min_size=1, max_size=8)
MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2280, 1, 1), timezones=st.just(UTC))
AMOUNTS = st.integers(-(10**15), 10**15)
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "BHD", "CLP"])
MONEY_PARAMS = st.fixed_dictionaries(
    {"currency": CURRENCIES}, optional={"decimal": st.sampled_from(".,")}
)
NUMBERS = st.integers(-(2**62), 2**62) | st.floats(-1e12, 1e12) | AMOUNTS.map(str)
AFFIXES = WORDS.map(str.strip)
SCHEMES = st.sampled_from(["", "HTTP://", "https://u:p@"])
HOST_PREFIXES = st.sampled_from(["", "http://", "www.", "a@"])

# name → what its source values look like, and parameters to run it with
DOMAINS: dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
    "text": (TEXTS, st.none()),
    "multiline": (st.text("ab \t\n\r\u2028é", max_size=30), st.none()),
    "lower": (TEXTS, st.none()),
    "upper": (TEXTS, st.none()),
    "lines": (st.text("ab \n\ré", max_size=30), st.none()),
    "split": (st.text("ab ;,|", max_size=30), st.sampled_from([";", ",", " | "])),
    "join": (st.lists(st.text("abc ", min_size=1, max_size=5), max_size=4), st.just("; ")),
    "affix": (TEXTS, st.fixed_dictionaries({"prefix": AFFIXES, "suffix": AFFIXES})),
    "email": (st.builds("{}@{}.example".format, NAMES, NAMES), st.none()),
    "phone": (st.text("+0123456789()-. x", min_size=1, max_size=18), st.none()),
    "url": (st.builds("{}{}.example/{}".format, SCHEMES, NAMES, TEXTS), st.none()),
    "domain": (st.builds("{}{}.Example".format, HOST_PREFIXES, NAMES), st.none()),
    "address": (st.dictionaries(st.sampled_from(["street", "city", "x"]), WORDS), st.none()),
    "date": (MOMENTS.map(lambda m: m.date().isoformat()), st.none()),
    "time": (MOMENTS.map(datetime.isoformat), st.none()),
    "number": (NUMBERS, st.sampled_from([None, {"decimal": ","}, {"decimal": "."}])),
    "integer": (st.integers(-(2**62), 2**62).map(str), st.none()),
    "bool": (st.sampled_from([True, False, "yes", "nein", 0, 1]), st.none()),
    "not": (st.sampled_from([True, False, "yes", "nein", 0, 1]), st.none()),
    "money": (AMOUNTS.map(lambda n: f"{n}"), MONEY_PARAMS),
    "enum": (st.sampled_from(["a", "B", "true"]), st.just({"A": "x", "b": "y", True: "z"})),
}  # fmt: skip


def test_every_step_that_can_be_written_back_has_a_law() -> None:
    assert set(STEPS) - set(DOMAINS) == {"first"}, "first drops the other items"


@pytest.mark.parametrize("name", sorted(DOMAINS))
@settings(max_examples=120, deadline=None)
@given(data=st.data(), locale=LOCALES)
def test_what_a_step_writes_back_is_read_as_the_same_value(
    name: str, data: st.DataObject, locale: Locale
) -> None:
    sources, params = DOMAINS[name]
    step = STEPS[name].build(data.draw(params), locale)
    assert step.outbound is not None
    try:
        value = step.inbound(data.draw(sources))
    except Misfit:
        assume(False)
        return
    assume(not is_blank(value))
    assert step.inbound(step.outbound(value)) == value


@settings(max_examples=300, deadline=None)
@given(units=AMOUNTS, currency=CURRENCIES, sign=st.sampled_from([".", ",", ""]))
def test_every_amount_of_money_survives_writing_and_reading(
    units: int, currency: str, sign: str
) -> None:
    params = {"currency": currency} | ({"decimal": sign} if sign else {})
    step = STEPS["money"].build(params, Locale("c", "US", ZoneInfo("UTC")))
    value = {"minor_units": units, "currency": currency}
    assert step.outbound is not None
    assert step.inbound(step.outbound(value)) == value


@settings(max_examples=300, deadline=None)
@given(moment=MOMENTS, zone=st.sampled_from(ZONES))
def test_a_time_with_an_offset_keeps_its_instant_in_every_zone(moment: datetime, zone: str) -> None:
    step = STEPS["time"].build(None, Locale("c", "US", ZoneInfo(zone)))
    local = moment.astimezone(ZoneInfo(zone)).isoformat()
    assert step.instant is not None
    assert step.instant(local) == to_us(moment)
    text = step.inbound(local)
    assert datetime.fromisoformat(text) == moment
    assert text.endswith("Z")


@settings(max_examples=300, deadline=None)
@given(wall=st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1)), zone=st.sampled_from(ZONES))
@example(wall=datetime(2026, 3, 8, 2, 30), zone="America/New_York")
@example(wall=datetime(2026, 11, 1, 1, 30), zone="America/New_York")
@example(wall=datetime(2026, 10, 4, 2, 15), zone="Australia/Lord_Howe")
def test_a_local_time_is_its_first_occurrence_or_the_offset_before_a_skip(
    wall: datetime, zone: str
) -> None:
    instant = STEPS["time"].build(None, Locale("c", "US", ZoneInfo(zone))).instant
    assert instant is not None
    read = from_us(instant(wall.isoformat()))
    day_before = (wall - timedelta(days=1)).replace(tzinfo=ZoneInfo(zone)).utcoffset()
    back = read.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if back == wall:
        earlier = (read - timedelta(hours=2)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert earlier < wall, "of two occurrences the first"
    else:
        assert day_before is not None
        assert read.replace(tzinfo=None) == wall - day_before, "skipped: the offset before"


@settings(max_examples=200, deadline=None)
@given(
    day=st.dates(datetime(1990, 1, 1).date(), datetime(2036, 1, 1).date()),
    style=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %B %Y"]),
)
def test_a_date_in_a_given_format_is_written_back_in_it(day: Any, style: str) -> None:
    step = STEPS["date"].build(style, Locale("c", "US", ZoneInfo("UTC")))
    assert step.outbound is not None
    assert step.inbound(day.strftime(style)) == day.isoformat()
    assert step.outbound(day.isoformat()) == day.strftime(style)


def _library_email(text: str) -> str | None:
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    return found.normalized if "." in found.domain else None


_LABELS = st.text("abzXY09-", min_size=1, max_size=12)
_LOCALS = st.text("abzXY09._+-", min_size=1, max_size=70)


@settings(max_examples=1500, deadline=None)
@given(
    st.builds(
        "{}@{}".format,
        _LOCALS,
        st.lists(_LABELS, min_size=1, max_size=6).map(".".join),
    )
)
@example("a" * 64 + "@x.example")
@example("a@" + "b" * 60 + ".co")
@example("a@ab--c.example")
@example("a@xn--bcher-kva.example")
@example("a@1.2")
@example("a@x.c0m")
def test_the_fast_path_for_mail_addresses_equals_the_library(text: str) -> None:
    try:
        got: str | None = contact.email(text)
    except Misfit:
        got = None
    assert got == _library_email(text)


def _library_phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return text
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164} ext. {number.extension}" if number.extension else e164


_DIGITS = st.text("0123456789", min_size=3, max_size=4)
_NORTH_AMERICAN = st.builds(
    "{}{}{}{}{}{}{}".format,
    st.sampled_from(["", "+1", "1", "+1 ", "1-", "+1.", "+ 1", "+"]),
    st.sampled_from(["", "(", " ("]),
    st.text("0123456789", min_size=3, max_size=3),
    st.sampled_from(["", ")", ") ", "-", ".", " ", ")-"]),
    st.text("0123456789", min_size=3, max_size=3),
    st.sampled_from(["", "-", ".", " "]),
    _DIGITS,
)


@settings(max_examples=1500, deadline=None)
@given(text=_NORTH_AMERICAN, region=st.sampled_from(["US", "CA", "DE", "GB", "BR"]))
def test_the_fast_path_for_phone_numbers_equals_the_library(text: str, region: str) -> None:
    assert contact.phone_in_e164(text, region) == _library_phone(text, region)


_CODES = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_GROUPS = st.lists(
    st.builds("{}{}".format, st.sampled_from(["", " ", "-", ".", "/", "  "]), st.text("0123456789", min_size=1, max_size=5)),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip
_ABROAD = st.builds("+{}{}".format, _CODES, _GROUPS)
_AT_HOME = st.builds(
    "{}{}".format, st.sampled_from(["0", "(0", "08", "00", "01", "0 ", "(0)", "(030)"]), _GROUPS
)


@settings(max_examples=1500, deadline=None)
@given(
    text=_ABROAD | _AT_HOME,
    region=st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)) | st.sampled_from(["DE", ""]),
)
def test_the_fast_paths_for_numbers_of_all_countries_equal_the_library(
    text: str, region: str
) -> None:
    assert contact.phone_in_e164(text, region) == _library_phone(text, region)


def test_usual_numbers_take_the_fast_path() -> None:
    assert phones.international("+49 151 5550100") == "+491515550100"
    assert phones.national("(030) 555-0100", "DE") == "+49305550100"
    assert phones.national("030 5550100", "US") is None
    assert phones.international("+44 020 7946 0958") is None, "a zero after the country"


_URL_TAILS = st.text("abzXY09._/=&+-:?#@%", max_size=30)


@settings(max_examples=600, deadline=None)
@given(st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), _LABELS, _URL_TAILS))
def test_the_fast_path_for_urls_equals_the_slow_one(text: str) -> None:
    if contact.PLAIN_URL.fullmatch(text):
        assert contact.parsed_url(text) == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
    | st.sampled_from(["2026-03-10", "ann@acme.example", "212-555-0147", "12,50 €", "1773146400"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_PAYLOADS = st.dictionaries(st.sampled_from("abcdefgh"), _JSON, max_size=8)

_EVERYTHING = compile_section(
    {
        "entity": {"at": "h", "as": {"enum": {"org": "organization"}}, "default": "person"},
        "changed_at": {"at": ["h", "a"], "as": "time"},
        "identity": [{"strong": "id", "at": "a.b"}, {"match": "email"}, {"match": "phone"}],
        "fields": {
            "display_name": {"join": [{"at": "a"}, {"at": "b.c"}], "with": " "},
            "given_name": "a.b",
            "email": {"at": ["b", "c"], "as": {"split": ";"}},
            "phone": "c",
            "url": {"at": "d"},
            "domain": {"at": "d"},
            "birthday": "e",
            "created_at": {"at": "f", "as": ["lower", "time"]},
            "annual_revenue": {"at": "g", "as": {"money": {"currency_at": "h"}}},
            "employees": "g",
            "note": "h",
            "tags": {"at": ["a", "b.[c=x].a"], "as": ["lines", "upper"]},
            "address": {"of": {"street": "a", "city": {"at": "b.0"}}},
            "stage": {
                "at": "f",
                "as": {"enum": {"x": "lead", "*": "customer"}},
                "when": {"at": "a", "present": True},
            },
        },
        "links": {"employer": {"entity": "organization", "strong": "org", "at": ["e", "f"]}},
        "events": {
            "made": {
                "type": {"at": "h", "as": {"enum": {"x": "note", "*": "task.done"}}},
                "occurred_at": {"at": ["a", "e"]},
                "key": ["x", {"at": "b"}],
                "near": {"by": [{"at": "c"}], "within_s": 1},
                "subject": {"at": "a"},
                "seq": {"at": "g"},
                "visibility": {"at": "d"},
                "attributes": {"all": {"at": "."}, "split": {"at": "c", "as": {"split": ","}}},
                "participants": [
                    {"role": "to", "match": "email", "each": "b", "at": ["a", "."], "name": "c"},
                    {"role": "caller", "match": "phone", "at": "c"},
                ],
            }
        },
    },
    name="everything", connection="crm1", region="US", zone="America/New_York",
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(_PAYLOADS)
def test_no_payload_breaks_a_mapping_and_mapping_is_deterministic(payload: dict[str, Any]) -> None:
    first = _EVERYTHING.map(payload, 5)
    assert first == _EVERYTHING.map(payload, 5)
    assert isinstance(first, Mapped)
    assert first.record is not None
    for value in first.record.values.values():
        assert not is_blank(value)
    for event in first.events:
        assert isinstance(event.occurred_at_us, int)


@settings(max_examples=300, deadline=None)
@given(_PAYLOADS)
def test_a_section_of_events_maps_or_makes_a_dead_letter(payload: dict[str, Any]) -> None:
    events = {"e": {"type": "note", "occurred_at": {"at": ["a", "b"]}}}
    plan = compile_section({"events": events}, name="s", connection="c", region="US", zone="UTC")
    try:
        mapped = plan.map(payload)
    except RecordError:
        return
    assert len(mapped.events) == 1


_FIELDS = st.dictionaries(
    st.sampled_from(["given_name", "family_name", "title", "note"]), st.sampled_from("pqr")
)


def _file(fields: dict[str, str], *, complete: bool = True) -> Any:
    lines = "".join(f"      {name}: {path}\n" for name, path in fields.items())
    head = "version: 1\nconnector: c\nstreams:\n  s:\n    entity: person\n    fields:\n"
    return parse(head + lines, "c.yaml", complete=complete)


@settings(max_examples=60, deadline=None)
@given(base=_FIELDS, over=_FIELDS)
def test_an_overlay_is_the_union_of_fields_with_the_later_file_winning(
    base: dict[str, str], over: dict[str, str]
) -> None:
    merged = overlay(_file(base), _file(over))
    paths = {name: rule.at[0] for name, rule in merged.sections["s"].fields.items()}
    assert paths == base | over


@settings(max_examples=300, deadline=None)
@given(st.text("abcs: \n-[]{}'\"&*!|>#?,0.~\t", max_size=120))
def test_any_text_is_a_mapping_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        assert parse(f"version: 1\nconnector: c\n{text}", "c.yaml").connector.startswith("c")
