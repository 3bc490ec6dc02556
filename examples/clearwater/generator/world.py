"""The words the generator is written in: people, firms, picks, telephone spellings, times.

Every other module here takes these values and returns text; nothing reads the clock or a
random source, so the same code gives the same bytes on every machine.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OWN_DOMAIN = "clearwater.example"
STORY_DAY = datetime(2026, 3, 10, tzinfo=NEW_YORK)
SNAPSHOT = datetime(2026, 3, 20, 9, 0, tzinfo=NEW_YORK)
"""When the exports were taken: everything in the files happened before it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Firm:
    """A business customer."""

    key: str
    name: str
    domain: str
    street: str
    city: str
    region: str
    postcode: str


@dataclass(frozen=True)
class Person:
    """A true person, whatever the tools believe. `phone` is E.164, "" when nobody knows one.

    systems: letters of the exports that hold a record: H(ubSpot), P(ipedrive), E(RP).
    """

    key: str
    given: str
    family: str
    email: str
    phone: str
    systems: str
    street: str
    city: str
    region: str
    postcode: str
    firm: Firm | None = None
    title: str = ""
    private_email: str = ""

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


class Fact(NamedTuple):
    """One line of truth.json: which person a record is about, None where it is about nobody."""

    connection: str
    file: str
    id: str
    person: str | None


@dataclass
class Output:
    """What one module makes: files by relative path, and the truth about their records."""

    files: dict[str, bytes] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)


def number(*key: object) -> int:
    """Return a large number that depends on `key` alone."""
    text = "/".join(str(part) for part in key)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


def pick(options: Sequence[T], *key: object) -> T:
    """Return one of `options`, always the same one for the same `key`."""
    return options[number(*key) % len(options)]


def plain(name: str) -> str:
    """Return a name as mail addresses spell it: lower case, ASCII letters only."""
    folded = unicodedata.normalize("NFKD", name.replace("ø", "o").replace("ł", "l"))
    return "".join(c for c in folded.lower() if c.isascii() and c.isalpha())


def spell_phone(e164: str, style: int) -> str:
    """Return a US number the way people type it; eight styles, two of them with stray blanks."""
    area, middle, last = e164[2:5], e164[5:8], e164[8:]
    spellings = (
        f"+1 {area}-{middle}-{last}",
        f"({area}) {middle}-{last}",
        f"{area}.{middle}.{last}",
        f"{area}-{middle}-{last}",
        f"{area}{middle}{last}",
        f"1-{area}-{middle}-{last}",
        f" {area} {middle} {last} ",
        f"+1{area}{middle}{last} ",
    )
    return spellings[style % len(spellings)] if e164 else ""


def table(headers: Sequence[str], rows: Sequence[Mapping[str, str]], line_end: str) -> str:
    """Return a CSV text with these columns; a column absent from a row is an empty cell."""
    out = io.StringIO()
    writer = csv.DictWriter(out, headers, restval="", lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
