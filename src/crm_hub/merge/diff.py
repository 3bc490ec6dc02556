"""The change set between two golden records."""

from __future__ import annotations

from typing import Any


def diff(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Return field → [old, new] for each field that differs; None stands for no value."""
    names = sorted(before.keys() | after.keys())
    return {
        name: [before.get(name), after.get(name)]
        for name in names
        if before.get(name) != after.get(name)
    }
