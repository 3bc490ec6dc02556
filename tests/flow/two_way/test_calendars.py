"""Three calendars on real servers, edited at random by other programs, kept equal by the hub."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from crm_hub.sdk.formats.ical_resource import read_resource
from crm_hub.sdk.testing.servers import Unobtainable
from tests.flow.two_way.far_books import Between, Side, three_sides

_MAPPING = """\
version: 1
connector: caldav
streams:
  calendar:
    create: {when: [uid, display_name]}
    delete: propagate
"""
_BERLIN = ZoneInfo("Europe/Berlin")
_WORDS = ["Pier 7", "Büro, 2. Stock", "a;b", "on\\site", "line one\nline two", ""]


class Calendars:
    """Meetings and tasks as desktop programs write them."""

    connector, kind, setting = "caldav", "calendar", "calendars"
    suffix, media_type, mapping = ".ics", "text/calendar", _MAPPING

    def new(self, number: int, rng: random.Random, now: datetime) -> bytes:
        day = f"202604{rng.randint(1, 28):02d}"
        begin = f"BEGIN:{'VTODO' if number % 5 == 0 else 'VEVENT'}"
        lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//desktop//EN", begin,
            f"UID:made/{number}@visitors.example", "DTSTAMP:20260101T000000Z",
            f"LAST-MODIFIED:{_stamp(now)}", f"SUMMARY:no-{number}- Visit",
            f'X-KEEP;X-P="a;b":kept by {number}',
        ]  # fmt: skip
        if number % 5 == 0:
            lines += [f"DUE;TZID=Europe/Berlin:{day}T170000", "STATUS:NEEDS-ACTION"]
        elif number % 5 == 1:
            lines += [f"DTSTART;VALUE=DATE:{day}", "TRANSP:TRANSPARENT"]
        elif number % 5 == 2:
            lines += [f"DTSTART;TZID=Europe/Berlin:{day}T090000", "DURATION:PT45M"]
            lines += ["RRULE:FREQ=WEEKLY;COUNT=9"]
        else:
            lines += [f"DTSTART:{day}T090000Z", f"DTEND:{day}T100000Z"]
        if number % 5 in (2, 3):
            lines += ["ORGANIZER;CN=Bob:mailto:bob@clearwater.example"]
            lines += ["ATTENDEE;CN=Ann Lee;RSVP=TRUE;X-SEEN=1:mailto:ann@visitors.example"]
        alarm = [
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "DESCRIPTION:Soon",
            "TRIGGER:-PT9M",
            "END:VALARM",
        ]
        lines += [*alarm, begin.replace("BEGIN", "END"), "END:VCALENDAR", ""]
        return "\r\n".join(lines).encode()

    def edit(self, raw: bytes, number: int, rng: random.Random, now: datetime) -> bytes:
        calendar = icalendar.Calendar.from_ical(raw)
        entry = next(
            c for c in calendar.walk() if c.name in ("VEVENT", "VTODO") and "RECURRENCE-ID" not in c
        )
        what = rng.choice(
            [
                "summary",
                "location",
                "description",
                "move",
                "status",
                "one",
                "without",
                "guests",
                "dates",
                "following",
            ]
        )
        if what == "summary":
            _set(entry, "SUMMARY", f"no-{number}- Visit {rng.choice('abc')}")
        elif what in ("location", "description"):
            _set(entry, what.upper(), rng.choice(_WORDS))
        elif what == "move" and "RRULE" not in entry:
            _move(entry, timedelta(days=rng.randint(-3, 3)))
        elif what == "status":
            kinds = (
                ["NEEDS-ACTION", "COMPLETED"]
                if entry.name == "VTODO"
                else ["CONFIRMED", "CANCELLED"]
            )
            _set(entry, "STATUS", rng.choice(kinds))
        elif what == "guests" and "ORGANIZER" in entry:
            _invite(entry, rng)
        elif what == "dates" and number % 5 in (2, 3):
            entry.pop("RDATE", None)
            at = entry.decoded("DTSTART") + timedelta(days=rng.randint(71, 79))
            entry.add("RDATE", at)
        elif "RRULE" in entry:
            self._one(calendar, entry, rng, what)
        _set(entry, "LAST-MODIFIED", now)
        return calendar.to_ical()

    def _one(self, calendar: Any, entry: Any, rng: random.Random, what: str) -> None:
        """Change or leave out one occurrence of a series."""
        at = entry.decoded("DTSTART") + timedelta(weeks=rng.randint(1, 8))
        known = [c for c in calendar.walk(entry.name) if "RECURRENCE-ID" in c]
        here = [c for c in known if c.decoded("RECURRENCE-ID") == at]
        if what == "without":
            calendar.subcomponents = [c for c in calendar.subcomponents if c not in here]
            entry.add("EXDATE", at)
            return
        one = here[0] if here else icalendar.Event()
        if not here:
            for name in ("UID", "SUMMARY", "DTSTAMP"):
                one.add(name, entry[name])
            one.add("RECURRENCE-ID", at)
            one.add("DTSTART", at + timedelta(hours=rng.randint(1, 3)))
            one.add("DURATION", timedelta(minutes=30))
            calendar.add_component(one)
        if what == "following":
            one["RECURRENCE-ID"].params["RANGE"] = "THISANDFUTURE"
        _set(one, "LOCATION", rng.choice(_WORDS))

    def said(self, raw: bytes) -> Any:
        found = read_resource(raw.decode(), zone="UTC", horizon=datetime(2027, 1, 1, tzinfo=UTC))
        assert not found.problems, found.problems
        payload = found.payload or {}
        names = ("uid", "kind", "summary", "location", "status", "start", "end", "all_day", "rule")
        note = "\n".join(line.rstrip() for line in payload["description"].splitlines())
        differ = json.loads(payload["exceptions"] or "[]")
        # A name that one program leaves out stays where it stands.
        invited = sorted("; ".join(one.split("; ")[:3]) for one in payload["attendance"])
        guests = invited, payload["rdates"], payload["organizer"] and 1
        return {name: payload[name] for name in names}, note, differ, guests


def _invite(entry: Any, rng: random.Random) -> None:
    """Somebody answers, another is invited, or taken off the list."""
    entry.pop("ATTENDEE", None)
    for name in ("ann", "ben", "cleo"):
        if name == "ann" or rng.random() < 0.5:
            guest = icalendar.vCalAddress(f"mailto:{name}@visitors.example")
            guest.params["PARTSTAT"] = rng.choice(["ACCEPTED", "DECLINED", "NEEDS-ACTION"])
            entry.add("ATTENDEE", guest)


def _set(entry: Any, name: str, value: Any) -> None:
    entry.pop(name, None)
    if value:
        entry.add(name, value)


def _move(entry: Any, by: timedelta) -> None:
    for name in ("DTSTART", "DTEND", "DUE"):
        if name in entry:
            moment = entry.decoded(name) + by
            entry.pop(name)
            entry.add(name, moment)


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")


@pytest.fixture(scope="module")
def sides() -> Iterator[list[Side]]:
    try:
        with three_sides(Calendars()) as found:
            yield found
    except Unobtainable as reason:
        pytest.skip(str(reason))


def _hunt(folder: Path, sides: list[Side], edits: int, seed: int) -> None:
    world = Between(folder, Calendars(), sides, seed)
    for number in range(edits):
        world.someone_edits()
        if number % 12 == 11:
            world.round()
    rounds = world.settle()
    assert len(rounds) <= 3, f"it took {rounds} writes to come to rest"
    assert world.round() == 0, "an echo was written back"
    states = world.states()
    assert states["one"] == states["two"] == states["three"], world.done
    uids = [said[0]["uid"] for said in states["one"]]
    assert len(uids) == len(set(uids)) == world.done["added"] - world.done["deleted"]
    for side in sides:
        for name, raw in side.all().items():
            if name.startswith("made-"):
                assert b"X-KEEP" in raw, f"{side.name}/{name} lost what the hub does not know"
                assert b"TRIGGER:-PT9M" in raw, f"{side.name}/{name} lost its alarm"
    world.hub.close()
    for side in sides:
        for name in side.names():
            side.delete(name)


def test_three_calendars_become_equal_and_come_to_rest(tmp_path: Path, sides: list[Side]) -> None:
    _hunt(tmp_path, sides, 60, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(int(os.environ.get("CRM_HUB_SOAK_SCALE", "1"))))
def test_a_thousand_edits_end_in_three_equal_calendars(
    tmp_path: Path, sides: list[Side], seed: int
) -> None:
    _hunt(tmp_path, sides, 1_000, seed)
