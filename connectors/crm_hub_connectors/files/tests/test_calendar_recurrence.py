"""A recurrence rule names the days that dateutil names, and never takes longer than its span."""

from __future__ import annotations

import datetime as stdlib_datetime
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from types import SimpleNamespace

import dateutil.rrule
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.sdk.formats.recurrence import occurrences, parse_rule

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@pytest.fixture(autouse=True, scope="module")
def _dateutil_stops_in_2035() -> Iterator[None]:
    """Let dateutil give up a rule that never matches before the year 9999."""
    sooner = SimpleNamespace(**{**vars(stdlib_datetime), "MAXYEAR": 2035})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dateutil.rrule, "datetime", sooner)
        yield


starts = st.datetimes(datetime(2015, 1, 1), datetime(2027, 12, 31)).map(
    lambda d: d.replace(microsecond=0, fold=0)
)


def _csv(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(
        lambda v: ",".join(map(str, v))
    )


def _some(draw: st.DrawFn, name: str, values: st.SearchStrategy[object]) -> list[str]:
    return [f"{name}={draw(_csv(values))}"] if draw(st.booleans()) else []


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 4))}"]
    weekdays: st.SearchStrategy[object] = st.sampled_from(DAYS)
    month_day = st.integers(1, 31) | st.integers(-31, -1)
    if freq in ("MONTHLY", "YEARLY"):
        if draw(st.booleans()):
            # Never both kinds in one list: dateutil then gives no day, the RFC all of them.
            ordinals = st.sampled_from([1, 2, 4, 5, -1, -2])
            weekdays = st.builds("{}{}".format, ordinals, weekdays)
        parts += _some(draw, "BYMONTHDAY", month_day)
    if freq == "YEARLY" and draw(st.booleans()):
        parts += _some(draw, "BYYEARDAY", st.integers(1, 366) | st.integers(-366, -1))
        weekdays = st.sampled_from(DAYS)
    parts += _some(draw, "BYDAY", weekdays)
    parts += _some(draw, "BYMONTH", st.integers(1, 12))
    if len(parts) > 2 and freq != "WEEKLY":
        # dateutil counts the places of the first week from DTSTART on, the RFC from its first day.
        parts += _some(draw, "BYSETPOS", st.sampled_from([1, 2, 3, -1, -2]))
    if draw(st.booleans()):
        parts += _some(draw, "BYHOUR", st.integers(0, 23))
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 30))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    return ";".join(parts)


def _expected(rule: str, start: datetime, last: datetime) -> list[datetime]:
    return list(takewhile(lambda d: d <= last, rrulestr(rule, dtstart=start)))


@settings(max_examples=400, deadline=None)
@given(rule=rules(), start=starts)
def test_a_rule_names_the_days_that_dateutil_names(rule: str, start: datetime) -> None:
    last = start + timedelta(days=3 * 366)
    expected = _expected(rule, start, last)
    if start not in expected:
        # DTSTART is the first instance (RFC 5545 3.8.5.3); dateutil leaves it out.
        expected = [start, *expected]
        if "COUNT" in rule:
            count = int(rule.partition("COUNT=")[2].partition(";")[0])
            expected = expected[:count]
    assert list(occurrences(parse_rule(rule), start, last)) == expected


@settings(max_examples=200, deadline=None)
@given(rule=rules(), start=starts, skip=st.integers(0, 1_000))
def test_beginning_later_gives_the_same_days_from_there_on(
    rule: str, start: datetime, skip: int
) -> None:
    first, last = start + timedelta(days=skip), start + timedelta(days=skip + 800)
    parsed = parse_rule(rule)
    whole = [d for d in occurrences(parsed, start, last) if d >= first]
    assert list(occurrences(parsed, start, last, first)) == whole


def test_plain_and_numbered_weekdays_add_up() -> None:
    rule = parse_rule("FREQ=MONTHLY;BYDAY=WE,-1MO;BYMONTH=3;COUNT=6")
    days = [d.day for d in occurrences(rule, datetime(2026, 3, 4), datetime(2026, 4, 30))]
    assert days == [4, 11, 18, 25, 30]


def test_places_in_a_week_count_from_its_first_day() -> None:
    rule = parse_rule("FREQ=WEEKLY;BYDAY=MO,TU,FR;BYSETPOS=1")
    days = list(occurrences(rule, datetime(2026, 3, 3), datetime(2026, 3, 20)))
    assert [d.day for d in days] == [3, 9, 16]


def test_until_is_the_last_moment_that_counts() -> None:
    start = datetime(2026, 3, 2, 9)
    rule = parse_rule("FREQ=WEEKLY;UNTIL=20260316T090000")
    assert list(occurrences(rule, start, datetime(2030, 1, 1))) == [
        start, start + timedelta(days=7), start + timedelta(days=14)
    ]  # fmt: skip


def test_a_rule_that_never_matches_gives_its_start_and_ends() -> None:
    rule = parse_rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31")
    start = datetime(2026, 3, 2, 9)
    assert list(islice(occurrences(rule, start, datetime(2200, 1, 1)), 5)) == [start]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FREQ=SECONDLY", "SECONDLY"),
        ("INTERVAL=2", "without FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "between 1"),
        ("FREQ=DAILY;INTERVAL=x", "no number"),
        ("FREQ=YEARLY;BYWEEKNO=20", "week number"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "weekly"),
        ("FREQ=DAILY;BYDAY=1MO", "numbered weekday"),
        ("FREQ=DAILY;BYDAY=XX", "no weekday"),
        ("FREQ=DAILY;BYMONTH=13", "between 1 and 12"),
        ("FREQ=MONTHLY;BYYEARDAY=3", "not yearly"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL"),
    ],
)
def test_a_rule_that_is_refused_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_rule(text)
