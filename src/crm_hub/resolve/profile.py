"""What a record says, ready to be compared: one flat row of normalised values.

A Contact holds the texts as they came; `profile` makes them evidence. The columns of a Profile are
those of the table that Splink sees (`table_row`), so that both score the same thing.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from sys import intern
from typing import Any, NamedTuple

from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.normal.emails import (
    Mailbox,
    MailboxKind,
    initial_of,
    letters_of,
    mailbox,
    name_of,
    own_part,
)
from crm_hub.resolve.normal.mobiles import is_mobile
from crm_hub.resolve.normal.organization import domain_label, firm_name, lands_of_form
from crm_hub.resolve.normal.person import PersonName, person_name
from crm_hub.resolve.normal.places import place
from crm_hub.resolve.normal.text import words
from crm_hub.resolve.normal.values import birth_date, country_code, phone_key

_EMPTY: frozenset[str] = frozenset()


class Contact(NamedTuple):
    """A record of a person as texts. phones are E.164 where their country is known."""

    id: str
    first: str = ""
    last: str = ""
    full: str = ""
    suffix: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company: str = ""
    domain: str = ""
    title: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    birth: str = ""
    refs: tuple[str, ...] = ()
    source: str = ""


@dataclass(slots=True)
class Profile:
    """The evidence of one record; "" and the empty set stand for what it does not say.

    mails: personal mailboxes. mail: the first of them, mail_fixed what no slip changes in it,
    mail_free whether anybody can have one there, mail_own its local part where that is more than
    the name, mail_stem the mailbox of a firm without the number that tells namesakes apart,
    mail_number that number.
    domains: firms' domains the record has a mailbox at. phones: numbers of the person. mobile: one
    of them that no second person has. lines: numbers and mailboxes that several people use. firms:
    the company and the domains as one word each. form_lands: where there is a firm's legal form.
    ref: a reference of a kind so sparse that a slip in it can be seen.

    What only all records together tell: common_given, common_family (so usual that it is no slip
    of another name), given_land and family_land (a name with the land it is met in, lands.py),
    family_is_given (the surname is a usual first name as well: David Thomas, so
    that an exchange of the two proves little), contested (two people of this whole name are known).
    """

    id: str
    given: str = ""
    givens: frozenset[str] = _EMPTY
    family: str = ""
    families: frozenset[str] = _EMPTY
    generation: str = ""
    mails: frozenset[str] = _EMPTY
    mail: str = ""
    mail_fixed: str = ""
    mail_free: bool = False
    mail_own: str = ""
    mail_stem: str = ""
    mail_number: str = ""
    domains: frozenset[str] = _EMPTY
    phones: frozenset[str] = _EMPTY
    mobile: str = ""
    lines: frozenset[str] = _EMPTY
    company: str = ""
    firms: frozenset[str] = _EMPTY
    address: str = ""
    spot: str = ""
    postcode: str = ""
    city: str = ""
    title: str = ""
    birth: str = ""
    birth_swapped: str = ""
    refs: frozenset[str] = _EMPTY
    ref: str = ""
    country: str = ""
    form_lands: frozenset[str] = _EMPTY
    source: str = ""
    common_given: bool = False
    common_family: bool = False
    family_is_given: bool = False
    given_land: str = ""
    family_land: str = ""
    contested: bool = False


_COLUMNS = tuple(Profile.__dataclass_fields__)


def profile(contact: Contact, rules: IdentityRules) -> Profile:
    """Return the evidence of a person's record."""
    boxes = [b for b in (mailbox(e, rules) for e in contact.emails) if b]
    boxes = [b for b in boxes if b.kind is not MailboxKind.JUNK and not b.disposable]
    personal = [b for b in boxes if b.kind is MailboxKind.PERSONAL]
    name = _name(contact, personal)
    found = Profile(contact.id, source=contact.source)
    found.given, found.givens = name.given, name.givens
    found.family, found.families = name.family, name.families
    found.generation = name.generation
    _add_mail(found, boxes, personal, name)
    _add_phones(found, contact.phones, rules)
    _add_firm(found, contact, boxes, name)
    _add_place(found, contact)
    found.title = " ".join(words(contact.title))
    found.birth = birth_date(contact.birth) if contact.birth else ""
    if found.birth[4:6] != found.birth[6:] and found.birth[6:] <= "12":
        found.birth_swapped = found.birth[:4] + found.birth[6:] + found.birth[4:6]
    found.refs = frozenset(r for r in (" ".join(words(r)) for r in contact.refs) if len(r) > 2)
    return found


def thrifty(found: Profile) -> Profile:
    """Let a profile share what many have: a million records have few firms, towns and titles.

    Written out, since a million profiles ask for each: by the names of columns takes twice as long.
    """
    found.given = intern(found.given)
    found.family = intern(found.family)
    found.generation = intern(found.generation)
    found.mail_fixed = intern(found.mail_fixed)
    found.mail_own = intern(found.mail_own)
    found.mail_number = intern(found.mail_number)
    found.company = intern(found.company)
    found.address = intern(found.address)
    found.spot = intern(found.spot)
    found.postcode = intern(found.postcode)
    found.city = intern(found.city)
    found.title = intern(found.title)
    found.birth = intern(found.birth)
    found.birth_swapped = intern(found.birth_swapped)
    found.source = intern(found.source)
    found.country = intern(found.country)
    found.givens = one_of(found.givens) if found.givens else _EMPTY
    found.families = one_of(found.families) if found.families else _EMPTY
    found.domains = one_of(found.domains) if found.domains else _EMPTY
    found.firms = one_of(found.firms) if found.firms else _EMPTY
    found.lines = one_of(found.lines) if found.lines else _EMPTY
    found.form_lands = one_of(found.form_lands) if found.form_lands else _EMPTY
    # Each empty set that is made is one of its own.
    found.mails = found.mails or _EMPTY
    found.phones = found.phones or _EMPTY
    found.refs = found.refs or _EMPTY
    return found


@lru_cache(262_144)
def one_of(held: frozenset[str]) -> frozenset[str]:
    """Return the set of these values that all records share."""
    return held


def _name(contact: Contact, personal: list[Mailbox]) -> PersonName:
    """Return the record's name; without one, the name that its own mailbox spells."""
    name = person_name(contact.first, contact.last, contact.full, contact.suffix)
    if not name.given and not name.family and contact.full and (contact.first or contact.last):
        name = person_name(full=contact.full)
    if len(name.given) == 1 and name.family:
        return _spelled_out(name, personal)
    if name.given or name.family:
        return name
    for box in personal:
        first, last = name_of(box.local)
        if not first:
            first, last = initial_of(box.local)
        if first:
            return person_name(first, last)._replace(firm=name.firm)
    return name


def _spelled_out(name: PersonName, personal: list[Mailbox]) -> PersonName:
    """Return a name whose initial the person's own mailbox spells out: H. Lee, hugo.lee@…"""
    for box in personal:
        for part in letters_of(box):
            if (
                len(part) > 2
                and part[0] == name.given
                and part not in name.families
                and part[1:] not in name.families
            ):
                rest = "".join(letters_of(box)).replace(part, "", 1)
                if not rest or rest in name.families or rest == name.family:
                    full = person_name(part, name.family)
                    return name._replace(given=full.given, givens=full.givens)
    return name


_PART = re.compile(r"[a-z]+|\d+|[._-]")


def _fixed(local: str) -> str:
    """Return what is no slip in a local part: digits, lone letters (m.lee, p.lee), separators.

    Who finds ann.lee@… taken becomes ann_lee@…
    """
    return " ".join(p for p in _PART.findall(local) if len(p) == 1 or p.isdigit())


def _add_mail(
    found: Profile, boxes: list[Mailbox], personal: list[Mailbox], name: PersonName
) -> None:
    if personal:
        found.mails = frozenset(b.canonical for b in personal)
        found.mail = personal[0].canonical
        found.mail_free = personal[0].free
        found.mail_fixed = _fixed(personal[0].local)
        found.mail_own = next((o for o in (own_part(b, name) for b in personal) if o), "")
    ours = [b for b in personal if not b.free]
    numbered = next((b for b in ours if b.local[-1:].isdigit()), ours[0] if ours else None)
    if numbered:
        letters = numbered.local.rstrip("0123456789")
        found.mail_number = numbered.local[len(letters) :]
        stem = f"{letters}@{numbered.domain}"
        found.mail_stem = numbered.canonical if numbered.canonical == stem else stem
    found.domains = frozenset(b.domain for b in personal if not b.free)
    if len(boxes) > len(personal):
        found.lines = frozenset(b.canonical for b in boxes if b.kind is MailboxKind.ROLE)


def _add_phones(found: Profile, phones: Iterable[str], rules: IdentityRules) -> None:
    own: set[str] = set()
    for number in phones:
        key = phone_key(number)
        base, extension, _ = key.partition(";")
        complete = base[:1] == "+" and base[1:].isdecimal()
        digits = base[1:] if complete else "".join(filter(str.isdigit, base))
        junk = base in rules.junk_phones or digits in rules.junk_phones
        if junk or len(digits) < 6 or len(set(digits[-7:])) == 1:
            continue
        own.add(key if base[:1] == "+" else f"{digits}{extension}{key[len(base) :]}")
        if extension:
            found.lines |= {base}
    found.phones = frozenset(own)
    found.mobile = min(filter(is_mobile, own), default="")


def _add_firm(found: Profile, contact: Contact, boxes: list[Mailbox], name: PersonName) -> None:
    firm = firm_name(contact.company or name.firm)
    found.company = firm.base
    labels = {domain_label(b.domain) for b in boxes if not b.free}
    if contact.domain:
        labels.add(domain_label(contact.domain.lower()))
    found.firms = frozenset(f for f in {firm.key, *labels} if len(f) > 2)


def _add_place(found: Profile, contact: Contact) -> None:
    spot = place(contact.street, contact.postcode, contact.city)
    found.address, found.spot, found.postcode, found.city = spot
    found.country = country_code(contact.country) if contact.country else ""


def firm_profile(contact: Contact, rules: IdentityRules) -> Profile:
    """Return the evidence of an organization's record; its name is `company`, else `full`.

    refs are VAT and registry ids, each with the register's name before it ("vat DE123456789").
    """
    name = firm_name(contact.company or contact.full)
    found = Profile(contact.id, company=name.base, source=contact.source)
    found.families = frozenset(w for w in name.base.split(" ") if len(w) > 3)
    found.firms = frozenset((name.key,)) if len(name.key) > 2 else _EMPTY
    found.form_lands = lands_of_form(name.form)
    boxes = [b for b in (mailbox(e, rules) for e in contact.emails) if b]
    boxes = [b for b in boxes if b.kind is not MailboxKind.JUNK and not b.disposable]
    domains = {b.domain for b in boxes if not b.free}
    own = contact.domain.lower().partition("://")[2] or contact.domain.lower()
    own = own.split("/")[0].removeprefix("www.")
    if "." in own and own not in rules.free_domains:
        domains.add(own)
    found.domains = frozenset(domains)
    found.lines = frozenset(b.canonical for b in boxes)
    _add_phones(found, contact.phones, rules)
    _add_place(found, contact)
    found.refs = frozenset(r for r in (" ".join(words(r)) for r in contact.refs) if " " in r)
    return found


def packed(profiles: Iterable[Profile]) -> bytes:
    """Return profiles as bytes for another process of the same Python; `unpacked` reads them."""
    return marshal.dumps([_ROW(one) for one in profiles])


def unpacked(data: bytes) -> list[Profile]:
    """Return the profiles of `packed`, which share what the others of this process have."""
    return [thrifty(Profile(*row)) for row in marshal.loads(data)]  # noqa: S302 - our own process


_ROW = attrgetter(*_COLUMNS)


def table_row(found: Profile) -> dict[str, Any]:
    """Return a profile as a row for DuckDB or Spark: what is empty is NULL, a set is a list."""
    row: dict[str, Any] = {}
    for column in _COLUMNS:
        value = getattr(found, column)
        row[column] = sorted(value) or None if isinstance(value, frozenset) else value
        if value == "":
            row[column] = None
    return row | {"mail_fixed": found.mail_fixed}
