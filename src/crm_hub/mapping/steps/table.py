"""The step that puts our words for theirs."""

from __future__ import annotations

from typing import Any

from crm_hub.mapping.steps.kind import Locale, Misfit, Step, StepKind, as_text

ANY_OTHER = "*"
_NAMED_IN_ERRORS = 8


def folded(value: Any) -> str:
    """Return the form in which table keys and conditions are compared."""
    return as_text(value).strip().casefold()


def _build(params: Any, _locale: Locale) -> Step:
    if not isinstance(params, dict) or not params:
        raise ValueError("the step 'enum' needs a table, such as enum: {theirs: ours}")
    if any(isinstance(ours, dict | list) for ours in params.values()):
        raise ValueError("the step 'enum' gives single values")
    ours_of = {folded(theirs): ours for theirs, ours in params.items() if theirs != ANY_OTHER}
    if len(ours_of) + (ANY_OTHER in params) != len(params):
        raise ValueError("the step 'enum' lists a value twice; case and blanks do not count")
    listed = ", ".join(list(map(str, params))[:_NAMED_IN_ERRORS])
    more = ", …" if len(params) > _NAMED_IN_ERRORS else ""
    fallback = params.get(ANY_OTHER)

    exact = {theirs: ours for theirs, ours in params.items() if theirs != ANY_OTHER}

    def inbound(value: Any) -> Any:
        if type(value) is str and value in exact:
            return exact[value]
        text = folded(value)
        if text in ours_of:
            return ours_of[text]
        if not text or ANY_OTHER in params:
            return fallback if text else None
        raise Misfit(f"not one of the listed values: {listed}{more}")

    return Step(inbound, _outbound(params), "any")


def _outbound(params: dict[str, Any]) -> Any:
    """Return the way back, None when two of theirs are one of ours."""
    theirs_of = {ours: theirs for theirs, ours in params.items() if ours is not None}
    if len(theirs_of) != len(params) or ANY_OTHER in params:
        return None
    return theirs_of.__getitem__


KINDS = (StepKind("enum", "{theirs: ours}", _build),)
