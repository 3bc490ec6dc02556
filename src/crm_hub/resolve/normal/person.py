"""A person's name as evidence: given name, surname, generation, and a firm in the name field."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crm_hub.resolve.normal.text import folded, joined_umlauts, words
from crm_hub.resolve.normal.words import (
    CLEAR_FORMS,
    DEGREES,
    GENERATIONS,
    HONORIFICS,
    HOUSEHOLD,
    PARTICLES,
    known_given_names,
    short_forms,
)

_BRACKETS = re.compile(r"[(\[{<]([^)\]}>]*)[)\]}>]")
_AFTER = re.compile(r"\s+(?:\||//?|–|—|-{1,2}|@|c/o|via|bei|chez|at)\s+.*$", re.I)
_NICK = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]")
_CACHED = 65_536


class PersonName(NamedTuple):
    """A name in folded letters, umlauts joined.

    given: the first given name ("jeanpierre"), or one letter. givens: every name the given names
    may stand for, short forms resolved. family: the surname without particles ("berg" of van der
    Berg). families: its parts, and other surnames the person goes by. generation: jr, sr, ii, …
    firm: a company's name that stood in the name field.
    """

    given: str = ""
    givens: frozenset[str] = frozenset()
    family: str = ""
    families: frozenset[str] = frozenset()
    generation: str = ""
    firm: str = ""


NO_NAME = PersonName()


@lru_cache(_CACHED)
def person_name(first: str = "", last: str = "", full: str = "", suffix: str = "") -> PersonName:
    """Return the name that the parts, or else the whole, say.

    "Dr. Müller, Hans-Peter jun. (Acme GmbH)" gives hanspeter, muller, jr and the firm.
    """
    if first and last and _plain(first) and _plain(last) and not suffix:
        return _made([first.lower()], [last.lower()], "", "")
    if first or last:
        return _from_parts(first, last, suffix)
    return _from_full(full)


def _plain(text: str) -> bool:
    low = text.lower()
    return (
        text.isascii()
        and text.isalpha()
        and len(text) > 2
        and low not in HONORIFICS
        and low not in GENERATIONS
        and low not in CLEAR_FORMS
    )


def _from_parts(first: str, last: str, suffix: str) -> PersonName:
    first, firm = _cleaned(first)
    last, other = _cleaned(last)
    if "," in last and not first:
        return _from_full(last)
    head, comma, tail = last.partition(",")
    if comma and all(w in DEGREES or w in HONORIFICS for w in words(tail)):
        last = head
    if _is_firm(last) and not first:
        return PersonName(firm=last)
    lasts, mark = _without_marks([*_names(last), *words(suffix)])
    firsts, mark_of_first = _without_marks(_names(first))
    if not firsts and len(lasts) > 1 and lasts[0] not in PARTICLES:
        return _from_full(f"{last} {suffix}".strip())
    if len(firsts) == 1 and firsts[0] in HOUSEHOLD:
        firsts = []
    if not lasts and len(firsts) > 1:
        return _from_full(first)
    return _made(firsts, lasts, mark or mark_of_first, firm or other)


def _from_full(full: str) -> PersonName:
    if "@" in full and " " not in full.strip():
        return NO_NAME
    text, firm = _cleaned(full)
    if _is_firm(text):
        return PersonName(firm=text)
    head, comma, tail = text.partition(",")
    if comma and all(w in DEGREES or w in HONORIFICS for w in words(tail)):
        comma, text = "", head
    if comma:
        rest, _ = _without_marks(_names(tail))
        if rest and rest[0] not in GENERATIONS:
            lasts, mark = _without_marks(_names(head))
            firsts, mark_of_first = _without_marks(_names(tail))
            return _made(firsts, lasts, mark or mark_of_first, firm)
    found, mark = _without_marks(_names(text))
    if len(found) > 1 and found[0] in HOUSEHOLD:
        return _made([], found[1:], mark, firm)
    if not found:
        return PersonName(firm=firm)
    if len(found) == 1:
        return _made(found, [], mark, firm)
    if shouted := _shouted(text, found):
        return _made([w for w in found if w not in shouted], shouted, mark, firm)
    cut = len(found) - 1
    while cut > 1 and found[cut - 1] in PARTICLES:
        cut -= 1
    name = _made(found[:cut], found[cut:], mark, firm)
    # Of "Ana García López" the middle may be a surname too, unless it is known as a first name.
    middle = {joined_umlauts(w) for w in found[1:cut] if len(w) > 2 and w not in PARTICLES}
    return name._replace(families=name.families | (middle - known_given_names()))


def _shouted(text: str, found: list[str]) -> list[str]:
    """Return the surname that stands in capitals before the first name: DUPONT Jean."""
    pieces = [p for p in text.split() if any(c.isalpha() for c in p)]
    loud = [len(p) > 2 and p.isupper() for p in pieces]
    if len(pieces) != len(found) or not loud[0] or loud[-1] or "." in pieces[0]:
        return []
    return found[: loud.index(False)]


def _cleaned(text: str) -> tuple[str, str]:
    """Return a name field without what stands in brackets or after a bar, and that as a firm."""
    if text.isascii() and text.replace(" ", "").isalpha():
        return text, ""
    text = _NICK.sub(" ", text)
    firm = ""
    if found := _BRACKETS.search(text):
        firm, text = found[1], _BRACKETS.sub(" ", text)
    if found := _AFTER.search(text):
        firm, text = firm or found[0].strip(" |/–—-@"), text[: found.start()]
    return text.strip(), firm.strip()


def _is_firm(text: str) -> bool:
    return any(word in CLEAR_FORMS for word in words(text))


def _names(text: str) -> list[str]:
    """Return the words of a name without honorifics; names joined by a hyphen stay one word."""
    if text.isascii() and text.isalpha():
        low = text.lower()
        return [low] if low not in HONORIFICS or len(low) > 3 else []
    out = []
    for piece in folded(text).split():
        plain = "-".join(w for part in piece.split("-") for w in words(part))
        plain = plain.strip("-")
        if plain and not plain.replace("-", "").isdigit():
            out.append(plain)
    while len(out) > 2 and out[0] == "dr" and out[1] in DEGREES:
        del out[1]
    # "Sr." before a name is señor, behind it senior.
    return [
        w
        for at, w in enumerate(out)
        if w.replace("-", "") not in HONORIFICS or (w in GENERATIONS and 0 < at == len(out) - 1)
    ]


def _without_marks(found: list[str]) -> tuple[list[str], str]:
    """Return the words without a generation mark at their end, and the mark."""
    mark = ""
    while len(found) > 1 and found[-1] in GENERATIONS:
        mark = GENERATIONS[found[-1]]
        found = found[:-1]
    return found, mark


def _made(firsts: list[str], lasts: list[str], mark: str, firm: str) -> PersonName:
    shorts = short_forms()
    given = joined_umlauts(firsts[0].replace("-", "")) if firsts else ""
    givens: set[str] = set()
    for name in firsts:
        for part in {name.replace("-", ""), *name.split("-")}:
            plain = joined_umlauts(part)
            if len(plain) > 1:
                givens |= shorts.get(plain, frozenset((plain,)))
                givens.add(plain)
    core = [w for w in lasts if w not in PARTICLES] or lasts
    family = joined_umlauts("".join(core).replace("-", ""))
    parts = {joined_umlauts(p) for w in core for p in w.split("-")}
    families = frozenset(p for p in {family, *parts} if len(p) > 1)
    return PersonName(given, frozenset(givens), family, families, mark, firm)
