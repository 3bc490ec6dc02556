"""A person's name as evidence: given name, surname, generation, and a firm in the name field."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crm_hub.resolve.normal.text import folded, joined_umlauts, words
from crm_hub.resolve.normal.words import (
    BORN,
    CLEAR_FORMS,
    DEGREES,
    GENERATIONS,
    HONORIFICS,
    HOUSEHOLD,
    IN_BRACKETS,
    LEGAL_FORMS,
    MARKS_ANYWHERE,
    NOBODY,
    PARTICLES,
    SALUTATIONS,
    known_given_names,
    short_forms,
)

_BRACKETS = re.compile(r"[(\[{<]([^()\[\]{}<>]*)[)\]}>]")
_AFTER = re.compile(r"(?<!\s)\s+(\||//?|–|—|--?|@|c/o|via|bei|chez|at)\s+(.*)$", re.I)
_NICK = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]")
_QUOTES = "\"“”„«»'’ "
_YOUNGER = re.compile(
    r"(?<![\s,])[\s,]+(?:(?i:(?:the|der|die|den)\s+(?:younger|j(?:ü|ue|u)ngere|yngre))|d\.\s?[jJyY]\.?)"
    r"\s*$"
)
_ELDER = re.compile(
    r"(?<![\s,])[\s,]+(?:(?i:(?:the|der|die|den)\s+(?:elder|(?:ä|ae|a)ltere|(?:ä|æ|e)ldre))"
    r"|d\.\s?[äÄæÆ]\.?)\s*$"
)
_BORN = re.compile(r"\b(?:z\s?domu|z\s?d\.|de\s+soltera|o\.s\.)", re.I)
# Legal forms that are names as well, written as no name is.
_LOUD_FORM = re.compile(r"\w\s+(?:ASA|ANS|SAS|SAU)\s*$")
_INITIALS = re.compile(r"\s*(?:[^\W\d_]\.-?\s?){2,}")
# Words run together at a dot ("Dr.Berg", "ann.berg"); "Dipl.Ing." and "M.Eng." are one word.
_RUN_ON = re.compile(
    r"(?<=[^\W\d_])\.(?=[^\W\d_]{3})(?!eng\b|ing\b|sci\b|inf\b|kfm\b|arch\b)", re.I
)
_YOUNGER_OR_ELDER = re.compile(
    r" (?:younger|elder|jungere|juengere|yngre|altere|aeltere)\s*$", re.I
)
_AND = frozenset(("and", "und", "et"))
# Marks that are surnames too; one behind a single name is one.
_SURE_MARKS = frozenset("jr jnr sr snr ii iii iv 2nd 3rd 4th".split())
_LONGEST = 1_000
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


class _Field(NamedTuple):
    """A name field without what stands beside the name: a firm, a generation, a surname from
    before, a name somebody goes by."""

    text: str
    firm: str = ""
    mark: str = ""
    born: str = ""
    nick: str = ""

    def with_aside(self, aside: str) -> _Field:
        """Return the field with what stood in brackets, or behind a bar, told apart."""
        found = words(aside)
        if "@" in aside or all(word in DEGREES for word in found):
            return self
        if len(found) == 1 and found[0] in IN_BRACKETS:
            return self._replace(mark=IN_BRACKETS[found[0]])
        if found[0] in BORN and len(found) > 1:
            return self._replace(born=" ".join(found[1:]))
        if len(found) == 1 and joined_umlauts(found[0]) in known_given_names():
            return self._replace(nick=found[0])
        if _is_firm(self.text) and len(found) > 1 and not _is_firm(aside):
            return self._replace(text=aside, firm=self.text)
        return self._replace(firm=self.firm or aside)

    def beside(self, name: PersonName) -> PersonName:
        """Return the name with what the field says beside it."""
        if self.mark and not name.generation:
            name = name._replace(generation=self.mark)
        if self.born:
            name = name._replace(families=name.families | _made([], _names(self.born)).families)
        if self.nick and name.givens:
            name = name._replace(givens=name.givens | _made(_names(self.nick), []).givens)
        return name._replace(firm=name.firm or self.firm)


@lru_cache(_CACHED)
def person_name(first: str = "", last: str = "", full: str = "", suffix: str = "") -> PersonName:
    """Return the name that the parts, or else the whole, say.

    "Dr. Müller, Hans-Peter jun. (Acme GmbH)" gives hanspeter, muller, jr and the firm.
    """
    if first and last and _plain(first) and _plain(last) and not suffix and first != last:
        return _made([first.lower()], [last.lower()])
    first, last, full = _known(first), _known(last), _known(full)
    name = _from_parts(first, last) if first or last else _from_full(full)
    if suffix:
        said = words(suffix[:_LONGEST])
        mark = next((mark for w in said if (mark := IN_BRACKETS.get(w, ""))), "")
        name = name._replace(generation=name.generation or mark)
    return name


def _known(text: str) -> str:
    """Return a field in a length that names have, nothing where it says that nobody knows."""
    text = text[:_LONGEST]
    return "" if text.strip().lower() in NOBODY else text


def _plain(text: str) -> bool:
    low = text.lower()
    return (
        text.isascii()
        and text.isalpha()
        and len(text) > 2
        and low not in HONORIFICS
        and low not in GENERATIONS
        and low not in CLEAR_FORMS
        and low not in NOBODY
    )


def _from_parts(first: str, last: str) -> PersonName:
    first_field, last_field = _cleaned(first), _cleaned(last)
    aside = first_field.firm
    if aside and " " not in aside and not _is_firm(aside):  # Johann (Hansl)
        first_field = first_field._replace(firm="", nick=first_field.nick or aside)
    first, last = first_field.text, last_field.text
    if "," in last and not first:
        return last_field.beside(_from_full(last))
    head, comma, tail = last.partition(",")
    if comma and all(w in DEGREES or w in HONORIFICS for w in words(tail)):
        last = head
    if _is_firm(last) and not first:
        return PersonName(firm=last)
    every, born = _without_born(_names(last))
    lasts, mark = _without_marks(every)
    firsts, mark_of_first = _without_marks(_names(first))
    if not firsts and len(lasts) > 1 and lasts[0] not in PARTICLES:
        name = _from_full(last_field.text)
        return last_field.beside(name._replace(families=name.families | born))
    if len(firsts) == 1 and (firsts[0] in HOUSEHOLD or firsts[0] in SALUTATIONS):
        firsts = []
    if not lasts and len(firsts) > 1:
        return first_field.beside(_from_full(first))
    firsts, lasts = _told_once(firsts, lasts)
    name = _made(firsts, lasts, mark or mark_of_first)
    return last_field.beside(first_field.beside(name._replace(families=name.families | born)))


def _told_once(firsts: list[str], lasts: list[str]) -> tuple[list[str], list[str]]:
    """Return the names of two fields of which one holds the whole name, or both do."""
    if len(firsts) > 1 and firsts == lasts:
        return firsts[:-1], lasts[-1:]
    if len(firsts) > len(lasts) > 0 and firsts[-len(lasts) :] == lasts:
        return firsts[: -len(lasts)], lasts
    if len(lasts) > len(firsts) > 0 and lasts[: len(firsts)] == firsts:
        return firsts, lasts[len(firsts) :]
    return firsts, lasts


def _from_full(full: str) -> PersonName:
    if "@" in full and " " not in full.strip():
        return NO_NAME
    field = _parted(_cleaned(full))
    return field.beside(_whole(field.text))


def _parted(field: _Field) -> _Field:
    """Return the field without the firm that stands before or behind a comma."""
    head, comma, tail = field.text.partition(",")
    if not comma or field.firm or not _is_firm(field.text):
        return field
    for who, firm in ((head, tail), (tail, head)):
        is_named = _is_firm(firm) and any(w not in LEGAL_FORMS for w in words(firm))
        if is_named and not _is_firm(who) and "&" not in who and len(_names(who)) > 1:
            return field._replace(text=who.strip(), firm=firm.strip())
    return field


def _whole(text: str) -> PersonName:
    """Return the name in a text that holds nothing else, or a firm."""
    if _is_firm(text):
        return PersonName(firm=text)
    head, comma, tail = text.partition(",")
    if comma and all(w in DEGREES or w in HONORIFICS for w in words(tail)):
        comma, text = "", head
    if comma:
        rest, _ = _without_marks(_names(tail))
        if rest and rest[0] not in GENERATIONS and rest[0] not in BORN:
            head_names, born = _without_born(_names(head))
            lasts, mark = _without_marks(head_names)
            firsts, mark_of_first = _without_marks(_names(tail))
            name = _made(firsts, lasts, mark or mark_of_first)
            return name._replace(families=name.families | born)
    every, born = _without_born(_names(text))
    found, mark = _without_marks(every)
    if mark and len(found) == 1 and every[-1] not in _SURE_MARKS:
        found, mark = every, ""
    if len(found) > 1 and (found[0] in HOUSEHOLD or found[0] in _AND):
        return _made([], found[1:], mark)
    if not found:
        return NO_NAME
    said = words(text)
    if len(found) == 1 and len(said) == 2 and said[0] in known_given_names():
        found = said  # Don Gray is Donald
    if len(found) == 1:
        is_surname = len(said) > 1 and said[0] in SALUTATIONS
        name = _made([], found, mark) if is_surname else _made(found, [], mark)
        return name._replace(families=name.families | born)
    if shouted := _shouted(text, found):
        return _made([w for w in found if w not in shouted], shouted, mark)
    cut = len(found) - 1
    while cut > 1 and found[cut - 1] in PARTICLES:
        cut -= 1
    name = _made(found[:cut], found[cut:], mark)
    # Of "Ana García López" the middle may be a surname too, unless it is known as a first name.
    middle = {joined_umlauts(w) for w in found[1:cut] if len(w) > 2 and w not in PARTICLES}
    return name._replace(families=name.families | (middle - known_given_names()) | born)


def _shouted(text: str, found: list[str]) -> list[str]:
    """Return the surname that stands in capitals before the first name: DUPONT Jean."""
    pieces = [p for p in text.split() if any(c.isalpha() for c in p)]
    loud = [len(p) > 2 and p.isupper() for p in pieces]
    if len(pieces) != len(found) or not loud[0] or loud[-1] or "." in pieces[0]:
        return []
    return found[: loud.index(False)]


def _cleaned(text: str) -> _Field:
    """Return a name field, what stands in brackets, quotes or behind a bar apart from it."""
    if text.isascii() and text.replace(" ", "").isalpha() and not _YOUNGER_OR_ELDER.search(text):
        return _Field(text)
    if text[:1] in _QUOTES and text[-1:] in _QUOTES:
        text = text.strip(_QUOTES)
    text = _RUN_ON.sub(". ", text.replace("_", " "))
    if found := _INITIALS.match(text):
        text = found[0].replace(".", " ").replace("-", " ") + text[found.end() :]
    text = _ELDER.sub(" senior", _YOUNGER.sub(" junior", _BORN.sub(" geb ", text)))
    nick = " ".join(n for n in _NICK.findall(text) if " " not in n)
    text = _NICK.sub(" ", text)
    asides = _BRACKETS.findall(text)
    text = _BRACKETS.sub(" ", text) if asides else text
    if found := _AFTER.search(text):
        asides += [found[2]] if found[1].lower() != "via" else []
        text = text[: found.start()]
    field = _Field(text.strip(), nick=nick)
    for aside in asides:
        field = field.with_aside(aside.strip())
    return field


def _is_firm(text: str) -> bool:
    if _LOUD_FORM.search(text) and not text.isupper():
        return True
    return any(word in CLEAR_FORMS for word in words(text))


def _names(text: str) -> list[str]:
    """Return the words of a name without honorifics; names joined by a hyphen stay one word."""
    if text.isascii() and text.isalpha():
        low = text.lower()
        return [low] if low not in SALUTATIONS or len(low) > 3 else []
    out = []
    for piece in folded(text).split():
        plain = "-".join(w for part in piece.split("-") for w in words(part))
        plain = plain.strip("-")
        if plain and not plain.replace("-", "").isdigit():
            out.append(plain)
    learned = False
    while len(out) > 1 and (
        out[0].replace("-", "") in HONORIFICS or (learned and len(out) > 2 and out[0] in DEGREES)
    ):
        learned = learned or out[0] in ("dr", "prof")
        del out[0]
    # "Sr." before a name is señor, behind it senior.
    return [
        w
        for at, w in enumerate(out)
        if w.replace("-", "") not in HONORIFICS or (w in GENERATIONS and at > 0)
    ]


def _without_born(found: list[str]) -> tuple[list[str], frozenset[str]]:
    """Return the words before "née", and the surname behind it."""
    at = next((at for at, w in enumerate(found[1:-1], 1) if w in BORN), 0)
    return (found[:at], _made([], found[at + 1 :]).families) if at else (found, frozenset())


def _without_marks(found: list[str]) -> tuple[list[str], str]:
    """Return the words without a generation mark, and the mark; most stand at the end alone."""
    mark = ""
    if len(found) > 2 and (inner := next((w for w in found if w in MARKS_ANYWHERE), "")):
        mark = GENERATIONS[inner]
        found = [w for w in found if w != inner]
    while len(found) > 1 and found[-1] in GENERATIONS:
        mark = GENERATIONS[found[-1]]
        found = found[:-1]
    return found, mark


def _made(firsts: list[str], lasts: list[str], mark: str = "") -> PersonName:
    shorts = short_forms()
    given = joined_umlauts(firsts[0].replace("-", "")) if firsts else ""
    givens: set[str] = set()
    for at, name in enumerate(firsts):
        if at and name in PARTICLES:
            continue
        for part in {name.replace("-", ""), *name.split("-")}:
            plain = joined_umlauts(part)
            if len(plain) > 1:
                givens |= shorts.get(plain, frozenset((plain,)))
                givens.add(plain)
    if len(firsts) > 1:  # Juan José is Juanjo
        both = joined_umlauts("".join(firsts[:2]).replace("-", ""))
        givens |= shorts.get(both, frozenset())
    if "o" in lasts[:-1]:  # O Brien is O'Brien
        at = lasts.index("o")
        lasts = [*lasts[:at], "o" + lasts[at + 1], *lasts[at + 2 :]]
    core = [w for w in lasts if w not in PARTICLES] or lasts
    family = joined_umlauts("".join(core).replace("-", ""))
    parts = {joined_umlauts(p) for w in core for p in w.split("-")}
    if len(core) < len(lasts) and all(len(w) > 1 for w in lasts):  # De Angelis is Deangelis
        parts.add(joined_umlauts("".join(lasts).replace("-", "")))
    families = frozenset(p for p in {family, *parts} if len(p) > 1)
    return PersonName(given, frozenset(givens), family, families, mark)
