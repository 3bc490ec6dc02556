"""One change of a calendar entry changes nothing else, byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crm_hub.sdk.formats.edit_ical import edit_entry, informs_guests, new_entry
from crm_hub.sdk.formats.edit_ical_series import exceptions_of
from crm_hub.sdk.formats.edit_lines import NotWritable, Text
from crm_hub.sdk.formats.ical_resource import read_resource
from tests.sdk.entries_as_made import (
    APPLE_EVENT,
    ENTRIES,
    HAND_MADE,
    OUTLOOK_SERIES,
    THUNDERBIRD_TODO,
    WHOLE_DAYS,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HORIZON = datetime(2027, 1, 1, tzinfo=UTC)
ZONE = "Europe/Berlin"
_TEXT = st.text("abcäß雪 ,;:\\\"'\nXYZ09", max_size=120).map(str.strip)
_LINE = _TEXT.map(lambda text: " ".join(text.split()))
_NAMES = {
    "summary": {"SUMMARY"}, "description": {"DESCRIPTION"}, "location": {"LOCATION"},
    "class": {"CLASS"}, "categories": {"CATEGORIES"}, "url": {"URL"}, "status": {"STATUS"},
    "attendance": {"ATTENDEE"}, "start": {"DTSTART"}, "end": {"DTEND", "DUE", "DURATION"}, "attendees.address": {"ATTENDEE"},
}  # fmt: skip


def edit(raw: bytes, fields: dict[str, Any], zone: str = ZONE) -> bytes:
    return edit_entry(raw, fields, zone=zone, now=NOW)


def said(raw: bytes, zone: str = ZONE) -> dict[str, Any]:
    found = read_resource(raw.decode(), zone=zone, horizon=HORIZON)
    assert not found.problems
    assert found.payload is not None
    return found.payload


def others(raw: bytes, names: set[str]) -> bytes:
    return b"".join(p.raw for p in Text(raw).pieces if p.name not in names)


def first(payload: dict[str, Any], name: str) -> Any:
    return payload["occurrences"][0][name]


# one field -------------------------------------------------------------------------------------

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "summary": _LINE,
    "description": _TEXT,
    "location": _LINE,
    "url": st.sampled_from(["https://acme.example/a?b=1,2;c", "", "https://acme.example/ü"]),
    "class": st.sampled_from(["private", "public"]),
    "categories": st.lists(_LINE.filter(bool), max_size=3, unique_by=str.casefold),
    "attendees.address": st.lists(
        st.sampled_from(["ann.lee@acme.example", "b@x.example", "c@x.example"]), unique=True
    ),
    "attendance": st.lists(
        st.builds(
            "{}; {}; {}; {}".format,
            st.sampled_from(["ann.lee@acme.example", "b@x.example", "G@x.example"]),
            st.sampled_from(["accepted", "declined", "tentative", "needs-action"]),
            st.sampled_from(["chair", "req-participant", "opt-participant"]),
            st.sampled_from(["Ann Lee", "Lee, Ann; PhD", "Änne: 雪"]),
        ),
        unique_by=lambda text: text.partition(";")[0].lower(),
    ),
}
_CHANGES = st.sampled_from(sorted(_VALUES)).flatmap(
    lambda path: st.tuples(st.just(path), _VALUES[path])
)


@pytest.mark.parametrize("made", ENTRIES)
def test_an_entry_is_given_back_as_it_was(made: str) -> None:
    assert bytes(Text(ENTRIES[made])) == ENTRIES[made]
    assert edit(ENTRIES[made], {}) == ENTRIES[made]


@settings(max_examples=300)
@given(st.sampled_from(sorted(ENTRIES)), _CHANGES)
def test_a_one_field_edit_changes_nothing_else(made: str, change: tuple[str, Any]) -> None:
    path, value = change
    _holds(ENTRIES[made], path, value)


def _holds(raw: bytes, path: str, value: Any) -> None:
    after = edit(raw, {path: value})
    assert others(after, _NAMES[path]) == others(raw, _NAMES[path])
    assert edit(after, {path: value}) == after, "the same again is no change"
    before, now = said(raw), said(after)
    if path == "attendees.address":
        assert {p["address"] for p in now["attendees"]} == set(value)
        assert now["resources"] == before["resources"]
        return
    if path == "attendance":
        assert {v.casefold() for v in now[path]} == {v.casefold() for v in value}
        assert now["resources"] == before["resources"]
        return
    if isinstance(value, list):
        assert {v.casefold() for v in now[path]} == {v.casefold() for v in value}
    else:
        assert now[path] == value
    parts = before.keys() - {path, "occurrences"}
    assert {k: now[k] for k in parts} == {k: before[k] for k in parts}
    assert icalendar.Calendar.from_ical(after)


# Generated entries: any mix of properties, with parameters nobody knows, alarms, zones.
_KNOWN = ["SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "URL", "STATUS", "PRIORITY", "X-A"]
_PARAM = st.sampled_from(
    ["", ";LANGUAGE=de", ';X-P="a;b:c"', ';ALTREP="cid:1"', ';X-Q=1,2;X-R="z"']
)
_VALUE = st.text('abß雪 09\\,:"', max_size=150).map(lambda t: t.replace("\\", "\\\\"))


@st.composite
def _generated(draw: st.DrawFn) -> bytes:
    end = draw(st.sampled_from(["\r\n", "\n"]))
    names = draw(st.lists(st.sampled_from(_KNOWN), unique=True))
    lines = [
        f"{name}{draw(_PARAM)}:{draw(_VALUE)}" for name in names if name not in ("URL", "STATUS")
    ]
    lines += [
        "UID:made@x.example", "DTSTAMP:20260101T000000Z",
        draw(st.sampled_from([
            "DTSTART;TZID=Europe/Berlin:20260310T100000", "DTSTART:20260310T090000Z",
            "DTSTART;X-K=v;VALUE=DATE:20260310", "DTSTART:20260310T100000",
        ])),
        f"ATTENDEE;CN=\"{draw(st.text('ab ,;:', max_size=9))}\";X-NUM=7;RSVP=TRUE:mailto:g@x.example",
    ]  # fmt: skip
    lines = draw(st.permutations(lines))
    alarm = [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"SUMMARY:{draw(_VALUE)}",
        "TRIGGER:-PT5M",
        "END:VALARM",
    ]
    lines += alarm * draw(st.integers(0, 2))
    zone = ["BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19700101T000000",
            "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"]  # fmt: skip
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *zone * draw(st.integers(0, 1)),
             "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]  # fmt: skip
    width = draw(st.sampled_from([20, 75, 10_000]))
    return "".join(_folded(line, width, end) + end for line in whole).encode()


def _folded(line: str, width: int, end: str) -> str:
    return (end + " ").join(line[n : n + width] for n in range(0, max(1, len(line)), width))


@settings(max_examples=300)
@given(_generated(), _CHANGES)
def test_a_one_field_edit_of_any_entry_changes_nothing_else(
    raw: bytes, change: tuple[str, Any]
) -> None:
    path, value = change
    after = edit(raw, {path: value})
    if path == "categories":
        assert {v.casefold() for v in said(after)[path] if v} == {v.casefold() for v in value}
    elif path == "attendance":
        assert {v.casefold() for v in said(after)[path]} == {v.casefold() for v in value}
    elif path != "attendees.address":
        assert said(after)[path] == value
    text, now = Text(raw), Text(after)
    mine = _names_of_entry(text, _NAMES[path])
    assert _without(text, mine) == _without(now, _names_of_entry(now, _NAMES[path]))


def _names_of_entry(text: Text, names: set[str]) -> set[int]:
    """Return the properties of the entry itself: an alarm's SUMMARY is another one."""
    return {id(p) for b in text.blocks()[0].nested for p in b.pieces if p.name in names}


def _without(text: Text, ids: set[int]) -> bytes:
    return b"".join(p.raw for p in text.pieces if id(p) not in ids)


# times -----------------------------------------------------------------------------------------

_MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)


@settings(max_examples=200)
@given(st.sampled_from(["apple event", "hand made"]), _MOMENTS, st.integers(0, 5_000))
def test_a_moved_entry_keeps_the_form_of_its_times(
    made: str, start: datetime, minutes: int
) -> None:
    end = start + timedelta(minutes=minutes)
    assume(not 0 <= (start - datetime(start.year, 10, 25, tzinfo=UTC)).days < 8)
    assume(not 0 <= (end - datetime(end.year, 10, 25, tzinfo=UTC)).days < 8)
    fields = {"start": start.isoformat(), "end": end.isoformat()}
    after = edit(ENTRIES[made], fields)
    touched = {"DTSTART", "DTEND", "DURATION"}
    assert others(after, touched) == others(ENTRIES[made], touched)
    now = said(after)
    if minutes:
        assert (first(now, "start"), first(now, "end")) == tuple(fields.values())
    assert (now["zone"], now["all_day"]) == (said(ENTRIES[made])["zone"], False)
    assert (b"DTSTART;TZID=Europe/Berlin:" in after) == (made == "apple event")


def test_a_moved_start_alone_leaves_the_end_where_it_is() -> None:
    for raw in (APPLE_EVENT, HAND_MADE):
        end = first(said(raw), "end")
        start = datetime.fromisoformat(end) - timedelta(minutes=10)
        now = said(edit(raw, {"start": start.isoformat()}))
        assert (first(now, "start"), first(now, "end")) == (start.isoformat(), end)


def test_an_hour_that_comes_twice_is_refused_rather_than_shifted() -> None:
    fields = {"start": "2026-10-25T01:30:00+00:00", "end": "2026-10-25T02:30:00+00:00"}
    with pytest.raises(NotWritable) as caught:
        edit(APPLE_EVENT, fields)
    assert "twice" in caught.value.reasons["start"]


def test_whole_days_stay_whole_days_and_a_timed_entry_can_become_one() -> None:
    fields = {"start": "2026-03-19T23:00:00+00:00", "end": "2026-03-21T23:00:00+00:00"}
    after = edit(WHOLE_DAYS, fields)
    assert b"DTSTART;VALUE=DATE:20260320\r\nDTEND;VALUE=DATE:20260322\r\n" in after
    timed = edit(after, {**fields, "all_day": False})
    assert b"DTSTART:20260319T230000Z\r\nDTEND:20260321T230000Z\r\n" in timed
    again = edit(APPLE_EVENT, {**fields, "all_day": True})
    assert b"DTSTART;VALUE=DATE:20260320\r\n" in again
    assert b"DTEND;VALUE=DATE:20260322\r\n" in again
    with pytest.raises(NotWritable):
        edit(WHOLE_DAYS, {"start": "2026-03-20T10:00:00+00:00"})


def test_an_end_is_given_to_an_entry_that_has_none() -> None:
    bare = b"".join(line for line in APPLE_EVENT.splitlines(True) if b"DTEND" not in line)
    now = said(edit(bare, {"end": "2026-03-10T12:00:00+00:00"}))
    assert first(now, "end") == "2026-03-10T12:00:00+00:00"


# status ----------------------------------------------------------------------------------------


def test_a_meeting_is_cancelled_and_booked_again() -> None:
    gone = edit(APPLE_EVENT, {"status": "cancelled"})
    assert others(gone, {"STATUS"}) == APPLE_EVENT
    assert said(gone)["status"] == "cancelled"
    assert b"STATUS:CONFIRMED" in edit(gone, {"status": "booked"})
    assert edit(APPLE_EVENT, {"status": "booked"}) == APPLE_EVENT


def test_a_task_is_done_at_a_time() -> None:
    done = edit(THUNDERBIRD_TODO, {"status": "done"})
    assert said(done)["status"] == "done"
    assert said(done)["completed"] == NOW.isoformat()
    assert b"PERCENT-COMPLETE:100\r\n" in done
    assert edit(THUNDERBIRD_TODO, {"status": "open"}) == THUNDERBIRD_TODO
    again = edit(done, {"status": "open"})
    assert said(again)["status"] == "open"
    assert said(again)["completed"] is None


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
            "summary": _LINE.filter(bool),
            "description": _TEXT,
            "status": st.just("cancelled"),
            "location": _LINE.filter(bool),
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


# guests and new entries ------------------------------------------------------------------------


def test_guests_keep_what_is_said_of_them_and_new_ones_are_not_mailed_by_the_server() -> None:
    after = edit(APPLE_EVENT, {"attendees.address": ["ann.lee@acme.example", "new@x.example"]})
    assert others(after, {"ATTENDEE"}) == others(APPLE_EVENT, {"ATTENDEE"})
    assert b"SCHEDULE-AGENT=CLIENT:mailto:new@x.example\r\n" in after.replace(b"\r\n ", b"")
    kept = [p.raw for p in Text(APPLE_EVENT).pieces if p.name == "ATTENDEE"]
    assert all(one in after for one in kept)
    assert informs_guests(APPLE_EVENT)
    assert not informs_guests(WHOLE_DAYS)


def test_an_answer_changes_its_own_parameter_alone() -> None:
    people = said(APPLE_EVENT)["attendance"]
    ann = next(one for one in people if one.startswith("ann.lee"))
    told = [ann.replace("accepted", "declined"), *(one for one in people if one != ann)]
    assert told[0] != ann
    after = edit(APPLE_EVENT, {"attendance": told})
    assert after.replace(b"\r\n ", b"") == APPLE_EVENT.replace(b"\r\n ", b"").replace(
        b"PARTSTAT=ACCEPTED", b"PARTSTAT=DECLINED", 1
    )


def test_more_guests_than_are_read_are_not_written_over() -> None:
    many = b"".join(b"ATTENDEE:mailto:g%d@x.example\r\n" % n for n in range(501))
    raw = APPLE_EVENT.replace(b"END:VEVENT", many + b"END:VEVENT")
    with pytest.raises(NotWritable, match="more than the 500 guests"):
        edit(raw, {"attendance": ["ann.lee@acme.example; declined"]})


def test_a_new_meeting_is_read_by_others_and_informs_nobody() -> None:
    raw = new_entry(
        {"summary": "Besuch, Müller; & Söhne", "start": "2026-03-10T09:00:00+00:00",
         "end": "2026-03-10T10:00:00+00:00", "description": "a\nb", "location": "Kai 7",
         "categories": ["a,b", "c"], "attendance": ["g@x.example; accepted; chair; G, Ü"],
         "organizer.address": "ann@acme.example", "status": "booked", "kind": "event",
         "rule": "FREQ=WEEKLY;COUNT=3", "url": "https://acme.example/x"},
        uid="key/1", now=NOW,
    )  # fmt: skip
    assert not informs_guests(raw)
    now = said(raw)
    assert (now["uid"], now["summary"]) == ("key/1", "Besuch, Müller; & Söhne")
    assert len(now["occurrences"]) == 3
    event = icalendar.Calendar.from_ical(raw).walk("VEVENT")[0]
    assert str(event["SUMMARY"]) == "Besuch, Müller; & Söhne"
    assert event["ATTENDEE"].params["SCHEDULE-AGENT"] == "CLIENT"
    assert now["attendance"] == ["g@x.example; accepted; chair; G, Ü"]
    assert event["ORGANIZER"].params["SCHEDULE-AGENT"] == "CLIENT"


def test_a_new_task_and_a_new_whole_day() -> None:
    task = new_entry({"kind": "todo", "summary": "Call", "status": "open"}, uid="t", now=NOW)
    assert said(task)["kind"] == "todo"
    due = edit(task, {"end": "2026-03-15T16:00:00+00:00"})
    assert b"DUE:20260315T160000Z\r\n" in due
    day = new_entry(
        {"start": "2026-03-19T23:00:00+00:00", "end": "2026-03-20T23:00:00+00:00", "all_day": True},
        uid="d", now=NOW, zone=ZONE,
    )  # fmt: skip
    assert b"DTSTART;VALUE=DATE:20260320\r\n" in day
    assert said(day)["all_day"]


@pytest.mark.parametrize(
    ("raw", "fields", "named"),
    [
        (APPLE_EVENT, {"summary": 7}, "summary"),
        (APPLE_EVENT, {"start": None}, "start"),
        (APPLE_EVENT, {"start": "soon"}, "start"),
        (APPLE_EVENT, {"start": "2026-03-10T09:00:00"}, "start"),
        (APPLE_EVENT, {"end": "2026-03-01T09:00:00+00:00"}, "end"),
        (APPLE_EVENT, {"status": "lost"}, "status"),
        (APPLE_EVENT, {"sequence": 3}, "sequence"),
        (APPLE_EVENT, {"rule": "whenever"}, "rule"),
        (APPLE_EVENT, {"rdates": ["20260401"]}, "rdates"),
        (APPLE_EVENT, {"rdates": ["20260401T080000Z/PT9H"]}, "rdates"),
        (APPLE_EVENT, {"attendance": ["nobody; accepted"]}, "attendance"),
        (OUTLOOK_SERIES, {"exceptions": "{"}, "exceptions"),
        (OUTLOOK_SERIES, {"exceptions": '[{"at": "20250101T000000Z"}]'}, "exceptions"),
        (b"<html>", {"summary": "x"}, "."),
        (APPLE_EVENT.removesuffix(b"END:VCALENDAR\r\n"), {"summary": "x"}, "."),
        (APPLE_EVENT.replace(b"LOCATION:", b"LOCATION:" + b"n" * 1_001), {"location": "x"}, "location"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_by_name(
    raw: bytes, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(NotWritable) as caught:
        edit(raw, fields)
    assert named in caught.value.reasons
