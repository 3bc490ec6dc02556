"""Whether a party is a person or an organization: Tryton itself does not say.

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
_FORMS = re.compile(
    r"(^|[\s,(&])("
    r"gmbh|ag|kg|ohg|ug|gbr|e\.?\s?v\.?|se|inc\.?|corp\.?|corporation|llc|l\.l\.c\.|llp|lp|ltd\.?"
    r"|limited|plc|co\.|company|s\.?a\.?r\.?l\.?|s\.?a\.?s\.?|s\.a\.|sprl|srl|s\.r\.l\.|s\.p\.a\.|spa"
    r"|b\.?v\.?|n\.?v\.?|s\.l\.|sl|oy|oyj|ab|as|a/s|aps|sp\.\s?z\s?o\.?o\.?|s\.?r\.?o\.?|kft|pty"
    r"|foundation|stiftung|verein|association|university|hospital|school"
    r")(?=$|[\s,)&])",
    re.IGNORECASE,
)


def with_kind(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a party with `kind`: "person", "organization", or "" when nothing speaks."""
    return {**payload, "kind": kind_of(payload)}


def kind_of(payload: dict[str, Any]) -> str:
    for category in _items(payload, "categories"):
        if found := _CATEGORIES.get(str(category.get("name", "")).strip().lower()):
            return found
    for identifier in _items(payload, "identifiers"):
        if _NUMBERS.search(str(identifier.get("type", ""))):
            return _ORGANIZATION
    return _ORGANIZATION if _FORMS.search(str(payload.get("name") or "")) else ""


def _items(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = payload.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
