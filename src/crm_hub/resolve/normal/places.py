"""An address as evidence: one key of house and street, whatever way the street is abbreviated."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crm_hub.resolve.normal.text import joined_umlauts, words

_CACHED = 65_536
_NUMBER = re.compile(r"\d+[a-z]?")
_LAND = re.compile(
    r"^(?:DE?|AT?|CH|FR?|IT?|ES?|NL|BE?|LU?|DK|SE?|NO?|FIN?|PL|CZ|SK|HU?|PT?|RO|GR|US|BR)[\s-]+(?=\d)",
    re.I,
)
_LONG_ZIP = re.compile(r"(\d{5}(?=-)|\d{3,}(?=\.))(?:-\d{4}|\.0)")
_TYPES = frozenset(
    "street st str strasse avenue ave av road rd lane ln drive dr boulevard blvd bd court ct "
    "place pl square sq terrace ter crescent cres close way parkway pkwy highway hwy circuit "
    "cct grove rue r chemin ch quai impasse allee allees via viale corso piazza piazzale "
    "vicolo largo calle c avenida avda paseo plaza carrer ul ulica al aleja os osiedle pl "
    "plac weg gasse platz ring straat laan plein gracht kade gatan vagen gata vag vej gade "
    "katu tie the de la le les du des del della dei di der am an im auf den los las el".split()
)
_ENDINGS = ("strasse", "str", "straat", "gatan", "vagen", "gasse", "weg", "platz", "vej", "gade")


class Place(NamedTuple):
    """address: number, street stem and postcode (or city). spot: number and postcode."""

    address: str = ""
    spot: str = ""
    postcode: str = ""
    city: str = ""


@lru_cache(_CACHED)
def _street(text: str) -> tuple[str, str]:
    """Return house number and the stem of a street's name."""
    number, names = "", []
    for word in words(text):
        if _NUMBER.fullmatch(word):
            number = number or word
        elif word not in _TYPES and len(word) > 1:
            names.append(joined_umlauts(word))
    if not names:
        names = [joined_umlauts(w) for w in words(text) if w.isalpha()]
    stem = "".join(names)
    for ending in _ENDINGS:
        if stem.endswith(ending) and len(stem) > len(ending) + 2:
            stem = stem[: -len(ending)]
            break
    return number, stem[:10]


@lru_cache(_CACHED)
def _city(text: str) -> str:
    return joined_umlauts("".join(words(text.split(",")[0].split("/")[0])))[:14]


@lru_cache(_CACHED)
def _code(text: str) -> str:
    """Return a postcode without its country and what is added: D-80331, 02139-4307, 80331.0."""
    text = _LAND.sub("", text.strip())
    if found := _LONG_ZIP.fullmatch(text):
        text = found[1]
    return "".join(words(text))


def place(street: str, postcode: str, city: str) -> Place:
    """Return the keys of an address; a part that is missing leaves its keys empty."""
    code = _code(postcode) if postcode else ""
    town = _city(city) if city else ""
    number, stem = _street(street) if street else ("", "")
    where = code or town
    address = f"{number} {stem} {where}" if stem and where else ""
    spot = f"{number} {code}" if number and code else ""
    return Place(address, spot, code, town)
