"""The life of a write: due → sent → confirmed, or unknown, conflict, dead. Pure.

A write is `sent` before it is sent; whoever finds it so later does not know what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_TRIES = 8
_FIRST_WAIT_US = 5_000_000
_LONGEST_WAIT_US = 900_000_000

RACE_GUARDS = frozenset({"etag", "version", "modified_at"})
"""Guards that the far side checks itself; with the others the hub compares before it writes."""


def wait_us(tries: int, wished_s: float | None = None) -> int:
    """Return how long to wait after a try that failed: twice as long each time, or as wished."""
    doubled: int = min(_LONGEST_WAIT_US, _FIRST_WAIT_US * 2 ** max(0, min(tries, 20) - 1))
    return max(doubled, int(1_000_000 * min(max(wished_s or 0.0, 0.0), 86_400.0)))


def raws(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return path → value of a write, as the far side writes it."""
    out = dict(doc.get("constants", {}))
    for change in doc["fields"].values():
        out |= change.get("raw", {})
    return out


def bases(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return path → value that the far side held when the write was planned."""
    out: dict[str, Any] = {}
    for change in doc["fields"].values():
        out |= change.get("base", {})
    return out
