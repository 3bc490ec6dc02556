"""Rows of a table as contacts: which column means what, and phones in E.164 by country."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

from crm_hub.mapping.steps.contact import is_e164, phone_in_e164
from crm_hub.resolve.normal import country_code
from crm_hub.resolve.profile import Contact

_TLD_REGIONS = {region.lower(): region for region in SUPPORTED_REGIONS} | {"uk": "GB"}
_NOT_A_COUNTRY = frozenset({"me", "co", "io", "ai", "tv", "cc", "ws", "fm", "to", "ag", "la", "eu"})
Fields = Mapping[str, Sequence[str]]
"""Field → columns, in the table's order."""


def contact_of(id: str, row: Mapping[str, str], fields: Fields, region: str) -> Contact:
    """Return a row as a contact. region: the country of phones that nothing else tells."""

    def one(field: str) -> str:
        return next((v for c in fields.get(field, ()) if (v := row.get(c, "").strip())), "")

    def many(field: str) -> tuple[str, ...]:
        found = (row.get(c, "").strip() for c in fields.get(field, ()))
        return tuple(p.strip() for v in found if v for p in v.replace("|", ";").split(";") if p)

    emails = many("email")
    country = one("country")
    where = country_code(country) or _of_mail(emails) or region
    street = " ".join(
        v for c in fields.get("street", ()) if (v := row.get(c, "").strip())
    )
    return Contact(
        id,
        one("given_name"),
        " ".join(v for v in (one("family_name"), one("suffix")) if v),
        one("display_name"),
        "",
        emails,
        tuple(_phone(p, where) for p in many("phone")),
        one("company"),
        one("domain"),
        one("title"),
        street,
        one("city"),
        one("postcode"),
        country,
        one("birthday"),
        many("reference"),
        one("source"),
    )


def _phone(text: str, region: str) -> str:
    return phone_in_e164(text, region)


@lru_cache(4_096)
def _region_of_domain(domain: str) -> str:
    last = domain.rpartition(".")[2].lower()
    return "" if last in _NOT_A_COUNTRY else _TLD_REGIONS.get(last, "")


def _of_mail(emails: Iterable[str]) -> str:
    """Return the country that an address' domain tells, for phones written without one."""
    return next((r for e in emails if (r := _region_of_domain(e.rpartition("@")[2]))), "")


def with_known_countries(contacts: Sequence[Contact]) -> list[Contact]:
    """Return the contacts with local numbers completed where the set knows one country for them.

    `0171 5550100` of a record without a country is +49171… when that number, and no other with
    those digits, stands in another record.
    """
    known: dict[str, set[str]] = {}
    for contact in contacts:
        for phone in contact.phones:
            if is_e164(phone):
                known.setdefault(_national(phone), set()).add(phone)
    return [_completed(contact, known) for contact in contacts]


def _completed(contact: Contact, known: Mapping[str, set[str]]) -> Contact:
    if all(phone[:1] == "+" for phone in contact.phones):
        return contact
    phones = []
    for phone in contact.phones:
        if phone[:1] != "+":
            digits = "".join(c for c in phone if c.isdigit()).lstrip("0")
            found = known.get(digits, set()) if len(digits) > 6 else set()
            phone = next(iter(found)) if len(found) == 1 else phone
        phones.append(phone)
    return contact._replace(phones=tuple(phones))


@lru_cache(65_536)
def _national(e164: str) -> str:
    """Return a number without its country code, and without a leading zero (Italy has one)."""
    for size in (1, 2, 3):
        if int(e164[1 : 1 + size]) in COUNTRY_CODE_TO_REGION_CODE:
            return e164[1 + size :].lstrip("0")
    return e164[1:]
