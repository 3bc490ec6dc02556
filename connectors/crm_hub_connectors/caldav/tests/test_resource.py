"""One resource: series with exceptions, zones, whole days, tasks, answers, and what is broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from crm_hub_connectors.caldav.resources import Reader

from crm_hub.model.records import Change
from crm_hub.sdk.dav.reading import Found
from crm_hub.sdk.formats.calendar import expand
from crm_hub.sdk.formats.ical_event import read_event
from crm_hub.sdk.formats.ical_resource import MAX_OCCURRENCES, read_resource
from crm_hub.sdk.formats.invitation import read_invitation
from crm_hub.sdk.formats.recurrence import occurrences, parse_rule, with_until

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HORIZON = datetime(2026, 5, 9, tzinfo=UTC)
BERLIN = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*events: str, head: str = "") -> str:
    parts = [f"BEGIN:VEVENT\n{one.strip()}\nEND:VEVENT\n" for one in events]
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{''.join(parts)}END:VCALENDAR\n"


def payload(text: str, zone: str = "UTC", horizon: datetime = HORIZON) -> dict[str, Any]:
    resource = read_resource(text, zone=zone, horizon=horizon)
    assert resource.problems == []
    assert resource.payload is not None
    return resource.payload


def starts(text: str, zone: str = "UTC") -> list[str]:
    return [one["start"][:16] for one in payload(text, zone)["occurrences"]]


WEEKLY = """
UID:w@x.example
DTSTART;TZID=Europe/Berlin:20260309T090000
DTEND;TZID=Europe/Berlin:20260309T100000
SUMMARY:Weekly
ORGANIZER;CN=Bo:mailto:bo@clearwater.example
ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@acme.example
"""


def test_a_plain_meeting_has_one_occurrence_under_its_uid() -> None:
    found = payload(calendar(WEEKLY))
    assert found["occurrences"] == [
        {
            "meeting_id": "w@x.example",
            "recurrence_id": "",
            "start": "2026-03-09T08:00:00+00:00",
            "end": "2026-03-09T09:00:00+00:00",
        }
    ]
    assert (found["recurring"], found["zone"]) == (False, "Europe/Berlin")


def test_until_in_utc_ends_a_series_of_another_zone_with_its_last_occurrence() -> None:
    # 09:00 in Berlin is 07:00 UTC from 29 March on.
    rule = "RRULE:FREQ=WEEKLY;UNTIL=20260330T070000Z"
    assert starts(calendar(WEEKLY + rule))[-1] == "2026-03-30T07:00"
    rule = "RRULE:FREQ=WEEKLY;UNTIL=20260330T065959Z"
    assert starts(calendar(WEEKLY + rule))[-1] == "2026-03-23T08:00"


def test_left_out_and_added_days_count() -> None:
    more = """RRULE:FREQ=WEEKLY;COUNT=4
EXDATE;TZID=Europe/Berlin:20260316T090000
RDATE;TZID=Europe/Berlin:20260318T140000"""
    assert starts(calendar(WEEKLY + more)) == [
        "2026-03-09T08:00", "2026-03-18T13:00", "2026-03-23T08:00", "2026-03-30T07:00",
    ]  # fmt: skip


MOVED = """
UID:w@x.example
RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000
DTSTART;TZID=Europe/Berlin:20260317T110000
DTEND;TZID=Europe/Berlin:20260317T120000
SUMMARY:Weekly
ORGANIZER;CN=Bo:mailto:bo@clearwater.example
ATTENDEE;CN=Ann;PARTSTAT=DECLINED:mailto:ann@acme.example
"""


def test_a_moved_occurrence_keeps_its_key_and_says_only_what_differs() -> None:
    found = payload(calendar(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=3", MOVED))
    moved = next(o for o in found["occurrences"] if o["start"].startswith("2026-03-17"))
    assert moved["meeting_id"] == "w@x.example#20260316T080000Z"
    assert moved.keys() - {"meeting_id", "recurrence_id", "start", "end"} == {"attendees"}
    assert len(found["occurrences"]) == 3


@pytest.mark.parametrize("mark", ["VALUE=DATE:20260316", "X-A=1:20260316T090000"])
def test_a_moved_occurrence_is_found_though_its_mark_is_written_in_another_form(mark: str) -> None:
    other = MOVED.replace("TZID=Europe/Berlin:20260316T090000", mark, 1)
    found = payload(calendar(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=3", other))
    ids = [one["meeting_id"] for one in found["occurrences"]]
    assert ids.count("w@x.example#20260316T080000Z") == 1
    assert len(ids) == 3


def test_an_occurrence_without_its_series_stands_alone() -> None:
    found = payload(calendar(MOVED))
    (only,) = found["occurrences"]
    assert only["meeting_id"] == "w@x.example#20260316T080000Z"
    assert found["recurring"] is True


LATER = """
UID:w@x.example
RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260323T090000
DTSTART;TZID=Europe/Berlin:20260324T140000
DTEND;TZID=Europe/Berlin:20260324T153000
SUMMARY:On Tuesdays now
"""


def test_a_change_for_this_and_all_following_moves_them_across_the_change_of_clocks() -> None:
    text = calendar(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=5", LATER, MOVED, head=BERLIN)
    found = payload(text)
    assert [(o["start"][:16], o["end"][11:16]) for o in found["occurrences"]] == [
        ("2026-03-09T08:00", "09:00"), ("2026-03-17T10:00", "11:00"),
        ("2026-03-24T13:00", "14:30"), ("2026-03-31T12:00", "13:30"),
        ("2026-04-07T12:00", "13:30"),
    ]  # fmt: skip
    last = found["occurrences"][-1]
    assert last["meeting_id"] == "w@x.example#20260406T070000Z"
    assert last["summary"] == "On Tuesdays now"


def test_a_cancelled_occurrence_is_there_as_cancelled() -> None:
    text = calendar(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=2", MOVED + "STATUS:CANCELLED")
    assert payload(text)["occurrences"][1]["status"] == "cancelled"


def test_a_time_that_the_clocks_skip_or_repeat_is_read_once() -> None:
    gap = "UID:g\nDTSTART;TZID=America/New_York:20260308T023000\nDURATION:PT1H"
    assert starts(calendar(gap)) == ["2026-03-08T07:30"]
    twice = "UID:t\nDTSTART;TZID=America/New_York:20261101T013000\nDURATION:PT1H"
    assert starts(calendar(twice)) == ["2026-11-01T05:30"]


def test_a_floating_time_and_a_whole_day_are_in_the_company_s_zone() -> None:
    assert starts(calendar("UID:f\nDTSTART:20260310T090000"), "Asia/Tokyo") == ["2026-03-10T00:00"]
    day = payload(calendar("UID:d\nDTSTART;VALUE=DATE:20260310\nDTEND;VALUE=DATE:20260312"),
                  "Asia/Tokyo")  # fmt: skip
    (only,) = day["occurrences"]
    assert (only["start"], only["end"]) == (
        "2026-03-09T15:00:00+00:00", "2026-03-11T15:00:00+00:00",
    )  # fmt: skip
    assert day["all_day"] is True


def test_windows_names_of_zones_are_known() -> None:
    event = "UID:o\nDTSTART;TZID=W. Europe Standard Time:20260710T090000"
    assert starts(calendar(event)) == ["2026-07-10T07:00"]


def test_a_task_without_a_date_has_one_occurrence_without_time() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:t\nCREATED:20260301T080000Z\nSUMMARY:Call\n" \
           "STATUS:COMPLETED\nCOMPLETED:20260305T100000Z\nEND:VTODO\nEND:VCALENDAR\n"  # fmt: skip
    found = payload(text)
    assert [(o["meeting_id"], o["start"]) for o in found["occurrences"]] == [("t", None)]
    assert (found["status"], found["completed"]) == ("done", "2026-03-05T10:00:00+00:00")


def test_a_journal_is_kept_and_says_nothing() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nUID:j\nEND:VJOURNAL\nEND:VCALENDAR\n"
    assert payload(text)["occurrences"] == []


def test_an_endless_series_stays_bounded_and_keeps_its_latest() -> None:
    text = calendar("UID:e\nDTSTART:19990101T090000Z\nRRULE:FREQ=DAILY")
    found = payload(text)["occurrences"]
    assert len(found) == MAX_OCCURRENCES
    assert found[-1]["start"].startswith("2026-05-08")
    assert found[0]["start"].startswith("2015")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,FR;INTERVAL=2", "FREQ=YEARLY;INTERVAL=4",
        "FREQ=MONTHLY;BYDAY=5TU", "FREQ=DAILY;BYHOUR=8,12,16", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;UNTIL=20010101T000000Z", "FREQ=MONTHLY;BYMONTHDAY=-1;BYSETPOS=1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("most", [5, 100, 4_000])
def test_a_series_looked_at_from_its_end_is_the_end_of_the_whole_series(
    rule: str, most: int
) -> None:
    raw = f"BEGIN:VEVENT\nUID:x\nDTSTART:19500107T090000Z\nRRULE:{rule}\nEND:VEVENT\n".encode()
    event = read_event(raw, "VEVENT", {}, "UTC")
    assert event.start is not None
    parsed = parse_rule(rule)
    if parsed.until:
        parsed = with_until(parsed, parsed.until.replace(tzinfo=None))
    whole = list(occurrences(parsed, event.start.wall, HORIZON.replace(tzinfo=None)))
    found, goes_on = expand(event, set(), HORIZON, most)
    assert [one.wall for one in found] == whole[-most:]
    assert goes_on is ("UNTIL" not in rule)


def test_a_series_that_counts_beyond_all_measure_is_set_aside() -> None:
    text = calendar("UID:x\nDTSTART:19000101T000000Z\nRRULE:FREQ=DAILY;COUNT=999999999;BYHOUR=1,2,"
                    "3,4,5,6,7,8,9,10,11,12")  # fmt: skip
    resource = read_resource(text, zone="UTC", horizon=HORIZON)
    assert resource.payload is None
    assert "repeats more than" in resource.problems[0][1]


def test_many_changed_occurrences_stay_bounded() -> None:
    words = LATER + "DESCRIPTION:" + "x" * 19_000
    text = calendar(WEEKLY.replace("2026", "2015") + "RRULE:FREQ=DAILY",
                    words.replace("2026", "2015"))  # fmt: skip
    found = payload(text)["occurrences"]
    assert found[-1]["start"].startswith("2026-05")
    assert sum(len(str(one)) for one in found) < 6_000_000


def test_the_occurrences_are_those_that_other_software_finds() -> None:
    rules = (
        "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR", "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
        "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=9", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31",
    )  # fmt: skip
    for rule in rules:
        text = calendar(WEEKLY + rule, head=BERLIN)
        span = (datetime(2026, 1, 1, tzinfo=UTC), HORIZON)
        theirs = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(*span)
        wanted = sorted(e["DTSTART"].dt.astimezone(UTC).isoformat()[:16] for e in theirs)
        assert starts(text) == wanted, rule


def test_a_mail_invitation_names_the_meeting_as_its_resource_does() -> None:
    for more in ("", "RRULE:FREQ=WEEKLY;COUNT=3"):
        text = calendar(WEEKLY + more)
        invitation = read_invitation(text.encode(), "UTC", "request")
        assert invitation is not None
        assert invitation["meeting_id"] == payload(text)["occurrences"][0]["meeting_id"]
    moved = read_invitation(calendar(MOVED).encode(), "UTC", "request")
    assert moved is not None
    assert moved["meeting_id"] == payload(calendar(MOVED))["occurrences"][0]["meeting_id"]


# answers ----------------------------------------------------------------------------------


def read(text: str, own: str = "", since: Any = None) -> dict[str, Any]:
    reader = Reader(zone="UTC", since=since, own=own, now=NOW)
    change = reader.read(Found("a.ics", "/c/a.ics", '"1"', text)).change
    assert isinstance(change, Change)
    assert change.payload is not None
    return change.payload


def invited(**answers: str) -> str:
    lines = [f"ATTENDEE;PARTSTAT={answer}:mailto:{who}@{'clearwater' if who == 'bob' else 'acme'}"
             ".example" for who, answer in answers.items()]  # fmt: skip
    lines.append("ORGANIZER:mailto:host@clearwater.example")
    lines.append("ATTENDEE;PARTSTAT=ACCEPTED:mailto:host@clearwater.example")
    return calendar("UID:i\nDTSTART:20260310T090000Z\n" + "\n".join(lines))


@pytest.mark.parametrize(
    ("answers", "own", "answer"),
    [
        ({"ann": "DECLINED"}, "", "declined"),
        ({"ann": "DECLINED", "eve": "ACCEPTED"}, "", "booked"),
        ({"ann": "DECLINED", "bob": "ACCEPTED"}, "", "booked"),
        ({"ann": "DECLINED", "bob": "ACCEPTED"}, "clearwater.example", "declined"),
        ({"ann": "ACCEPTED", "bob": "DECLINED"}, "clearwater.example", "declined"),
        ({"ann": "NEEDS-ACTION", "bob": "TENTATIVE"}, "clearwater.example", "booked"),
    ],
)
def test_a_meeting_is_declined_when_a_whole_side_declined(
    answers: dict[str, str], own: str, answer: str
) -> None:
    assert read(invited(**answers), own)["answer"] == answer


def test_one_declined_occurrence_does_not_decline_the_series() -> None:
    found = read(calendar(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=3", MOVED))
    assert found["answer"] == "booked"
    assert [one.get("answer") for one in found["occurrences"]] == [None, "declined", None]


# what is broken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no iCalendar"),
        ("<html>Please log in</html>", "no iCalendar"),
        (calendar("UID:x\nSUMMARY:no time"), "DTSTART"),
        (calendar("UID:x\nDTSTART:99999999T999999Z"), "DTSTART"),
        (calendar("UID:x\nDTSTART:20260310T090000Z\nRRULE:FREQ=SECONDLY"), "SECONDLY"),
        (calendar("UID:x\nDTSTART:20260310T090000Z\nRRULE:BYDAY=MO"), "FREQ"),
        (calendar("UID:x\nDTSTART:20260310T090000Z\nX:" + "y" * 4_100_000), "longer"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_a_reason(text: str, reason: str) -> None:
    reader = Reader(zone="UTC", since=None, own="", now=NOW)
    found = reader.read(Found("a.ics", "/c/a.ics", "", text))
    assert found.change is None
    (reject,) = found.rejects
    assert reject.id == "a.ics"
    assert reason in reject.reason
    assert reject.remedy
    assert len(reject.excerpt) <= 2_000


def test_a_bad_part_is_set_aside_and_the_rest_comes() -> None:
    bad = "UID:w@x.example\nRECURRENCE-ID:20260316T080000Z\nDTSTART:tomorrow"
    reader = Reader(zone="UTC", since=None, own="", now=NOW)
    text = calendar(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=3", bad)
    found = reader.read(Found("a.ics", "/c/a.ics", "", text))
    assert found.change is not None
    assert found.change.payload is not None
    assert len(found.change.payload["occurrences"]) == 3
    assert len(found.rejects) == 1


def test_all_reads_of_a_day_give_the_same() -> None:
    text = calendar(WEEKLY + "RRULE:FREQ=DAILY")
    early, late = (
        Reader(zone="UTC", since=None, own="", now=NOW.replace(hour=hour)) for hour in (0, 23)
    )
    found = Found("a.ics", "/c/a.ics", "", text)
    assert early.read(found) == late.read(found)
    tomorrow = Reader(zone="UTC", since=None, own="", now=NOW + timedelta(days=1))
    assert tomorrow.read(found) != late.read(found)


OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def test_a_series_in_a_zone_that_its_file_alone_knows_has_its_changed_occurrence() -> None:
    at = "TZID=Customized Time Zone"
    text = (
        f"BEGIN:VCALENDAR\nVERSION:2.0\n{OWN_ZONE}BEGIN:VEVENT\nUID:1\n"
        f"DTSTART;{at}:20260323T100000\nDTEND;{at}:20260323T110000\n"
        "RRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:Pumps\nEND:VEVENT\n"
        f"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;{at}:20260330T100000\n"
        f"DTSTART;{at}:20260330T140000\nSUMMARY:Later\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    horizon = datetime(2027, 1, 1, tzinfo=UTC)
    found = read_resource(text, zone="UTC", horizon=horizon)
    assert found.problems == []
    assert found.payload is not None
    starts = [datetime.fromisoformat(one["start"]) for one in found.payload["occurrences"]]
    assert sorted(one.astimezone(UTC).isoformat() for one in starts) == [
        "2026-03-23T09:00:00+00:00", "2026-03-30T12:00:00+00:00", "2026-04-06T08:00:00+00:00"
    ]  # fmt: skip
    assert "Later" in found.payload["exceptions"]


def test_a_resource_of_very_many_series_is_read_as_far_as_one_should_go() -> None:
    entry = (
        "BEGIN:VEVENT\nUID:{0}\nDTSTART:20200101T100000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:{0}\nRECURRENCE-ID:20260330T100000Z\nDTSTART:20260330T140000Z\n"
        "END:VEVENT\n"
    )
    text = (
        "BEGIN:VCALENDAR\n" + "".join(entry.format(n % 3) for n in range(800)) + "END:VCALENDAR\n"
    )
    found = read_resource(text, zone="UTC", horizon=datetime(2026, 6, 1, tzinfo=UTC))
    assert found.payload is not None
    assert ("further entries", "one resource holds one series") in found.problems
