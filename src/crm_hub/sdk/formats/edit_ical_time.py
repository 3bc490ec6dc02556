"""Times of a calendar entry, written again in the form they have: zoned, UTC, floating, whole day.

Part of `edit_ical`. A time that its form cannot say (the hour that a clock change brings twice) is
refused, not written a little wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from crm_hub.sdk.formats.contentlines import Line
from crm_hub.sdk.formats.edit_lines import Block, NotWritable, Piece, Text
from crm_hub.sdk.formats.ical_event import Moment, Times
from crm_hub.sdk.formats.zones import named_zone, read_vtimezone

_KIND = re.compile(rb";(?:VALUE|TZID)=(?:\"[^\"]*\"|[^;:\"]*)", re.I)
_WALL = "%Y%m%dT%H%M%S"
_MARK = re.compile(r"(\d{8})(?:T(\d{6})Z)?\Z")


def instant(path: str, value: Any) -> datetime:
    """Return a payload's time (ISO 8601, aware). Raises: NotWritable."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise NotWritable({path: "an entry takes a time with its offset here"}) from None
    if moment.tzinfo is None:
        raise NotWritable({path: "the time has no offset"})
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Reads and writes the times of one text. local: IANA zone of floating times and whole days."""

    times: Times
    local: str

    @classmethod
    def of(cls, text: Text, calendar: Block, local: str) -> Clock:
        zones: dict[str, tzinfo | None] = {}
        for block in calendar.nested:
            if block.name == "VTIMEZONE":
                tzid, zone = read_vtimezone(b"".join(p.raw for p in text.slice(block)))
                zones[tzid] = zone
        return cls(Times(zones, local), local)

    def read(self, piece: Piece | None) -> Moment | None:
        if piece is None or piece.line is None:
            return None
        return self.times.moment(piece.value, piece.line)

    def many(self, piece: Piece) -> list[tuple[str, Moment | None]]:
        """Return each value of a list of times, as it is written and as it is read."""
        line = piece.line or Line(piece.name, {}, "")
        return [(one, self.times.moment(one, line)) for one in piece.value.split(",")]

    def written(self, path: str, utc: datetime, like: Moment) -> str:
        """Return an instant in the form of another one. Raises: NotWritable."""
        wall = utc.astimezone(like.tz).replace(tzinfo=None, fold=0)
        if like.all_day:
            if wall.time() != time():
                raise NotWritable({path: "the entry is a whole day, and this time is not midnight"})
            return wall.strftime("%Y%m%d")
        if like.at(wall).utc != utc:
            raise NotWritable({path: "a clock change brings this hour twice, and the entry's zone "
                               "cannot say which is meant"})  # fmt: skip
        return wall.strftime(_WALL) + ("Z" if like.zone == "UTC" else "")

    def marked(self, mark: str, like: Moment) -> Moment | None:
        """Return the moment that a mark (`20260310T090000Z`, `20260310`) means in a series."""
        match = _MARK.match(mark)
        if match is None or (match[2] is None) != like.all_day:
            return None
        try:
            if match[2] is None:
                day = datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007
                return like.at(datetime.combine(day, time()))
            utc = datetime.strptime(f"{match[1]}T{match[2]}", _WALL).replace(tzinfo=UTC)
        except ValueError:
            return None
        moment = like.at(utc.astimezone(like.tz).replace(tzinfo=None, fold=0))
        return moment if moment.mark == mark else None

    def whole_day(self, utc: datetime, path: str) -> date:
        """Return the day that begins at an instant, in the local zone. Raises: NotWritable."""
        wall = utc.astimezone(named_zone(self.local) or UTC).replace(tzinfo=None)
        if wall.time() != time():
            raise NotWritable({path: "a whole day begins and ends at midnight"})
        return wall.date()


def as_day(head: bytes) -> bytes:
    """Return a property's head for a value that is a day."""
    return _KIND.sub(b"", head)[:-1] + b";VALUE=DATE:"


def as_utc(head: bytes) -> bytes:
    """Return a property's head for a value in UTC."""
    return _KIND.sub(b"", head)


def duration(span: timedelta) -> str:
    """Return a length of time as iCalendar writes it."""
    days, seconds = span.days, span.seconds
    if not seconds:
        return f"P{days}D"
    hours, rest = divmod(seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    clock = "".join(f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return f"P{days}DT{clock}" if days else f"PT{clock}"
