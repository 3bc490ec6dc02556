"""What the store holds of a batch's keys, asked once: part of step 4.

From the time its canonical records are written until its new keys are stored, no answer changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from crm_hub.resolve.marks import Numbers

Holds = tuple[str, int]
"""A key, and a stored record that holds it."""

Bears = tuple[str, int, Numbers]
"""The key of a name, a stored record that bears it, and the record's mark."""


_Found = TypeVar("_Found", Holds, Bears)


class Looked(Generic[_Found]):
    """The keys, or names, that the store was asked for, and who holds them."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._found: dict[str, list[_Found]] = {}

    def look(self, ask: Callable[[set[str]], list[_Found]], keys: set[str]) -> list[_Found]:
        """Return who holds `keys` in the store, and remember it. ask: how the store is asked."""
        found = ask(keys)
        self._asked |= keys
        for row in found:
            self._found.setdefault(row[0], []).append(row)
        return found

    def known(self, keys: Iterable[str]) -> list[_Found]:
        """Return the holders of those of `keys` that were asked for."""
        return [row for key in self._found.keys() & keys for row in self._found[key]]

    def unknown(self, keys: set[str]) -> set[str]:
        """Return those of `keys` that nobody asked for yet."""
        return keys - self._asked
