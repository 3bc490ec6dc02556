"""Event entries that stand for many: one event for each item of a list in the payload.

Comes after events.py, whose closures build one event; plan.py runs these for each record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from crm_hub.mapping.events import compile_event
from crm_hub.mapping.language import Event
from crm_hub.mapping.paths import find, parse_path
from crm_hub.mapping.steps import Locale
from crm_hub.model.canonical import Drift, EventDraft

Builds = Callable[[dict[str, Any], list[Drift]], Iterable[EventDraft]]


def compile_entry(entry: str, spec: Event, locale: Locale) -> Builds:
    """Return the closure of one event entry: payload → its events.

    With `each`, an item's keys lie over those of the payload, so that a list of occurrences need
    not repeat what holds for all of them. Such events are named by their place: `meeting[0]`.
    """
    build = compile_event(entry, spec, locale)
    parts = parse_path(spec.each, flat=locale.flat) if spec.each else ()

    def one(payload: dict[str, Any], drifts: list[Drift]) -> Iterable[EventDraft]:
        event = build(payload, drifts)
        return () if event is None else (event,)

    def many(payload: dict[str, Any], drifts: list[Drift]) -> Iterator[EventDraft]:
        found = find(payload, parts)
        for place, item in enumerate(found if type(found) is list else [found]):
            event = build({**payload, **item}, drifts) if type(item) is dict else None
            if event is not None:
                event.entry = f"{entry}[{place}]"
                yield event

    return many if spec.each else one
