"""The fields, claims and links of a section compiled to one closure: payloads → canonical records.

The hot path of the room: all records take one step, then the next, because the code of a step
then stays at hand in the processor. Fields that stand at one plain path are grouped by the object
they stand in and read in one loop; the others run through the closures of values.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from crm_hub.mapping.events import compile_instant
from crm_hub.mapping.language import (
    FieldRule,
    Identity,
    LinkRule,
    Section,
    Value,
    value_at,
)
from crm_hub.mapping.paths import Parts, find, parse_path
from crm_hub.mapping.steps import Locale, Misfit
from crm_hub.mapping.steps.contact import is_e164
from crm_hub.mapping.steps.text import one_line
from crm_hub.mapping.values import (
    Fill,
    Pipeline,
    compile_steps,
    compile_value,
    getters_of,
    is_blank,
    last_step,
)
from crm_hub.model.canonical import CanonicalRecord, Claim, Drift, Link
from crm_hub.model.entities import ENTITIES, Field
from crm_hub.model.ids import strong_key

Compiled = Callable[
    [Sequence[dict[str, Any]], Sequence[int | None], Sequence[list[Drift]]], list[CanonicalRecord]
]


_Add = Callable[[dict[str, Any], CanonicalRecord, list[Drift]], None]


class _Row(NamedTuple):
    """A field that stands at one plain key of an object."""

    name: str
    key: str
    many: bool
    convert: Callable[[Any], Any]
    pipe: Pipeline


class _Several(NamedTuple):
    """A field with several places in one object, or with conditions.

    convert: its steps as one function, None when it takes more than that. fill: the closure for
    whatever is not plain text, asked only when one of the keys is there at all.
    """

    name: str
    keys: tuple[str, ...]
    many: bool
    convert: Callable[[Any], Any] | None
    fill: Fill


class _Group(NamedTuple):
    """Fields that stand in one object. texts: those of plain single text, by far the most."""

    parts: Parts
    texts: list[tuple[str, str, _Row]]
    rows: list[_Row]
    several: list[_Several]


class _FieldSet(NamedTuple):
    """The fields of one entity: rows grouped by the object they stand in, and the others."""

    entity: str
    groups: list[_Group]
    others: list[tuple[str, Fill]]


def compile_record(section: Section, locale: Locale) -> Compiled:
    """Return the closure of a section's records; the section has an entity."""
    choose = _choice(section, locale)
    adds = [_claim(identity, locale) for identity in section.identity]
    adds += [_link(name, link, locale) for name, link in section.links.items()]
    if section.changed_at:
        adds.append(_changed(section.changed_at, locale))

    def run(
        payloads: Sequence[dict[str, Any]],
        times: Sequence[int | None],
        drifts: Sequence[list[Drift]],
    ) -> list[CanonicalRecord]:
        records = []
        for payload, changed_at_us, found in zip(payloads, times, drifts, strict=True):
            fields = choose(payload, found)
            values = _values(fields, payload, found)
            records.append(CanonicalRecord(fields.entity, values, changed_at_us=changed_at_us))
        for add in adds:
            for payload, record, found in zip(payloads, records, drifts, strict=True):
                add(payload, record, found)
        return records

    return run


def _changed(spec: Value, locale: Locale) -> _Add:
    """Return the closure that reads a record's time of change."""
    instant = compile_instant(spec, locale)

    def read(payload: dict[str, Any], record: CanonicalRecord, drifts: list[Drift]) -> None:
        reasons: list[str] = []
        moment = instant(payload, reasons)
        if moment is not None:
            record.changed_at_us = moment
        if reasons:
            _note(drifts, "changed_at", reasons)

    return read


def _note(drifts: list[Drift], field: str, reasons: list[str]) -> None:
    drifts.extend(Drift(field, reason) for reason in dict.fromkeys(reasons))


def _choice(section: Section, locale: Locale) -> Callable[[dict[str, Any], list[Drift]], _FieldSet]:
    """Return the closure that says which entity a record is, as the fields it then has."""
    rule = section.entity
    assert rule is not None, "compile_record is called for sections with an entity"  # noqa: S101
    sets = {entity: _field_set(entity, section, locale) for entity in rule.possible()}
    usual = sets[rule.default]
    if not rule.at:
        return lambda _payload, _drifts: usual
    entity_of = compile_value(value_at(rule.at, rule.steps), "text", locale)

    def choose(payload: dict[str, Any], drifts: list[Drift]) -> _FieldSet:
        reasons: list[str] = []
        entity = entity_of(payload, reasons)
        _note(drifts, "entity", reasons)
        return sets.get(entity, usual)

    return choose


def _field_set(entity: str, section: Section, locale: Locale) -> _FieldSet:
    rows: dict[Parts, list[_Row]] = {}
    several: dict[Parts, list[_Several]] = {}
    others: list[tuple[str, Fill]] = []
    for name, rule in section.fields.items():
        field = ENTITIES[entity].get(name)
        if field is None or rule.dir == "push":
            continue  # what is only written is not read: it would come back as the target's own
        if (row := _row(field, rule, locale)) is not None:
            rows.setdefault(row[0], []).append(row[1])
        elif (some := _several(field, rule, locale)) is not None:
            several.setdefault(some[0], []).append(some[1])
        else:
            last = last_step(name, field.type)
            others.append((name, compile_value(rule, last, locale, many=field.many)))
    groups = [_group(p, rows.get(p, []), several.get(p, [])) for p in rows | several]
    return _FieldSet(entity, groups, others)


def _group(parts: Parts, rows: list[_Row], several: list[_Several]) -> _Group:
    texts = [(r.name, r.key, r) for r in rows if r.convert is one_line and not r.many]
    rest = [r for r in rows if r.convert is not one_line or r.many]
    return _Group(parts, texts, rest, several)


def _several(field: Field, rule: FieldRule, locale: Locale) -> tuple[Parts, _Several] | None:
    """Return where the field's object stands and its keys there, None when there is none."""
    paths = [parse_path(path, flat=locale.flat) for path in rule.at]
    above = {path[:-1] for path in paths}
    keys = tuple(path[-1] for path in paths if path and isinstance(path[-1], str))
    if len(above) != 1 or len(keys) != len(paths) or rule.default is not None:
        return None
    last = last_step(field.name, field.type)
    convert = None if rule.when else compile_steps(rule.steps, last, locale).scalar
    fill = compile_value(rule, last, locale, many=field.many)
    return above.pop(), _Several(field.name, keys, field.many, convert, fill)


def _row(field: Field, rule: FieldRule, locale: Locale) -> tuple[Parts, _Row] | None:
    """Return where the field's object stands and its row, None when it is not that simple."""
    if len(rule.at) != 1 or rule.when or rule.default is not None:
        return None
    *above, key = parse_path(rule.at[0], flat=locale.flat) or (None,)
    pipe = compile_steps(rule.steps, last_step(field.name, field.type), locale)
    if not isinstance(key, str) or pipe.scalar is None:
        return None
    parts = tuple(part for part in above if part is not None)
    return parts, _Row(field.name, key, field.many, pipe.scalar, pipe)


def _values(fields: _FieldSet, payload: dict[str, Any], drifts: list[Drift]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for parts, texts, rows, several in fields.groups:
        node = find(payload, parts) if parts else payload
        if type(node) is dict:
            get = node.get
            for name, key, row in texts:
                raw = get(key)
                if type(raw) is not str:
                    if raw is not None:
                        _read_rows([row], node, payload, values, drifts)
                elif text := raw if raw.isalnum() else " ".join(raw.split()):
                    values[name] = text
            _read_rows(rows, node, payload, values, drifts)
            for some in several:
                _read_several(some, get, payload, values, drifts)
        elif node is not None:
            for row in (*(row for _, _, row in texts), *rows):
                _read_items(row, find(node, (row.key,)), payload, values, drifts)
            for some in several:
                _read_other(some.name, some.fill, payload, values, drifts)
    for name, fill in fields.others:
        _read_other(name, fill, payload, values, drifts)
    return values


def _read_other(
    name: str, fill: Fill, payload: dict[str, Any], values: dict[str, Any], drifts: list[Drift]
) -> None:
    reasons: list[str] = []
    value = fill(payload, reasons)
    if value is not None:
        values[name] = value
    if reasons:
        _note(drifts, name, reasons)


def _read_several(
    some: _Several,
    get: Callable[[str], Any],
    payload: dict[str, Any],
    values: dict[str, Any],
    drifts: list[Drift],
) -> None:
    """Read the places in order: the first value that is there, or each of them once."""
    name, keys, many, convert, fill = some
    found: list[Any] = []
    for key in keys:
        raw = get(key)
        if raw is None or raw == "":
            continue
        if convert is None or type(raw) is not str:
            return _read_other(name, fill, payload, values, drifts)
        try:
            value = convert(raw)
        except Misfit:
            return _read_other(name, fill, payload, values, drifts)
        if (not value and value != 0) or value in found:
            continue
        found.append(value)
        if not many:
            break
    if found:
        values[name] = found if many else found[0]
    return None


def _read_rows(
    rows: list[_Row],
    node: dict[str, Any],
    payload: dict[str, Any],
    values: dict[str, Any],
    drifts: list[Drift],
) -> None:
    get = node.get
    for row in rows:
        name, key, many, convert, _ = row
        raw = get(key)
        if raw is None or raw == "":
            continue
        if type(raw) is list or type(raw) is dict:
            _read_items(row, raw, payload, values, drifts)
            continue
        try:
            value = convert(raw)
        except Misfit as misfit:
            drifts.append(Drift(name, str(misfit)))
            continue
        if value or value == 0:
            values[name] = [value] if many else value


def _read_items(
    row: _Row, raw: Any, payload: dict[str, Any], values: dict[str, Any], drifts: list[Drift]
) -> None:
    if is_blank(raw):
        return
    reasons: list[str] = []
    found = row.pipe.items(raw, payload, reasons)
    if found:
        values[row.name] = _distinct(found) if row.many else found[0]
    _note(drifts, row.name, reasons)


def _distinct(values: list[Any]) -> list[Any]:
    out: list[Any] = []
    for value in values:
        if value not in out:
            out.append(value)
    return out


def _claim(identity: Identity, locale: Locale) -> _Add:
    """Return the closure that adds the claims of one `identity` entry to a record."""
    if identity.match is not None:
        return _match_claims(identity.match)
    name, exclusive = identity.strong, identity.exclusive
    scope = locale.connection if identity.scope == "connection" else ""
    values_of = _texts(identity, locale)

    def add(payload: dict[str, Any], record: CanonicalRecord, drifts: list[Drift]) -> None:
        for value in values_of(payload, drifts):
            record.claims.append(Claim("strong", name, value, scope, exclusive))

    return add


def _match_claims(field: str) -> _Add:
    def add(_payload: dict[str, Any], record: CanonicalRecord, _drifts: list[Drift]) -> None:
        for value in record.values.get(field, ()):
            # A number that could not be read, or has an extension, is nobody's own.
            if field != "phone" or is_e164(value):
                record.claims.append(Claim(field, field, value))

    return add


def _texts(
    spec: Identity | LinkRule, locale: Locale
) -> Callable[[dict[str, Any], list[Drift]], list[str]]:
    """Return the closure of the texts that stand at a strong id's paths, each once."""
    value = value_at(spec.at, spec.steps)
    fill = compile_value(value, "text", locale, many=True)
    get = getters_of(value, locale)[0] if len(spec.at) == 1 and not spec.steps else None
    place = f"id {spec.strong}"

    def texts(payload: dict[str, Any], drifts: list[Drift]) -> list[str]:
        if get is not None:
            raw = get(payload)
            if type(raw) is str:
                return [text] if (text := one_line(raw)) else []
            if raw is None:
                return []
        reasons: list[str] = []
        found: list[str] = fill(payload, reasons) or []
        if reasons:
            _note(drifts, place, reasons)
        return found

    return texts


def _link(relation: str, link: LinkRule, locale: Locale) -> _Add:
    scope = locale.connection if link.scope == "connection" else ""
    values_of = _texts(link, locale)
    most = None if link.many else 1
    times = [None if s is None else compile_instant(s, locale) for s in (link.from_, link.to)]

    def add(payload: dict[str, Any], record: CanonicalRecord, drifts: list[Drift]) -> None:
        values = values_of(payload, drifts)[:most]
        if not values:
            return
        reasons: list[str] = []
        span = [None if read is None else read(payload, reasons) for read in times]
        for value in values:
            key = strong_key(scope, link.strong, value)
            record.links.append(Link(relation, link.entity, key, *span))
        if reasons:
            _note(drifts, f"links.{relation}", reasons)

    return add
