"""Calendars of real servers as sources of the contract suite."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import icalendar

from crm_hub.sdk.testing.contract import Exempt
from crm_hub.sdk.testing.dav import ByPut, OnRadicale, Things, on_radicale
from crm_hub.sdk.testing.servers.radicale import Collection

_NAMED = ("SUMMARY", "DTSTART")


def entry(number: int, title: str = "Visit", *more: str, uid: str = "") -> str:
    """Return a calendar object with one meeting."""
    return "\r\n".join([
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", "BEGIN:VEVENT",
        f"UID:{uid or f'visit-{number}@clearwater.example'}",
        f"DTSTART:202603{number % 28 + 1:02d}T{number % 24:02d}0000Z",
        f"DTEND:202603{number % 28 + 1:02d}T{number % 24:02d}3000Z",
        "DTSTAMP:20260101T000000Z", f"SUMMARY:{title} {number}", *more,
        "END:VEVENT", "END:VCALENDAR", "",
    ])  # fmt: skip


class Meetings(Things):
    """A calendar of meetings."""

    kind, work, title = "calendar", "work", "Work"
    named, suffix, media_type = "visit-", ".ics", "text/calendar"
    odd_line = "SEQUENCE:seven"

    def text(self, number: int, title: str = "", at: datetime | None = None, line: str = "") -> str:
        if at is not None:
            raise Exempt("a resource has an etag and no time of change")
        return entry(number, title or "Visit", *[line][: bool(line)])

    def without(self, text: str) -> str:
        return "\r\n".join(one for one in text.split("\r\n") if not one.startswith("SUMMARY"))

    def new_fields(self) -> Mapping[str, Any]:
        return {
            "kind": "event", "summary": "New", "location": "Pier 7",
            "start": "2026-03-12T09:00:00+00:00", "end": "2026-03-12T10:00:00+00:00",
        }  # fmt: skip

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"summary": f"Changed {id}", "start": "2026-03-01T02:00:00+00:00"}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"start": "soon"}

    def held(self, id: str) -> Mapping[str, Any] | None:
        """Return each property of the entry, and the two times under the names of the payload."""
        raw = self.raw(id)
        if raw is None:
            return None
        event = icalendar.Calendar.from_ical(raw).walk("VEVENT")[0]
        said = {name: value.to_ical() for name, value in event.items() if name not in _NAMED}
        start = event["DTSTART"].dt.astimezone(UTC).isoformat()
        return {**said, "summary": str(event["SUMMARY"]), "start": start}


class RadicaleSource(Meetings, OnRadicale):
    """A calendar of a Radicale."""

    @property
    def calendar(self) -> Collection:
        return self.collection


class PutSource(Meetings, ByPut):
    """The calendar of a Xandikos or a Cyrus."""


def radicale_source(records: int) -> AbstractContextManager[RadicaleSource]:
    """Yield a Radicale with a calendar of this many meetings. Raises: Unobtainable."""
    return on_radicale(RadicaleSource, records)
