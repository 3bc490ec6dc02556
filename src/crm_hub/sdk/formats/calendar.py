"""iCalendar: one item for each meeting, each occurrence of a series, each task.

It is read twice: first its time zones, its series and the moved or cancelled occurrences,
then its components one by one, so that a bad one loses nothing but itself.
Before: a connector with a file or a resource. After: the mapping section `calendar`.
Source: RFC 5545; RFC 5546 for what makes two copies one meeting.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import re
from collections import deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, BinaryIO

from crm_hub.model.records import Reject
from crm_hub.sdk.formats import contentlines, recurrence, zones
from crm_hub.sdk.formats.contentlines import Component, components
from crm_hub.sdk.formats.ical_event import Event, Moment, read_event
from crm_hub.sdk.formats.ical_exceptions import aligned, following, spoken
from crm_hub.sdk.formats.items import Item, nothing_found, unreadable

MAX_OCCURRENCES = 400
LOOK_AHEAD = timedelta(days=60)
_MOST_COUNTED = 200_000
_EVER = timedelta(days=300 * 366)
_PERIODS = {
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(days=7),
    "MONTHLY": timedelta(days=31),
    "YEARLY": timedelta(days=366),
}
# A VCALENDAR ends where the first of the others begins: what it says of itself stands before.
_KINDS = frozenset({b"VCALENDAR", b"VEVENT", b"VTODO", b"VTIMEZONE", b"VJOURNAL", b"VFREEBUSY"})
_ENTRIES = ("VEVENT", "VTODO")
_MAX_FOLLOWING = 100
_MAX_SPELLED = 100
_HEAD_BYTES = 20_000
_SERIES = re.compile(rb"^[ \t]*(?:RECURRENCE-ID|RRULE|RDATE)\b", re.I | re.M)
_REMEDY = "Correct the entry in the calendar program and export the file again."


@dataclass(frozen=True, slots=True)
class _Head:
    """What a calendar says of all its entries. floating: zone of times without one, "" for none.

    start: byte of the file that it begins at. cancels: its entries are called off (RFC 5546).
    """

    start: int = 0
    floating: str = ""
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """The newest copy of a series in the file: its beginning and its SEQUENCE."""

    start: Moment
    sequence: int


@dataclass(slots=True)
class _Calendar:
    """What the first pass finds: zones by TZID; by UID series and what stands on its own in them.

    overrides: the marks of such occurrences. later: what speaks for all after its occurrence too.
    """

    zone: str
    heads: list[_Head] = field(default_factory=lambda: [_Head()])
    zones: dict[str, tzinfo | None] = field(default_factory=dict)
    series: dict[str, _Known] = field(default_factory=dict)
    overrides: dict[str, set[str]] = field(default_factory=dict)
    later: dict[str, list[Event]] = field(default_factory=dict)

    def read(self, component: Component) -> Event:
        """Return an entry of the file. Raises: ValueError for one that cannot be read."""
        if component.problem:
            raise ValueError(component.problem)
        at = bisect.bisect_right(self.heads, component.start, key=lambda head: head.start)
        head = self.heads[max(0, at - 1)]
        name = component.name
        event = read_event(component.raw, name, self.zones, self.zone, head.floating)
        if head.cancels:
            event.fields["status"] = "cancelled"
        known = self.series.get(event.uid)
        if known is not None and event.recurrence is not None:
            event.recurrence = aligned(event.recurrence, known.start)
        return event

    def is_outdated(self, event: Event) -> bool:
        """Tell whether the file holds a newer copy of a series."""
        known = self.series.get(event.uid)
        sequence: int = event.fields["sequence"]
        return event.recurrence is None and known is not None and sequence < known.sequence


def read_calendar(
    stream: BinaryIO, *, zone: str = "UTC", now: datetime, start_offset: int = 0
) -> Iterator[Item | Reject]:
    """Yield the entries of a calendar, shape `calendar`; a broken one as Reject.

    A series gives one item for each occurrence up to 60 days after `now`: the latest 400,
    so that the past stays when the same file is read a year later. offset: bytes; the
    occurrences of one series share the offset of its beginning, except the last.
    zone: IANA name of the zone of whole days, and of floating times unless the calendar names
    another (X-WR-TIMEZONE). now: aware.
    """
    calendar = _survey(stream, zone)
    is_empty = start_offset == 0
    for component in components(stream, _KINDS, start_offset):
        if component.name in _ENTRIES:
            is_empty = False
            yield from _items(component, calendar, now)
    if is_empty:
        yield from nothing_found(stream, b"BEGIN:VCALENDAR", "calendar")


def _survey(stream: BinaryIO, zone: str) -> _Calendar:
    found = _Calendar(zone)
    exceptions: list[tuple[str, Moment]] = []
    spelled = 0
    for component in components(stream, _KINDS):
        if component.name == "VCALENDAR":
            found.heads.append(_head(component))
        elif component.name == "VTIMEZONE":
            tzid, known = zones.read_vtimezone(component.raw)
            spelled += isinstance(known, zones.SpelledZone)
            found.zones[tzid] = known if spelled <= _MAX_SPELLED else None
        elif component.name in _ENTRIES and _SERIES.search(component.raw):
            try:
                event = found.read(component)
            except (ValueError, OverflowError):
                continue  # the second pass sets it aside
            if event.recurrence is not None:
                exceptions.append((event.uid, event.recurrence))
                later = found.later.setdefault(event.uid, []) if event.following else []
                later += [event] * (len(later) < _MAX_FOLLOWING)
            elif event.is_series and event.start is not None and not found.is_outdated(event):
                found.series[event.uid] = _Known(event.start, event.fields["sequence"])
    for uid, mark in exceptions:
        begun = found.series.get(uid)
        mark = aligned(mark, begun.start) if begun is not None else mark
        found.overrides.setdefault(uid, set()).add(mark.mark)
    found.later = {
        uid: _following(events, found.series.get(uid)) for uid, events in found.later.items()
    }
    return found


def _following(events: list[Event], series: _Known | None) -> list[Event]:
    for event in events:
        if series is not None and event.recurrence is not None:
            event.recurrence = aligned(event.recurrence, series.start)
    return following(events)


def _head(component: Component) -> _Head:
    said = {
        line.name: line.value.strip() for line in contentlines.lines(component.raw[:_HEAD_BYTES])
    }
    floating = said.get("X-WR-TIMEZONE", "")
    if zones.named_zone(floating) is None:
        floating = ""
    return _Head(component.start, floating, said.get("METHOD", "").upper() == "CANCEL")


def _items(component: Component, calendar: _Calendar, now: datetime) -> Iterator[Item | Reject]:
    place = f"{component.name} at byte {component.start}"
    try:
        event = calendar.read(component)
        if not event.uid:
            event.uid = "sha:" + hashlib.sha256(component.raw).hexdigest()[:40]
        if calendar.is_outdated(event):
            return
        payloads = [event_payload(*one) for one in _moments(event, calendar, now)]
    except (ValueError, OverflowError) as error:
        reason = str(error) or "it cannot be read"
        yield unreadable(f"byte:{component.start}", place, reason, _REMEDY, component.raw)
        return
    for index, payload in enumerate(payloads, 1):
        offset = component.end if index == len(payloads) else component.start
        yield Item(payload["meeting_id"], payload, event.changed_at, offset)


def _moments(event: Event, calendar: _Calendar, now: datetime) -> list[tuple[Event, Moment | None]]:
    """Return (who speaks, start) for each item. Raises: ValueError for a rule we cannot expand."""
    if not event.is_series or event.start is None:
        return [(event, event.start)]
    horizon = now.astimezone(UTC) + LOOK_AHEAD
    overrides = calendar.overrides.get(event.uid, set())
    later = calendar.later.get(event.uid, [])
    found = expand(event, overrides, horizon, MAX_OCCURRENCES)[0]
    return [spoken(event, moment, later) for moment in found]


def expand(
    event: Event, overrides: Set[str], horizon: datetime, most: int
) -> tuple[list[Moment], bool]:
    """Return the latest starts of a series up to `horizon`, and whether it goes on after it.

    overrides: marks of occurrences that stand on their own. A series that begins after the
    horizon gives its first start. Raises: ValueError for a rule we cannot expand.
    """
    start = event.start
    if start is None:
        return [], False
    rule = recurrence.parse_rule(event.rule) if event.rule else None
    latest, seen = _latest(rule, start, horizon, most)
    taken = {aligned(moment, start).mark for moment in event.exdates} | overrides
    days = {moment.wall.date() for moment in event.exdates if moment.all_day}
    marked = {m.mark: m for m in [*latest, *(r for r in event.rdates if r.utc <= horizon)]}
    kept = [m for mark, m in marked.items() if mark not in taken and m.wall.date() not in days]
    kept.sort(key=lambda moment: moment.utc)
    if not latest and start.mark not in taken:
        kept = [start]  # begins after the horizon
    goes_on = _goes_on(rule, start, horizon, seen)
    return kept[-most:], goes_on or any(r.utc > horizon for r in event.rdates)


def _latest(
    rule: recurrence.Rule | None, start: Moment, horizon: datetime, most: int
) -> tuple[deque[Moment], int]:
    """Return the latest `most` starts up to `horizon`, and how many were counted for that.

    A rule that does not count is looked at from the end: no year of it costs more than it gives.
    """
    if rule is None or rule.count is not None:
        return _counted(_series(rule, start, horizon), most)
    period = _PERIODS[rule.freq] * rule.interval
    span = period * max(1, most // rule.times_a_day)
    while True:
        first = horizon.replace(tzinfo=None) - min(span, _EVER)
        if first <= start.wall:
            return _counted(_series(rule, start, horizon), most)
        found = _counted(_series(rule, start, horizon, first), most)
        if found[1] >= most:
            return found
        span *= 8


def _counted(series: Iterator[Moment], most: int) -> tuple[deque[Moment], int]:
    count = itertools.count()
    bounded = itertools.islice(series, _MOST_COUNTED)
    latest = deque((m for m, _ in zip(bounded, count, strict=False)), most)
    seen = next(count)
    if seen == _MOST_COUNTED:
        raise ValueError(f"it repeats more than {seen:,} times")
    return latest, seen


def _goes_on(rule: recurrence.Rule | None, start: Moment, horizon: datetime, seen: int) -> bool:
    if rule is None:
        return start.utc > horizon
    if rule.count is not None and seen >= rule.count:
        return False
    return rule.until is None or _until(rule.until, start).utc > horizon


def _until(until: datetime, start: Moment) -> Moment:
    """Return UNTIL in the series' own zone, whether it is written there or in UTC."""
    if until.tzinfo is not None:
        until = until.astimezone(start.tz).replace(tzinfo=None)
    return start.at(until)


def _series(
    rule: recurrence.Rule | None, start: Moment, horizon: datetime, first: datetime | None = None
) -> Iterator[Moment]:
    if rule is None:
        if start.utc <= horizon:
            yield start
        return
    if start.wall.year < 1900:
        raise ValueError(f"its series begins in the year {start.wall.year}")
    if rule.until is not None:
        rule = recurrence.with_until(rule, _until(rule.until, start).wall)
    # Wall times of the series' own zone: one day of margin, then compared as instants.
    last = horizon.replace(tzinfo=None) + timedelta(days=1)
    for wall in recurrence.occurrences(rule, start.wall, last, first):
        moment = start.at(wall)
        if moment.utc <= horizon:
            yield moment


def event_payload(event: Event, start: Moment | None) -> dict[str, Any]:
    """Return an entry as a payload of shape `calendar`; start: of this very occurrence.

    meeting_id is UID, or UID#occurrence for one of a series: what a mail invitation to the
    same meeting carries too. Times are UTC; the end of a whole day is the next midnight.
    """
    mark = ""
    if event.recurrence is not None:
        mark = event.recurrence.mark
    elif event.is_series and start is not None:
        mark = start.mark
    end = start.after(event.length) if start is not None else None
    fields: Mapping[str, Any] = event.fields
    return {
        "kind": event.kind,
        "uid": event.uid,
        "recurrence_id": mark,
        "meeting_id": f"{event.uid}#{mark}" if mark else event.uid,
        "start": start.utc.isoformat() if start is not None else None,
        "end": end.utc.isoformat() if end is not None else None,
        "all_day": start is not None and start.all_day,
        "zone": start.zone if start is not None else "",
        "recurring": bool(mark),
        "last_modified": event.changed_at.isoformat() if event.changed_at else None,
        **fields,
    }
