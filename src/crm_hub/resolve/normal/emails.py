"""An e-mail address as evidence: which mailbox it is, whose kind, and what its local part says."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

import idna

from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.normal.person import PersonName
from crm_hub.resolve.normal.text import folded, joined_umlauts
from crm_hub.resolve.normal.words import HOUSEHOLD

# The look-behind keeps a long text without any address from being read again from each letter.
_ADDRESS = re.compile(
    r"(?<![^@\s<>\"',;:()\[\]?\\])[^@\s<>\"',;:()\[\]?\\][^@\s<>\",;:()\[\]?\\]*"
    r"@[^@\s<>\"',;:()\[\]?\\]+\.[^@\s<>\"',;:()\[\]?\\.]{2,}"
)
_COMMENT = re.compile(r"\([^()]*\)")
_SPELLED_AT = re.compile(r"\s*[(\[]\s*at\s*[)\]]\s*|\s+@\s*|\s*@\s+")
_LETTERS = re.compile(r"[a-z]+")
_NO_LETTER = re.compile(r"[^a-z]")
_DIGITS = re.compile(r"\d+")
_SEPARATORS = re.compile(r"[._-]+")
# Providers at which dots in the local part do not count, or that own several domains.
_DOTLESS = frozenset({"gmail.com"})
_SAME = {
    "googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com",
    "pm.me": "proton.me", "protonmail.com": "proton.me", "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}  # fmt: skip
# Providers that have a domain in many countries: yahoo.ro, live.no, gmx.li.
_PROVIDERS = frozenset(
    "aol gmail gmx googlemail hotmail icloud live msn outlook proton protonmail windowslive yahoo "
    "yandex ymail".split()
)
# Shorter ones are initials and names too: it.lee@, ola.berg@.
_SHORT_ROLE = 3
_LONGEST = 1_000
_DASH_TAGS = ("yahoo.", "ymail.com", "rocketmail.com")
_DISPOSABLE = frozenset(
    "mailinator.com guerrillamail.com guerrillamail.info sharklasers.com 10minutemail.com "
    "tempmail.com temp-mail.org yopmail.com yopmail.fr trashmail.com trashmail.de "
    "wegwerfmail.de discard.email dispostable.com getnada.com maildrop.cc mintemail.com "
    "throwawaymail.com fakeinbox.com mailnesia.com spamgourmet.com tempr.email "
    "emailondeck.com moakt.com mohmal.com byom.de spam4.me grr.la jetable.org mytemp.email "
    "tempinbox.com anonbox.net einrot.com cuvox.de dayrep.com fleckens.hu gustr.com "
    "jourrapide.com rhyta.com superrito.com teleworm.us armyspy.com".split()
)


class MailboxKind(Enum):
    """Whose mailbox an address is."""

    PERSONAL = "personal"
    ROLE = "role"
    JUNK = "junk"


class Mailbox(NamedTuple):
    """An address in lower case. `canonical` is the mailbox it leads to; free: anybody's domain."""

    exact: str
    canonical: str
    local: str
    domain: str
    kind: MailboxKind
    free: bool
    disposable: bool


def mailbox(address: str, rules: IdentityRules) -> Mailbox | None:
    """Return what an address says; None for text that is none."""
    exact = address.strip().lower()
    if not _ADDRESS.fullmatch(exact):
        exact = _address_in(exact)
        if not exact:
            return None
    local, _, domain = exact.rpartition("@")
    if "xn--" in domain:
        domain = _readable(domain)
    domain = _SAME.get(domain, domain)
    base = local.partition("+")[0] or local
    if domain.startswith(_DASH_TAGS):
        base = base.partition("-")[0] or base
    kind = _kind(exact, base, rules)
    if domain in _DOTLESS:
        base = base.replace(".", "")
    free = domain in rules.free_domains or domain.partition(".")[0] in _PROVIDERS
    return Mailbox(exact, f"{base}@{domain}", base, domain, kind, free, domain in _DISPOSABLE)


def _address_in(text: str) -> str:
    """Return the first address in a text: behind mailto:, beside comments, ann (at) x.example."""
    text = _SPELLED_AT.sub("@", text[:_LONGEST])
    found = _ADDRESS.search(_COMMENT.sub("", text)) or _ADDRESS.search(text)
    return found[0] if found else ""


@lru_cache(4_096)
def _readable(domain: str) -> str:
    """Return an international domain as people read it."""
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def _kind(exact: str, base: str, rules: IdentityRules) -> MailboxKind:
    if exact in rules.junk_emails or base in rules.junk_local_parts:
        return MailboxKind.JUNK
    plain = _DIGITS.sub("", base).strip("._-")
    if base in rules.role_local_parts or plain in rules.role_local_parts:
        return MailboxKind.ROLE
    if not base.isascii():
        plain = folded(plain)
    parts = _SEPARATORS.split(plain)
    if "".join(parts) in rules.role_local_parts or (
        len(parts[0]) > _SHORT_ROLE and parts[0] in rules.role_local_parts
    ):
        return MailboxKind.ROLE  # info-wien@, service.client@
    if not HOUSEHOLD.isdisjoint(_SEPARATORS.split(base)):
        return MailboxKind.ROLE
    return MailboxKind.PERSONAL


def name_of(local: str) -> tuple[str, str]:
    """Return given name and surname that a local part spells ("anna.lee"), "" where it does not."""
    parts = [p for p in _SEPARATORS.split(folded(local)) if p]
    letters = [_DIGITS.sub("", p) for p in parts]
    if len(parts) == 2 and all(len(p) > 1 and p.isalpha() for p in letters):
        return letters[0], letters[1]
    return "", ""


def initial_of(local: str) -> tuple[str, str]:
    """Return initial and surname that a local part spells ("a.lee"), "" where it does not."""
    parts = [_DIGITS.sub("", p) for p in _SEPARATORS.split(folded(local)) if p]
    if len(parts) == 2 and all(p.isalpha() for p in parts):
        short, long = sorted(parts, key=len)
        if len(short) == 1 and len(long) > 2:
            return short, long
    return "", ""


def letters_of(box: Mailbox) -> list[str]:
    """Return the words of a local part, umlauts joined, digits dropped."""
    return [joined_umlauts(w) for w in _LETTERS.findall(folded(box.local))]


def own_part(box: Mailbox, name: PersonName) -> str:
    """Return the local part where it says more than the person's name, else "".

    anna.lee@… of Anna Lee is her name once more, and no sign of its own. sunnytiger77@… is one,
    and so is anna.lee1977@…: the digits were chosen.
    """
    local = joined_umlauts(folded(box.local))
    if len(local) < 5:
        return ""
    rest = _NO_LETTER.sub("", local)
    for word in sorted((*name.families, *name.givens, name.given), key=len, reverse=True):
        if len(word) > 1:
            rest = rest.replace(word, "", 1)
    # What is left of a name are initials; nothing else is.
    if len(rest) <= 2 and len("".join(_DIGITS.findall(local))) < 2:
        return ""
    return local


def other_surname(local: str, given: str, givens: Collection[str]) -> str:
    """Return the word that a local part says beside the first name: anna.old@… gives `old`."""
    first, last = map(joined_umlauts, name_of(local))
    if first and len(last) > 2 and (first == given or first in givens):
        return last
    if last and len(first) > 2 and (last == given or last in givens):
        return first
    return ""
