"""Rows of a table as contacts: which column means what, and phones in E.164 by country."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

from crm_hub.mapping.steps.contact import is_e164, phone_in_e164
from crm_hub.resolve.normal import country_code, vat_id
from crm_hub.resolve.normal.values import day_of
from crm_hub.resolve.profile import Contact

_TLD_REGIONS = {region.lower(): region for region in SUPPORTED_REGIONS} | {"uk": "GB"}
_NOT_A_COUNTRY = frozenset({"me", "co", "io", "ai", "tv", "cc", "ws", "fm", "to", "ag", "la", "eu"})
_FIVE_DIGITS = frozenset({"DE", "FR", "ES", "IT", "US", "FI", "MX", "TR", "GR", "EE", "HR"})
"""Lands whose postcodes have five digits, the first of which may be a nought that got lost."""
_BETWEEN_MAILS = re.compile(r"[\s,;|/]+")
_BETWEEN_PHONES = re.compile(r"\s*[\n,]\s*|\s+/\s*|\s*/\s+|\s+(?:or|oder|ou|lub|und|and)\s+", re.I)
_INSIDE = re.compile(
    r"\s*[,;]?\s*\b(?:dw|durchwahl|nst|apparat|poste|interno|int|wew|toestel|ramal|anexo|ank)\b"
    r"[.:]?\s*(?=\d{1,5}\s*$)",
    re.I,
)
_PLAIN_NUMBER = re.compile(r"\+(?!52)[\d ]+")
_TWO_NUMBERS, _WHOLE_NUMBER, _LONGEST = 15, 7, 500
_REMARK = re.compile(r"\([^()\d]*\)\s*$")
_ROUNDED = re.compile(r"\d[eE]\+\d")  # a spreadsheet's 4.91516E+11: the digits are lost
_FRACTION = re.compile(r"(?<=\d{7})\.0$")
_DIALLED_ABROAD = re.compile(r"^00\s+(?=\d)")
_MEXICAN_MOBILE = re.compile(r"^\s*(?:(?:\+|00)\s*52[\s-]*1[\s-]*|04[45][\s-]*)(?=\d[\d\s-]{9,}$)")
Fields = Mapping[str, Sequence[str]]
"""Field → columns, in the table's order."""


class Layout:
    """Where in the rows of a table the fields stand, found once: a million rows ask for a dozen."""

    def __init__(self, columns: Sequence[str], fields: Fields, entity: str) -> None:
        at = {column: place for place, column in enumerate(columns)}
        self._of = {field: tuple(at[c] for c in found) for field, found in fields.items()}
        # A cell of nothing stands after the last one, for fields that the table does not have.
        self._firsts = [
            (found[0] if found else len(columns), found if len(found) > 1 else ())
            for found in (self._of.get(field, ()) for field in _FIRSTS[entity])
        ]
        self._street = (*self._of.get("house_number", ()), *self._of.get("street", ()))

    def firsts(self, cells: Sequence[str]) -> list[str]:
        """Return the first value of each field of which an entity has one, in their order."""
        padded = (*cells, "")
        return [
            next((value for one in more if (value := padded[one])), "") if more else padded[at]
            for at, more in self._firsts
        ]

    def all_of(self, cells: Sequence[str], field: str) -> list[str]:
        """Return all values of a field, cells cut at ; and |."""
        found: list[str] = []
        for at in self._of.get(field, ()):
            value = cells[at]
            if ";" in value or "|" in value:
                found += [p for v in value.replace("|", ";").split(";") if (p := v.strip())]
            elif value:
                found.append(value)
        return found

    def emails(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return all addresses, however they are parted in a cell."""
        found: list[str] = []
        for value in self.all_of(cells, "email"):
            if value.count("@") > 1:
                found += [part for part in _BETWEEN_MAILS.split(value) if "@" in part]
            else:
                found.append(value)
        return tuple(found)

    def phones(self, cells: Sequence[str], region: str) -> tuple[str, ...]:
        """Return all numbers in E.164 where their country is known. region: see `contact_of`."""
        return tuple(
            [
                phone_in_e164(number, region)
                if number.isascii() and _PLAIN_NUMBER.fullmatch(number)
                else _tidied(number, region)
                for value in self.all_of(cells, "phone")
                for number in _numbers(value)
            ]
        )

    def street(self, cells: Sequence[str]) -> str:
        """Return the street with its number, whether they stand in one cell or in more."""
        return " ".join([value for at in self._street if (value := cells[at])])


_FIRSTS = {
    "person": (
        "given_name", "nickname", "middle_name", "family_name", "birth_name", "suffix",
        "display_name", "company", "domain", "title", "city", "postcode", "country", "birthday",
        "source",
    ),
    "organization": (
        "company", "legal_name", "display_name", "domain", "url", "city", "postcode", "country",
        "vat_id", "registry_id", "source",
    ),
}  # fmt: skip


def contact_of(id: str, cells: Sequence[str], layout: Layout, region: str) -> Contact:
    """Return a person's row as a contact; cells have no blanks around them.

    region: the country of phones that nothing else tells.
    """
    (
        given, called, middle, family, born, suffix, shown, company, domain, title, city, postcode,
        country, birthday, source,
    ) = layout.firsts(cells)  # fmt: skip
    emails = layout.emails(cells)
    land = country_code(country)
    where = land or _of_mail(emails) or region
    if called and given and called != given:
        given = f'{given} "{called}"'
    if born and family and born != family:
        family = f"{family} (née {born})"
    return Contact(
        id,
        _joined(given, middle),
        family,
        shown,
        suffix,
        emails,
        layout.phones(cells, where),
        company,
        domain,
        title,
        layout.street(cells),
        city,
        f"0{postcode}" if _has_lost_its_nought(postcode, land) else postcode,
        country,
        day_of(birthday, land or region) if "/" in birthday else birthday,
        tuple(layout.all_of(cells, "reference")),
        source,
    )


def organization_of(id: str, cells: Sequence[str], layout: Layout, region: str) -> Contact:
    """Return an organization's row as a contact; its numbers carry their register's name."""
    (
        company, legal, shown, domain, url, city, postcode, country, vat, registry, source,
    ) = layout.firsts(cells)  # fmt: skip
    emails = layout.emails(cells)
    where = country_code(country) or _of_mail(emails) or region
    numbers = (("vat", vat_id(vat)), ("registry", registry))
    return Contact(
        id,
        emails=emails,
        phones=layout.phones(cells, where),
        company=company or legal or shown,
        domain=domain or url,
        street=layout.street(cells),
        city=city,
        postcode=postcode,
        country=country,
        refs=tuple(f"{name} {number}" for name, number in numbers if number),
        source=source,
    )


def _numbers(text: str) -> list[str]:
    """Return the numbers of a cell that holds several whole ones, else the cell."""
    if len(text) < _TWO_NUMBERS:
        return [text]
    parts = _BETWEEN_PHONES.split(text[:_LONGEST])
    whole = all(sum(map(str.isdigit, part)) >= _WHOLE_NUMBER for part in parts)
    return parts if whole else [text]


@lru_cache(4_096)
def _tidied(text: str, region: str) -> str:
    """Return a number in E.164 that somebody wrote with remarks, or as no parser knows it."""
    text = text.strip()[:_LONGEST]
    if _ROUNDED.search(text):
        return ""
    text = _REMARK.sub("", _FRACTION.sub("", text))
    text = _DIALLED_ABROAD.sub("00", _INSIDE.sub(" ext. ", text))
    if region == "MX" or text[:3] in ("+52", "005"):
        text = _MEXICAN_MOBILE.sub("+52", text)
    return phone_in_e164(text.strip(), region)


def _has_lost_its_nought(postcode: str, land: str) -> bool:
    return len(postcode) == 4 and land in _FIVE_DIGITS and postcode.isdecimal()


def _joined(first: str, second: str) -> str:
    return f"{first} {second}" if first and second else first or second


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
