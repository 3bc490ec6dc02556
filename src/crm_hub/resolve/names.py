"""Names as evidence: what a name says, and whether two names can be one person or firm.

Comparing is deliberately cautious: a clash keeps records apart even when they share a
mailbox or a phone (couples, parents and children), so only clear differences clash.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from rapidfuzz.distance import JaroWinkler

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SPECIAL = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_SUFFIXES = frozenset(
    ["jr", "sr", "junior", "senior", "ii", "iii", "iv", "phd", "md", "esq", "dds", "cpa", "mba"]
)
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "la",
        "le",
        "du",
        "da",
        "di",
        "dos",
        "del",
        "della",
        "el",
        "al",
        "bin",
        "ibn",
        "ter",
    ]
)
_HONORIFICS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "sir",
        "dame",
        "herr",
        "frau",
        "mme",
        "mlle",
        "monsieur",
        "madame",
        "sr",
        "sra",
        "srta",
        "dhr",
        "mevr",
    ]
)
_LEGAL_FORMS = frozenset(
    [
        "inc",
        "incorporated",
        "llc",
        "llp",
        "lp",
        "ltd",
        "limited",
        "plc",
        "corp",
        "corporation",
        "co",
        "company",
        "gmbh",
        "mbh",
        "ag",
        "kg",
        "kgaa",
        "ug",
        "ohg",
        "gbr",
        "ev",
        "se",
        "sa",
        "sas",
        "sarl",
        "sl",
        "slu",
        "spa",
        "srl",
        "bv",
        "nv",
        "ab",
        "oy",
        "oyj",
        "as",
        "asa",
        "aps",
        "kft",
        "sro",
        "pty",
        "holding",
        "group",
        "the",
        "and",
        "und",
    ]
)
_TYPO = 0.9


class Similarity(IntEnum):
    """How two names relate, from certain difference to certain likeness."""

    CLASH = 0
    UNKNOWN = 1
    COMPATIBLE = 2
    SAME = 3


class NameForm(NamedTuple):
    """A name, folded to plain lower-case letters. For organizations only `whole` is filled."""

    given: str
    family: str
    whole: str
    suffix: str = ""


NO_NAME = NameForm("", "", "")
_CACHED = 2_048
"""So many names, and pairs of names, are remembered: the common ones."""


@lru_cache(_CACHED)
def fold(text: str) -> str:
    """Return text in lower case without accents; letters stay letters."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPECIAL))
    return "".join(c for c in plain if not unicodedata.combining(c))


def _words(text: str) -> list[str]:
    if text.isascii() and text.isalpha():
        return [text.lower()]
    return [w.replace("'", "").replace("’", "") for w in _WORD.findall(fold(text))]


def person_form(values: Mapping[str, Any]) -> NameForm:
    """Return the name of a person record, from its parts or else its display name."""
    given, family = values.get("given_name"), values.get("family_name")
    if given or family:
        return _from_parts(given or "", family or "", values.get("suffix") or "")
    return _from_display(values.get("display_name") or "")


@lru_cache(_CACHED)
def _from_parts(given: str, family: str, suffix: str) -> NameForm:
    if not suffix and given.isalpha() and family.isalpha() and (given + family).isascii():
        first, last = given.lower(), family.lower()
        if first not in _HONORIFICS and last not in _SUFFIXES:
            return NameForm(first, last, f"{first} {last}")  # most names, at a third of the cost
    firsts = [w for w in _words(given) if w not in _HONORIFICS]
    lasts = _words(family)
    if not firsts and len(lasts) > 1 and lasts[0] not in _PARTICLES:
        return _from_display(family)  # the whole name sits in the last-name field
    if not lasts and len(firsts) > 1:
        return _from_display(given)
    mark = " ".join(w for w in (*lasts, *_words(suffix)) if w in _SUFFIXES)
    lasts = [w for w in lasts if w not in _SUFFIXES] or lasts
    last = " ".join(lasts)
    first = firsts[0] if firsts else ""
    return NameForm(first, last, " ".join(filter(None, (first, last))), mark)


@lru_cache(_CACHED)
def _from_display(text: str) -> NameForm:
    if "@" in text:
        return NO_NAME
    head, comma, tail = text.partition(",")
    swapped = comma and _words(tail) and not set(_words(tail)) <= _SUFFIXES
    words = _words(f"{tail} {head}" if swapped else text)
    mark = " ".join(w for w in words if w in _SUFFIXES)
    words = [w for w in words if w not in _SUFFIXES and w not in _HONORIFICS]
    if not words:
        return NO_NAME
    if len(words) == 1:
        return (
            NameForm("", words[0], words[0], mark) if swapped else NameForm(words[0], "", words[0])
        )
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    family = " ".join(words[start:])
    return NameForm(words[0], family, f"{words[0]} {family}", mark)


def organization_form(values: Mapping[str, Any]) -> NameForm:
    """Return the base name of an organization: folded, without its legal form."""
    name = values.get("display_name") or values.get("legal_name") or ""
    return _organization(name)


@lru_cache(_CACHED)
def _organization(name: str) -> NameForm:
    words = re.findall(r"[^\W_]+", fold(name).replace("'", "").replace(".", ""))
    base = [w for w in words if w not in _LEGAL_FORMS] or words
    return NameForm("", "", " ".join(base))


def compare_names(entity: str, a: NameForm, b: NameForm) -> Similarity:
    """Return how two names of one kind of entity relate; symmetric."""
    if a == b:
        return Similarity.SAME if a.whole else Similarity.UNKNOWN
    if not a.whole or not b.whole:
        return Similarity.UNKNOWN
    if entity == "organization":
        return _compare_whole(a.whole, b.whole)
    return _compare_persons(a, b)


@lru_cache(65_536)  # asked for each participant of each event
def names_agree(name: str, display_name: str) -> bool:
    """Tell whether two names as people write them can be one person's."""
    forms = person_form({"display_name": name}), person_form({"display_name": display_name})
    return compare_names("person", *forms) >= Similarity.COMPATIBLE


def _compare_whole(a: str, b: str) -> Similarity:
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return Similarity.SAME
    if JaroWinkler.normalized_similarity(a, b) >= 0.94:
        return Similarity.COMPATIBLE
    x, y = set(a.split()), set(b.split())
    return Similarity.COMPATIBLE if x <= y or y <= x else Similarity.CLASH


@lru_cache(_CACHED)
def _compare_persons(a: NameForm, b: NameForm) -> Similarity:
    if a.suffix and b.suffix and a.suffix != b.suffix:
        return Similarity.CLASH
    given = _compare_given(a.given, b.given)
    if given is Similarity.CLASH:
        return _swapped(a, b)
    family = _compare_family(a.family, b.family)
    if family is Similarity.CLASH:
        return _swapped(a, b)
    if given is family is Similarity.SAME:
        return Similarity.SAME
    if Similarity.UNKNOWN in (given, family):
        return (
            Similarity.COMPATIBLE if max(given, family) > Similarity.UNKNOWN else Similarity.UNKNOWN
        )
    return Similarity.COMPATIBLE


def _swapped(a: NameForm, b: NameForm) -> Similarity:
    if a.given and a.family and a.given == b.family and a.family == b.given:
        return Similarity.COMPATIBLE
    return Similarity.CLASH


def _compare_given(a: str, b: str) -> Similarity:
    if not a or not b:
        return Similarity.UNKNOWN
    if a == b:
        return Similarity.SAME
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) == 1 or (len(short) >= 3 and long.startswith(short)):
        return Similarity.COMPATIBLE if long.startswith(short) else Similarity.CLASH
    # Mario and Maria, Daniel and Daniela differ at the end; typing mistakes rarely do.
    return _typo(a, b) if a[-1] == b[-1] else Similarity.CLASH


def _compare_family(a: str, b: str) -> Similarity:
    if not a or not b:
        return Similarity.UNKNOWN
    if a == b:
        return Similarity.SAME
    if (" " in a or " " in b) and set(a.split()) & set(b.split()) - _PARTICLES:
        return Similarity.COMPATIBLE
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) == 1 and long.startswith(short):
        return Similarity.COMPATIBLE
    return _typo(a, b)


def _typo(a: str, b: str) -> Similarity:
    if min(len(a), len(b)) >= 4 and JaroWinkler.normalized_similarity(a, b) >= _TYPO:
        return Similarity.COMPATIBLE
    return Similarity.CLASH
