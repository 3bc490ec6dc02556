"""Changes one calendar entry in the named places only, cancels it, and makes new ones.

    changed = edit_entry(raw, {"summary": "Visit", "start": "2026-03-10T09:00:00+00:00"},
                         zone="Europe/Berlin", now=now)
    moved = edit_entry(raw, {"occurrences.[recurrence_id=20260317T080000Z].start": "..."}, ...)
    fresh = new_entry({"summary": "Visit", "start": "...", "end": "..."}, uid="…", now=now)

Paths are those of the payload that `ical_resource.read_resource` gives, for the entry itself or
for one occurrence of a series, which then gets an override of its own. `rule` is its RRULE,
`rdates` the marks of further occurrences, `attendance` who is invited (`edit_ical_guests`),
`exceptions` what `edit_ical_series.exceptions_of` gives. None takes a value away. A value that
stands there already is not written; SEQUENCE and DTSTAMP are left as they are.
Raises: NotWritable with path → reason, before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm_hub.sdk.formats import recurrence
from crm_hub.sdk.formats.edit_ical_entry import TEXTS, Entry
from crm_hub.sdk.formats.edit_ical_guests import is_server_side
from crm_hub.sdk.formats.edit_ical_series import Series
from crm_hub.sdk.formats.edit_ical_time import Clock
from crm_hub.sdk.formats.edit_lines import Block, NotWritable, Text, escaped

_OCCURRENCE = re.compile(r"occurrences\.\[recurrence_id=([0-9TZ]{8,16})\]\.([a-z_]+)\Z")
_OF_SERIES = frozenset({"rule", "rdates", "exceptions"})
_ENTRIES = ("VEVENT", "VTODO")
_OF_ONE = frozenset({*TEXTS, "start", "end", "status"})
WRITABLE = frozenset(
    {*TEXTS, "start", "end", "all_day", "status", "categories", "rule", "rdates", "exceptions",
     "kind", "attendees.address", "attendance", "organizer.address"}
)  # fmt: skip
"""The paths of an entry that can be written; of one occurrence: texts, start, end and status."""


def edit_entry(raw: bytes, fields: Mapping[str, Any], *, zone: str, now: datetime) -> bytes:
    """Return the resource with these values, all its other bytes as they are.

    zone: IANA name of the zone of floating times and whole days. now: when a task was done.
    """
    own, of_one = _sorted(fields)
    text = Text(raw)
    calendar = _calendar(text)
    clock = Clock.of(text, calendar, zone)
    main = _main(calendar)
    entry = Entry(text, main, clock, now)
    series = Series(text, calendar, entry, clock)
    if "start" in own or "end" in own or "all_day" in own:
        series.move(own)
    entry.write({path: value for path, value in own.items() if path not in _OF_SERIES})
    if "rule" in own:
        series.set_rule(own["rule"])
    if "rdates" in own:
        series.set_more_dates(own["rdates"] or [])
    if "exceptions" in own:
        series.set_exceptions(own["exceptions"], now)
    for mark, changes in of_one.items():
        where = f"occurrences.[recurrence_id={mark}]"
        occurrence = series.occurrence(mark, where, now)
        occurrence.write({f"{where}.{name}": value for name, value in changes.items()}, where + ".")
    return bytes(text)


def new_entry(fields: Mapping[str, Any], *, uid: str, now: datetime, zone: str = "UTC") -> bytes:
    """Return a new iCalendar text with one meeting or task (`kind`: event or todo).

    No server mails its guests: they carry SCHEDULE-AGENT=CLIENT (RFC 6638 section 7.1).
    """
    kind = "VTODO" if fields.get("kind") == "todo" else "VEVENT"
    if kind == "VEVENT" and not fields.get("start"):
        raise NotWritable({"start": "a meeting needs a start"})
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//crm-hub//crm-hub//EN", f"BEGIN:{kind}",
        f"UID:{escaped(uid)}", f"DTSTAMP:{stamp}", f"END:{kind}", "END:VCALENDAR", "",
    ]  # fmt: skip
    raw = "\r\n".join(lines).encode("utf-8", "replace")
    return edit_entry(raw, fields, zone=zone, now=now)


def informs_guests(raw: bytes) -> bool:
    """Tell whether a scheduling server would mail the guests of an entry that is changed."""
    blocks = [b for one in Text(raw).blocks() for b in one.nested if b.name in _ENTRIES]
    return any(
        block.first("ORGANIZER") is not None
        and any(is_server_side(piece) for piece in block.named("ATTENDEE"))
        for block in blocks
    )


def _sorted(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return what is meant for the entry, and for single occurrences by mark."""
    own: dict[str, Any] = {}
    of_one: dict[str, dict[str, Any]] = {}
    reasons = {}
    for path, value in fields.items():
        match = _OCCURRENCE.match(path)
        if match and match[2] in _OF_ONE:
            of_one.setdefault(match[1], {})[match[2]] = value
        elif path in WRITABLE:
            own[path] = value
        else:
            reasons[path] = "this part of an entry cannot be written"
        if path == "rule" and value:
            reasons |= _unreadable_rule(value)
    if reasons:
        raise NotWritable(reasons)
    return own, of_one


def _unreadable_rule(value: Any) -> dict[str, str]:
    try:
        recurrence.parse_rule(str(value))
    except ValueError as error:
        return {"rule": str(error)}
    return {}


def _calendar(text: Text) -> Block:
    blocks = [block for block in text.blocks() if block.name == "VCALENDAR"]
    if len(blocks) != 1 or blocks[0].end is None:
        raise NotWritable({".": "the text is not one whole iCalendar"})
    return blocks[0]


def _main(calendar: Block) -> Block:
    """Return the entry that stands for the resource: the one without RECURRENCE-ID."""
    entries = [block for block in calendar.nested if block.name in _ENTRIES]
    masters = [block for block in entries if block.first("RECURRENCE-ID") is None]
    found = masters or entries
    if not found or any(block.end is None for block in entries):
        raise NotWritable({".": "there is no whole meeting or task in it"})
    if len({_uid(block) for block in entries}) > 1:
        raise NotWritable({".": "it holds several entries"})
    return found[0]


def _uid(block: Block) -> str:
    piece = block.first("UID")
    return piece.value.strip() if piece is not None else ""
