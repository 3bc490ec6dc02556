"""What the store holds of a batch's keys, asked once: part of step 4.

From the time its canonical records are written until its new keys are stored, no answer changes.
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_hub.resolve.marks import Numbers
from crm_hub.store import Likeness

Held = tuple[str, int]
"""A key, and a stored record that holds it."""

Bears = tuple[str, int, Numbers]
"""The key of a name, a stored record that bears it, and the record's mark."""


class Looked:
    """What the store was asked for, and who holds it: keys that join, and names."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._held: dict[str, list[Held]] = {}
        self._borne: dict[str, list[Bears]] = {}

    def look(self, repo: Likeness, keys: set[str]) -> list[Held]:
        """Return the stored holders of keys, and remember them."""
        self._asked |= keys
        found = repo.holders(keys)
        for row in found:
            self._held.setdefault(row[0], []).append(row)
        return found

    def look_for_names(self, repo: Likeness, names: set[str]) -> list[Bears]:
        """Return the stored bearers of names, and remember them."""
        self._asked |= names
        found = repo.named(names)
        for row in found:
            self._borne.setdefault(row[0], []).append(row)
        return found

    def holders(self, keys: Iterable[str]) -> list[Held]:
        """Return the holders of those of `keys` that were asked for."""
        return [row for key in self._held.keys() & keys for row in self._held[key]]

    def bearers(self, names: Iterable[str]) -> list[Bears]:
        """Return the bearers of those of `names` that were asked for."""
        return [row for name in self._borne.keys() & names for row in self._borne[name]]

    def unknown(self, keys: set[str]) -> set[str]:
        """Return those of `keys`, or names, that nobody asked for yet."""
        return keys - self._asked
