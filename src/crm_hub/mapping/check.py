"""Names in a mapping file that must exist elsewhere: entities, fields, event types.

Comes after the types (language.py); runs on the finished file, because an overriding file alone
may name fields of a section whose entity stands in the built-in one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

from crm_hub.mapping.language import Event, Section, Value
from crm_hub.mapping.shortforms import near
from crm_hub.model.entities import ENTITIES, MADE
from crm_hub.model.events import EVENT_TYPES, VISIBILITIES
from crm_hub.yamltext import Place

_ADDRESS_PARTS = ("street", "city", "region", "postcode", "country")


class Problem(NamedTuple):
    """Something wrong at a place of the file, in words."""

    place: Place
    message: str


def problems(name: str, section: Section) -> Iterator[Problem]:
    """Yield every name of the section that does not exist where it should."""
    here: Place = ("streams", name)
    if section.entity is None and not section.events:
        yield Problem(here, "a section needs `entity`, `events` or both")
    yield from _fields(here, section)
    yield from _identity(here, section)
    for relation, link in section.links.items():
        if link.entity not in ENTITIES:
            yield _unknown((*here, "links", relation, "entity"), "entity", link.entity, ENTITIES)
    for entry, event in section.events.items():
        yield from _event((*here, "events", entry), event)
    module = section.hook.partition(":")[0].partition(".")[0]
    if module in sys.stdlib_module_names or module == "crm_hub":
        yield Problem((*here, "hook"), "a hook is a function of a connector's or your own module")


def _unknown(place: Place, what: str, name: str, allowed: object) -> Problem:
    names = [str(known) for known in allowed]  # type: ignore[attr-defined]
    return Problem(place, f"unknown {what} {name!r}; {near(name, names)}")


def field_names(section: Section) -> set[str]:
    """Return the canonical fields that records of the section can have."""
    possible = section.entity.possible() if section.entity else []
    return {field for entity in possible for field in ENTITIES.get(entity, ())}


def _fields(here: Place, section: Section) -> Iterator[Problem]:
    if section.entity is None:
        for key in ("fields", "identity", "links"):
            if getattr(section, key):
                yield Problem((*here, key), f"`{key}` needs `entity` in the section")
        return
    for entity in section.entity.possible():
        if entity not in ENTITIES:
            yield _unknown((*here, "entity"), "entity", entity, ENTITIES)
            return
    known = field_names(section)
    for field, rule in section.fields.items():
        if field not in known:
            yield _unknown((*here, "fields", field), "field", field, known)
        elif field in MADE and rule.dir != "push":
            message = f"the hub makes {field!r} itself; it needs `dir: push`"
            yield Problem((*here, "fields", field), message)
        elif field == "address":
            for part in rule.of:
                if part not in _ADDRESS_PARTS:
                    place = (*here, "fields", field, "of", part)
                    yield _unknown(place, "part of an address", part, _ADDRESS_PARTS)
    yield from _create(here, section, known)


def _create(here: Place, section: Section, known: set[str]) -> Iterator[Problem]:
    if section.create is not None:
        for field in (*section.create.when, *section.create.never_when):
            if field not in known:
                yield _unknown((*here, "create"), "field", field, known)


def _identity(here: Place, section: Section) -> Iterator[Problem]:
    for index, identity in enumerate(section.identity):
        if identity.match and identity.match not in section.fields:
            yield Problem(
                (*here, "identity", index),
                f"`match: {identity.match}` needs the field {identity.match!r} in `fields`",
            )
        elif identity.match and section.fields[identity.match].dir == "push":
            yield Problem(
                (*here, "identity", index),
                f"`match: {identity.match}` needs a field that is read; it is `dir: push`",
            )


def _event(here: Place, event: Event) -> Iterator[Problem]:
    for name in _outcomes(event.type):
        if name not in EVENT_TYPES:
            yield _unknown((*here, "type"), "event type", name, EVENT_TYPES)
    if event.visibility is not None:
        for name in _outcomes(event.visibility):
            if name not in VISIBILITIES:
                yield _unknown((*here, "visibility"), "visibility", name, VISIBILITIES)


def _outcomes(value: Value) -> list[str]:
    """Return what a word of an event can come out as, as far as the file says it."""
    tables = [call.params for call in value.steps if call.name == "enum"]
    named = [*(tables[-1].values() if tables else ()), value.const, value.default]
    return [str(name) for name in named if name is not None]
