"""Value specifications compiled to closures: payload → canonical value.

A closure never raises for a value that does not fit: it appends the reason and goes on with the
values that do. Comes after language.py; events.py and plan.py are built from these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crm_hub.mapping.language import Condition, Value
from crm_hub.mapping.paths import Parts, compile_path, find, parse_path
from crm_hub.mapping.shortforms import StepCall
from crm_hub.mapping.steps import STEP_OF_TYPE, STEPS, Locale, Misfit, Step
from crm_hub.mapping.steps.table import folded
from crm_hub.mapping.steps.text import one_line

Fill = Callable[[Any, list[str]], Any]
"""(payload, reasons) → the value, None when it is blank; reasons grows by what did not fit."""

_Raw = Callable[[Any, list[str]], list[Any]]


def is_blank(value: Any) -> bool:
    """Tell whether a value says nothing: null, white space, an empty list or object."""
    if type(value) is str:
        return not value or value.isspace()
    return value is None or value == [] or value == {}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Steps in a row.

    scalar: all of them as one function of a single value, where no step needs more than that.
    lists: they end in a list (True), in a single value (False), or in what went in (None).
    """

    stages: tuple[Step, ...]
    scalar: Callable[[Any], Any] | None
    lists: bool | None

    @property
    def invertible(self) -> bool:
        """Tell whether every step can be written back."""
        return all(stage.outbound is not None for stage in self.stages)

    def write(self, value: Any) -> Any:
        """Return a canonical value as the source writes it; only for invertible steps."""
        for stage in reversed(self.stages):
            write = stage.outbound
            if write is not None:
                whole = stage.spreads or not isinstance(value, list)
                value = write(value) if whole else [write(item) for item in value]
        return value

    def items(self, raw: Any, payload: Any, reasons: list[str]) -> list[Any]:
        """Return the values that come out of `raw`, a single value or a list."""
        values = [item for item in raw if not is_blank(item)] if type(raw) is list else [raw]
        for stage in self.stages:
            step = stage.inbound if stage.bind is None else stage.bind(payload)
            if stage.takes_list:
                values = _passed(step, [values], reasons) if values else []
            else:
                values = _passed(step, values, reasons)
            if stage.spreads:
                values = [item for part in values for item in part]
        return values


def _passed(step: Callable[[Any], Any], values: list[Any], reasons: list[str]) -> list[Any]:
    out = []
    for value in values:
        try:
            result = step(value)
        except Misfit as misfit:
            reasons.append(str(misfit))
            continue
        if not is_blank(result):
            out.append(result)
    return out


def compile_steps(calls: tuple[StepCall, ...], last: str | None, locale: Locale) -> Pipeline:
    """Return the pipeline of these steps; `last` is the step it must end with, where it does."""
    stages = [STEPS[call.name].build(call.params, locale) for call in calls]
    if last is not None:
        final = STEPS[last].build(None, locale)
        if not stages or stages[-1].gives != final.gives:
            stages.append(final)
    lists = None
    for stage in stages:
        lists = stage.spreads or (False if stage.takes_list else lists)
    return Pipeline(tuple(stages), _scalar(stages), lists)


def _scalar(stages: list[Step]) -> Callable[[Any], Any] | None:
    if not stages or any(s.takes_list or s.spreads or s.bind is not None for s in stages):
        return None
    if len(stages) == 1:
        return stages[0].inbound
    steps = [stage.inbound for stage in stages]

    def run(value: Any) -> Any:
        for step in steps:
            value = step(value)
            if value is None or value == "":
                return None
        return value

    return run


def compile_value(spec: Value, last: str | None, locale: Locale, *, many: bool = False) -> Fill:
    """Return the closure of a value.

    last: the step that its field's type ends with; None keeps JSON as it is. many: all values as
    a list, each once; otherwise the first that is not blank.
    """
    pipe = compile_steps(spec.steps, last, locale)
    take = _take_all if many else _take_json if last is None else _take_first
    default = _constant(spec.default, take, pipe)
    _constant(spec.const, take, pipe)
    if spec.at and not spec.when and default is None and not many:
        getters = getters_of(spec, locale)
        one = len(getters) == 1
        return _single(getters[0], pipe, last) if one else _first_of(getters, pipe, last)
    if spec.of and last == "address" and not spec.steps and not spec.when and default is None:
        return _address(spec, locale, many=many)
    raws, holds = _source(spec, locale), compile_conditions(spec.when, locale)

    def fill(payload: Any, reasons: list[str]) -> Any:
        if not holds(payload):
            return None
        value = take(raws(payload, reasons), pipe, payload, reasons)
        return default if value is None else value

    return fill


def getters_of(spec: Value | Condition, locale: Locale) -> list[Callable[[Any], Any]]:
    """Return, for each path of a specification, the function payload → what stands there."""
    return [compile_path(parse_path(path, flat=locale.flat)) for path in spec.at]


def _single(get: Callable[[Any], Any], pipe: Pipeline, last: str | None) -> Fill:
    """Return the closure of the usual case: one path, one value, nothing else asked."""
    scalar, slow = pipe.scalar, _take_json if last is None else _take_first

    def fill(payload: Any, reasons: list[str]) -> Any:
        raw = get(payload)
        if raw is None or raw == "":
            return None
        if scalar is None or type(raw) is not str:
            return slow([raw], pipe, payload, reasons)
        try:
            value = scalar(raw)
        except Misfit as misfit:
            reasons.append(str(misfit))
            return None
        return None if value == "" else value

    return fill


def _first_of(getters: list[Callable[[Any], Any]], pipe: Pipeline, last: str | None) -> Fill:
    """Return the closure of one value that stands at the first of several paths, nothing else."""
    scalar, slow = pipe.scalar, _take_json if last is None else _take_first

    def fill(payload: Any, reasons: list[str]) -> Any:
        for get in getters:
            raw = get(payload)
            if is_blank(raw):
                continue
            if scalar is None or type(raw) is not str:
                value = slow([raw], pipe, payload, reasons)
            else:
                try:
                    value = scalar(raw)
                except Misfit as misfit:
                    reasons.append(str(misfit))
                    continue
            if not is_blank(value):
                return value
        return None

    return fill


_Take = Callable[[list[Any], Pipeline, Any, list[str]], Any]


def _constant(value: Any, take: _Take, pipe: Pipeline) -> Any:
    """Return a value of the mapping file itself. Raises: ValueError when it does not fit."""
    reasons: list[str] = []
    found = take([value], pipe, {}, reasons)
    if reasons:
        raise ValueError(f"the value {value!r} in the mapping: {reasons[0]}")
    return found


def _take_all(raws: list[Any], pipe: Pipeline, payload: Any, reasons: list[str]) -> Any:
    out: list[Any] = []
    scalar = pipe.scalar
    for raw in raws:
        if raw is None or raw == "":
            continue
        if type(raw) is str and scalar is not None:
            try:
                value = scalar(raw)
            except Misfit as misfit:
                reasons.append(str(misfit))
                continue
            if not is_blank(value) and value not in out:
                out.append(value)
            continue
        for value in () if is_blank(raw) else pipe.items(raw, payload, reasons):
            if value not in out:
                out.append(value)
    return out or None


def _take_first(raws: list[Any], pipe: Pipeline, payload: Any, reasons: list[str]) -> Any:
    for raw in raws:
        if not is_blank(raw):
            values = pipe.items(raw, payload, reasons)
            if values:
                return values[0]
    return None


def _take_json(raws: list[Any], pipe: Pipeline, payload: Any, reasons: list[str]) -> Any:
    for raw in raws:
        if is_blank(raw):
            continue
        if not pipe.stages:
            return raw.strip() if type(raw) is str else raw
        values = pipe.items(raw, payload, reasons)
        if values:
            lists = type(raw) is list if pipe.lists is None else pipe.lists
            return values if lists else values[0]
    return None


def _source(spec: Value, locale: Locale) -> _Raw:
    if spec.at:
        getters = getters_of(spec, locale)
        return lambda payload, _reasons: [get(payload) for get in getters]
    if spec.const is not None:
        constant = [spec.const]
        return lambda _payload, _reasons: constant
    return _joined(spec, locale) if spec.join else _object(spec, locale)


def _joined(spec: Value, locale: Locale) -> _Raw:
    """Literal parts keep their own blanks, which the closure of a value would trim."""
    texts = [None if part.const is None else str(part.const) for part in spec.join]
    fills = [compile_value(part, "text", locale) for part in spec.join]
    separator = spec.with_

    def raws(payload: Any, reasons: list[str]) -> list[Any]:
        found = [
            fill(payload, reasons) if text is None else text
            for text, fill in zip(texts, fills, strict=True)
        ]
        if all(value is None for text, value in zip(texts, found, strict=True) if text is None):
            return []
        return [separator.join(value for value in found if value is not None)]

    return raws


def _object(spec: Value, locale: Locale) -> _Raw:
    parts = [(name, compile_value(part, None, locale)) for name, part in spec.of.items()]

    def raws(payload: Any, reasons: list[str]) -> list[Any]:
        found = ((name, fill(payload, reasons)) for name, fill in parts)
        return [{name: value for name, value in found if value is not None}]

    return raws


def _address(spec: Value, locale: Locale, *, many: bool) -> Fill:
    """Return the closure of an address by parts: each part is one text, so no step is left."""
    parts = [(name, compile_value(part, "text", locale)) for name, part in spec.of.items()]
    above, keys = _siblings(spec, locale)

    def fill(payload: Any, reasons: list[str]) -> Any:
        found = {}
        node = find(payload, above) if keys else None
        if type(node) is dict:
            for name, key, part in keys:
                raw = node.get(key)
                if type(raw) is str:
                    value = one_line(raw)
                elif raw is not None:
                    value = part(payload, reasons)
                else:
                    continue
                if value:
                    found[name] = value
        else:
            for name, part in parts:
                if (value := part(payload, reasons)) is not None:
                    found[name] = value
        if not found:
            return None
        return [found] if many else found

    return fill


def _siblings(spec: Value, locale: Locale) -> tuple[Parts, list[tuple[str, str, Fill]]]:
    """Return where the parts of an address stand together, and each one's key there.

    No keys when they do not: each part is then looked up by itself.
    """
    above: set[Parts] = set()
    keys: list[tuple[str, str, Fill]] = []
    for name, part in spec.of.items():
        path = parse_path(part.at[0], flat=locale.flat) if len(part.at) == 1 else ()
        key = path[-1] if path else None
        if not isinstance(key, str) or part.steps or part.when or part.default is not None:
            return (), []
        above.add(path[:-1])
        keys.append((name, key, compile_value(part, "text", locale)))
    return (above.pop(), keys) if len(above) == 1 else ((), [])


def compile_conditions(conditions: tuple[Condition, ...], locale: Locale) -> Callable[[Any], bool]:
    """Return the closure that tells whether all conditions hold for a payload."""
    if not conditions:
        return lambda _payload: True
    tests = [_condition(condition, locale) for condition in conditions]
    return lambda payload: all(test(payload) for test in tests)


def _condition(condition: Condition, locale: Locale) -> Callable[[Any], bool]:
    getters = getters_of(condition, locale)
    pipe = compile_steps(condition.steps, None, locale)
    wanted = frozenset(map(folded, condition.is_)) if condition.is_ is not None else None
    barred = frozenset(map(folded, condition.not_ or ()))
    present = condition.present

    def holds(payload: Any) -> bool:
        found = {
            folded(value)
            for get in getters
            if not is_blank(raw := get(payload))
            for value in pipe.items(raw, payload, [])
            if not isinstance(value, dict | list)
        }
        if present is not None and present != any(not is_blank(get(payload)) for get in getters):
            return False
        if wanted is not None and not found & wanted:
            return False
        return not found & barred

    if len(getters) != 1 or condition.steps or present is not None:
        return holds
    (only,) = getters

    def holds_for_text(payload: Any) -> bool:
        raw = only(payload)
        word = folded(raw) if type(raw) is str else ""
        if not word:
            return holds(payload)
        return (wanted is None or word in wanted) and word not in barred

    return holds_for_text


STEP_OF_FIELD = {"note": "multiline", "brief": "multiline"}
"""Fields whose type is text but which keep their line breaks."""


def last_step(field: str, kind: str) -> str:
    """Return the step that values of a canonical field end with."""
    return STEP_OF_FIELD.get(field, STEP_OF_TYPE[kind])
