"""Who is us, who is a machine, and the people a mailbox knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator

from crm_hub.model.errors import ConfigError
from crm_hub.sdk.formats.items import Item

# The words a mailbox name begins with when no person reads it ...
_MACHINE = re.compile(
    r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|postmaster|bounces?|daemon"
    r"|notifications?|notify|alerts?|automat\w*|newsletters?|mailings?|nicht-antworten|noresponder"
    r"|ne-pas-repondre)(?:[-_.+0-9=@]|$)",
    re.I,
)
# ... and when many people do: a shared mailbox belongs to a firm, not to a person.
_SHARED_WORDS = (
    "abuse accounting accounts admin administration all billing booking bookings buchhaltung"
    " careers compta contact contacto contact-us customercare customerservice einkauf enquiries"
    " enquiry facturacion feedback finance hello help helpdesk hi hostmaster hr info information"
    " inquiries inquiry invoice invoices it jobs kontakt legal mail marketing media news office"
    " orders personal post press privacy purchasing rechnung reception rechnungen reservations"
    " root sales security service shop sekretariat soporte support team vendas ventas verkauf"
    " vertrieb verwaltung webmaster welcome"
)
_SHARED = frozenset(_SHARED_WORDS.split())


def is_machine(address: str) -> bool:
    """Tell whether an address is one that no person writes from (no-reply, mailer-daemon)."""
    return bool(_MACHINE.match(address))


def is_shared(address: str) -> bool:
    """Tell whether an address is a firm's shared mailbox (info@, sales@)."""
    return address.partition("@")[0].partition("+")[0].lower() in _SHARED


@dataclass(frozen=True, slots=True)
class Own:
    """The company's own addresses and domains, lower case: what they send is outgoing."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Own:
        """Return the Own of a setting such as `ann@acme.example, acme.example`.

        Raises: ConfigError naming the entry that is neither an address nor a domain.
        """
        found: set[str] = set()
        domains: set[str] = set()
        for entry in filter(None, (part.strip().lower() for part in text.split(","))):
            local, _, domain = entry.rpartition("@")
            if "." not in domain or any(c.isspace() for c in entry) or "@" in local:
                raise ConfigError(
                    f"`own` holds {entry!r}, which is neither an address nor a domain",
                    remedy="Part addresses and domains by commas: ann@acme.example, acme.example",
                )
            (found if local else domains).add(entry if local else domain)
        return cls(frozenset(found), frozenset(domains))

    def is_own(self, address: str) -> bool:
        """Tell whether an address belongs to the company; its subdomains count too."""
        address = address.lower()
        if address in self.addresses:
            return True
        domain = address.rpartition("@")[2]
        while domain and self.domains:
            if domain in self.domains:
                return True
            domain = domain.partition(".")[2]
        return False


NO_OWN = Own()


def _readable(text: str) -> str:
    try:
        Own.parse(text)
    except ConfigError as error:
        raise ValueError(error.message) from None
    return text


OwnText = Annotated[str, AfterValidator(_readable)]
"""The type of a connector's setting `own`; the hub fills it in from the company's own addresses."""


@dataclass(slots=True)
class _Seen:
    address: str
    name: str = ""
    count: int = 0


@dataclass(slots=True)
class Correspondents:
    """Collects the people of a mailbox from its mails: `add` each payload, then read `items`.

    Who counts: senders of mail to us and recipients of mail from us, never of automated mail,
    drafts or spam; not ourselves, not shared or no-reply addresses. Memory: one small entry a
    person.
    """

    own: Own = NO_OWN
    _people: dict[str, _Seen] = field(default_factory=dict)
    _ourselves: set[str] = field(default_factory=set)

    def add(self, payload: dict[str, Any]) -> None:
        """Count the people of one mail (a payload of `parse_message`)."""
        if payload["state"] != "mail":
            return
        if payload["direction"] == "out":
            self._ourselves.add(payload["from"]["address"].lower())
            people = [*payload["to"], *payload["cc"], *payload["bcc"]]
        else:
            people = [payload["from"]]
        if payload["automated"]:
            return
        for person in people:
            self._count(person["address"], person["name"])

    def _count(self, address: str, name: str) -> None:
        if not address or self.own.is_own(address) or is_machine(address) or is_shared(address):
            return
        seen = self._people.setdefault(address.lower(), _Seen(address))
        seen.count += 1
        if name and not seen.name and "@" not in name:
            seen.name = name

    def items(self, start_offset: int = 0) -> Iterator[Item]:
        """Yield an Item {address, name, seen_in} a person, in the order of the addresses."""
        people = sorted(set(self._people) - self._ourselves)
        for index, key in enumerate(people[start_offset:], start_offset + 1):
            seen = self._people[key]
            payload = {"address": seen.address, "name": seen.name, "seen_in": seen.count}
            yield Item(key, payload, None, index)
