"""Times, states, guests and new entries of a calendar, as they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crm_hub.sdk.formats.edit_ical import informs_guests, new_entry
from crm_hub.sdk.formats.edit_lines import NotWritable, Text
from tests.sdk.editing import NOW, ZONE, edit, first, others, said
from tests.sdk.entries_as_made import (
    APPLE_EVENT,
    ENTRIES,
    HAND_MADE,
    OUTLOOK_SERIES,
    THUNDERBIRD_TODO,
    WHOLE_DAYS,
)

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
