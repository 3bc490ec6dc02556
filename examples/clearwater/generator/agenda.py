"""The calendar of Clearwater's dispatch desk (RFC 5545), and the invitations that went by mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from . import cast
from .filler import FILLER
from .world import NEW_YORK, OWN_DOMAIN, Output, Person, number, pick

CALENDAR_FILE = "calendar/clearwater.ics"
INVITATION = "walkthrough-0216@tidewaterproperty.example"
_DISPATCH = ("Clearwater Dispatch", f"dispatch@{OWN_DOMAIN}")
_VISITS = 22

_TIMEZONE = """BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:20070311T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZNAME:EDT
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZNAME:EST
END:STANDARD
END:VTIMEZONE"""


@dataclass(frozen=True)
class Entry:
    """One VEVENT. people: (name, address, PARTSTAT) of the attendees; lines: further properties."""

    uid: str
    summary: str
    start: datetime
    minutes: int
    organizer: tuple[str, str] = _DISPATCH
    people: Sequence[tuple[str, str, str]] = ()
    location: str = ""
    status: str = "CONFIRMED"
    sequence: int = 0
    lines: Sequence[str] = field(default_factory=tuple)


def _at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025 if month > 6 else 2026, month, day, hour, minute, tzinfo=NEW_YORK)


VISIT = Entry(
    f"visit-marlow-finch-20260311@{OWN_DOMAIN}", "Site visit Marlow & Finch", _at(3, 11, 14), 45,
    ("Clearwater Sales", f"sales@{OWN_DOMAIN}"),
    [("Dana Whitfield", "dana.whitfield@marlowfinch.example", "ACCEPTED")],
    "405 Lexington Ave, Fl 26, New York",
)  # fmt: skip
WALKTHROUGH = Entry(
    "7c41-walkthrough@tidewaterproperty.example", "Walk-through 1180 6th Ave",
    _at(2, 20, 10), 60, ("Gloria Stein", "gloria.stein@tidewaterproperty.example"),
    [("Clearwater Sales", f"sales@{OWN_DOMAIN}", "ACCEPTED"),
     ("Peter Vance", "peter.vance@tidewaterproperty.example", "NEEDS-ACTION")],
    "1180 6th Ave, New York",
)  # fmt: skip


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Return the line in pieces of at most 75 octets (RFC 5545 section 3.1)."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > 74:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join([*pieces, piece])


def _person(kind: str, name: str, address: str, state: str = "") -> str:
    role = f";ROLE=REQ-PARTICIPANT;PARTSTAT={state}" if state else ""
    return f'{kind};CN="{name}"{role}:mailto:{address}'


def _event(entry: Entry) -> list[str]:
    start = entry.start
    end = start + timedelta(minutes=entry.minutes)
    stamp = (start - timedelta(days=3)).astimezone(UTC)
    lines = [
        "BEGIN:VEVENT", f"UID:{entry.uid}", f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
        f"LAST-MODIFIED:{stamp:%Y%m%dT%H%M%SZ}", f"SEQUENCE:{entry.sequence}",
        f"DTSTART;TZID=America/New_York:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=America/New_York:{end:%Y%m%dT%H%M%S}",
        f"SUMMARY:{_escape(entry.summary)}", f"STATUS:{entry.status}",
    ]  # fmt: skip
    if entry.location:
        lines.append(f"LOCATION:{_escape(entry.location)}")
    if entry.people:
        lines.append(_person("ORGANIZER", *entry.organizer))
        lines += [_person("ATTENDEE", *one) for one in entry.people]
    return [*lines, *entry.lines, "END:VEVENT"]


def _calendar(events: Sequence[list[str]], method: str = "") -> str:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Clearwater//Dispatch 4.2//EN"]
    if method:
        head.append(f"METHOD:{method}")
    lines = [*head, *_TIMEZONE.split("\n"), *(line for event in events for line in event)]
    return "".join(_fold(line) + "\r\n" for line in [*lines, "END:VCALENDAR"])


def invitation_text(entry: Entry, method: str) -> str:
    """Return the entry as an iMIP body part carries it (RFC 6047)."""
    return _calendar([_event(entry)], method).replace("\r\n", "\n")


def _visit(index: int) -> Entry:
    person: Person = FILLER[(index * 11 + 4) % len(FILLER)]
    seed = number("visit", index)
    day = _at(11, 5, 9) + timedelta(days=index * 6, minutes=15 * (seed % 24))
    kind = pick(("Delivery", "Delivery", "Cooler service", "Site visit"), seed)
    where = f"{person.street}, {person.city}, {person.region} {person.postcode}"
    return Entry(f"cw-{4100 + index}@{OWN_DOMAIN}", f"{kind} {person.name}", day,
                 pick((15, 30, 45), seed), people=[(person.name, person.email, "ACCEPTED")],
                 location=where)  # fmt: skip


def _round(first: datetime) -> list[list[str]]:
    """Return the weekly Tidewater round: one date left out, one moved to the afternoon."""
    uid, gloria = f"round-tidewater@{OWN_DOMAIN}", cast.TIDEWATER_STAFF[0]
    people = [(gloria.name, gloria.email, "ACCEPTED")]
    zone = "TZID=America/New_York"
    skipped, moved = first + timedelta(days=49), first + timedelta(days=63)
    rules = ["RRULE:FREQ=WEEKLY;COUNT=16", f"EXDATE;{zone}:{skipped:%Y%m%dT%H%M%S}"]
    series = Entry(uid, "Tidewater round", first, 90, people=people, lines=rules)
    override = Entry(uid, "Tidewater round (afternoon)", moved + timedelta(hours=5), 90,
                     people=people, sequence=1,
                     lines=[f"RECURRENCE-ID;{zone}:{moved:%Y%m%dT%H%M%S}"])  # fmt: skip
    return [_event(series), _event(override)]


def _all_day(uid: str, summary: str, first: date, days: int) -> list[str]:
    stop = first + timedelta(days=days)
    return [
        "BEGIN:VEVENT", f"UID:{uid}@{OWN_DOMAIN}", "DTSTAMP:20251101T120000Z",
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}", f"DTEND;VALUE=DATE:{stop:%Y%m%d}",
        f"SUMMARY:{summary}", "TRANSP:TRANSPARENT", "END:VEVENT",
    ]  # fmt: skip


def agenda() -> Output:
    """Return the calendar file: visits, a weekly round, whole days, a cancelled visit."""
    walter = cast.BRANDTS[0]
    cancelled = Entry(f"cw-4090@{OWN_DOMAIN}", "Cooler pick-up Brandt", _at(1, 23, 9), 30,
                      people=[(walter.name, walter.email, "DECLINED")], status="CANCELLED",
                      sequence=1)  # fmt: skip
    events = [
        *(_event(_visit(index)) for index in range(_VISITS)),
        *_round(_at(11, 11, 8)),
        _event(cancelled), _event(WALKTHROUGH), _event(VISIT),
        _all_day("holiday-2025-thanksgiving", "Depot closed (Thanksgiving)", date(2025, 11, 27), 1),
        _all_day("inventory-2026", "Inventory", date(2026, 1, 2), 2),
    ]  # fmt: skip
    return Output(files={CALENDAR_FILE: _calendar(events).encode()})
