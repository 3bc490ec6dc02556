"""Time zones as calendar files name them: IANA, Windows, a vendor's path, or spelled out.

Source: RFC 5545 section 3.6.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from crm_hub.sdk.formats import contentlines, recurrence
from crm_hub.sdk.formats.zone_names import windows_zone

_FIXED = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?\Z", re.I)
_OFFSET = re.compile(r"([+-]?)(\d{2}):?(\d{2})(?::?(\d{2}))?\Z")
_UTC = ("UTC", "Z", "GMT", "ETC/UTC", "COORDINATED UNIVERSAL TIME", "TZONE://MICROSOFT/UTC")
_MAX_OBSERVANCES = 200
_MAX_RULES = 24
_MAX_DATES = 5_000
_WALL = "%Y%m%dT%H%M%S"


@lru_cache(maxsize=512)
def named_zone(name: str) -> tzinfo | None:
    """Return the zone of an IANA, Windows or fixed-offset name, None when nobody knows it."""
    found = _exact(name)
    if found is not None:
        return found
    # Some programs write `europe/berlin`; RFC 2445 wrote `US-Eastern`.
    wanted, known = name.strip().strip('"').upper(), _in_capitals()
    real = known.get(wanted) or known.get(wanted.replace("-", "/", 1))
    return ZoneInfo(real) if real else None


@lru_cache(maxsize=512)
def _exact(name: str) -> tzinfo | None:
    name = name.strip().strip('"')
    if name.upper() in _UTC:
        return UTC
    pieces = name.split("/")
    tries = [name, windows_zone(name)]
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


@lru_cache(maxsize=1)
def _in_capitals() -> dict[str, str]:
    """Return the IANA names by themselves in capitals."""
    return {name.upper(): name for name in available_timezones()}


@dataclass(frozen=True, slots=True)
class _Observance:
    """Standard or daylight time: from when on, how often again, and what then holds.

    ended: its last beginning, for a rule that ends.
    """

    onset: datetime
    offset: timedelta
    rule: recurrence.Rule | None = None
    ended: datetime | None = None

    def onsets(self, year: int) -> list[datetime]:
        """Return its beginnings in a year and the one before; the last one if it ended earlier."""
        if self.rule is None:
            return [self.onset]
        first, last = datetime(max(1, year - 1), 1, 1), datetime(year, 12, 31, 23, 59)  # noqa: DTZ001
        if self.ended is not None and self.ended < first:
            return [self.ended]
        found = list(recurrence.occurrences(self.rule, self.onset, last, first))
        return found if self.onset <= first else [self.onset, *found]


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
            found = [
                (onset, seen.offset) for seen in self.observances for onset in seen.onsets(year)
            ]
            self._years[year] = sorted(found, key=lambda change: change[0])
        return self._years[year]


def read_vtimezone(raw: bytes | bytearray) -> tuple[str, tzinfo | None]:
    """Return (TZID, zone) of a VTIMEZONE component; None where it cannot be understood."""
    tzid = location = ""
    observances: list[_Observance] = []
    current: dict[str, str] = {}
    rules = 0
    for line in contentlines.lines(raw):
        if line.name == "TZID":
            tzid = contentlines.unescape(line.value).strip()
        elif line.name in ("X-LIC-LOCATION", "TZID-ALIAS-OF"):
            location = line.value
        elif line.name == "BEGIN":
            current = {}
        elif line.name == "END" and line.value.strip().upper() in ("STANDARD", "DAYLIGHT"):
            rules += bool(current.get("RRULE"))
            if rules > _MAX_RULES or len(observances) > _MAX_OBSERVANCES:
                break
            observances += _observances(current)
        elif line.name == "RDATE" and len(current.get("RDATE", "")) < _MAX_DATES:
            current["RDATE"] = f"{current.get('RDATE', '')},{line.value}"
        else:
            current[line.name] = line.value.strip()
    zone = _exact(tzid) or (_exact(location) if location else None)
    if zone is None and observances:
        zone = SpelledZone(tzid, observances)
    return tzid, zone or named_zone(tzid)


def _observances(fields: Mapping[str, str]) -> list[_Observance]:
    """Return what STANDARD or DAYLIGHT says: from its start on, and from each further date."""
    offset = _offset(fields.get("TZOFFSETTO", ""))
    onset = _onset(fields.get("DTSTART", ""))
    if offset is None or onset is None:
        return []
    more = [_onset(text) for text in fields.get("RDATE", "").split(",")[:_MAX_OBSERVANCES]]
    found = [_Observance(one, offset) for one in more if one is not None]
    before = _offset(fields.get("TZOFFSETFROM", "")) or timedelta(0)
    rule = _rule(fields.get("RRULE", ""), onset, before)
    ended = None
    if rule is not None and rule.until is not None:
        near = datetime(max(1, rule.until.year - rule.interval), 1, 1)  # noqa: DTZ001
        ended = max(recurrence.occurrences(rule, onset, rule.until, near), default=onset)
    return [_Observance(onset, offset, rule, ended), *found]


def _offset(text: str) -> timedelta | None:
    match = _OFFSET.match(text)
    if not match or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    span = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return -span if match[1] == "-" else span


def _onset(text: str) -> datetime | None:
    text = text.strip()
    try:
        wall = text[:15] if len(text) > 8 else text + "T000000"
        return datetime.strptime(wall, _WALL)  # noqa: DTZ007
    except ValueError:
        return None


def _rule(text: str, onset: datetime, before: timedelta) -> recurrence.Rule | None:
    """Return how often a clock is changed again; before: the offset that holds until it is.

    No clock is changed more often than once a year; a daily rule would only cost time. So a rule
    that counts ends as many years later.
    """
    try:
        rule = recurrence.parse_rule(text) if text else None
        if rule is None or rule.freq != "YEARLY":
            return None
        until = rule.until
        if rule.count is not None:
            year = min(9998, onset.year + (rule.count - 1) * rule.interval)
            return replace(rule, count=None, until=datetime(year, 12, 31))  # noqa: DTZ001
        if until is not None and until.tzinfo is not None:
            return recurrence.with_until(rule, until.replace(tzinfo=None) + before)
    except (ValueError, OverflowError):
        return None
    return rule
