"""Stored records as evidence: canonical values become the profile that weights compare.

Before: a record in the store. After: score.py. What only the whole set can tell is taken from
what was measured of it last (measured.py), so that it does not hang on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.measured import Measured
from crm_hub.resolve.normal.emails import mailbox
from crm_hub.resolve.normal.values import vat_id
from crm_hub.resolve.profile import Contact, Profile, firm_profile, profile

_SCALARS = (str, int, float)


def evidence(
    order: str,
    entity: str,
    values: Mapping[str, Any],
    rules: IdentityRules,
    measured: Measured,
    several: Collection[str] = (),
) -> Profile:
    """Return the profile of a stored record. order: its source key.

    several: match keys that are known to belong to several people: they are lines, not hers.
    """
    contact = _contact(order, entity, values)
    found = profile(contact, rules) if entity == "person" else firm_profile(contact, rules)
    if entity == "person":
        _mark(found, contact, rules, several)
        measured.mark(found)
        found.contested = True  # in a hub somebody else of the name may always be about
    return found


def _contact(order: str, entity: str, values: Mapping[str, Any]) -> Contact:
    first: Any = next(iter(_list(values, "address")), None)
    place: Mapping[str, Any] = first if isinstance(first, Mapping) else {}
    emails, phones = tuple(_texts(values, "email")), tuple(_texts(values, "phone"))
    source = order.partition("/")[0]
    bare = Contact(
        order, emails=emails, phones=phones, source=source, street=_text(place, "street"),
        city=_text(place, "city"), postcode=_text(place, "postcode"),
        country=_text(place, "country"),
    )  # fmt: skip
    if entity != "person":
        return bare._replace(
            refs=_registers(values),
            company=_text(values, "display_name") or _text(values, "legal_name"),
            domain=next(iter(_texts(values, "domain")), ""),
        )
    return bare._replace(
        first=f"{_text(values, 'given_name')} {_text(values, 'middle_name')}".strip(),
        last=_text(values, "family_name"),
        full=_text(values, "display_name"),
        suffix=_text(values, "suffix"),
        company=_text(values, "company"),
        title=_text(values, "title"),
        birth=_text(values, "birthday"),
    )


def _registers(values: Mapping[str, Any]) -> tuple[str, ...]:
    vat = vat_id(_text(values, "vat_id"))
    registry = _text(values, "registry_id")
    return tuple(f"{n} {v}" for n, v in (("vat", vat), ("registry", registry)) if v)


def _mark(found: Profile, contact: Contact, rules: IdentityRules, several: Collection[str]) -> None:
    """Let mailboxes and numbers of several people be lines."""
    if not several:
        return
    boxes = (mailbox(e, rules) for e in contact.emails if f"e:{e.lower()}" in several)
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
    return str(value).strip() if isinstance(value, _SCALARS) else ""


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values.get(name)
    return value if isinstance(value, list) else []


def _texts(values: Mapping[str, Any], name: str) -> list[str]:
    return [v for v in _list(values, name) if isinstance(v, str) and v]
