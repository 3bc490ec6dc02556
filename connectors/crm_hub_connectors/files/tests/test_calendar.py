"""Calendar files: what an entry says, series, zones, and bad entries among good ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from crm_hub_connectors.files.readers import read_ics
from crm_hub_connectors.files.tests.nasty import event

from crm_hub.model.records import Reject
from crm_hub.sdk.formats.calendar import LOOK_AHEAD, MAX_OCCURRENCES
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.formats.zones import named_zone, read_vtimezone

SAMPLE = Path(__file__).parent.parent / "fixtures" / "calendar" / "clearwater.ics"
NOW = datetime(2026, 3, 15, tzinfo=UTC)


def _read(path: Path, **more: Any) -> list[Item | Reject]:
    return list(read_ics(path, now=more.pop("now", NOW), **more))


def _items(tmp_path: Path, raw: bytes, **more: Any) -> list[Item]:
    path = tmp_path / "a.ics"
    path.write_bytes(raw)
    found = _read(path, **more)
    assert all(isinstance(item, Item) for item in found), found
    return [item for item in found if isinstance(item, Item)]


def _by_id(path: Path) -> dict[str, dict[str, Any]]:
    return {item.id: item.payload for item in _read(path) if isinstance(item, Item)}


def test_an_entry_says_when_where_and_with_whom() -> None:
    visit = _by_id(SAMPLE)["visit-7@clearwater.example"]
    assert visit["start"] == "2026-03-12T14:00:00+00:00"
    assert visit["end"] == "2026-03-12T15:30:00+00:00"
    assert visit["zone"] == "America/New_York"
    assert visit["summary"] == "Site visit, pump room"
    assert visit["location"] == "1 Main Street, Springfield"
    assert visit["description"].splitlines()[1] == "Meet Ann at the gate."
    assert visit["organizer"] == {"address": "bob@clearwater.example", "name": "Bob Hale"}
    assert visit["attendees"] == [
        {
            "address": "ann.lee@acme.example",
            "name": "Lee, Ann",
            "partstat": "accepted",
            "role": "req-participant",
        }
    ]
    assert visit["resources"] == ["Pump room"]
    assert visit["categories"] == ["Customers", "Visits"]
    assert (visit["sequence"], visit["status"], visit["kind"]) == (2, "booked", "event")


def test_a_series_gives_its_occurrences_without_the_cancelled_and_with_the_moved() -> None:
    ids = [key for key in _by_id(SAMPLE) if key.startswith("weekly")]
    marks = [key.partition("#")[2] for key in ids]
    # New York changes its clocks on 8 March 2026: 14:00 UTC before, 13:00 after.
    assert marks == [
        "20260302T140000Z", "20260309T130000Z", "20260330T130000Z", "20260406T130000Z",
        "20260323T130000Z",
    ]  # fmt: skip
    moved = _by_id(SAMPLE)["weekly@clearwater.example#20260323T130000Z"]
    assert moved["start"] == "2026-03-23T19:00:00+00:00"


def test_a_whole_day_ends_at_the_next_midnight_of_the_readers_zone() -> None:
    found = [i for i in _read(SAMPLE, zone="America/New_York") if isinstance(i, Item)]
    fair = next(i.payload for i in found if i.id.startswith("fair"))
    assert (fair["start"], fair["end"]) == (
        "2026-04-20T04:00:00+00:00",
        "2026-04-23T04:00:00+00:00",
    )
    assert (fair["all_day"], fair["status"], fair["class"]) == (True, "cancelled", "private")


def test_a_task_is_there_with_its_due_time() -> None:
    task = _by_id(SAMPLE)["call@clearwater.example"]
    assert (task["kind"], task["status"]) == ("todo", "done")
    assert task["start"] == "2026-03-11T17:00:00+00:00"


def test_the_occurrences_are_those_that_other_software_finds() -> None:
    calendar = icalendar.Calendar.from_ical(SAMPLE.read_bytes())
    span = recurring_ical_events.of(calendar).between(datetime(2026, 1, 1), datetime(2026, 6, 1))
    theirs = sorted(
        e["DTSTART"].dt.astimezone(UTC).isoformat() for e in span if e["UID"].startswith("weekly")
    )
    ours = [p["start"] for key, p in _by_id(SAMPLE).items() if key.startswith("weekly")]
    assert sorted(ours) == theirs


def test_a_bad_entry_does_not_lose_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.ics"
    bad = b"BEGIN:VEVENT\nUID:bad\nDTSTART:yesterday\nEND:VEVENT\n"
    path.write_bytes(event() + bad + event().replace(b"1@", b"2@"))
    good1, reject, good2 = _read(path)
    assert isinstance(good1, Item)
    assert isinstance(good2, Item)
    assert isinstance(reject, Reject)
    assert "DTSTART" in reject.reason
    assert reject.place == f"VEVENT at byte {len(event())}"
    assert reject.remedy


def test_a_rule_that_cannot_be_expanded_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.ics"
    path.write_bytes(event(b"RRULE:FREQ=SECONDLY"))
    (reject,) = _read(path)
    assert isinstance(reject, Reject)
    assert "SECONDLY" in reject.reason


def test_a_long_series_keeps_its_latest_occurrences(tmp_path: Path) -> None:
    items = _items(tmp_path, event(b"RRULE:FREQ=DAILY", start=b"20200101T090000Z"))
    assert len(items) == MAX_OCCURRENCES
    last = datetime.fromisoformat(items[-1].payload["start"])
    assert NOW + LOOK_AHEAD - timedelta(days=1) <= last <= NOW + LOOK_AHEAD


def test_a_series_that_ended_long_ago_is_not_lost(tmp_path: Path) -> None:
    raw = event(b"RRULE:FREQ=WEEKLY;UNTIL=20150331T000000Z", start=b"20150302T090000Z")
    assert len(_items(tmp_path, raw)) == 5


def test_a_series_that_begins_after_the_horizon_shows_its_beginning(tmp_path: Path) -> None:
    (item,) = _items(tmp_path, event(b"RRULE:FREQ=WEEKLY", start=b"20270302T090000Z"))
    assert item.id.endswith("#20270302T090000Z")


def test_further_dates_belong_to_the_series(tmp_path: Path) -> None:
    items = _items(tmp_path, event(b"RDATE:20260312T100000Z,20260311T100000Z"))
    assert [i.payload["start"][:10] for i in items] == ["2026-03-10", "2026-03-11", "2026-03-12"]


def test_reading_goes_on_at_the_offset_of_any_item() -> None:
    whole = [item for item in _read(SAMPLE) if isinstance(item, Item)]
    for index, item in enumerate(whole, 1):
        rest = [i.id for i in _read(SAMPLE, start_offset=item.offset) if isinstance(i, Item)]
        assert set(rest) >= {i.id for i in whole[index:]}
        assert len(rest) <= len(whole)


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        (b"Europe/Berlin", "08:00"),
        (b"W. Europe Standard Time", "08:00"),
        (b"/freeassociation.sourceforge.net/Europe/Berlin", "08:00"),
        (b'"UTC+03:00"', "07:00"),
        (b"No Such Place", "10:00"),
        (b"", "10:00"),
    ],
)
def test_zone_names_of_all_makers_are_understood(tmp_path: Path, zone: bytes, utc: str) -> None:
    raw = event(start=b"20260701T100000", zone=zone)
    (item,) = _items(tmp_path, raw, zone="UTC")
    assert item.payload["start"][11:16] == utc


def test_a_floating_time_is_in_the_readers_zone(tmp_path: Path) -> None:
    (item,) = _items(tmp_path, event(start=b"20260701T100000"), zone="America/New_York")
    assert item.payload["start"] == "2026-07-01T14:00:00+00:00"


def test_a_time_that_a_clock_change_skips_uses_the_offset_before_it(tmp_path: Path) -> None:
    raw = event(start=b"20260308T023000", zone=b"America/New_York")
    (item,) = _items(tmp_path, raw)
    assert item.payload["start"] == "2026-03-08T07:30:00+00:00"


def test_a_spelled_out_zone_changes_its_clocks_when_the_real_one_does() -> None:
    raw = SAMPLE.read_bytes().replace(b"America/New_York", b"Our Own Zone")
    start = raw.index(b"BEGIN:VTIMEZONE")
    name, zone = read_vtimezone(raw[start : raw.index(b"END:VTIMEZONE")])
    assert (name, named_zone(name)) == ("Our Own Zone", None)
    assert zone is not None
    real = ZoneInfo("America/New_York")
    for day in range(0, 3_000, 5):
        noon = datetime(2019, 1, 1, 12) + timedelta(days=day)
        assert zone.utcoffset(noon) == real.utcoffset(noon), noon


def test_an_entry_without_uid_keeps_its_key_from_read_to_read(tmp_path: Path) -> None:
    raw = event().replace(b"UID:1@clearwater.example\n", b"")
    assert _items(tmp_path, raw)[0].id == _items(tmp_path, raw)[0].id


def test_an_empty_calendar_is_no_error_and_another_file_is(tmp_path: Path) -> None:
    assert _items(tmp_path, b"BEGIN:VCALENDAR\nEND:VCALENDAR\n") == []
    (tmp_path / "a.ics").write_bytes(b"<html>log in first</html>")
    (reject,) = _read(tmp_path / "a.ics")
    assert isinstance(reject, Reject)
    assert "no calendar" in reject.reason
