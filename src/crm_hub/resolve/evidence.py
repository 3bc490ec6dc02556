"""Stored records as evidence: canonical values become the profile that weights compare.

Before: a record in the store. After: score.py. What only the whole set can tell is taken from
what was measured of it last (measured.py), so that it does not hang on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.measured import Measured
from crm_hub.resolve.normal.emails import mailbox
from crm_hub.resolve.normal.values import vat_id
from crm_hub.resolve.profile import Contact, Profile, firm_profile, profile

_SCALARS = (int, float)


def evidence(
    order: str,
    entity: str,
    values: Mapping[str, Any],
    rules: IdentityRules,
    measured: Measured,
    several: Collection[str] = (),
    said: Profile | None = None,
) -> Profile:
    """Return the profile of a stored record. order: its source key.

    several: match keys that are known to belong to several people: they are lines, not hers.
    said: what `profile_of` has made of it already; it is changed.
    """
    found = profile_of(contact_of(order, entity, values), entity, rules) if said is None else said
    if entity == "person":
        _mark(found, _texts(values, "email"), rules, several)
        measured.mark(found)
        found.contested = True  # in a hub somebody else of the name may always be about
    return found


def profile_of(contact: Contact, entity: str, rules: IdentityRules) -> Profile:
    """Return what a contact says by itself: the dearest part of its evidence, and the same
    whatever else is known."""
    return profile(contact, rules) if entity == "person" else firm_profile(contact, rules)


def contact_of(order: str, entity: str, values: Mapping[str, Any]) -> Contact:
    """Return the texts of a stored record. order: its source key."""
    return _person(order, values) if entity == "person" else _organization(order, values)


def _person(order: str, values: Mapping[str, Any]) -> Contact:
    given, middle = _text(values, "given_name"), _text(values, "middle_name")
    street, city, postcode, country = _place(values)
    return Contact(
        order,
        first=f"{given} {middle}".strip() if middle else given,
        last=_text(values, "family_name"),
        full=_text(values, "display_name"),
        suffix=_text(values, "suffix"),
        emails=_texts(values, "email"),
        phones=_texts(values, "phone"),
        company=_text(values, "company"),
        title=_text(values, "title"),
        street=street,
        city=city,
        postcode=postcode,
        country=country,
        birth=_text(values, "birthday"),
        source=order.partition("/")[0],
    )


def _organization(order: str, values: Mapping[str, Any]) -> Contact:
    street, city, postcode, country = _place(values)
    return Contact(
        order,
        emails=_texts(values, "email"),
        phones=_texts(values, "phone"),
        company=_text(values, "display_name") or _text(values, "legal_name"),
        domain=next(iter(_texts(values, "domain")), ""),
        street=street,
        city=city,
        postcode=postcode,
        country=country,
        refs=_registers(values),
        source=order.partition("/")[0],
    )


def _place(values: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return street, town, postcode and country of the first address."""
    first: Any = next(iter(_list(values, "address")), None)
    if not isinstance(first, Mapping):
        return "", "", "", ""
    street, city = _text(first, "street"), _text(first, "city")
    return street, city, _text(first, "postcode"), _text(first, "country")


def _registers(values: Mapping[str, Any]) -> tuple[str, ...]:
    vat = vat_id(_text(values, "vat_id"))
    registry = _text(values, "registry_id")
    return tuple(f"{n} {v}" for n, v in (("vat", vat), ("registry", registry)) if v)


def _mark(
    found: Profile, emails: Sequence[str], rules: IdentityRules, several: Collection[str]
) -> None:
    """Let mailboxes and numbers of several people be lines."""
    if not several:
        return
    boxes = (mailbox(e, rules) for e in emails if f"e:{e.lower()}" in several)
    shared = {box.canonical for box in boxes if box} & found.mails
    if shared:
        found.mails -= shared
        found.lines |= shared
        found.mail = min(found.mails, default="") if found.mail in shared else found.mail
    numbers = {n for n in found.phones if f"p:{n.partition(';')[0]}" in several}
    found.phones -= numbers
    found.mobile = "" if found.mobile in numbers else found.mobile
    found.lines |= numbers


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if isinstance(value, str):
        return value.strip()
    return str(value).strip() if isinstance(value, _SCALARS) else ""


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values.get(name)
    return value if isinstance(value, list) else []


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple([v for v in _list(values, name) if isinstance(v, str) and v])
