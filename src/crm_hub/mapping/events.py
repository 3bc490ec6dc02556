"""Event sections compiled to closures: payload → event draft, or nothing.

Comes after values.py; plan.py runs these for each record.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from crm_hub.mapping.conversation import compile_conversation
from crm_hub.mapping.language import Event, Participant, Value, value_at
from crm_hub.mapping.paths import find, parse_path
from crm_hub.mapping.steps import Locale, Misfit
from crm_hub.mapping.steps.contact import is_e164
from crm_hub.mapping.values import (
    Fill,
    compile_conditions,
    compile_steps,
    compile_value,
    getters_of,
    is_blank,
)
from crm_hub.model.canonical import Drift, EventDraft, ParticipantDraft
from crm_hub.model.events import EVENT_TYPES, VISIBILITIES
from crm_hub.model.ids import domain_key, email_key, phone_key, strong_key

Build = Callable[[dict[str, Any], list[Drift]], EventDraft | None]
_WORDS = ("direction", "status", "subject", "snippet", "body", "zone")
_INSTANT_STEPS = ("date", "time")
_KEY_OF_MATCH: dict[str, Callable[[str], str]] = {
    "email": email_key,
    "phone": lambda value: phone_key(value) if is_e164(value) else "",
    "domain": domain_key,
}


def compile_event(entry: str, spec: Event, locale: Locale) -> Build:
    """Return the closure of one event entry.

    A condition that does not hold: no event. An unreadable type or time: no event, one drift.
    """
    holds = compile_conditions(spec.when, locale)
    type_of = compile_value(spec.type, "text", locale)
    occurred_at = compile_instant(spec.occurred_at, locale)
    key_of, bucket_of = _key(spec, locale), _bucket(spec, locale)
    tolerance_us = int(spec.near.within_s * 1_000_000) if spec.near else 0
    words = _words(spec, locale)
    attributes = [
        (name, compile_value(value, None, locale)) for name, value in spec.attributes.items()
    ]
    people = [_participant(one, locale) for one in spec.participants]
    converse = compile_conversation(spec, locale)
    place = f"events.{entry}"

    def build(payload: dict[str, Any], drifts: list[Drift]) -> EventDraft | None:
        if not holds(payload):
            return None
        reasons: list[str] = []
        kind = type_of(payload, reasons)
        if kind is None or kind not in EVENT_TYPES:
            _drift(drifts, f"{place}.type", reasons or ["not an event type"] * (kind is not None))
            return None
        moment = occurred_at(payload, reasons)
        if moment is None:
            _drift(drifts, f"{place}.occurred_at", reasons or ["no time is given"])
            return None
        draft = EventDraft(entry, kind, moment, key_of(payload, reasons))
        if not draft.key and (bucket := bucket_of(payload, reasons)):
            draft.bucket, draft.tolerance_us = bucket, tolerance_us
        for name, fill in words:
            if (value := fill(payload, reasons)) is not None:
                setattr(draft, name, value)
        for name, fill in attributes:
            if (value := fill(payload, reasons)) is not None:
                draft.attributes[name] = value
        for add in people:
            add(payload, reasons, draft.participants)
        if converse is not None:
            converse(payload, reasons, draft)
        _drift(drifts, place, reasons)
        return draft

    return build


def _drift(drifts: list[Drift], place: str, reasons: list[str]) -> None:
    drifts.extend(Drift(place, reason) for reason in dict.fromkeys(reasons))


def _words(spec: Event, locale: Locale) -> list[tuple[str, Fill]]:
    """Return (attribute of the draft, closure) for each word that the mapping gives."""
    fills = []
    for name in _WORDS:
        value: Value | None = getattr(spec, name)
        if value is not None:
            fills.append((name, compile_value(value, _last_step(name), locale)))
    if spec.visibility is not None:
        fills.append(("visibility", _visibility(compile_value(spec.visibility, "text", locale))))
    if spec.seq is not None:
        fills.append(("seq", compile_value(spec.seq, "integer", locale)))
    return fills


def _last_step(word: str) -> str:
    return "multiline" if word == "body" else "text"


def _visibility(fill: Fill) -> Fill:
    """What nobody understands is shown to as few as possible."""

    def strict(payload: Any, reasons: list[str]) -> str | None:
        before = len(reasons)
        value = fill(payload, reasons)
        if value is None and len(reasons) == before:
            return None
        return value if value in VISIBILITIES else VISIBILITIES[0]

    return strict


def compile_instant(spec: Value, locale: Locale) -> Callable[[Any, list[str]], int | None]:
    """Return the closure of a time: payload → microseconds since 1970 UTC, None when blank.

    A date is its midnight in the connection's zone.
    """
    last = None if spec.steps and spec.steps[-1].name in _INSTANT_STEPS else "time"
    final = compile_steps(spec.steps, last, locale).stages[-1].instant
    if final is None:
        raise ValueError("a time needs `date` or `time` as its last step")
    before = spec.steps if last else spec.steps[:-1]
    raw_of = compile_value(spec.model_copy(update={"steps": before}), None, locale)
    plain = not before and spec.at and not spec.when and spec.default is None
    first = getters_of(spec, locale)[0] if plain else None

    def instant(payload: Any, reasons: list[str]) -> int | None:
        value = first(payload) if first is not None else None
        if type(value) is not str or is_blank(value):
            value = raw_of(payload, reasons)
        if type(value) is list:
            value = next((item for item in value if not is_blank(item)), None)
        if value is None:
            return None
        try:
            return final(value)
        except (Misfit, OverflowError) as error:
            reasons.append(str(error) if isinstance(error, Misfit) else "out of the calendar")
            return None

    return instant


def _parts(specs: tuple[Value, ...], locale: Locale) -> list[tuple[bool, Fill]]:
    return [(spec.const is not None, compile_value(spec, "text", locale)) for spec in specs]


def _scope(scope: str, locale: Locale) -> list[str]:
    return [locale.connection] if scope == "connection" else []


def _key(spec: Event, locale: Locale) -> Callable[[Any, list[str]], str]:
    """Return the closure of the identity key; one blank part, and there is none."""
    fills = [fill for _, fill in _parts(spec.key, locale)]
    head = _scope(spec.scope, locale)

    def key(payload: Any, reasons: list[str]) -> str:
        parts = [fill(payload, reasons) for fill in fills]
        return "" if not parts or None in parts else "|".join([*head, *parts])

    return key


def _bucket(spec: Event, locale: Locale) -> Callable[[Any, list[str]], str]:
    """Return the closure of the bucket: a hash, because its parts may be long and personal."""
    parts = _parts(spec.near.by, locale) if spec.near else []
    head = _scope(spec.scope, locale)

    def bucket(payload: Any, reasons: list[str]) -> str:
        found = [(literal, fill(payload, reasons)) for literal, fill in parts]
        if all(literal or value is None for literal, value in found):
            return ""
        text = "\x1f".join([*head, *(value or "" for _, value in found)])
        return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()

    return bucket


_Add = Callable[[Any, list[str], list[ParticipantDraft]], None]


def _participant(spec: Participant, locale: Locale) -> _Add:
    """Return the closure that adds the people of one `participants` entry to a draft."""
    holds = compile_conditions(spec.when, locale)
    each = parse_path(spec.each, flat=locale.flat) if spec.each else ()
    inside = locale._replace(flat=False) if spec.each else locale
    who = _keys(spec, inside)
    name_of = compile_value(spec.name, "text", inside) if spec.name is not None else None

    def add(payload: Any, reasons: list[str], people: list[ParticipantDraft]) -> None:
        if not holds(payload):
            return
        found = find(payload, each)
        for node in found if type(found) is list else [found]:
            if is_blank(node):
                continue
            name = (name_of(node, reasons) if name_of else None) or ""
            for key, text in who(node, reasons):
                person = ParticipantDraft(spec.role, key, name or ("" if key else text))
                if (person.key or person.name) and person not in people:
                    people.append(person)

    return add


def _keys(spec: Participant, locale: Locale) -> Callable[[Any, list[str]], list[tuple[str, str]]]:
    """Return the closure: node → (match key or "", the value as read); one blank pair for none."""
    if not spec.at:
        return lambda _node, _reasons: [("", "")]
    last = spec.match or "text"
    values = compile_value(value_at(spec.at, spec.steps), last, locale, many=True)
    scope = locale.connection if spec.scope == "connection" else ""

    def keys(node: Any, reasons: list[str]) -> list[tuple[str, str]]:
        found = values(node, reasons) or []
        if spec.match:
            make = _KEY_OF_MATCH[spec.match]
            return [(make(value), value) for value in found] or [("", "")]
        return [(strong_key(scope, spec.strong, value), value) for value in found] or [("", "")]

    return keys
