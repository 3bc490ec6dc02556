"""What the store holds of a batch's keys, asked once: part of step 4.

From the time its canonical records are written until its new keys are stored, no answer changes.
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_hub.store import Likeness

Found = tuple[str, int, list[str]]
"""A key, a stored record that holds it, and all keys of that record."""


class Looked:
    """The keys that the store was asked for, and who holds them."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._found: dict[str, list[Found]] = {}

    def look(self, repo: Likeness, keys: set[str]) -> list[Found]:
        """Return the stored holders of keys, and remember them."""
        found = repo.named(keys)
        self._asked |= keys
        for row in found:
            self._found.setdefault(row[0], []).append(row)
        return found

    def known(self, keys: Iterable[str]) -> list[Found]:
        """Return the holders of those of `keys` that were asked for."""
        return [row for key in self._found.keys() & keys for row in self._found[key]]

    def unknown(self, keys: set[str]) -> set[str]:
        """Return those of `keys` that nobody asked for yet."""
        return keys - self._asked
