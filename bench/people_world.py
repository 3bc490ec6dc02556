"""What a world of bench/people.py is made of: variants, firms, homes, jobs, people."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from anyascii import anyascii
from people_words import LANDS
from people_words_more import MORE_LANDS

ALL_LANDS = LANDS | MORE_LANDS


@dataclass(frozen=True)
class Variant:
    """What kind of data is drawn. The model was fitted on `tuned`; the others were left alone."""

    lands: tuple[str, ...]
    typo: float = 0.02
    short_name: float = 0.12
    initial: float = 0.04
    mean_records: float = 2.4
    households: float = 0.4
    b2b: float = 0.6
    births: float = 1.0
    refs: float = 1.0
    # How often a record is written in one of the odd ways of people_odd.py.
    odd: float = 0.0


VARIANTS = {
    "tuned": Variant(("US", "DE", "FR", "IT")),
    "other lands": Variant(("GB", "ES", "NL", "SE", "PL")),
    "noisy": Variant(tuple(LANDS), typo=0.05, short_name=0.2, initial=0.08),
    "sparse": Variant(tuple(LANDS), births=0.2, refs=0.0, mean_records=3.2),
    "one land": Variant(("DE",), households=0.6, b2b=0.4),
    # Held out: other countries, other words of every kind, and ways of writing nothing was fitted on.
    "held out": Variant(tuple(MORE_LANDS), typo=0.03, odd=1.0),
    "fourteen": Variant(
        ("DE", "AT", "CH", "FR", "IT", "ES", "NL", "PL", "SE", "GB", "US", "BR", "TR", "CZ"),
        mean_records=2.0,
        odd=0.5,
    ),
}


@dataclass(slots=True)
class Firm:
    land: str
    name: str
    domain: str
    form: str
    phone: str
    street: str
    city: str
    postcode: str
    pattern: int
    people: list[int] = field(default_factory=list)
    boxes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Home:
    street: str
    city: str
    postcode: str
    phone: str
    mailbox: str


@dataclass(slots=True)
class Job:
    firm: Firm
    email: str
    title: str
    direct: str


@dataclass(slots=True)
class Person:
    id: int
    land: str
    first: str
    last: str
    old_last: str
    suffix: str
    born: str
    mails: list[str]
    mobiles: list[str]
    homes: list[Home]
    jobs: list[Job]
    number: str
    second: str = ""


@dataclass
class World:
    """Rows as a file would hold them, the person behind each row, and the pairs that are traps."""

    rows: list[dict[str, str]]
    truth: list[int]
    traps: dict[str, list[tuple[int, int]]]


def plain(text: str, umlauts: bool) -> str:
    """Return text in plain lower-case letters; umlauts as ae/oe/ue or as a/o/u."""
    text = text.lower()
    if umlauts:
        for one, two in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("å", "aa"), ("ø", "oe")):
            text = text.replace(one, two)
    text = text.replace("ß", "ss").replace("ł", "l").replace("ı", "i").replace("ø", "o")
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if not text.isascii():
        text = anyascii(text).lower()
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c == "-"))
