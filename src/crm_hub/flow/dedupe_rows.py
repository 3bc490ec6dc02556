"""Rows of a table as contacts: which column means what, and phones in E.164 by country."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

from crm_hub.mapping.steps.contact import is_e164, phone_in_e164
from crm_hub.resolve.normal import country_code, vat_id
from crm_hub.resolve.profile import Contact

_TLD_REGIONS = {region.lower(): region for region in SUPPORTED_REGIONS} | {"uk": "GB"}
_NOT_A_COUNTRY = frozenset({"me", "co", "io", "ai", "tv", "cc", "ws", "fm", "to", "ag", "la", "eu"})
Fields = Mapping[str, Sequence[str]]
"""Field → columns, in the table's order."""


def contact_of(id: str, row: Mapping[str, str], fields: Fields, region: str) -> Contact:
    """Return a person's row as a contact. region: the country of phones that nothing else tells."""
    one, many = _reader(row, fields)
    emails = many("email")
    country = one("country")
    where = country_code(country) or _of_mail(emails) or region
    return Contact(
        id,
        _joined(one("given_name"), one("middle_name")),
        _joined(one("family_name"), one("suffix")),
        one("display_name"),
        "",
        emails,
        tuple([phone_in_e164(phone, where) for phone in many("phone")]),
        one("company"),
        one("domain"),
        one("title"),
        _street(row, fields),
        one("city"),
        one("postcode"),
        country,
        one("birthday"),
        many("reference"),
        one("source"),
    )


def organization_of(id: str, row: Mapping[str, str], fields: Fields, region: str) -> Contact:
    """Return an organization's row as a contact; its numbers carry their register's name."""
    one, many = _reader(row, fields)
    country = one("country")
    where = country_code(country) or _of_mail(many("email")) or region
    vat = vat_id(one("vat_id"))
    registry = one("registry_id")
    return Contact(
        id,
        emails=many("email"),
        phones=tuple([phone_in_e164(phone, where) for phone in many("phone")]),
        company=one("company") or one("legal_name") or one("display_name"),
        domain=one("domain") or one("url"),
        street=_street(row, fields),
        city=one("city"),
        postcode=one("postcode"),
        country=country,
        refs=tuple(
            f"{name} {number}" for name, number in (("vat", vat), ("registry", registry)) if number
        ),
        source=one("source"),
    )


Reader = tuple[Callable[[str], str], Callable[[str], tuple[str, ...]]]


def _reader(row: Mapping[str, str], fields: Fields) -> Reader:
    """Return two functions of a field: its first value, and all of them, cells cut at ; and |."""

    def one(field: str) -> str:
        for column in fields.get(field, ()):
            if value := row[column].strip():
                return value
        return ""

    def many(field: str) -> tuple[str, ...]:
        found: list[str] = []
        for column in fields.get(field, ()):
            value = row[column].strip()
            if ";" in value or "|" in value:
                found += [p for v in value.replace("|", ";").split(";") if (p := v.strip())]
            elif value:
                found.append(value)
        return tuple(found)

    return one, many


def _joined(first: str, second: str) -> str:
    return f"{first} {second}" if first and second else first or second


def _street(row: Mapping[str, str], fields: Fields) -> str:
    columns = (*fields.get("house_number", ()), *fields.get("street", ()))
    return " ".join(value for column in columns if (value := row[column].strip()))


@lru_cache(4_096)
def _region_of_domain(domain: str) -> str:
    last = domain.rpartition(".")[2].lower()
    return "" if last in _NOT_A_COUNTRY else _TLD_REGIONS.get(last, "")


def _of_mail(emails: Iterable[str]) -> str:
    """Return the country that an address' domain tells, for phones written without one."""
    return next((r for e in emails if (r := _region_of_domain(e.rpartition("@")[2]))), "")


class Numbers:
    """The numbers of a set whose countries are known, for local ones of the same digits.

    `0171 5550100` of a record without a country is +49171… when that number, and no other with
    those digits, stands in another record.
    """

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def add(self, contact: Contact) -> bool:
        """Take notice of a contact's numbers; tell whether all of them are complete."""
        for phone in contact.phones:
            if is_e164(phone):
                self._known.setdefault(_national(phone), set()).add(phone)
        return all(phone[:1] == "+" for phone in contact.phones)

    def completed(self, contact: Contact) -> Contact:
        """Return a contact with its local numbers completed where the set knows one country."""
        phones = []
        for phone in contact.phones:
            if phone[:1] != "+":
                digits = "".join(c for c in phone if c.isdigit()).lstrip("0")
                found = self._known.get(digits, set()) if len(digits) > 6 else set()
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
