"""A party's contact mechanisms as lists of values, backwards: what makes Tryton hold such a list.

Pure. A value that is there already stays as it is; one that took the place of another is written
into the same mechanism, which keeps its label; one that went is archived, never deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_hub_connectors.tryton.streams import MECHANISMS

Command = list[Any]
_LEAST_DIGITS = 7


class Unwritable(ValueError):
    """A value that is none Tryton could store. The text never repeats it."""


def reached_by(payload: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the lists of a party's payload: those it has, else made from its mechanisms."""
    rows = payload.get("contact_mechanisms")
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {
        path: payload[path]
        if path in payload
        else [row["value"] for row in known if row.get("type") in types and row.get("value")]
        for path, types in MECHANISMS.items()
    }


def is_live(row: Mapping[str, Any]) -> bool:
    """Return whether a record is not archived; on SQLite Tryton writes 0 for false."""
    return row.get("active") not in (False, 0)


def commands(path: str, wanted: Any, rows: Sequence[Mapping[str, Any]]) -> list[Command]:
    """Return what makes the mechanisms of one path hold the wanted values; empty when they do.

    rows: all of the party's mechanisms, archived ones too. Raises: Unwritable.
    """
    alike = _same_phone if path == "phones" else _same_text
    mine = [row for row in rows if row.get("type") in MECHANISMS[path]]
    there = [row for row in mine if is_live(row)]
    missing = []
    for value in texts(wanted):
        match = _taken(there, value, alike)
        if match is None:
            missing.append(value)
    made: list[Command] = []
    archived = [row for row in mine if not is_live(row)]
    new = []
    for value in missing:
        old = _taken(archived, value, alike)
        if old is not None:
            # Of what is archived Tryton lets nothing be changed but that.
            made.append(["write", [old["id"]], {"active": True}])
        elif there:
            made.append(["write", [there.pop(0)["id"]], {"value": value}])
        else:
            new.append({"type": _type(path, value), "value": value})
    made += [["write", [row["id"]], {"active": False}] for row in there]
    return [*made, ["create", new]] if new else made


def texts(wanted: Any) -> list[str]:
    """Return a list of texts, each once, from a list or a single text. Raises: Unwritable."""
    found: dict[str, str] = {}
    for one in wanted if isinstance(wanted, list) else [wanted]:
        if one is None:
            continue
        if not isinstance(one, str):
            raise Unwritable("each value must be a text")
        if one.strip():
            found.setdefault(one.strip().casefold(), one.strip())
    return list(found.values())


def _taken(
    rows: list[Mapping[str, Any]], value: str, alike: Callable[[str, str], bool]
) -> Mapping[str, Any] | None:
    """Take the mechanism that holds the value out of `rows` and return it, None without one."""
    for place, row in enumerate(rows):
        if alike(str(row.get("value") or ""), value):
            return rows.pop(place)
    return None


def _same_text(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _same_phone(one: str, other: str) -> bool:
    """Whether two ways of writing are one number, be it with or without the country's code."""
    if any(c.isalpha() for c in one + other):
        return _same_text(one, other)
    short, long = sorted((_digits(one), _digits(other)), key=len)
    return short == long or (len(short) >= _LEAST_DIGITS and long.endswith(short))


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit()).lstrip("0")


def _type(path: str, value: str) -> str:
    """Return the type a new mechanism gets, as Tryton's own form would guess it."""
    if path == "phones" and _is_mobile(value):
        return "mobile"
    return MECHANISMS[path][0]


def _is_mobile(value: str) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE)
