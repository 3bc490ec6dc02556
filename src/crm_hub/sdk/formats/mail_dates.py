"""The date of a message, however its program wrote it.

Source: RFC 5322 sections 3.3 and 4.3.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache

_USUAL_DATE = re.compile(
    r"(?:[A-Za-z]{3}, {1,2})?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))?"
    r" ([+-])(\d{2})(\d{2})(?: \([^()]*\))?\Z"
)
_OFFSET = re.compile(r"(?<=\d) ?(?:GMT|UTC|UT)? ?([+-])[+-]?(\d{2}):?(\d{2})\Z")
_MERIDIEM = re.compile(r"(?<=\d) ?([AaPp])\.?[Mm]\b\.?")
_MONTH_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES.split(), 1)}


def parse_date(value: str) -> datetime | None:
    """Return a Date field as an aware datetime with the offset it was written in, else None.

    A time without a zone (or `-0000`) is taken as UTC.
    """
    text = value.strip()[:200]
    usual = _USUAL_DATE.match(text)
    try:
        if usual and usual[2] in _MONTHS:
            day, _, written, hour, minute, second, sign, hours, minutes = usual.groups("0")
            clock = int(hour), int(minute), min(int(second), 59)
            zone, year = _zone(sign, hours, minutes), _year(int(written))
            moment = datetime(year, _MONTHS[usual[2]], int(day), *clock, tzinfo=zone)
            if not 1 < moment.year < 9999:
                moment.astimezone(UTC)  # a time beyond the calendar is found here
            return moment
        return _odd_date(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@lru_cache(maxsize=256)
def _zone(sign: str, hours: str, minutes: str) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def _year(written: int) -> int:
    """Return the year that a program meant which counts from 1900, or cut the century off."""
    return written if written >= 1000 else written + (2000 if written < 50 else 1900)


def _odd_date(text: str) -> datetime:
    later = _MERIDIEM.search(text)
    text = _OFFSET.sub(r" \1\2\3", _MERIDIEM.sub(" ", text.replace('"', " ")).strip())
    parts = parsedate_tz(text)
    if parts is None:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    year, month, day, hour, minute, second = parts[:6]
    if later is not None and hour <= 12:
        hour = hour % 12 + (12 if later[1] in "pP" else 0)
    zone = timezone(timedelta(seconds=parts[9] or 0))
    moment = datetime(_year(year), month, day, hour, minute, min(second, 59), tzinfo=zone)
    moment.astimezone(UTC)  # a time beyond the calendar is found here
    return moment
