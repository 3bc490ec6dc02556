"""The days a recurrence rule names, in time bounded by the span asked for.

dateutil (under every Python calendar library) loops until the year 9999 on a rule that
never matches and takes 13 s for FREQ=SECONDLY over two months. Rules here count periods
(days, weeks, months, years), so each costs at most the number of periods; what repeats
within a day is refused. A property test holds it equal to dateutil.
Source: RFC 5545 section 3.3.10.
"""

from __future__ import annotations

import itertools
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

_WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_MAX_TIMES_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed RRULE. by_day: (ordinal or 0, weekday with Monday 0); until: naive or UTC."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    by_set_pos: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def times_a_day(self) -> int:
        return max(1, len(self.hours)) * max(1, len(self.minutes)) * max(1, len(self.seconds))


def parse_rule(text: str) -> Rule:
    """Return the Rule of an RRULE value. Raises: ValueError with the reason, for people."""
    parts: dict[str, str] = {}
    for part in text[:2_000].upper().split(";"):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    freq = parts.get("FREQ", "")
    if freq not in _FREQUENCIES:
        raise ValueError(
            f"it repeats {freq[:20] or 'without FREQ'}, not by day, week, month or year"
        )
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise ValueError(f"it repeats by another calendar, {parts['RSCALE'][:20]}")
    if "BYWEEKNO" in parts or "BYEASTER" in parts:
        raise ValueError("it repeats by week number")
    rule = Rule(
        freq=freq,
        interval=_number(parts.get("INTERVAL", "1"), 1, 10_000),
        count=_number(parts["COUNT"], 1, 10**9) if "COUNT" in parts else None,
        until=parse_until(parts["UNTIL"]) if parts.get("UNTIL") else None,
        by_month=_numbers(parts, "BYMONTH", 1, 12),
        by_month_day=_numbers(parts, "BYMONTHDAY", -31, 31),
        by_year_day=_numbers(parts, "BYYEARDAY", -366, 366),
        by_day=tuple(_weekday(v) for v in _list(parts, "BYDAY")),
        by_set_pos=_numbers(parts, "BYSETPOS", -366, 366),
        hours=_numbers(parts, "BYHOUR", 0, 23),
        minutes=_numbers(parts, "BYMINUTE", 0, 59),
        seconds=_numbers(parts, "BYSECOND", 0, 59),
        week_start=_WEEKDAYS.get(parts.get("WKST", "MO"), 0),
    )
    _refuse_odd(rule)
    return rule


def _refuse_odd(rule: Rule) -> None:
    if rule.by_year_day and rule.freq != "YEARLY":
        raise ValueError("BYYEARDAY stands in a rule that is not yearly")
    if rule.by_month_day and rule.freq == "WEEKLY":
        raise ValueError("BYMONTHDAY stands in a weekly rule")
    if rule.freq in ("DAILY", "WEEKLY") and any(n for n, _ in rule.by_day):
        raise ValueError(f"a numbered weekday stands in a {rule.freq.lower()} rule")
    if rule.times_a_day > _MAX_TIMES_A_DAY:
        raise ValueError(f"it repeats {rule.times_a_day} times a day")


def parse_until(text: str) -> datetime:
    """Return an UNTIL value; a date means its last second. Raises: ValueError."""
    text = text.strip()
    try:
        if len(text) == 8:
            day = datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007
            return day.replace(hour=23, minute=59, second=59)
        moment = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    except ValueError:
        raise ValueError(f"its UNTIL {text[:20]!r} is no time") from None
    return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment


def with_until(rule: Rule, until: datetime) -> Rule:
    """Return the rule with its UNTIL as the naive local time that `occurrences` needs."""
    return replace(rule, until=until)


def _list(parts: dict[str, str], name: str) -> list[str]:
    return [v.strip() for v in parts.get(name, "").split(",") if v.strip()][:400]


def _numbers(parts: dict[str, str], name: str, low: int, high: int) -> tuple[int, ...]:
    return tuple(sorted({_number(v, low, high) for v in _list(parts, name)}))


def _number(text: str, low: int, high: int) -> int:
    digits = text.strip().lstrip("+-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise ValueError(f"{text[:20]!r} in its rule is no number")
    number = int(text)
    if not low <= number <= high or (low < 0 and number == 0):
        raise ValueError(f"{number} in its rule is not between {low} and {high}")
    return number


def _weekday(text: str) -> tuple[int, int]:
    if text[-2:] not in _WEEKDAYS:
        raise ValueError(f"{text[:20]!r} in its rule is no weekday")
    ordinal = _number(text[:-2], -53, 53) if text[:-2] else 0
    return ordinal, _WEEKDAYS[text[-2:]]


def occurrences(
    rule: Rule, start: datetime, last: datetime, first: datetime | None = None
) -> Iterator[datetime]:
    """Yield the naive local times of a series up to and including `last`, `start` among them.

    start: naive local time of the first. `until` of the rule must be naive or absent. first:
    skip what lies before, at no cost (not for a rule that counts).
    """
    begin = 0 if first is None or rule.count else _periods_between(rule, start, first)
    end = last if rule.until is None else min(last, rule.until)
    for moment in itertools.islice(_in_order(rule, start, begin, end), rule.count):
        if first is None or moment >= first:
            yield moment


def _in_order(rule: Rule, start: datetime, begin: int, end: datetime) -> Iterator[datetime]:
    """Yield `start`, then what the rule names after it from period `begin` on."""
    if start <= end:
        yield start  # the first instance even where the rule does not name it
    times = _times(rule, start)
    for period in itertools.count(begin):
        opening, days = _period(rule, start.date(), period)
        if opening is None or opening > end.date():
            return
        moments = [datetime.combine(day, at) for day in days for at in times]
        yield from (m for m in _chosen(rule, moments) if start < m <= end)


def _times(rule: Rule, start: datetime) -> list[time]:
    hours = rule.hours or (start.hour,)
    minutes = rule.minutes or (start.minute,)
    seconds = rule.seconds or (start.second,)
    return [time(*parts) for parts in itertools.product(hours, minutes, seconds)]


def _periods_between(rule: Rule, start: datetime, first: datetime) -> int:
    days = (first.date() - start.date()).days
    if days <= 0:
        return 0
    months = (first.year - start.year) * 12 + first.month - start.month
    length = {"DAILY": days, "WEEKLY": days // 7, "MONTHLY": months, "YEARLY": months // 12}
    return max(0, length[rule.freq] // rule.interval - 1)


def _period(rule: Rule, start: date, period: int) -> tuple[date | None, list[date]]:
    """Return (first day of the n-th period, the days the rule names in it)."""
    step = period * rule.interval
    try:
        if rule.freq == "DAILY":
            day = start + timedelta(days=step)
            return day, [day] if _day_fits(rule, day) else []
        if rule.freq == "WEEKLY":
            return _week(rule, start, step)
        months = start.year * 12 + start.month - 1 + step
        if rule.freq == "MONTHLY":
            year, month = divmod(months, 12)
            opening = date(year, month + 1, 1)
            fits = not rule.by_month or opening.month in rule.by_month
            return opening, _month(rule, start, opening.year, opening.month) if fits else []
        return date(start.year + step, 1, 1), _year(rule, start, start.year + step)
    except (ValueError, OverflowError):
        return None, []  # beyond the last year there is


def _day_fits(rule: Rule, day: date) -> bool:
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day and day not in _month_days(rule, day.year, day.month):
        return False
    return not rule.by_day or any(weekday == day.weekday() for _, weekday in rule.by_day)


def _week(rule: Rule, start: date, step: int) -> tuple[date, list[date]]:
    opening = start - timedelta(days=(start.weekday() - rule.week_start) % 7)
    opening += timedelta(weeks=step)
    weekdays = {weekday for _, weekday in rule.by_day} or {start.weekday()}
    days = [opening + timedelta(days=n) for n in range(7)]
    days = [day for day in days if day.weekday() in weekdays]
    return opening, [d for d in days if not rule.by_month or d.month in rule.by_month]


def _month(rule: Rule, start: date, year: int, month: int) -> list[date]:
    length = monthrange(year, month)[1]
    if not rule.by_day:
        if rule.by_month_day:
            return _month_days(rule, year, month)
        return [date(year, month, start.day)] if start.day <= length else []
    span = [date(year, month, day) for day in range(1, length + 1)]
    days = _weekdays_of(rule, span)
    if rule.by_month_day:
        wanted = set(_month_days(rule, year, month))
        return [day for day in days if day in wanted]
    return days


def _month_days(rule: Rule, year: int, month: int) -> list[date]:
    length = monthrange(year, month)[1]
    days = {n if n > 0 else length + 1 + n for n in rule.by_month_day}
    return [date(year, month, day) for day in sorted(days) if 1 <= day <= length]


def _weekdays_of(rule: Rule, span: list[date]) -> list[date]:
    """Return the days of a month or year that BYDAY names; ordinals count inside the span."""
    found: set[date] = set()
    for ordinal, weekday in rule.by_day:
        offset = (weekday - span[0].weekday()) % 7
        same = span[offset::7]
        if ordinal == 0:
            found.update(same)
        elif abs(ordinal) <= len(same):
            found.add(same[ordinal - 1 if ordinal > 0 else ordinal])
    return sorted(found)


def _year(rule: Rule, start: date, year: int) -> list[date]:
    opening, closing = date(year, 1, 1), date(year, 12, 31)
    length = (closing - opening).days + 1
    if rule.by_year_day:
        numbers = {n if n > 0 else length + 1 + n for n in rule.by_year_day}
        days = [opening + timedelta(days=n - 1) for n in sorted(numbers) if 1 <= n <= length]
        return [day for day in days if _day_fits(rule, day)]
    if rule.by_day and not rule.by_month:
        days = _weekdays_of(rule, [opening + timedelta(days=n) for n in range(length)])
        if not rule.by_month_day:
            return days
        return [day for day in days if day in _month_days(rule, year, day.month)]
    months = rule.by_month or (range(1, 13) if rule.by_month_day else (start.month,))
    return [day for month in months for day in _month(rule, start, year, month)]


def _chosen(rule: Rule, moments: list[datetime]) -> list[datetime]:
    if not rule.by_set_pos:
        return moments
    size = len(moments)
    places = {n - 1 if n > 0 else size + n for n in rule.by_set_pos}
    return [moments[n] for n in sorted(places) if 0 <= n < size]
