"""A firm's name as evidence: its base name without legal form, and what its domain calls it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crm_hub.resolve.normal.text import joined_umlauts, words
from crm_hub.resolve.normal.words import (
    FIRM_STOPWORDS,
    LANDS_OF_FORM,
    LEGAL_FORMS,
    PARTS_OF_A_HOUSE,
)

_CACHED = 65_536
_ZOO = re.compile(r"\bz\.?\s*o\.?\s*o\b\.?", re.I)
_SECOND_LEVEL = frozenset("co com org net gov edu ac or ne gob gouv nom asso ltd plc me".split())


class FirmName(NamedTuple):
    """base: folded words without legal form. form: the legal form. key: base as one word."""

    base: str = ""
    form: str = ""
    key: str = ""


NO_FIRM = FirmName()


@lru_cache(_CACHED)
def firm_name(text: str) -> FirmName:
    """Return the base name and legal form: "Müller & Söhne GmbH & Co. KG" is muller sohne."""
    if not text:
        return NO_FIRM
    # "Sp. z o.o." and "S. p. A." fall into single letters; they are put together first.
    found = _glued(words(_ZOO.sub("zoo", text.replace("(", " ").replace(")", " "))))
    base = [w for w in found if w not in LEGAL_FORMS and w not in FIRM_STOPWORDS]
    form = " ".join(w for w in found if w in LEGAL_FORMS)
    if not base:
        base = found
    base = [joined_umlauts(w) for w in base]
    return FirmName(" ".join(base), form, "".join(base))


def _glued(found: list[str]) -> list[str]:
    out: list[str] = []
    run = ""
    for word in [*found, "-"]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        if run:
            out.append(run)
            run = ""
        if word != "-":
            out.append(word)
    return out


@lru_cache(_CACHED)
def lands_of_form(form: str) -> frozenset[str]:
    """Return the lands in which there is this legal form, empty where it tells none."""
    told = [lands for word in form.split() if (lands := LANDS_OF_FORM.get(word))]
    return frozenset.intersection(*told) if told else frozenset()


def is_part(a: str, b: str) -> bool:
    """Tell whether one base name is the other and behind it a word for a part of the house."""
    whole, part = (a, b) if len(a) < len(b) else (b, a)
    if not whole or not part.startswith(f"{whole} "):
        return False
    return not PARTS_OF_A_HOUSE.isdisjoint(part[len(whole) :].split())


@lru_cache(_CACHED)
def domain_label(domain: str) -> str:
    """Return the part of a domain that names the firm, as one word: mail.oak-clinic.co.uk."""
    labels = domain.split(".")
    if len(labels) < 2:
        return ""
    at = -3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else -2
    return joined_umlauts("".join(words(labels[at])))
