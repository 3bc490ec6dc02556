"""Match keys: what a record can be found by, and which of these may join two records."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from crm_hub.model.canonical import Claim
from crm_hub.model.ids import bounded, domain_key, email_key, phone_key, strong_key
from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.names import NameForm


class EmailKind(Enum):
    """Whose mailbox an address is: one person's, a role's, or nobody's."""

    PERSONAL = "personal"
    ROLE = "role"
    JUNK = "junk"


def email_kind(address: str, rules: IdentityRules) -> EmailKind:
    """Return the kind of a lower-cased address."""
    local = address.partition("@")[0]
    if local in rules.junk_local_parts or address in rules.junk_emails:
        return EmailKind.JUNK
    base = local.partition("+")[0]
    return EmailKind.ROLE if base in rules.role_local_parts else EmailKind.PERSONAL


class Keys(NamedTuple):
    """What a record can be found by.

    claimed: all but its whole name. joining: those that may make it one with another.
    """

    all: list[str]
    claimed: list[str]
    joining: list[str]


def keys_of(claims: Iterable[Claim], name: NameForm, entity: str, rules: IdentityRules) -> Keys:
    """Return the match keys of a record, each once: its claims', then its whole name's.

    Junk values ("test@test.com", "0000000") make no key at all.
    """
    keys: dict[str, bool] = {}
    for claim in claims:
        key, joins = _claim_key(claim, entity, rules)
        if key:
            keys[key] = joins
    claimed = list(keys)
    joins_all = all(keys.values())  # as most do; one list is half as much to send as two
    joining = claimed if joins_all else [key for key, joins in keys.items() if joins]
    named = [name_key(name)] if name.given and name.family else []
    if entity == "organization" and name.whole:
        named = [bounded(f"n:o {name.whole}")]
    return Keys(claimed + named, claimed, joining)


def _claim_key(claim: Claim, entity: str, rules: IdentityRules) -> tuple[str, bool]:
    kind, value = claim.kind, claim.value
    if kind == "email":
        key = email_key(value)
        owner = email_kind(key[2:], rules)
        if owner is EmailKind.JUNK:
            return "", False
        return bounded(key), owner is EmailKind.PERSONAL or entity == "organization"
    if kind == "phone":
        return ("", False) if value in rules.junk_phones else (bounded(phone_key(value)), True)
    if kind == "strong":
        return bounded(strong_key(claim.scope, claim.name, value)), True
    key = domain_key(value)
    if key[2:] in rules.free_domains:
        return "", False
    return bounded(key), entity == "organization"


def name_key(name: NameForm) -> str:
    """Return the key of a whole name; it suggests, and never joins."""
    return bounded("n:" + name.whole)


def claimed(keys: Iterable[str]) -> list[str]:
    """Return a record's keys without those that suggest alone: its name, its mark, what is near."""
    return [key for key in keys if key[:2] not in ("n:", "m:", "b:")]


def joining(keys: Iterable[str], entity: str, rules: IdentityRules) -> list[str]:
    """Return those of a stored record's keys that may make it one with another."""
    is_firm = entity == "organization"
    out = []
    for key in keys:
        kind = key[:2]
        if kind == "s:" or kind == "p:":
            out.append(key)
        elif kind == "e:":
            if is_firm or email_kind(key[2:], rules) is EmailKind.PERSONAL:
                out.append(key)
        elif kind == "d:" and is_firm:
            out.append(key)
    return out
