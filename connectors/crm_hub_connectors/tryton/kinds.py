"""What the mapping cannot say of a party: person or organization, VAT number, addresses.

Tryton itself does not say whether a party is a person or a firm.

The rule, the first that speaks: a category named for it; the stamp of a party that the hub made;
a VAT or register number; a legal form in the name. What says nothing is left to the mapping's
default.

A party that was merged into another says nothing but that: its old name is nobody's name.
"""

from __future__ import annotations

import re
from typing import Any

from crm_hub_connectors.tryton.mechanisms import reached_by

_ORGANIZATION = "organization"
_PERSON = "person"
_STAMP = "crm-hub"
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
    # A party that the hub is about to make says itself what it is.
    kind = kind_of(payload) or payload.get("kind", "")
    if payload.get("replaced_by"):
        return {"id": payload.get("id"), "replaced_by": payload["replaced_by"], "kind": kind}
    vat = [i.get("code") for i in _items(payload, "identifiers") if _VAT.search(_text(i, "type"))]
    return {
        **payload,
        # A payload that was stored by an earlier version has no such lists of its own.
        **reached_by(payload),
        "kind": kind,
        "vat": vat[0] if vat else None,
        "postal": [_postal(address) for address in _items(payload, "addresses")],
    }


def kind_of(payload: dict[str, Any]) -> str:
    """Return "person", "organization", or "" when nothing speaks."""
    for category in _items(payload, "categories"):
        if found := _CATEGORIES.get(_text(category, "name").strip().lower()):
            return found
    for identifier in _items(payload, "identifiers"):
        if found := kind_of_stamp(_text(identifier, "code")):
            return found
    for identifier in _items(payload, "identifiers"):
        if _NUMBERS.search(_text(identifier, "type")):
            return _ORGANIZATION
    return _ORGANIZATION if _FORMS.search(_text(payload, "name")) else ""


def stamps_of(key: str) -> list[str]:
    """Return the codes that a party made with this key may bear, by what it is."""
    return [stamp(kind, key) for kind in (_PERSON, _ORGANIZATION)]


def stamp(kind: str, key: str) -> str:
    """Return the code of the identifier that the hub gives to a party it makes."""
    return f"{_STAMP}:{kind}:{key}"


def kind_of_stamp(code: str) -> str:
    """Return what the hub made a party to be, "" for a code of somebody else."""
    name, _, rest = code.partition(":")
    kind = rest.partition(":")[0]
    return kind if name == _STAMP and kind in (_PERSON, _ORGANIZATION) else ""


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
