"""Names of things: source keys, match keys and the public form of identity ids.

A match key is one line of text, so that it can be an index entry, a log word
and a question at once:

    e:ann@example.com            an e-mail address, lower-cased
    p:+15550100                  a phone number in E.164
    s:crm:hubspot_id:42          a strong id: scope, name, value (scope is a connection, or empty)
    d:example.com                an organization's domain
    n:ann smith                  a whole name, folded; suggests, never joins
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

ID_LETTERS = {
    "person": "P",
    "organization": "O",
    "deal": "D",
    "product": "A",
    "order": "R",
    "invoice": "I",
    "payment": "Y",
    "ticket": "T",
    "campaign": "C",
    "activity": "M",
    "conversation": "V",
}
_ENTITY_OF_LETTER = {letter: entity for entity, letter in ID_LETTERS.items()}


class SourceKey(NamedTuple):
    """Where a source record lives: connection, stream, and the id it has there."""

    connection: str
    stream: str
    id: str

    def __str__(self) -> str:
        return f"{self.connection}/{self.stream}#{self.id}"


def email_key(address: str) -> str:
    """Return the match key of an e-mail address already stripped of its display name."""
    return "e:" + address.strip().lower()


def phone_key(e164: str) -> str:
    """Return the match key of a phone number in E.164."""
    return "p:" + e164


def strong_key(scope: str, name: str, value: str) -> str:
    """Return the match key of an id that a system guarantees to be unique in `scope`."""
    return f"s:{scope}:{name}:{value}"


def domain_key(domain: str) -> str:
    """Return the match key of an organization's internet domain."""
    return "d:" + domain.strip().lower().rstrip(".")


def public_id(entity: str, number: int) -> str:
    """Return the id people see and type, such as P17 for the person of number 17."""
    return f"{ID_LETTERS[entity]}{number}"


def parse_public_id(text: str) -> tuple[str, int] | None:
    """Return (entity, number) for text like `P17`, or None when it is not such an id."""
    entity = _ENTITY_OF_LETTER.get(text[:1].upper())
    digits = text[1:]
    if entity is None or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return entity, int(digits)


MAX_KEY_CHARS = 400


def bounded(key: str) -> str:
    """Return `key`, shortened with a hash of the whole where an index could not hold it."""
    if len(key) <= MAX_KEY_CHARS:
        return key
    digest = blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{key[: MAX_KEY_CHARS - 33]}#{digest}"
