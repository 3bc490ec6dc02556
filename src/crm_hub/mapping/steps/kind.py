"""What a step is, and the few helpers that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo


class Misfit(ValueError):
    """A value does not fit. The text is the drift's reason; it never repeats the value."""


class Locale(NamedTuple):
    """What a value without its own country or zone is read with: those of its connection.

    flat: paths in the parameters of a step are literal keys.
    """

    connection: str
    region: str
    zone: ZoneInfo
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step, ready to run.

    inbound: source value → canonical value, None or "" for a blank; raises Misfit.
    outbound: canonical value → source value; None when the step cannot be undone.
    gives: the field type it yields, "any" when that depends on its parameters.
    takes_list: it reads a whole list instead of each item. spreads: it yields a list.
    instant: the same as inbound, as microseconds since 1970 UTC, for dates and times.
    bind: for a step that looks elsewhere in the payload: payload → inbound.
    """

    inbound: Callable[[Any], Any]
    outbound: Callable[[Any], Any] | None
    gives: str = "text"
    takes_list: bool = False
    spreads: bool = False
    instant: Callable[[Any], int] | None = None
    bind: Callable[[dict[str, Any]], Callable[[Any], Any]] | None = None


@dataclass(frozen=True, slots=True)
class StepKind:
    """A step of the language: its name, its parameters in words, and how it is built.

    build: (parameters or None, locale) → Step; raises ValueError for parameters it cannot use.
    """

    name: str
    params: str
    build: Callable[[Any, Locale], Step]


def plain(name: str, step: Step) -> StepKind:
    """Return the kind of a step that has no parameters and knows no locale."""

    def build(params: Any, _locale: Locale) -> Step:
        no_params(name, params)
        return step

    return StepKind(name, "none", build)


def no_params(name: str, params: Any) -> None:
    if params is not None:
        raise ValueError(f"the step {name!r} takes no parameters")


def text_param(name: str, params: Any) -> str:
    if not isinstance(params, str) or not params:
        raise ValueError(f"the step {name!r} needs a text, such as {name}: ';'")
    return params


def map_params(name: str, params: Any, allowed: tuple[str, ...]) -> dict[str, Any]:
    """Return a step's named parameters after a check of their names."""
    if not isinstance(params, dict):
        raise ValueError(f"the step {name!r} takes {{{', '.join(allowed)}}}")
    for key in params:
        if key not in allowed:
            raise ValueError(
                f"the step {name!r} has no parameter {key!r}; there are: {', '.join(allowed)}"
            )
    return params


def as_text(value: Any) -> str:
    """Return a scalar as the text a person would type for it. Raises: Misfit for anything else."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float | str):
        return str(value)
    raise Misfit("a list or an object stands where a single value was expected")


def same(value: Any) -> Any:
    """Write a canonical value as it is."""
    return value
