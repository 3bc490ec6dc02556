"""A mapping section proposed from the names of the columns alone, for tables nobody knows.

After no known shape was found. A guess is printed in one line, names what it does not use, and an
admin's own mapping file takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from crm_hub.sdk.guess.words import (
    ADDRESS,
    BARE_NAMES,
    OF_WHOM,
    ORGANIZATION_SIGNS,
    PERSON_SIGNS,
    WORDS,
    fold,
)

_MANY = ("email", "phone", "url")
_DATES = ("birthday", "created_at")
_DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
_NAMED = 8
_NUMBERED = re.compile(r"^(.*[a-z])\d$")


@dataclass(frozen=True, slots=True)
class RowKeys:
    """Which columns name a row and tell its last change; "" where there is none.

    shared: the id column may repeat (an e-mail address is no key): a repeat is numbered.
    """

    id: str = ""
    changed: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposed section (None when no person or company was found), its keys, a line to print."""

    section: dict[str, Any] | None
    keys: RowKeys
    line: str


@lru_cache(maxsize=1)
def _fields() -> dict[str, str]:
    return {word: field for field, words in WORDS.items() for word in words.split()}


def fields_of(columns: Iterable[str]) -> dict[str, list[str]]:
    """Return canonical field → columns with a usual name for it, in the table's order.

    `E-mail 2` is an e-mail address too; a dotted path counts by its last part.
    """
    words, found = _fields(), dict[str, list[str]]()
    for column in columns:
        plain = fold(column)
        numbered = _NUMBERED.match(plain)
        last = fold(column.rsplit(".", 1)[-1])
        names = (plain, numbered[1] if numbered else plain, last)
        field = next((words[n] for n in names if n in words), None) or _of_whom(plain, words)
        if field:
            found.setdefault(field, []).append(column)
    return with_bare_names(found)


def _of_whom(plain: str, words: Mapping[str, str]) -> str | None:
    """Return the field of a column that says whose it is first: `Attendee email`."""
    rest = next((plain[len(w) :] for w in OF_WHOM if plain.startswith(w) and plain != w), "")
    numbered = _NUMBERED.match(rest)
    return words.get(rest) or (words.get(numbered[1]) if numbered else None)


def with_bare_names(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Let `Name` beside `Vorname` be the surname, and `Nome` beside `Cognome` the given name."""
    given, family = "given_name" in found, "family_name" in found
    bare = [c for c in found.get("display_name", ()) if fold(c) in BARE_NAMES]
    if given == family or not bare:
        return found
    rest = [c for c in found["display_name"] if c not in bare]
    found = {field: list(columns) for field, columns in found.items()}
    found["family_name" if given else "given_name"] = bare
    found["display_name"] = rest
    return {field: columns for field, columns in found.items() if columns}


def guess(
    name: str, columns: Sequence[str], sample: Sequence[Mapping[str, Any]], flat: bool = True
) -> Guess:
    """Return what a table called `name` seems to hold. sample: its first rows, for dates."""
    found = fields_of(columns)
    entity = _entity(found)
    if entity is None:
        line = f"{name}: no column of a person or a company recognised among {_list(columns)}"
        return Guess(None, RowKeys(), line)
    dropped = _unreadable_dates(found, sample)
    fields = _section_fields(entity, found, sample)
    section: dict[str, Any] = {"entity": entity, "flat": flat}
    if changed := found.get("changed_at"):
        section["changed_at"] = _at(changed[0], _date_step(changed[0], sample, "time"))
    section["identity"] = _identity(entity, found, name)
    section["fields"] = fields
    id = found["record_id"][0] if "record_id" in found else ""
    keys = RowKeys(
        id or (found["email"][0] if "email" in found else ""),
        changed[0] if changed else "",
        shared=not id and "email" in found,
    )
    return Guess(section, keys, _line(name, entity, columns, section, dropped))


def _entity(found: Mapping[str, list[str]]) -> str | None:
    if any(sign in found for sign in PERSON_SIGNS[:2]):
        return "person"
    company = any(f in found for f in ("company", *ORGANIZATION_SIGNS[:2], "domain"))
    if "display_name" in found:
        person = any(sign in found for sign in PERSON_SIGNS) or "company" in found
        signs = any(sign in found for sign in ORGANIZATION_SIGNS)
        if signs and not person:
            return "organization"
        return (
            "person" if any(f in found for f in ("email", "phone", "company")) or person else None
        )
    if company:
        return "organization"
    return "person" if "email" in found or "phone" in found else None


def _section_fields(
    entity: str, found: Mapping[str, list[str]], sample: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field, columns in found.items():
        target = _target(entity, field, found)
        if target in _MANY:
            fields[target] = {"at": columns if len(columns) > 1 else columns[0]}
        elif target == "tags":
            fields[target] = _at(columns[0], {"split": _separator(columns[0], sample)})
        elif target in _DATES:
            kind = "date" if target == "birthday" else "time"
            fields[target] = _at(columns[0], _date_step(columns[0], sample, kind))
        elif target:
            fields[target] = {"at": columns[0]}
    address = {part: {"at": found[part][0]} for part in ADDRESS if part in found}
    return fields | ({"address": {"of": address}} if address else {})


def _target(entity: str, field: str, found: Mapping[str, list[str]]) -> str:
    """Return the entity's field for a recognised column, "" where it has none."""
    if field in ADDRESS or field in ("record_id", "changed_at"):
        return ""
    if entity == "organization":
        if field == "company":
            return "display_name"
        only_person = field in (*PERSON_SIGNS, "suffix", "language")
        hidden = field == "display_name" and "company" in found
        return "" if only_person or hidden else field
    return "" if field in (*ORGANIZATION_SIGNS, "parent") else field


def _identity(entity: str, found: Mapping[str, list[str]], name: str) -> list[dict[str, str]]:
    rules: list[dict[str, str]] = []
    if "record_id" in found:
        # Each table counts its own ids, so the table's name is part of the id's name.
        rules.append({"strong": slug(name) + "_id", "at": found["record_id"][0]})
    match = ("email", "phone") if entity == "person" else ("domain",)
    return rules + [{"match": field} for field in match if field in found]


def slug(name: str) -> str:
    """Return a file's name as a word of the mapping language."""
    stem = name.rsplit("/", 1)[-1].split("#")[0].rsplit(".", 1)[0]
    sheet = name.partition("#")[2]
    plain = re.sub(r"[^a-z0-9]+", "_", f"{stem} {sheet}".lower()).strip("_")
    return plain if plain[:1].isalpha() else f"table_{plain}".rstrip("_")


def _at(column: str, step: object) -> dict[str, Any]:
    return {"at": column, "as": step} if step else {"at": column}


def _values(column: str, sample: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(row[column]).strip() for row in sample if row.get(column) not in (None, "")]


def _separator(column: str, sample: Sequence[Mapping[str, Any]]) -> str:
    text = " ".join(_values(column, sample))
    return ";" if ";" in text else " ::: " if " ::: " in text else ","


def date_format(values: Sequence[str]) -> str | None:
    """Return the one format all values have; "" for ISO 8601, None when it cannot be told."""
    days = [v.split(" ")[0] for v in values]
    if all(v[:4].isdigit() for v in days):
        return ""
    fits = [f for f in _DATE_FORMATS if all(_fits(v, f) for v in days)]
    return fits[0] if len(fits) == 1 and all(" " not in v for v in values) else None


def _fits(value: str, format: str) -> bool:
    try:
        datetime.strptime(value, format)  # noqa: DTZ007 - only the form is asked for
    except ValueError:
        return False
    return True


def _date_step(column: str, sample: Sequence[Mapping[str, Any]], kind: str) -> object:
    format = date_format(_values(column, sample))
    return {kind: format} if format else kind


def _unreadable_dates(
    found: dict[str, list[str]], sample: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Take date columns whose day and month cannot be told apart out of `found`; name them."""
    dropped = []
    for field in (*_DATES, "changed_at"):
        column = found.get(field, [""])[0]
        if column and date_format(_values(column, sample)) is None:
            dropped.append(column)
            del found[field]
    return dropped


def _line(
    name: str, entity: str, columns: Sequence[str], section: Mapping[str, Any], dropped: list[str]
) -> str:
    read = _used(section)
    used = [c for c in columns if c in read]
    text = f"{name}: {entity}, {len(used)} of {len(columns)} columns recognised: {_list(used)}"
    rest = [c for c in columns if c not in read and c not in dropped]
    text += f"; not used: {_list(rest)}" if rest else ""
    if dropped:
        text += f"; not used, day and month cannot be told apart: {_list(dropped)}"
    return text


def _used(node: object) -> set[str]:
    """Return every column a section reads."""
    if isinstance(node, Mapping):
        at = node.get("at", [])
        here = {at} if isinstance(at, str) else set(at)
        return here.union(*(_used(v) for v in node.values()))
    if isinstance(node, list):
        return set().union(*(_used(v) for v in node))
    return set()


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
