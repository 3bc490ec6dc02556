"""Steps for dates and times: a few unambiguous notations, everything else needs a format."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crm_hub.mapping.steps.kind import Locale, Misfit, Step, StepKind, same
from crm_hub.model.values import from_us, to_us

_MAX_TEXT = 100
_NOT_A_TIME = "not a time that can be read without doubt; give its format in the mapping"
_SPACED_ZONE = re.compile(r"(.*\d) ?(?:(UTC|GMT|Z)|([+-]\d\d:?\d\d))", re.ASCII)
_SECONDS = re.compile(r"-?\d{9,10}(?:\.\d{1,9})?|-?\d{11,16}", re.ASCII)
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?!000)\d{3})?Z", re.ASCII)
_SAMPLE = datetime(2026, 11, 23, 17, 45, 59, tzinfo=UTC)
# Number since 1970 → which unit it is in: seconds until 2286, milliseconds until 2286, …
_UNITS = ((1e8, 1e10, 1_000_000), (1e10, 1e13, 1_000), (1e13, 1e16, 1))


def read_moment(value: Any) -> datetime:
    """Return the date and time that a value tells, naive where it names no zone.

    A date alone is its midnight. Raises: Misfit.
    """
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    raise Misfit(_NOT_A_TIME)


def _from_text(text: str) -> datetime:
    if len(text) > _MAX_TEXT:
        raise Misfit(_NOT_A_TIME)
    if text[4:5] == "-":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return _from_loose_text(text)
    if _SECONDS.fullmatch(text) and len(text) != 14:
        return _from_number(float(text) if "." in text else int(text))
    try:
        if text.isdigit():
            return datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%Y%m%d%H%M%S")  # noqa: DTZ007
        return datetime.fromisoformat(text)
    except ValueError:
        return _from_loose_text(text)


def _plain(value: Any) -> datetime | None:
    """Return the time of ISO text with a zone, as most sources write it; None for all else."""
    if type(value) is not str or value[4:5] != "-" or len(value) > _MAX_TEXT:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _from_loose_text(text: str) -> datetime:
    spaced = _SPACED_ZONE.fullmatch(text)
    try:
        if spaced is not None and text[:1].isdigit() and text[4:5] == "-":
            return datetime.fromisoformat(spaced[1].rstrip() + (spaced[3] or "+00:00"))
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise Misfit(_NOT_A_TIME) from error
    if not any(c.isalpha() for c in text.split("(")[0]):
        raise Misfit(_NOT_A_TIME)
    # RFC 2822 section 3.3: -0000 is UTC from a machine that does not tell its own zone.
    return moment.replace(tzinfo=UTC) if text.endswith("-0000") else moment


def _from_number(value: float) -> datetime:
    for low, high, to_micro in _UNITS:
        if low <= abs(value) < high:
            return from_us(round(value * to_micro))
    raise Misfit("not a number of seconds, milliseconds or microseconds since 1970")


def _formats(name: str, params: Any) -> tuple[str, ...]:
    if params is None:
        return ()
    formats = tuple(params) if isinstance(params, list) else (params,)
    for one in formats or ("",):
        if not isinstance(one, str) or "%" not in one:
            raise ValueError(f"the step {name!r} takes a format such as {name}: '%d/%m/%Y'")
        try:
            datetime.strptime(_SAMPLE.strftime(one), one)  # noqa: DTZ007
        except (ValueError, re.error) as error:
            raise ValueError(f"{one!r} is not a date format that can be read") from error
    return formats


def _read(value: Any, formats: tuple[str, ...]) -> datetime:
    if not formats:
        return read_moment(value)
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise Misfit("not in the format that the mapping gives")
    for one in formats:
        try:
            return datetime.strptime(value.strip(), one)  # noqa: DTZ007
        except (ValueError, OverflowError):
            continue
    raise Misfit("not in the format that the mapping gives")


def _blank(value: Any) -> bool:
    return type(value) is str and (not value or value.isspace())


def iso_utc(moment: datetime) -> str:
    """Return an aware time as canonical text: `2026-03-10T12:40:00Z`, `…:00.250Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    if utc.microsecond and not utc.microsecond % 1000:
        return utc.isoformat(timespec="milliseconds")[:-6] + "Z"
    return utc.isoformat()[:-6] + "Z"


def _build_time(params: Any, locale: Locale) -> Step:
    formats, zone = _formats("time", params), locale.zone

    def aware(value: Any) -> datetime:
        moment = _read(value, formats)
        # Local times: of one that comes twice the first, of one that is skipped the offset before.
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)

    def inbound(value: Any) -> str | None:
        try:
            if not formats and type(value) is str and _CANONICAL.fullmatch(value):
                if _plain(value) is None:
                    read_moment(value)  # refuses a 30th of February
                return value
            return None if _blank(value) else iso_utc(aware(value))
        except OverflowError as error:
            raise Misfit(_NOT_A_TIME) from error

    def outbound(value: str) -> str:
        return datetime.fromisoformat(value).astimezone(zone).strftime(formats[0])

    def instant(value: Any) -> int:
        moment = None if formats else _plain(value)
        return to_us(aware(value) if moment is None else moment)

    return Step(inbound, outbound if formats else same, "time", instant=instant)


def _build_date(params: Any, locale: Locale) -> Step:
    formats, zone = _formats("date", params), locale.zone

    def day(value: Any) -> date:
        return _read(value, formats).date()

    def inbound(value: Any) -> str | None:
        return None if _blank(value) else day(value).isoformat()

    def outbound(value: str) -> str:
        return date.fromisoformat(value).strftime(formats[0])

    def instant(value: Any) -> int:
        found = day(value)
        return to_us(datetime(found.year, found.month, found.day, tzinfo=zone))

    return Step(inbound, outbound if formats else same, "date", instant=instant)


KINDS = (
    StepKind("date", "none, a format or a list of formats", _build_date),
    StepKind("time", "none, a format or a list of formats", _build_time),
)
