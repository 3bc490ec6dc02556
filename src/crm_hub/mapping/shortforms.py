"""The short forms of the mapping language, written out before they are typed.

Each function takes what stands in the file and returns the long form, or raises ValueError with
what is allowed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from crm_hub.mapping.steps import STEPS, Locale
from crm_hub.model.rules import Win

# flat: whether a path in a step parses depends on its section, which language.py checks.
_ANYWHERE = Locale("check", "US", ZoneInfo("UTC"), flat=True)


def near(name: str, allowed: Iterable[str]) -> str:
    """Return a hint for a wrong name: the nearest right one and all that are allowed."""
    names = sorted(allowed)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}allowed: {', '.join(names)}"


class StepCall(NamedTuple):
    """One step as a mapping file names it."""

    name: str
    params: Any = None


def _step_call(value: Any) -> StepCall:
    if isinstance(value, StepCall):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        name, params = next(iter(value.items()))
    elif isinstance(value, str):
        name, params = value, None
    else:
        raise ValueError("a step is a name or one `name: parameters`")
    if name not in STEPS:
        raise ValueError(f"unknown step {name!r}; {near(str(name), STEPS)}")
    STEPS[name].build(params, _ANYWHERE)
    return StepCall(name, params)


def step_calls(value: Any) -> tuple[StepCall, ...]:
    return tuple(_step_call(step) for step in listed(value))


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def paths(value: Any) -> tuple[str, ...]:
    found = listed(value)
    if not found or not all(isinstance(path, str) and path for path in found):
        raise ValueError("a path is a text, or a list of texts")
    return tuple(found)


def words(value: Any) -> tuple[str, ...]:
    if any(isinstance(item, dict | list) for item in listed(value)):
        raise ValueError("expected a value or a list of values")
    return tuple(_word(item) for item in listed(value))


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def path_value(value: Any) -> Any:
    return {"at": value} if isinstance(value, str) else value


def paths_value(value: Any) -> Any:
    return {"at": value} if isinstance(value, str | list) else value


def word_value(value: Any) -> Any:
    return {"const": value} if isinstance(value, str | int | float) else value


def without_nulls(value: Any) -> Any:
    """`name: null` in an overriding file takes the entry out."""
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if item is not None}
    return {} if value is None else value


_STRATEGIES = ("latest", "union", "human", "manual")
_ORDERED_STRATEGIES = ("ladder", "strictest")
_WIN_HELP = (
    "a rule is latest, union, human, manual, a list of systems, {ladder: [...]} or "
    "{strictest: [...]}"
)


def parse_win(value: Any) -> Win:
    """Return a survivorship rule from its short form. Raises: ValueError with the allowed ones."""
    if isinstance(value, Win):
        return value
    if isinstance(value, str) and value in _STRATEGIES:
        return Win(value)  # type: ignore[arg-type]
    strategy: str = "ordered"
    if isinstance(value, Mapping) and len(value) == 1:
        strategy, value = next(iter(value.items()))
        if strategy not in _ORDERED_STRATEGIES:
            raise ValueError(_WIN_HELP)
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise ValueError(_WIN_HELP)
    return Win(strategy, tuple(value))  # type: ignore[arg-type]
