"""Calendars as Exchange, Google, Confluence and old programs write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crm_hub_connectors.files.readers import read_ics, read_vcf
from crm_hub_connectors.files.tests.test_calendar import NOW

from crm_hub.model.records import Reject
from crm_hub.sdk.formats.ical_resource import read_resource
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.formats.zone_names import _ZONES
from crm_hub.sdk.formats.zones import named_zone, read_vtimezone

DAILY = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "RRULE:FREQ=DAILY;COUNT=4")


def entry(*lines: str) -> str:
    return "\n".join(["BEGIN:VEVENT", "UID:1@acme.example", *lines, "END:VEVENT", ""])


def calendar(*entries: str, head: str = "") -> bytes:
    return f"BEGIN:VCALENDAR\n{head}{''.join(entries)}END:VCALENDAR\n".encode()


def read(folder: Path, raw: bytes, zone: str = "UTC") -> list[dict[str, Any]]:
    (folder / "a.ics").write_bytes(raw)
    found = list(read_ics(folder / "a.ics", zone=zone, now=NOW))
    assert all(isinstance(one, Item) for one in found), found
    return [one.payload for one in found if isinstance(one, Item)]


def starts(payloads: list[dict[str, Any]]) -> dict[str, str]:
    return {one["recurrence_id"]: one["start"][:16] for one in payloads}


WHOLE = ("DTSTART;VALUE=DATE:20260310", "RRULE:FREQ=DAILY;COUNT=3")
TOKYO = ("DTSTART;TZID=Asia/Tokyo:20260310T090000", "RRULE:FREQ=DAILY;COUNT=3")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("series", "mark"),
    [
        (WHOLE, ";TZID=Europe/London:20260311T000000"), (WHOLE, ":20260311T000000Z"),
        (WHOLE, ":20260311T000000"), (TOKYO, ";VALUE=DATE:20260311"), (TOKYO, ":20260311T090000"),
        (TOKYO, ":20260311T000000Z"),
    ],
)  # fmt: skip
def test_an_occurrence_is_known_however_it_is_named(
    tmp_path: Path, zone: str, series: tuple[str, ...], mark: str
) -> None:
    moved = entry(f"RECURRENCE-ID{mark}", series[0].replace("20260310", "20260320"))
    for raw in (calendar(entry(*series), moved), calendar(moved, entry(*series))):
        found = read(tmp_path, raw, zone)
        assert len(found) == len({one["meeting_id"] for one in found}) == 3
        assert sum("2026-03-11" in one["start"] for one in found) <= 1
        told = read_resource(raw.decode(), zone=zone, horizon=NOW.replace(month=5)).payload
        assert told is not None
        ids = {one["meeting_id"] for one in told["occurrences"]}
        assert ids == {one["meeting_id"] for one in found}
    gone = read(tmp_path, calendar(entry(*series, f"EXDATE{mark}")), zone)
    assert len(gone) == 2


def test_a_change_for_all_that_follow_is_one_in_a_file_too(tmp_path: Path) -> None:
    later = entry(
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260312T090000Z", "SUMMARY:Later",
        "DTSTART:20260312T110000Z", "DTEND:20260312T113000Z",
    )  # fmt: skip
    found = read(tmp_path, calendar(later, entry(*DAILY)))
    assert starts(found) == {
        "20260310T090000Z": "2026-03-10T09:00", "20260311T090000Z": "2026-03-11T09:00",
        "20260312T090000Z": "2026-03-12T11:00", "20260313T090000Z": "2026-03-13T11:00",
    }  # fmt: skip
    last = next(one for one in found if one["recurrence_id"] == "20260313T090000Z")
    assert (last["summary"], last["end"][:16]) == ("Later", "2026-03-13T11:30")


def test_of_several_copies_of_a_series_the_newest_counts(tmp_path: Path) -> None:
    new = entry(*DAILY, "SEQUENCE:2", "EXDATE:20260311T090000Z", "SUMMARY:new")
    old = entry(*DAILY, "SEQUENCE:1", "SUMMARY:old")
    for raw in (calendar(old, new), calendar(new, old)):
        found = read(tmp_path, raw)
        assert {one["summary"] for one in found} == {"new"}
        assert len(found) == 3


def test_a_further_date_may_have_a_length_of_its_own(tmp_path: Path) -> None:
    more = "RDATE;VALUE=PERIOD:20260320T090000Z/PT3H,20260321T090000Z/20260321T093000Z"
    found = read(tmp_path, calendar(entry(*DAILY[:2], more)))
    assert [one["end"][:16] for one in found] == [
        "2026-03-10T10:00", "2026-03-20T12:00", "2026-03-21T09:30",
    ]  # fmt: skip


def test_floating_times_are_in_the_zone_that_the_calendar_names(tmp_path: Path) -> None:
    timed, day = entry("DTSTART:20260610T090000"), entry("DTSTART;VALUE=DATE:20260610")
    head = "X-WR-TIMEZONE:America/New_York\n"
    (found,) = read(tmp_path, calendar(timed, head=head), "Europe/Berlin")
    assert (found["start"][:16], found["zone"]) == ("2026-06-10T13:00", "America/New_York")
    (found,) = read(tmp_path, calendar(day, head=head), "Europe/Berlin")
    assert found["start"][:16] == "2026-06-09T22:00"
    both = calendar(timed, head=head) + calendar(timed, head="X-WR-TIMEZONE:Nowhere\n")
    first, second = read(tmp_path, both, "Europe/Berlin")
    assert (first["start"][:16], second["start"][:16]) == ("2026-06-10T13:00", "2026-06-10T07:00")


def test_what_a_calendar_calls_off_is_cancelled(tmp_path: Path) -> None:
    (found,) = read(tmp_path, calendar(entry(*DAILY[:2]), head="METHOD:CANCEL\n"))
    assert found["status"] == "cancelled"


def test_reading_goes_on_in_the_second_calendar_of_a_file(tmp_path: Path) -> None:
    raw = calendar(entry("DTSTART:20260610T090000"), head="X-WR-TIMEZONE:Asia/Tokyo\n") * 2
    (tmp_path / "a.ics").write_bytes(raw)
    first, second = read_ics(tmp_path / "a.ics", now=NOW)
    assert isinstance(first, Item)
    assert list(read_ics(tmp_path / "a.ics", now=NOW, start_offset=first.offset)) == [second]


def test_an_entry_without_a_calendar_around_it_is_enough(tmp_path: Path) -> None:
    assert len(read(tmp_path, entry(*DAILY[:2]).encode())) == 1


def test_a_time_without_seconds_is_a_time(tmp_path: Path) -> None:
    (found,) = read(tmp_path, calendar(entry("DTSTART:20260610T0900Z", "DTEND:20260610T1030Z")))
    assert (found["start"][11:16], found["end"][11:16], found["zone"]) == ("09:00", "10:30", "UTC")


def test_the_last_day_there_is_has_no_end_beyond_it(tmp_path: Path) -> None:
    (found,) = read(tmp_path, calendar(entry("DTSTART;VALUE=DATE:99991231")))
    assert found["start"] == found["end"] == "9999-12-31T00:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("ATTENDEE:X-KEY=8a;CN=Ann;CUTYPE=INDIVIDUAL:mailto:ann@acme.example", "ann@acme.example"),
        ("ATTENDEE:MAILTO:ann@acme.example?subject=x", "ann@acme.example"),
        ("ATTENDEE:mailto:<ann@acme.example>", "ann@acme.example"),
        ("ATTENDEE;EMAIL=ann@acme.example:urn:uuid:1", "ann@acme.example"),
        ("ATTENDEE:ann@acme.example", "ann@acme.example"),
    ],
)
def test_a_guest_has_an_address_however_it_is_written(
    tmp_path: Path, line: str, address: str
) -> None:
    (found,) = read(tmp_path, calendar(entry(*DAILY[:2], line)))
    assert found["attendees"][0]["address"] == address


def test_a_rule_of_another_calendar_is_refused(tmp_path: Path) -> None:
    raw = calendar(entry(DAILY[0], "RRULE:RSCALE=CHINESE;FREQ=YEARLY"))
    (tmp_path / "a.ics").write_bytes(raw)
    (reject,) = read_ics(tmp_path / "a.ics", now=NOW)
    assert isinstance(reject, Reject)
    assert "CHINESE" in reject.reason


# time zones ---------------------------------------------------------------------------------


def zone_text(name: str, *observances: str) -> str:
    return f"BEGIN:VTIMEZONE\nTZID:{name}\n{''.join(observances)}END:VTIMEZONE\n"


def clocks(kind: str, begin: str, before: str, after: str, *more: str) -> str:
    lines = [f"BEGIN:{kind}", f"DTSTART:{begin}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
    return "\n".join([*lines, *more, f"END:{kind}", ""])


@pytest.mark.parametrize(
    ("winter", "summer", "expected"),
    [
        (("RDATE:20251026T030000,20261025T030000",), ("RDATE:20260329T020000",), "07:00"),
        (("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20001029T010000Z",),
         ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20000326T010000Z",), "08:00"),
        (("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;COUNT=30",),
         ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;COUNT=31",), "07:00"),
        (("RRULE:FREQ=SECONDLY",), ("RRULE:FREQ=YEARLY;BYWEEKNO=1",), "08:00"),
    ],
)  # fmt: skip
def test_a_spelled_out_zone_may_change_its_clocks_in_any_way(
    tmp_path: Path, winter: tuple[str, ...], summer: tuple[str, ...], expected: str
) -> None:
    zone = zone_text(
        "Ours",
        clocks("STANDARD", "19701025T030000", "+0200", "+0100", *winter),
        clocks("DAYLIGHT", "19700329T020000", "+0100", "+0200", *summer),
    )
    (found,) = read(tmp_path, calendar(zone, entry("DTSTART;TZID=Ours:20260610T090000")))
    assert found["start"][11:16] == expected


@pytest.mark.parametrize(("begin", "after"), [("19700101T000000", "0100"), ("19700101", "+0100")])
def test_a_zone_is_read_without_sign_or_time(tmp_path: Path, begin: str, after: str) -> None:
    zone = zone_text("Ours", clocks("STANDARD", begin, "+0100", after))
    (found,) = read(tmp_path, calendar(zone, entry("DTSTART;TZID=Ours:20260610T090000")))
    assert found["start"][11:16] == "08:00"


def test_a_zone_with_a_comma_in_its_name_is_found(tmp_path: Path) -> None:
    zone = zone_text("Ours\\, too", clocks("STANDARD", "19700101T000000", "+0100", "+0100"))
    raw = calendar(zone, entry('DTSTART;TZID="Ours, too":20260610T090000'))
    (found,) = read(tmp_path, raw)
    assert (found["start"][11:16], found["zone"]) == ("08:00", "Ours, too")


def test_a_name_in_small_letters_is_a_zone_unless_the_file_spells_it_out() -> None:
    assert named_zone("europe/lisbon") == ZoneInfo("Europe/Lisbon")
    assert named_zone("US-Eastern") == ZoneInfo("US/Eastern")
    spelled = zone_text("europe/lisbon", clocks("STANDARD", "19700101T000000", "+0500", "+0500"))
    _, zone = read_vtimezone(spelled.encode())
    assert zone is not None
    assert zone.utcoffset(NOW.replace(tzinfo=None)).total_seconds() == 5 * 3600  # type: ignore[union-attr]


def test_all_zones_of_windows_are_zones() -> None:
    assert len(_ZONES) > 130
    for name, zone in _ZONES.items():
        assert named_zone(name.title()) == ZoneInfo(zone), name
    assert named_zone("Eastern") is None


# files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_mark_at_the_beginning_do_not_matter(
    tmp_path: Path, end: str, mark: bytes
) -> None:
    lines = calendar(entry(*DAILY[:2], "SUMMARY:long\n  words")).decode().replace("\n", end)
    (found,) = read(tmp_path, mark + lines.encode())
    assert found["summary"] == "long words"
    card = "BEGIN:VCARD\nFN:Ann\n  Lee\nEND:VCARD\n" * 2
    (tmp_path / "a.vcf").write_bytes(mark + card.replace("\n", end).encode())
    cards = [one.payload["fn"] for one in read_vcf(tmp_path / "a.vcf") if isinstance(one, Item)]
    assert cards == ["Ann Lee"] * 2


def test_words_of_a_western_charset_are_read(tmp_path: Path) -> None:
    raw = calendar(entry(*DAILY[:2], "SUMMARY:Grüße", "LOCATION:Köln")).decode().encode("cp1252")
    (found,) = read(tmp_path, raw)
    assert (found["summary"], found["location"]) == ("Grüße", "Köln")
