"""Time zones as calendar files name them: IANA, Windows, a vendor's path, or spelled out.

Source: RFC 5545 section 3.6.5; Unicode CLDR windowsZones for the Windows names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from crm_hub.sdk.formats import contentlines, recurrence

_WINDOWS = {
    "utc": "UTC",
    "coordinated universal time": "UTC",
    "gmt standard time": "Europe/London",
    "greenwich standard time": "Africa/Abidjan",
    "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris",
    "central europe standard time": "Europe/Budapest",
    "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau",
    "fle standard time": "Europe/Kiev",
    "gtb standard time": "Europe/Bucharest",
    "turkey standard time": "Europe/Istanbul",
    "russian standard time": "Europe/Moscow",
    "israel standard time": "Asia/Jerusalem",
    "south africa standard time": "Africa/Johannesburg",
    "egypt standard time": "Africa/Cairo",
    "morocco standard time": "Africa/Casablanca",
    "w. central africa standard time": "Africa/Lagos",
    "e. africa standard time": "Africa/Nairobi",
    "eastern standard time": "America/New_York",
    "us eastern standard time": "America/Indiana/Indianapolis",
    "central standard time": "America/Chicago",
    "canada central standard time": "America/Regina",
    "central standard time (mexico)": "America/Mexico_City",
    "mountain standard time": "America/Denver",
    "us mountain standard time": "America/Phoenix",
    "pacific standard time": "America/Los_Angeles",
    "alaskan standard time": "America/Anchorage",
    "hawaiian standard time": "Pacific/Honolulu",
    "atlantic standard time": "America/Halifax",
    "newfoundland standard time": "America/St_Johns",
    "sa pacific standard time": "America/Bogota",
    "sa western standard time": "America/La_Paz",
    "sa eastern standard time": "America/Cayenne",
    "e. south america standard time": "America/Sao_Paulo",
    "argentina standard time": "America/Argentina/Buenos_Aires",
    "pacific sa standard time": "America/Santiago",
    "arabian standard time": "Asia/Dubai",
    "arab standard time": "Asia/Riyadh",
    "arabic standard time": "Asia/Baghdad",
    "iran standard time": "Asia/Tehran",
    "pakistan standard time": "Asia/Karachi",
    "india standard time": "Asia/Kolkata",
    "bangladesh standard time": "Asia/Dhaka",
    "se asia standard time": "Asia/Bangkok",
    "china standard time": "Asia/Shanghai",
    "taipei standard time": "Asia/Taipei",
    "singapore standard time": "Asia/Singapore",
    "w. australia standard time": "Australia/Perth",
    "tokyo standard time": "Asia/Tokyo",
    "korea standard time": "Asia/Seoul",
    "cen. australia standard time": "Australia/Adelaide",
    "aus central standard time": "Australia/Darwin",
    "e. australia standard time": "Australia/Brisbane",
    "aus eastern standard time": "Australia/Sydney",
    "tasmania standard time": "Australia/Hobart",
    "new zealand standard time": "Pacific/Auckland",
}
_FIXED = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?\Z", re.I)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})(?::?(\d{2}))?\Z")
_MAX_OBSERVANCES = 200
_WALL = "%Y%m%dT%H%M%S"


@lru_cache(maxsize=512)
def named_zone(name: str) -> tzinfo | None:
    """Return the zone of an IANA, Windows or fixed-offset name, None when nobody knows it."""
    name = name.strip().strip('"')
    if name.upper() in ("UTC", "Z", "GMT", "ETC/UTC"):
        return UTC
    pieces = name.split("/")
    tries = [name, _WINDOWS.get(name.lower(), "")]
    tries += ["/".join(pieces[n:]) for n in (-3, -2) if len(pieces) > -n]
    for known in filter(None, tries):
        try:
            return ZoneInfo(known)
        except (KeyError, ValueError, OSError):
            continue
    fixed = _FIXED.match(name)
    if fixed and int(fixed[2]) <= 14 and int(fixed[3] or 0) < 60:
        offset = timedelta(hours=int(fixed[2]), minutes=int(fixed[3] or 0))
        return timezone(-offset if fixed[1] == "-" else offset)
    return None


@dataclass(frozen=True, slots=True)
class _Observance:
    """Standard or daylight time: from when on, how often again, and what then holds."""

    onset: datetime
    offset: timedelta
    rule: recurrence.Rule | None = None


@dataclass(eq=False)
class SpelledZone(tzinfo):
    """A zone as its VTIMEZONE spells it out, for names nobody else knows."""

    name: str
    observances: list[_Observance]
    _years: dict[int, list[tuple[datetime, timedelta]]] = field(default_factory=dict)

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Return what holds at a wall time: the observance that began last."""
        if dt is None:
            return None
        wall = dt.replace(tzinfo=None)
        begun = [change for change in self._changes(wall.year) if change[0] <= wall]
        if begun:
            return begun[-1][1]
        return min(self.observances, key=lambda o: o.onset).offset

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Return None: a VTIMEZONE does not say how much of the offset is daylight saving."""
        return None

    def fromutc(self, dt: datetime) -> datetime:
        """Return the wall time of an instant; of one that comes twice, the first."""
        instant = dt.replace(tzinfo=None)
        for offset in sorted({one.offset for one in self.observances}, reverse=True):
            if self.utcoffset(instant + offset) == offset:
                return (instant + offset).replace(tzinfo=self)
        return (instant + self.observances[0].offset).replace(tzinfo=self)

    def tzname(self, dt: datetime | None) -> str | None:
        """Return the name the file gave it."""
        return self.name

    def _changes(self, year: int) -> list[tuple[datetime, timedelta]]:
        if year not in self._years:
            first, last = datetime(max(1, year - 1), 1, 1), datetime(year, 12, 31, 23, 59)  # noqa: DTZ001
            found = []
            for seen in self.observances:
                if seen.rule is None or seen.onset > first:
                    found.append((seen.onset, seen.offset))
                if seen.rule is not None:
                    onsets = recurrence.occurrences(seen.rule, seen.onset, last, first)
                    found += [(onset, seen.offset) for onset in onsets]
            self._years[year] = sorted(found, key=lambda change: change[0])
        return self._years[year]


def read_vtimezone(raw: bytes | bytearray) -> tuple[str, tzinfo | None]:
    """Return (TZID, zone) of a VTIMEZONE component; None where it cannot be understood."""
    tzid = location = ""
    observances: list[_Observance] = []
    current: dict[str, str] = {}
    for line in contentlines.lines(raw):
        if line.name == "TZID":
            tzid = line.value.strip()
        elif line.name in ("X-LIC-LOCATION", "TZID-ALIAS-OF"):
            location = line.value
        elif line.name == "BEGIN":
            current = {}
        elif line.name == "END" and line.value.strip().upper() in ("STANDARD", "DAYLIGHT"):
            seen = _observance(current)
            if seen is not None:
                observances.append(seen)
            if len(observances) == _MAX_OBSERVANCES:
                break
        else:
            current[line.name] = line.value.strip()
    zone = named_zone(tzid) or (named_zone(location) if location else None)
    if zone is None and observances:
        zone = SpelledZone(tzid, observances)
    return tzid, zone


def _observance(fields: Mapping[str, str]) -> _Observance | None:
    offset = _OFFSET.match(fields.get("TZOFFSETTO", ""))
    if not offset or int(offset[2]) > 14 or int(offset[3]) > 59:
        return None
    span = timedelta(hours=int(offset[2]), minutes=int(offset[3]), seconds=int(offset[4] or 0))
    try:
        onset = datetime.strptime(fields.get("DTSTART", "")[:15], _WALL)  # noqa: DTZ007
        rule = recurrence.parse_rule(fields["RRULE"]) if fields.get("RRULE") else None
    except ValueError:
        return None
    if rule is not None and rule.freq != "YEARLY":
        rule = None  # no clock is changed more often; a daily rule would only cost time
    if rule is not None and rule.until is not None:
        rule = recurrence.with_until(rule, rule.until.replace(tzinfo=None))
    return _Observance(onset, -span if offset[1] == "-" else span, rule)
