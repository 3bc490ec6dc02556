"""The exported mailbox (mboxrd), and who the people are that wrote or were written to."""

from __future__ import annotations

import email
from email.message import Message
from email.utils import getaddresses, parseaddr

from . import cast
from .filler import FILLER
from .mail_daily import daily
from .mail_story import NEW_PEOPLE, story
from .message import Mail
from .world import OWN_DOMAIN, Fact, Output, plain

MAIL_FILE = "mail/clearwater.mbox"
_ROLES = {"info", "news", "no-reply", "mailer-daemon"}
_AUTOMATED = ("Auto-Submitted", "List-Id", "Precedence")


def _key_of() -> dict[str, str]:
    """Return address → person; addresses known to no other tool name a new person."""
    known = {person.email.lower(): person.key for person in (*FILLER, *cast.CAST)}
    known[cast.PRIYA_OLD_EMAIL] = cast.PRIYA.key
    return known | {
        address: plain(name) or address.partition("@")[0] for name, address in NEW_PEOPLE
    }


def _far_side(parsed: Message) -> list[str]:
    """Return who wrote to us, or whom we wrote to."""
    sender = parseaddr(str(parsed["From"]))[1].lower()
    if not sender.endswith(OWN_DOMAIN):
        return [sender]
    fields = [str(value) for name in ("To", "Cc") for value in parsed.get_all(name, [])]
    return [address.lower() for _, address in getaddresses(fields)]


def _correspondents(mails: list[Mail]) -> list[str]:
    """Return the addresses of people in mail that people wrote, Clearwater's own left out."""
    found: set[str] = set()
    for one in mails:
        parsed = email.message_from_bytes(one.raw)
        if not any(name in parsed for name in _AUTOMATED):
            found.update(_far_side(parsed))
    outside = (a for a in found if not a.endswith(OWN_DOMAIN))
    return sorted(a for a in outside if a.partition("@")[0] not in _ROLES)


def mailbox() -> Output:
    """Return the mailbox, oldest message first, and one truth for each correspondent."""
    mails = sorted([*daily(), *story()], key=lambda one: (one.at, one.raw))
    people = _key_of()
    facts = [
        Fact("mail", MAIL_FILE, address, people[address]) for address in _correspondents(mails)
    ]
    return Output({MAIL_FILE: b"".join(one.in_mbox() for one in mails)}, facts)
