"""Times of change: read as sources write them, written as their filters want them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from crm_hub_connectors.rest.settings import SinceFormat

_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,9})?")
_MILLISECONDS_FROM = 100_000_000_000  # in seconds that would be the year 5138
_MICROSECONDS_FROM = 100_000_000_000_000


def read_stamp(value: Any, zone: tzinfo) -> datetime | None:
    """Return the instant of ISO 8601 text or of seconds, milli- or microseconds since 1970.

    A time without a zone is in `zone`. None for anything else.
    """
    try:
        if isinstance(value, str):
            if value[4:5] == "-" or not _NUMBER.fullmatch(value):  # "2026-…" is no number
                moment = datetime.fromisoformat(value.strip())
                moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
                return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_number(value)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _from_number(value: float) -> datetime:
    size = abs(value)
    unit = 1_000_000 if size >= _MICROSECONDS_FROM else 1_000 if size >= _MILLISECONDS_FROM else 1
    return datetime.fromtimestamp(value / unit, UTC)


def write_stamp(moment: datetime, format: SinceFormat, *, up: bool = False) -> str:
    """Return a whole second as a parameter: the one begun, or with `up` the next one to begin."""
    second = moment.astimezone(UTC).replace(microsecond=0)
    if up and second < moment:
        second += timedelta(seconds=1)
    if format == "iso":
        return second.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(second.timestamp()) * (1_000 if format == "epoch_ms" else 1))
