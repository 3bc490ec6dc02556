"""One object of a calendar server: a meeting or task with its occurrences, read as one record.

The entry itself stands at the top of the payload, its occurrences in a list; one that differs
(moved, cancelled, with another subject) carries what differs. So a series of years stays small.
Before: a connector with the text of a resource. After: a mapping section with `each`.
Source: RFC 4791 section 4.1.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from crm_hub.sdk.formats import zones
from crm_hub.sdk.formats.calendar import event_payload, expand
from crm_hub.sdk.formats.contentlines import components
from crm_hub.sdk.formats.edit_ical_guests import attendance
from crm_hub.sdk.formats.edit_ical_series import MAX_EXCEPTIONS, exceptions_of
from crm_hub.sdk.formats.ical_event import Event, Moment, read_event
from crm_hub.sdk.formats.ical_exceptions import aligned, following, spoken

MAX_OCCURRENCES = 4_000
MAX_SERIES = 20
MAX_TEXT = 4_000_000
_MAX_ENTRIES = 2 * MAX_OCCURRENCES
_FURTHER = ("further entries", "one resource holds one series")
_KINDS = frozenset({b"VEVENT", b"VTODO", b"VTIMEZONE", b"VJOURNAL", b"VFREEBUSY"})
_ENTRIES = ("VEVENT", "VTODO")
_MARKS = frozenset({"meeting_id", "recurrence_id"})
_PLACES = _MARKS | {"start", "end"}


@dataclass(slots=True)
class Resource:
    """What a resource says.

    payload: None when no entry of it can be read. goes_on: it has occurrences after the horizon,
    so it says more when it is read again later. problems: (place, reason) of each unreadable part.
    """

    payload: dict[str, Any] | None
    goes_on: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Entries:
    """The readable entries of a resource, those of a series apart from its exceptions."""

    masters: list[Event] = field(default_factory=list)
    exceptions: list[Event] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def read_resource(text: str, *, zone: str, horizon: datetime) -> Resource:
    """Return what an iCalendar text says, with its occurrences up to `horizon` (aware).

    zone: IANA name of the zone of floating times and whole days. Of one series the latest 4,000
    occurrences are given. A journal or free-busy entry gives a payload without occurrences.
    """
    if len(text) > MAX_TEXT:
        return Resource(None, problems=[("the whole text", f"it is longer than {MAX_TEXT:,}")])
    raw = text.encode("utf-8", "replace")
    if b"BEGIN:VCALENDAR" not in raw.upper():
        return Resource(None, problems=[("the whole text", "it is no iCalendar")])
    found = _entries(raw, zone)
    if not found.masters and not found.exceptions:
        payload = None if found.problems else {"kind": "other", "uid": "", "occurrences": []}
        return Resource(payload, problems=found.problems)
    resource = Resource(None, problems=found.problems)
    items: list[tuple[Event, Moment | None]] = [(e, e.start) for e in found.exceptions]
    series = 0
    for master in found.masters:
        series += master.is_series
        if series > MAX_SERIES or len(items) > _MAX_ENTRIES:
            resource.problems.append(_FURTHER)
            break
        try:
            moments, goes_on = _occurrences(master, found.exceptions, horizon)
        except (ValueError, OverflowError) as error:
            resource.problems.append((f"the series {master.uid[:100]}", str(error)))
            continue
        resource.goes_on |= goes_on
        items += moments
    if items:
        resource.payload = _payload(items, found.masters)
        # Only few entries are series whose occurrences differ, and to look costs time.
        differs = b"EXDATE" in raw.upper() or bool(found.exceptions)
        differs = differs and len(found.exceptions) <= MAX_EXCEPTIONS
        try:
            resource.payload["exceptions"] = exceptions_of(raw, zone) if differs else ""
        except (ValueError, OverflowError) as error:
            resource.payload["exceptions"] = ""
            resource.problems.append(("what differs from the series", str(error)))
    return resource


def _entries(raw: bytes, zone: str) -> _Entries:
    found = _Entries()
    known: dict[str, tzinfo | None] = {}
    parts = list(components(io.BytesIO(raw), _KINDS))
    for part in parts:
        if part.name == "VTIMEZONE":
            tzid, spelled = _zone(bytes(part.raw))
            known[tzid] = spelled
    entries = [part for part in parts if part.name in _ENTRIES]
    for part in entries[:_MAX_ENTRIES]:
        try:
            if part.problem:
                raise ValueError(part.problem)
            event = read_event(part.raw, part.name, known, zone)
        except (ValueError, OverflowError) as error:
            place = f"{part.name} at byte {part.start}"
            found.problems.append((place, str(error) or "it cannot be read"))
            continue
        event.uid = event.uid or "sha:" + hashlib.sha256(part.raw).hexdigest()[:40]
        (found.masters if event.recurrence is None else found.exceptions).append(event)
    if len(entries) > _MAX_ENTRIES:
        found.problems.append(_FURTHER)
    for master in found.masters[:MAX_SERIES]:
        _align(master, found.exceptions)
    return found


# The same few zones are spelled out in each object of a calendar.
_zone = lru_cache(maxsize=64)(zones.read_vtimezone)


def _align(master: Event, exceptions: Sequence[Event]) -> None:
    """Let exceptions name their occurrence as the series does."""
    for one in exceptions:
        if one.uid == master.uid and one.recurrence is not None and master.start is not None:
            one.recurrence = aligned(one.recurrence, master.start)


def _occurrences(
    master: Event, exceptions: Sequence[Event], horizon: datetime
) -> tuple[list[tuple[Event, Moment | None]], bool]:
    """Return (the entry that speaks, its moment) for each plain occurrence, and if it goes on."""
    if not master.is_series:
        return [(master, master.start)], False
    own = [e for e in exceptions if e.uid == master.uid and e.recurrence is not None]
    taken = {e.recurrence.mark for e in own if e.recurrence is not None}
    moments, goes_on = expand(master, taken, horizon, MAX_OCCURRENCES)
    later = following(own)
    return [spoken(master, moment, later) for moment in moments], goes_on


def _payload(items: list[tuple[Event, Moment | None]], masters: Sequence[Event]) -> dict[str, Any]:
    main = masters[0] if masters else items[0][0]
    top = event_payload(main, main.start)
    top = {key: value for key, value in top.items() if key not in _MARKS}
    top["rule"] = main.rule
    top["rdates"] = main.more
    top["attendance"] = attendance(main.fields["attendees"])
    top["recurring"] = main.is_series or main.recurrence is not None
    occurrences = sorted(_differing(items, main, top), key=_order)
    return {**top, "occurrences": occurrences}


def _differing(
    items: Sequence[tuple[Event, Moment | None]], main: Event, top: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    room = MAX_TEXT
    for event, moment in reversed(items):
        if event is main and event.recurrence is None:
            yield _place(event, moment)
            continue
        told = event_payload(event, moment)
        item = {k: v for k, v in told.items() if k in _PLACES or top.get(k) != v}
        # Many occurrences after a change for all of them repeat its words: bounded.
        room -= sum(len(v) for v in item.values() if isinstance(v, str))
        room -= 200 * len(item.get("attendees", ()))
        if room > 0:
            yield item


def _place(event: Event, moment: Moment | None) -> dict[str, Any]:
    """Return when a plain occurrence is, under the id that a mail invitation to it has too."""
    mark = moment.mark if moment is not None and event.is_series else ""
    end = moment.after(event.length) if moment is not None else None
    return {
        "meeting_id": f"{event.uid}#{mark}" if mark else event.uid,
        "recurrence_id": mark,
        "start": moment.utc.isoformat() if moment is not None else None,
        "end": end.utc.isoformat() if end is not None else None,
    }


def _order(item: dict[str, Any]) -> tuple[str, str]:
    return item["start"] or "", item["meeting_id"]


def over_before(item: dict[str, Any], since: str) -> bool:
    """Tell whether an occurrence ended before `since` (UTC, ISO 8601); one without time did not."""
    end = item["end"] or item["start"]
    return end is not None and end < since


def horizon_of(now: datetime, ahead: timedelta) -> datetime:
    """Return the midnight up to which a series is laid out: the same for all reads of a day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + ahead
