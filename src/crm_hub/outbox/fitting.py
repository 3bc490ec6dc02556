"""A golden value as a target takes it: as much of a list as it holds, in its words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_hub.model.routes import OutField, Route, Unfit
from crm_hub.model.states import mark
from crm_hub.outbox.drafts import Drafts, Problem, Wanted


def is_single(out: OutField, route: Route, base: Mapping[str, Any]) -> bool:
    """Whether a list has to go where the target holds one value."""
    if not out.many or out.whole or any(isinstance(raw, list) for raw in base.values()):
        return False
    filled = any(raw is not None for raw in base.values())
    return filled or all(route.ability.types.get(path) != "array" for path in out.paths)


def fitting(value: Any, had: Any, single: bool) -> Any:
    """Return as much of a list as the target holds: all, or one where it holds a single value.

    A single value that is in the list stays, so that two systems with one place each are at rest.
    """
    if not single or not value:
        return value
    if isinstance(had, list) and had and any(mark(had[0]) == mark(item) for item in value):
        return had[:1]
    return value[:1]


def rendered(
    out: OutField, value: Any, route: Route, record_id: int | None, single: bool, drafts: Drafts
) -> dict[str, Any] | None:
    """Return path → value as the target writes it; None, and a problem, where it cannot take it."""
    try:
        raw = out.render(value)
        if single:
            raw = {p: r[0] if isinstance(r, list) and r else r or None for p, r in raw.items()}
        for path, one in raw.items():
            _check_type(one, route.ability.types.get(path))
    except Unfit as error:
        drafts.problems.append(Problem(route, record_id, out.name, str(error)))
        return None
    return raw


def items(value: Any, want: Wanted) -> dict[str, int | None]:
    """Return the stamps of the items of a list."""
    if not isinstance(value, list):
        return {}
    return {m: want.items[m] for m in map(mark, value) if m in want.items}


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict,
}  # fmt: skip


def _check_type(raw: Any, declared: str | None) -> None:
    wanted = _TYPES.get(declared or "")
    if raw is None or wanted is None:
        return
    for one in raw if isinstance(raw, list) else [raw]:
        if not isinstance(one, wanted) or (isinstance(one, bool) and declared != "boolean"):
            raise Unfit(f"the target takes a {declared} here")
