"""What a scored pair means: one person, two people, or a question for a person.

Pure. Some things decide without weights: a shared reference joins, and a clash (birth dates,
generations, references of one system, first names in one family) keeps apart whatever else agrees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from crm_hub.model.rules import Bands
from crm_hub.resolve.ladder import slips
from crm_hub.resolve.levels import BIRTH, reference_slip
from crm_hub.resolve.name_levels import other_given
from crm_hub.resolve.normal.organization import is_part
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.standing import standing


class Verdict(Enum):
    """The answer about a pair."""

    SAME = "same"
    ASK = "ask"
    DIFFERENT = "different"
    NEVER = "never"


class Decision(NamedTuple):
    """verdict, and the reason in words where no weight decided."""

    verdict: Verdict
    reason: str = ""


_NO_CLASH = ""
_MOST_COMPARED = 12
_NUMBERS = frozenset("2 3 4 5 6 7 8 9 02 03 04".split())


def clash(a: Profile, b: Profile, references_identify: bool) -> str:
    """Return why two records cannot be one person, "" where nothing forbids it."""
    if not a.refs.isdisjoint(b.refs) or reference_slip(a, b):
        # Only references that name people are left in a profile (population.py).
        return "other generation" if _other_generation(a, b) else _NO_CLASH
    if a.birth and b.birth and a.birth != b.birth and not _birth_slip(a, b):
        return "other birth date"
    if a.generation != b.generation:
        if _other_generation(a, b):
            return "other generation"
        if not _person_shared(a, b):
            return "one of them is marked junior or senior"
    if references_identify and a.refs and b.refs and a.source == b.source != "":
        return "other reference in one system"
    if (
        a.mail_stem
        and a.mail_stem == b.mail_stem
        and a.mail_number != b.mail_number
        and a.mails.isdisjoint(b.mails)
    ):
        return "numbered mailboxes of one firm"
    if a.given and b.given and a.given != b.given and _names_apart(a, b):
        return "" if _one_birth(a, b) else "other first name"
    return _NO_CLASH


def _person_shared(a: Profile, b: Profile) -> bool:
    """Tell whether two records share what a father and a son of one name do not."""
    return (
        not a.mails.isdisjoint(b.mails)
        or (bool(a.birth) and a.birth == b.birth)
        or any(_is_mobile(p, a.address == b.address != "") for p in a.phones & b.phones)
    )


@lru_cache(16_384)
def _is_mobile(number: str, one_address: bool) -> bool:
    """Tell whether a number is one person's: a mobile, or at least not the line of one home.

    North American numbers do not say what they are; there the address decides.
    """
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number.partition(";")[0]))
    except phonenumbers.NumberParseException:
        return False
    if kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE:
        return not one_address
    return bool(kind == phonenumbers.PhoneNumberType.MOBILE)


def _other_generation(a: Profile, b: Profile) -> bool:
    return a.generation != b.generation and bool(a.generation and b.generation)


def _birth_slip(a: Profile, b: Profile) -> bool:
    return any(level.test(a, b) for level in BIRTH.levels[2:-1])


def _names_apart(a: Profile, b: Profile) -> bool:
    if not a.given or not b.given or a.given == b.given or not a.givens.isdisjoint(b.givens):
        return False
    return other_given(a.given, a.family, b.given, b.family, a.common_given + b.common_given)


def _one_birth(a: Profile, b: Profile) -> bool:
    """Tell whether birth date and more say one person in spite of the first names.

    One surname at one place does, unless two usual first names at one line, two mailboxes or two
    numbers make them twins.
    """
    one_line = not (a.lines.isdisjoint(b.lines) and a.phones.isdisjoint(b.phones))
    if one_line and a.common_given and b.common_given:
        return False
    if not a.birth or a.birth != b.birth or (a.mails and b.mails and a.mails.isdisjoint(b.mails)):
        return False
    if a.phones and b.phones and a.phones.isdisjoint(b.phones):
        return False
    surname = a.family == b.family or slips(a.family, b.family) <= 2
    return surname and (
        a.address == b.address != "" or a.postcode == b.postcode != "" or a.city == b.city != ""
    )


def only_a_line(a: Profile, b: Profile) -> bool:
    """Tell whether two records, one of them without a name, share no more than a place's number."""
    if not a.mails.isdisjoint(b.mails) or not a.refs.isdisjoint(b.refs):
        return False
    return not any(_is_mobile(p, a.address == b.address != "") for p in a.phones & b.phones)


def firm_clash(a: Profile, b: Profile, _references_identify: bool) -> str:
    """Return why two organizations cannot be one: two numbers in one register.

    Where they share no domain, mailbox or number in a register, legal forms of two lands part
    them, and so does a name that is the other's with a word for a part of the house: a switchboard
    is that of all of them.
    """
    if a.refs and b.refs and a.refs.isdisjoint(b.refs):
        mine = {ref.split(" ")[0] for ref in a.refs}
        if any(ref.split(" ")[0] in mine for ref in b.refs):
            return "other number in the same register"
    if not (a.domains.isdisjoint(b.domains) and a.lines.isdisjoint(b.lines)):
        return _NO_CLASH
    if not a.refs.isdisjoint(b.refs):
        return _NO_CLASH
    if a.form_lands and b.form_lands and a.form_lands.isdisjoint(b.form_lands):
        return "legal forms of two lands"
    return "one is named as a part of the other" if is_part(a.company, b.company) else _NO_CLASH


def decide(a: Profile, b: Profile, bits: float, bands: Bands, reason: str) -> Decision:
    """Return what a pair of this weight means by itself; reason: why the two clash, or "".

    Other records may make it more or less: graph.py asks again for whole clusters.
    """
    if reason:
        return Decision(Verdict.NEVER, reason)
    alone = standing(bits, contested=bands.contested if a.contested and b.contested else 0.0)
    if alone >= bands.link:
        return Decision(Verdict.SAME)
    if not a.refs.isdisjoint(b.refs) and bits >= bands.reference:
        return Decision(Verdict.SAME, "same reference")
    return Decision(Verdict.ASK if alone >= bands.review else Verdict.DIFFERENT)


def mark_contested(profiles: Sequence[Profile], references_identify: bool) -> None:
    """Mark the records whose whole name two people are known to have.

    Father and son, or two of one name in one firm, look like one person wherever a record says
    little; that there are two of them is known from the records that say more.
    """
    named: dict[tuple[str, str], list[Profile]] = defaultdict(list)
    for one in profiles:
        if one.given and one.family:
            named[one.given, one.family].append(one)
    for group in named.values():
        if len(group) > 1 and _are_several(group, references_identify):
            for one in group:
                one.contested = True


def _are_several(group: Sequence[Profile], references_identify: bool) -> bool:
    if any(one.generation or _numbered(one) for one in group):
        return True
    telling = [one for one in group if one.birth or one.refs][:_MOST_COMPARED]
    return any(clash(a, b, references_identify) for i, a in enumerate(telling) for b in telling[:i])


def _numbered(one: Profile) -> bool:
    """Tell whether a firm gave the mailbox a number, as it does for the second of one name."""
    return one.mail_number in _NUMBERS
