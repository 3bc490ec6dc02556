"""Tryton's JSON, there and back: a Decimal stays text, so that no amount is ever rounded.

    {"__class__": "Decimal", "decimal": "12.40"}        "12.40"
    {"__class__": "date", "year": 2026, ...}            "2026-03-10"
    {"__class__": "datetime", "year": 2026, ...}        "2026-03-10T12:40:00.000017Z" (it is UTC)
    {"__class__": "timedelta", "seconds": 90.0}         90.0

Source: trytond 8.2, trytond/protocols/jsonrpc.py.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

_MOST_LEVELS = 30
_MOST_DIGITS = 40


class Malformed(ValueError):
    """A value is none that Tryton writes. The text never repeats it."""


def decoded(value: Any, level: int = 0) -> Any:
    """Return a value of an answer as plain JSON. Raises: Malformed for what is none of Tryton's.

    A key that ends with a dot, as those of fields read through a relation do, loses the dot.
    """
    if level > _MOST_LEVELS:
        raise Malformed("the answer nests too deeply")
    if isinstance(value, list):
        return [decoded(item, level + 1) for item in value]
    if not isinstance(value, dict):
        return _plain(value)
    if "__class__" in value:
        return _typed(value)
    return {str(key).removesuffix("."): decoded(item, level + 1) for key, item in value.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise Malformed("a number is not finite")
    return value


def _typed(value: dict[str, Any]) -> Any:
    kind = value["__class__"]
    try:
        if kind == "Decimal":
            return _amount(value["decimal"])
        if kind == "date":
            return date(value["year"], value["month"], value["day"]).isoformat()
        if kind == "datetime":
            return moment(value).isoformat().replace("+00:00", "Z")
        if kind == "time":
            clock = time(value["hour"], value["minute"], value["second"], value["microsecond"])
            return clock.isoformat()
        if kind == "timedelta":
            return float(value["seconds"])
        if kind == "bytes":
            return str(value["base64"])
    except (KeyError, TypeError, InvalidOperation) as error:
        raise Malformed(f"a {kind} came malformed") from error
    raise Malformed("a value of an unknown kind came")


def _amount(text: Any) -> str:
    number = Decimal(text) if isinstance(text, str) else None
    # "1E+999999999" is a thousand million digits when written out.
    if (
        number is None
        or not number.is_finite()
        or not -_MOST_DIGITS < _places(number) < _MOST_DIGITS
    ):
        raise Malformed("a Decimal came malformed")
    return format(number, "f")


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) and exponent < 0 else number.adjusted()


def moment(value: dict[str, Any]) -> datetime:
    """Return the instant of a datetime as Tryton writes it; its server's clock runs in UTC."""
    return datetime(
        value["year"], value["month"], value["day"],
        value["hour"], value["minute"], value["second"], value["microsecond"], tzinfo=UTC,
    )  # fmt: skip


def encoded(value: datetime | date) -> dict[str, Any]:
    """Return an aware datetime, or a date, as Tryton reads it."""
    if not isinstance(value, datetime):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    value = value.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{name: getattr(value, name) for name in names}}
