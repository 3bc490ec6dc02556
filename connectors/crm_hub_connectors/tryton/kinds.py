"""What the mapping cannot say of a party: person or organization, VAT number, addresses.

Tryton itself does not say whether a party is a person or a firm.

The rule, the first that speaks: a category named for it; a VAT or register number; a legal form
in the name. What says nothing is left to the mapping's default.
"""

from __future__ import annotations

import re
from typing import Any

_ORGANIZATION = "organization"
_PERSON = "person"
_CATEGORIES = {
    **dict.fromkeys(
        ("company", "companies", "organization", "organisation", "business", "b2b", "firma",
         "unternehmen", "entreprise", "empresa", "azienda", "bedrijf"),
        _ORGANIZATION,
    ),
    **dict.fromkeys(
        ("person", "persons", "people", "individual", "private", "consumer", "b2c",
         "privatperson", "privatkunde", "particulier", "persona", "privato"),
        _PERSON,
    ),
}  # fmt: skip
# Numbers that only organizations have; a social security or tax number may be a person's.
_NUMBERS = re.compile(r"(^|_)(vat|bce|siren|siret|company|cocnr|krs|ico|ein|lei|duns|hrb?)($|_)")
_VAT = re.compile(r"(^|_)vat$")
_FORMS = re.compile(
    r"(^|[\s,(&])("
    r"gmbh|ag|kg|ohg|ug|gbr|e\.?\s?v\.?|se|inc\.?|corp\.?|corporation|llc|l\.l\.c\.|llp|lp|ltd\.?"
    r"|limited|plc|co\.|company|s\.?a\.?r\.?l\.?|s\.?a\.?s\.?|s\.a\.|sprl|srl|s\.r\.l\.|s\.p\.a\.|spa"
    r"|b\.?v\.?|n\.?v\.?|s\.l\.|sl|oy|oyj|ab|as|a/s|aps|sp\.\s?z\s?o\.?o\.?|s\.?r\.?o\.?|kft|pty"
    r"|foundation|stiftung|verein|association|university|hospital|school"
    r")(?=$|[\s,)&])",
    re.IGNORECASE,
)


def party(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a party with `kind` ("" when nothing speaks), `vat`, and its addresses as `postal`."""
    vat = [i.get("code") for i in _items(payload, "identifiers") if _VAT.search(_text(i, "type"))]
    return {
        **payload,
        "kind": kind_of(payload),
        "vat": vat[0] if vat else None,
        "postal": [_postal(address) for address in _items(payload, "addresses")],
    }


def kind_of(payload: dict[str, Any]) -> str:
    """Return "person", "organization", or "" when nothing speaks."""
    for category in _items(payload, "categories"):
        if found := _CATEGORIES.get(_text(category, "name").strip().lower()):
            return found
    for identifier in _items(payload, "identifiers"):
        if _NUMBERS.search(_text(identifier, "type")):
            return _ORGANIZATION
    return _ORGANIZATION if _FORMS.search(_text(payload, "name")) else ""


def _postal(address: dict[str, Any]) -> dict[str, Any]:
    country, region = address.get("country"), address.get("subdivision")
    found = {
        "street": address.get("street"),
        "city": address.get("city"),
        "region": region.get("name") if isinstance(region, dict) else None,
        "postcode": address.get("postal_code"),
        "country": country.get("code") if isinstance(country, dict) else None,
    }
    return {name: value for name, value in found.items() if value}


def _text(item: dict[str, Any], name: str) -> str:
    return str(item.get(name) or "")


def _items(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = payload.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
