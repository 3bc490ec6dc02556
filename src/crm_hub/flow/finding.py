"""Who is meant by what somebody typed: an id, an address, a number or a name."""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub.flow.hub import Hub
from crm_hub.mapping import phone_in_e164
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import email_key, parse_public_id, phone_key, public_id
from crm_hub.store import Db, Identities, IdentityRow

PARTIES = ("person", "organization")


class Ambiguous(ConfigError):
    """More than one person answers to what was asked; `choices` lists them."""

    def __init__(self, who: str, choices: Sequence[tuple[str, str]]) -> None:
        listed = "\n".join(f"  {number}  {name}" for number, name in choices[:20])
        super().__init__(
            f"{len(choices)} answer to that name:\n{listed}",
            remedy="Ask again with one of these ids.",
        )
        self.who = who
        self.choices = list(choices)


def find(hub: Hub, db: Db, who: str) -> IdentityRow:
    """Return the identity behind an id, e-mail address, phone number or name.

    Raises: ConfigError when there is none, Ambiguous when there are several.
    """
    repo = Identities(db)
    who = who.strip()
    found = _by_id(repo, who) or _by_key(hub, repo, who) or _by_name(repo, who)
    if not found:
        named = who if parse_public_id(who) else "that"  # no address in a message
        raise ConfigError(
            f"nobody here answers to {named}", remedy="List who is there: crm-hub people [QUERY]"
        )
    if len(found) > 1:
        raise Ambiguous(who, [(public_id(r.entity, r.id), r.display_name) for r in found])
    return found[0]


def _by_id(repo: Identities, who: str) -> list[IdentityRow]:
    parsed = parse_public_id(who)
    if parsed is None:
        return []
    row = repo.identities([repo.follow(parsed[1])]).values()
    return [r for r in row if r.entity == parsed[0]]


def _by_key(hub: Hub, repo: Identities, who: str) -> list[IdentityRow]:
    keys = [email_key(who)] if "@" in who else [phone_key(n) for n in _phones(hub, who)]
    return repo.behind(keys, PARTIES)


def _phones(hub: Hub, text: str) -> list[str]:
    if sum(c.isdigit() for c in text) < 5:
        return []
    number = phone_in_e164(text, hub.config.company.region)
    return [number] if number else []


def _by_name(repo: Identities, who: str) -> list[IdentityRow]:
    rows = repo.search_name(who, PARTIES, 50)
    exact = [r for r in rows if r.display_name.lower() == who.lower()]
    return exact or rows
