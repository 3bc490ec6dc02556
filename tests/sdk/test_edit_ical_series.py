"""Series of a calendar: one occurrence, exceptions and further dates that are written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.sdk.formats.edit_ical_series import exceptions_of
from crm_hub.sdk.formats.edit_lines import NotWritable
from tests.sdk.editing import LINE, TEXT, ZONE, edit, others, said
from tests.sdk.entries_as_made import (
    APPLE_EVENT,
    HAND_MADE,
    OUTLOOK_SERIES,
)

# series ----------------------------------------------------------------------------------------


def occurrence(raw: bytes, mark: str) -> dict[str, Any]:
    found = said(raw)
    top = {k: v for k, v in found.items() if k != "occurrences"}
    return next({**top, **o} for o in found["occurrences"] if o["recurrence_id"] == mark)


def test_one_occurrence_that_is_edited_gets_an_override_of_its_own() -> None:
    mark = "20260224T080000Z"
    path = f"occurrences.[recurrence_id={mark}]"
    after = edit(OUTLOOK_SERIES, {f"{path}.summary": "Call, moved", f"{path}.start": "2026-02-24T10:00:00+00:00",
                                  f"{path}.end": "2026-02-24T10:30:00+00:00"})  # fmt: skip
    assert after.startswith(OUTLOOK_SERIES.removesuffix(b"END:VCALENDAR\r\n"))
    fresh = after[len(OUTLOOK_SERIES) - len(b"END:VCALENDAR\r\n") :]
    assert b'RECURRENCE-ID;TZID="W. Europe Standard Time":20260224T090000\r\n' in fresh
    assert b'DTSTART;TZID="W. Europe Standard Time":20260224T110000\r\n' in fresh
    assert b"RRULE" not in fresh
    assert b"EXDATE" not in fresh
    assert fresh.count(b"BEGIN:VALARM") == 1
    now = occurrence(after, mark)
    assert (now["summary"], now["start"]) == ("Call, moved", "2026-02-24T10:00:00+00:00")
    before = [o for o in said(OUTLOOK_SERIES)["occurrences"] if o["recurrence_id"] != mark]
    assert [o for o in said(after)["occurrences"] if o["recurrence_id"] != mark] == before
    again = edit(after, {f"{path}.summary": "Call"})
    assert again.count(b"BEGIN:VEVENT") == 3
    assert occurrence(edit(after, {f"{path}.status": "cancelled"}), mark)["status"] == "cancelled"


def test_an_occurrence_of_a_series_with_a_length_keeps_it() -> None:
    series = HAND_MADE.replace(b"x-note", b"rrule:FREQ=WEEKLY;COUNT=5\nx-note")
    path = "occurrences.[recurrence_id=20260319T083000Z].location"
    after = edit(series, {path: "Pier 7"})
    assert after.lower().count(b"duration:pt1h30m") == 2
    now = occurrence(after, "20260319T083000Z")
    assert (now["start"], now["end"]) == ("2026-03-19T08:30:00+00:00", "2026-03-19T10:00:00+00:00")
    assert now["location"] == "Pier 7"


def test_an_override_that_is_there_is_edited_in_its_place() -> None:
    path = "occurrences.[recurrence_id=20260210T080000Z].summary"
    after = edit(OUTLOOK_SERIES, {path: "Later"})
    assert after == OUTLOOK_SERIES.replace(b":Pipeline call (late)", b":Later")


@pytest.mark.parametrize("mark", ["20260225T080000Z", "20260224", "20260224T090000Z"])
def test_an_occurrence_the_series_has_not_is_refused(mark: str) -> None:
    path = f"occurrences.[recurrence_id={mark}].summary"
    with pytest.raises(NotWritable):
        edit(OUTLOOK_SERIES, {path: "x"})


def test_what_differs_is_read_and_written_to_another_copy() -> None:
    told = exceptions_of(OUTLOOK_SERIES, ZONE)
    assert [one["at"] for one in json.loads(told)] == [
        "20260210T080000Z", "20260217T080000Z", "20260303T080000Z",
    ]  # fmt: skip
    plain = edit(OUTLOOK_SERIES, {"exceptions": None})
    assert exceptions_of(plain, ZONE) == ""
    assert plain.count(b"BEGIN:VEVENT") == 1
    assert b"EXDATE" not in plain
    back = edit(plain, {"exceptions": told})
    assert exceptions_of(back, ZONE) == told
    assert edit(back, {"exceptions": told}) == back
    fewer = json.dumps([one for one in json.loads(told) if one["at"] != "20260303T080000Z"])
    assert b'EXDATE;TZID="W. Europe Standard Time":20260217T090000\r\n' in edit(
        OUTLOOK_SERIES, {"exceptions": fewer}
    )


_MARKS = [
    f"2026{m:02}{d:02}T080000Z" for m, d in ((1, 6), (1, 20), (2, 10), (2, 17), (3, 3), (3, 17))
]
_ITEM = st.one_of(
    st.just({"gone": True}),
    st.fixed_dictionaries(
        {},
        optional={
            "summary": LINE.filter(bool),
            "description": TEXT,
            "status": st.just("cancelled"),
            "location": LINE.filter(bool),
            "following": st.just(True),
            "guests": st.just(["b@x.example; accepted; chair; Bo"]),
            "start": st.integers(1, 9).map(lambda h: f"2026-05-04T0{h}:00:00+00:00"),
        },
    ).filter(bool),
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(_MARKS), _ITEM), st.dictionaries(st.sampled_from(_MARKS), _ITEM)
)
def test_any_exceptions_can_be_written_over_any_others(
    one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]
) -> None:
    def told(items: dict[str, dict[str, Any]]) -> str:
        return json.dumps([{"at": mark, **items[mark]} for mark in sorted(items)])

    raw = edit(edit(OUTLOOK_SERIES, {"exceptions": told(one)}), {"exceptions": told(other)})
    found = {item.pop("at"): item for item in json.loads(exceptions_of(raw, ZONE) or "[]")}
    assert found.keys() == other.keys()
    for mark, item in other.items():
        if item.get("gone"):
            assert found[mark] == item
            continue
        parts = ("summary", "description", "location", "class", "url")
        assert {p: found[mark].get(p, "") for p in parts} == {p: item.get(p, "") for p in parts}
        assert found[mark]["status"] == item.get("status", "booked")
        start = datetime.strptime(mark, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).isoformat()
        assert found[mark]["start"] == item.get("start", start)
        for part in ("guests", "following"):
            assert found[mark].get(part) == item.get(part)
    assert edit(raw, {"exceptions": told(other)}) == raw
    assert icalendar.Calendar.from_ical(raw)


def test_an_exception_for_all_that_follow_reaches_another_copy() -> None:
    item = {
        "at": "20260224T080000Z", "following": True, "summary": "Call, an hour later",
        "start": "2026-02-24T09:00:00+00:00", "end": "2026-02-24T09:30:00+00:00",
        "status": "booked",
    }  # fmt: skip
    raw = edit(OUTLOOK_SERIES, {"exceptions": json.dumps([item])})
    zone = b'RECURRENCE-ID;TZID="W. Europe Standard Time";RANGE=THISANDFUTURE:20260224T090000\r\n'
    assert zone in raw.replace(b"\r\n ", b"")
    assert json.loads(exceptions_of(raw, ZONE)) == [item]
    starts = {o["recurrence_id"]: o["start"] for o in said(raw)["occurrences"]}
    assert starts["20260217T080000Z"] == "2026-02-17T08:00:00+00:00"
    assert starts["20260310T080000Z"] == "2026-03-10T09:00:00+00:00"
    with pytest.raises(NotWritable, match="for all that follow"):
        edit(raw, {"occurrences.[recurrence_id=20260310T080000Z].summary": "x"})
    alone = edit(raw, {"exceptions": json.dumps([{**item, "following": False}])})
    assert b"THISANDFUTURE" not in alone
    starts = {o["recurrence_id"]: o["start"] for o in said(alone)["occurrences"]}
    assert starts["20260310T080000Z"] == "2026-03-10T08:00:00+00:00"


@given(
    st.lists(st.sampled_from(_MARKS), unique=True), st.lists(st.sampled_from(_MARKS), unique=True)
)
@settings(deadline=None)
def test_any_further_occurrences_can_be_written_over_any_others(
    one: list[str], other: list[str]
) -> None:
    held = edit(APPLE_EVENT, {"rdates": one})
    assert said(held)["rdates"] == sorted(one)
    after = edit(held, {"rdates": other})
    assert said(after)["rdates"] == sorted(other)
    assert others(after, {"RDATE"}) == APPLE_EVENT
    assert edit(after, {"rdates": list(reversed(other))}) == after
    assert edit(after, {"rdates": None}) == APPLE_EVENT
    assert icalendar.Calendar.from_ical(after)


def test_further_occurrences_keep_the_form_in_which_they_stand() -> None:
    line = b"RDATE;X-P=1;TZID=Europe/Berlin:20260401T100000,20260402T100000\r\n"
    raw = APPLE_EVENT.replace(b"END:VEVENT", line + b"END:VEVENT")
    assert said(raw)["rdates"] == ["20260401T080000Z", "20260402T080000Z"]
    fewer = edit(raw, {"rdates": ["20260402T080000Z"]})
    assert fewer == raw.replace(b"20260401T100000,", b"")
    both = edit(raw, {"rdates": ["20260401T080000Z"], "start": "2026-03-12T07:00:00+00:00",
                      "end": "2026-03-12T08:00:00+00:00"})  # fmt: skip
    assert said(both)["rdates"] == ["20260401T080000Z"], "what is given does not move along"


def test_a_series_moves_with_what_names_its_occurrences() -> None:
    after = edit(
        OUTLOOK_SERIES, {"start": "2026-01-06T09:00:00+00:00", "end": "2026-01-06T09:30:00+00:00"}
    )
    assert b":20260217T100000,20260303T100000\r\n" in after
    assert b'RECURRENCE-ID;TZID="W. Europe Standard Time":20260210T100000\r\n' in after
    before, now = said(OUTLOOK_SERIES)["occurrences"], said(after)["occurrences"]
    assert len(now) == len(before)


def test_a_rule_is_changed_and_a_bad_one_refused() -> None:
    after = edit(OUTLOOK_SERIES, {"rule": "FREQ=WEEKLY;COUNT=4;BYDAY=TU"})
    assert others(after, {"RRULE"}) == others(OUTLOOK_SERIES, {"RRULE"})
    with pytest.raises(NotWritable):
        edit(OUTLOOK_SERIES, {"rule": "FREQ=SECONDLY"})
