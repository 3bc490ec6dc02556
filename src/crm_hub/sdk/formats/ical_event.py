"""One VEVENT or VTODO as values: times settled, people named, the rule still to be expanded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from crm_hub.sdk.formats import contentlines
from crm_hub.sdk.formats.contentlines import Line, unescape
from crm_hub.sdk.formats.items import MAX_ID
from crm_hub.sdk.formats.zones import named_zone

MAX_DESCRIPTION = 20_000
MAX_ATTENDEES = 500
_MAX_DATES = 1_000

_DURATION = re.compile(
    r"([+-])?P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?\Z"
)
_STATUS = {"CANCELLED": "cancelled", "COMPLETED": "done"}
Zones = Mapping[str, tzinfo | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a calendar: a wall time with its zone, or a whole day.

    zone: "" for a whole day and for a floating time, which take the reader's own zone. length: of
    an occurrence that has its own.
    """

    wall: datetime
    tz: tzinfo
    all_day: bool = False
    zone: str = ""
    length: timedelta | None = None

    @property
    def utc(self) -> datetime:
        """Return the instant in UTC. A time that a clock change skips uses the offset before."""
        return self.wall.replace(tzinfo=self.tz).astimezone(UTC)

    @property
    def mark(self) -> str:
        """Return it as RECURRENCE-ID marks one occurrence: `20260310T090000Z`, `20260310`."""
        if self.all_day:
            return self.wall.strftime("%Y%m%d")
        return self.utc.strftime("%Y%m%dT%H%M%SZ")

    def at(self, wall: datetime) -> Moment:
        """Return another wall time of the same zone and kind."""
        return Moment(wall, self.tz, self.all_day, self.zone)

    def after(self, length: timedelta) -> Moment:
        """Return the end of what begins now and has no other length; never beyond the calendar."""
        try:
            end = self.at(self.wall + (length if self.length is None else self.length))
            end.utc  # noqa: B018 - a time outside the calendar is found here
        except OverflowError:
            return self
        return end


@dataclass(slots=True)
class Event:
    """One component of a calendar file, read.

    following: it stands for its occurrence and all after it (RANGE=THISANDFUTURE). more: the marks
    of further occurrences as `more_date` gives them.
    """

    kind: str
    uid: str
    start: Moment | None
    length: timedelta
    recurrence: Moment | None
    rule: str
    rdates: list[Moment]
    exdates: list[Moment]
    fields: dict[str, Any]
    changed_at: datetime | None
    following: bool = False
    more: list[str] = field(default_factory=list)

    @property
    def is_series(self) -> bool:
        return bool(self.rule or self.rdates) and self.recurrence is None


def read_event(
    raw: bytes | bytearray, kind: str, zones: Zones, local: str, floating: str = ""
) -> Event:
    """Return one VEVENT or VTODO. local: IANA name of the zone of whole days and floating times.

    floating: name of another zone for the latter, "" for none.
    Raises: ValueError with the reason, for people, when it has no readable start.
    """
    found = _properties(raw)
    reader = Times(zones, local, floating)
    start = reader.one(found, "DTSTART") or (reader.one(found, "DUE") if kind == "VTODO" else None)
    if start is None and kind == "VEVENT":
        raise ValueError("it has no readable DTSTART")
    changed = reader.one(found, "LAST-MODIFIED")
    event = Event(
        kind="todo" if kind == "VTODO" else "event",
        uid=_uid(_text(found, "UID")),
        start=start,
        length=_length(found, reader, start) if start else timedelta(0),
        recurrence=reader.one(found, "RECURRENCE-ID"),
        rule=_text(found, "RRULE"),
        rdates=reader.many(found, "RDATE"),
        exdates=reader.many(found, "EXDATE"),
        fields=_fields(found),
        changed_at=changed.utc if changed else None,
        following=_range(found) == "THISANDFUTURE",
        more=_more(found, reader),
    )
    if kind == "VTODO":
        for name in ("COMPLETED", "CREATED"):
            moment = reader.one(found, name)
            event.fields[name.lower()] = moment.utc.isoformat() if moment else None
        if event.fields["status"] == "booked":
            event.fields["status"] = "open"
    return event


def _more(found: dict[str, list[Line]], reader: Times) -> list[str]:
    texts = [
        (t, line) for line in found.get("RDATE", [])[:_MAX_DATES] for t in line.value.split(",")
    ]
    marks = [more_date(text, reader.moment(text, line)) for text, line in texts[:_MAX_DATES]]
    return sorted({mark for mark in marks if mark})


def more_date(text: str, moment: Moment | None) -> str:
    """Return the mark of a value of RDATE, with its length if it has its own; "" for no time."""
    if moment is None:
        return ""
    slash, length = text.strip().partition("/")[1:]
    return moment.mark + slash + length.strip().upper()


def _range(found: dict[str, list[Line]]) -> str:
    lines = found.get("RECURRENCE-ID")
    return lines[0].param("RANGE").upper() if lines else ""


def _properties(raw: bytes | bytearray) -> dict[str, list[Line]]:
    """Return name → lines of the component itself, without those of its alarms."""
    found: dict[str, list[Line]] = {}
    depth = 0
    for line in contentlines.lines(raw):
        if line.name == "BEGIN":
            depth += 1
        elif line.name == "END":
            depth -= 1
        elif depth <= 1:
            found.setdefault(line.name, []).append(line)
    return found


def _text(found: dict[str, list[Line]], name: str) -> str:
    values = found.get(name)
    return unescape(values[0].value).strip() if values else ""


def _uid(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[: MAX_ID - 50]


def _fields(found: dict[str, list[Line]]) -> dict[str, Any]:
    people = found.get("ATTENDEE", [])[:MAX_ATTENDEES]
    things = ("ROOM", "RESOURCE")
    organizer = found.get("ORGANIZER")
    sequence = _text(found, "SEQUENCE")
    return {
        "sequence": int(sequence) if sequence.isascii() and sequence.isdigit()
        and len(sequence) < 10 else 0,
        "summary": " ".join(_text(found, "SUMMARY").split())[:1_000],
        "description": _text(found, "DESCRIPTION")[:MAX_DESCRIPTION],
        "location": " ".join(_text(found, "LOCATION").split())[:1_000],
        "status": _STATUS.get(_text(found, "STATUS").upper(), "booked"),
        "class": _text(found, "CLASS").lower()[:40],
        "organizer": _person(organizer[0]) if organizer else None,
        "attendees": [_person(p) for p in people if p.param("CUTYPE").upper() not in things],
        "resources": [_person(p)["name"] for p in people if p.param("CUTYPE").upper() in things],
        "url": _text(found, "URL")[:2_000],
        "categories": [
            part.strip()
            for line in found.get("CATEGORIES", [])[:50]
            for part in contentlines.split_escaped(line.value, ",")
        ][:100],
    }  # fmt: skip


def _person(line: Line) -> dict[str, str]:
    # Confluence writes its parameters behind the colon, with a second one before the address.
    at = line.value.lower().rfind("mailto:")
    address = line.value[at + 7 :].partition("?")[0] if at >= 0 else line.value
    address = address.strip().strip("<>")
    if "@" not in address:
        address = line.param("EMAIL")
    person = {"address": address.strip()[:320], "name": line.param("CN").strip()[:300]}
    if line.name == "ATTENDEE":
        person["partstat"] = (line.param("PARTSTAT") or "needs-action").lower()[:40]
        person["role"] = (line.param("ROLE") or "req-participant").lower()[:40]
    return person


def _length(found: dict[str, list[Line]], reader: Times, start: Moment) -> timedelta:
    end = reader.one(found, "DTEND")
    if end is not None:
        length = end.wall - start.wall if end.tz is start.tz else end.utc - start.utc
    else:
        length = _duration(_text(found, "DURATION"))
    if length <= timedelta(0):
        return timedelta(days=1) if start.all_day else timedelta(0)
    return min(length, timedelta(days=3_660))


def _duration(text: str) -> timedelta:
    match = _DURATION.match(text.strip().upper())
    if not match or match[1] == "-":
        return timedelta(0)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _wall(text: str) -> datetime:
    """Return the naive time of `20260310T090000`; seconds may be left out. Raises: ValueError."""
    if len(text.rstrip("Z")) == 13:
        text = text[:13] + "00"
    day, clock = text[:8], text[9:15]
    if len(clock) == 6 and text[8] == "T" and (day + clock).isdigit() and text.isascii():
        # What strptime would do, eight times as fast.
        return datetime(  # noqa: DTZ001
            int(day[:4]), int(day[4:6]), int(day[6:]),
            int(clock[:2]), int(clock[2:4]), int(clock[4:]),
        )  # fmt: skip
    return datetime.strptime(text[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007


@dataclass(frozen=True, slots=True)
class Times:
    """Reads date and date-time properties with the zones of one file.

    zones: by TZID, as the file spells them out. local: IANA name of the zone of whole days and
    floating times. floating: name of another zone for the latter, "" for none.
    """

    zones: Zones
    local: str
    floating: str = ""

    def one(self, found: dict[str, list[Line]], name: str) -> Moment | None:
        values = found.get(name)
        return self.moment(values[0].value, values[0]) if values else None

    def many(self, found: dict[str, list[Line]], name: str) -> list[Moment]:
        texts = [
            (text, line)
            for line in found.get(name, [])[:_MAX_DATES]
            for text in line.value.split(",")
        ]
        moments = [self._spanning(text, line) for text, line in texts[:_MAX_DATES]]
        return [moment for moment in moments if moment is not None]

    def _spanning(self, text: str, line: Line) -> Moment | None:
        """Return a time, or a period (`20260310T090000Z/PT1H`) with its own length."""
        begin, slash, end = text.strip().partition("/")
        moment = self.moment(begin, line)
        if moment is None or not slash:
            return moment
        last = None if end[:1].upper() == "P" else self.moment(end, line)
        length = last.utc - moment.utc if last is not None else _duration(end)
        return replace(moment, length=length) if length > timedelta(0) else moment

    def moment(self, text: str, line: Line) -> Moment | None:
        """Return the time that a value of this property says, None where it says none."""
        text = text.strip().partition("/")[0].replace("-", "").replace(":", "")
        local = named_zone(self.local) or UTC
        try:
            if len(text) == 8:
                day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
                moment = Moment(datetime.combine(day, time()), local, all_day=True)
            else:
                wall = _wall(text)
                moment = self._zoned(wall, line.param("TZID"), text.endswith("Z"), local)
            moment.utc  # noqa: B018 - a time outside the calendar is found here
        except (ValueError, OverflowError):
            return None
        return moment

    def _zoned(self, wall: datetime, tzid: str, is_utc: bool, local: tzinfo) -> Moment:
        if is_utc:
            return Moment(wall, UTC, zone="UTC")
        tzid = tzid or self.floating
        zone = (self.zones.get(tzid) or named_zone(tzid)) if tzid else None
        return Moment(wall, zone or local, zone=str(getattr(zone, "key", tzid)) if zone else "")
