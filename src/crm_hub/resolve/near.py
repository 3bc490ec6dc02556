"""By what a person's record is found that is written a little otherwise.

Nicknames, slips, initials, another surname at one firm, one local part at two providers.

Each key holds a part of the name and where or for whom, so that it has few holders; one that many
hold finds nobody. A hub that was rebuilt keeps them with its records. They are numbers in short:
what two keys of one number bring together is weighed, and found to be two.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from zlib import crc32

from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.keys import EmailKind, email_kind
from crm_hub.resolve.marks import Numbers
from crm_hub.resolve.names import NameForm
from crm_hub.resolve.normal.text import joined_umlauts, sound
from crm_hub.resolve.normal.words import short_forms

NEAR = "b:"
NEAR_VERSION = "near 1"
"""Another one lets the next rebuild look at all records."""
NEAR_CROWD = 12
"""A key that more records than this hold brings nobody together."""

_LONG = 6


def near_keys(
    name: NameForm, mark: Numbers, mails: Iterable[str], rules: IdentityRules
) -> list[str]:
    """Return the keys of a person's record, each once."""
    found: dict[str, None] = {}
    given, family = joined_umlauts(name.given), joined_umlauts(name.family)
    there = [part for part in mark if part]
    _, firm, domain = mark
    if given and family and there:
        fulls = short_forms().get(given, (given,))
        last, first = sound(family.replace(" ", "")), sound(min(fulls))
        for part in there:
            for letter in {full[0] for full in fulls}:
                found[_key(f"i{letter} {last} {part}")] = None
        for part in {firm, domain} - {0}:
            found[_key(f"g{first} {part}")] = None
    for address in mails:
        local = address.partition("@")[0].partition("+")[0]
        if len(local) >= _LONG and email_kind(address, rules) is EmailKind.PERSONAL:
            found[_key(f"l{local}")] = None
    return list(found)


def _key(text: str) -> str:
    return f"{NEAR}{crc32(text.encode()):x}"


class NearIndex:
    """Who holds which key, in eight bytes an entry."""

    def __init__(self) -> None:
        self._entries = array("Q")
        self._is_sorted = True

    def add(self, record: int, keys: Iterable[str]) -> None:
        """Let a record be found by its keys."""
        self._entries.extend(int(key[2:], 16) << 32 | record for key in keys)
        self._is_sorted = False

    def holders(self, keys: Iterable[str]) -> list[tuple[str, int]]:
        """Return (key, record) of those of `keys` that are near keys."""
        if not self._is_sorted:
            self._entries, self._is_sorted = array("Q", sorted(self._entries)), True
        found = []
        for key in keys:
            if key[:2] == NEAR:
                low = int(key[2:], 16) << 32
                here = bisect_left(self._entries, low), bisect_left(self._entries, low + (1 << 32))
                found += [(key, entry - low) for entry in self._entries[slice(*here)]]
        return found
