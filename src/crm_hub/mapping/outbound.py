"""The same mapping file, backwards: canonical values as the target writes them, and where.

Only fields of `dir: both` or `push` go out. A field that cannot be written back is refused when
the plan is compiled; a value that the target cannot take is refused before it is sent.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from crm_hub.mapping.language import EntityRule, FieldRule, Section
from crm_hub.mapping.paths import Parts, Select, find, parse_path
from crm_hub.mapping.steps import Locale
from crm_hub.mapping.values import compile_steps, last_step
from crm_hub.model.entities import BOOKED, ENTITIES, Field
from crm_hub.model.errors import ConfigError
from crm_hub.model.routes import OutField, OutSection, Unfit

_REMEDY = "Correct the field in the mapping file, or let it be `dir: pull`."


def compile_outbound(
    name: str, section: Section, *, connection: str, region: str, zone: str, digest: str
) -> OutSection | None:
    """Return what of a section can be written, None when nothing of it goes out.

    digest: that of the section's plan. Raises: ConfigError for a field that cannot be written back.
    """
    if section.entity is None:
        return None
    locale = Locale(connection, region.upper(), ZoneInfo(zone), flat=section.flat)
    fields = {}
    for field, rule in section.fields.items():
        if rule.dir == "pull":
            continue
        known = _known(section.entity, field)
        if reason := refused(field, known, rule, section.entity.possible()):
            raise ConfigError(f"{connection}: {name}.{field}: {reason}.", remedy=_REMEDY)
        fields[field] = _field(known, rule, locale)
    if not fields:
        return None
    create = section.create
    return OutSection(
        name=name,
        entities=frozenset(_writable(section.entity)),
        fields=fields,
        delete=section.delete,
        create_when=None if create is None else create.when,
        never_when={} if create is None else dict(create.never_when),
        constants=_constants(section.entity),
        archive=dict(section.archive),
        digest=digest,
        put=_putter(section.flat),
    )


def _known(entity: EntityRule, field: str) -> Field:
    return next(ENTITIES[e][field] for e in entity.possible() if field in ENTITIES[e])


def refused(field: str, known: Field, rule: FieldRule, entities: Iterable[str]) -> str:
    """Return why a field of records of these entities cannot be written back, "" when it can."""
    if booked := sorted(BOOKED.intersection(entities)):
        return f"{booked[0]}s are booked elsewhere and never written"
    if rule.of:
        parts = rule.of.values()
        if any(len(p.at) != 1 or p.steps or p.when or p.default is not None for p in parts):
            return "a part of it cannot be written back: each needs exactly one path and no steps"
        return ""
    if len(rule.at) != 1:
        return "only a field with exactly one path can be written back"
    if rule.when:
        return "a field with `when` cannot be written back"
    if rule.default is not None:
        return "a field with `default` cannot be written back"
    pipe = compile_steps(rule.steps, last_step(field, known.type), _ANYWHERE)
    return "" if pipe.invertible else "a step cannot be written back"


_ANYWHERE = Locale("lint", "US", ZoneInfo("UTC"))


def _field(known: Field, rule: FieldRule, locale: Locale) -> OutField:
    if rule.of:
        paths = tuple(part.at[0] for part in rule.of.values())
        render, whole = _parts(rule), False
    else:
        pipe = compile_steps(rule.steps, last_step(known.name, known.type), locale)
        paths, whole = rule.at, known.many and pipe.lists is True
        render = _single(rule.at[0], pipe.write, rule.longest)
    parsed = [(path, parse_path(path, flat=locale.flat)) for path in paths]

    def found(payload: Mapping[str, Any]) -> dict[str, Any]:
        return {path: _one(find(payload, parts), known.many) for path, parts in parsed}

    clears, pushed = rule.blank == "clears", rule.dir == "push"
    return OutField(known.name, paths, known.many, whole, clears, pushed, render, found)


def _one(found: Any, many: bool) -> Any:
    """A path that picks from a list gives a list, also of a field that holds one value."""
    return found[0] if isinstance(found, list) and len(found) == 1 and not many else found


_Render = Callable[[Any], dict[str, Any]]


def _single(path: str, write: Callable[[Any], Any], longest: int | None) -> _Render:
    def render(value: Any) -> dict[str, Any]:
        if value is None:
            return {path: None}
        try:
            raw = write(value)
        except (KeyError, ValueError, TypeError, AttributeError):
            raise Unfit("the target has no word for this value") from None
        for text in raw if isinstance(raw, list) else [raw]:
            if longest is not None and isinstance(text, str) and len(text) > longest:
                raise Unfit(f"longer than the {longest} characters that the target takes")
        return {path: raw}

    return render


def _parts(rule: FieldRule) -> _Render:
    """An object whose parts stand in fields of their own; of a list, its first item."""
    places = {part: spec.at[0] for part, spec in rule.of.items()}

    def render(value: Any) -> dict[str, Any]:
        first = value[0] if isinstance(value, list) and value else value
        if not isinstance(first, dict):
            return dict.fromkeys(places.values())
        return {path: first.get(part) for part, path in places.items()}

    return render


def _writable(entity: EntityRule) -> list[str]:
    """Return the entities that a record of the section can be made to be."""
    return [entity.default] if not entity.at else list(_words(entity))


def _words(entity: EntityRule) -> dict[str, Any]:
    """Return entity → the target's word for it, where the table has just one."""
    tables = [call.params for call in entity.steps if call.name == "enum"]
    table = tables[-1] if tables else {}
    return {
        ours: theirs
        for theirs, ours in table.items()
        if theirs != "*" and list(table.values()).count(ours) == 1
    }


def _constants(entity: EntityRule) -> dict[str, dict[str, Any]]:
    if not entity.at:
        return {entity.default: {}}
    return {ours: {entity.at[0]: theirs} for ours, theirs in _words(entity).items()}


# payloads as they are believed to be ---------------------------------------------------------


def _putter(flat: bool) -> Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]:
    def put(payload: Mapping[str, Any], raws: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = copy.deepcopy(dict(payload))
        for path, raw in raws.items():
            _put(out, parse_path(path, flat=flat), raw)
        return out

    return put


def _put(node: Any, parts: Parts, raw: Any) -> None:
    """Write `raw` at a path, so that `find` gives it back; objects on the way are made."""
    first, rest = parts[0], parts[1:]
    if isinstance(node, list):
        _put_in_list(node, first, rest, raw)
    elif isinstance(first, Select):
        node.setdefault(first.key, first.value)
        if rest:
            _put(node, rest, raw)
    elif not rest:
        node[first] = raw
    else:
        inner = node.get(first)
        if not isinstance(inner, dict | list):
            inner = node[first] = [] if isinstance(rest[0], Select) or isinstance(raw, list) else {}
        _put(inner, rest, raw)


def _put_in_list(node: list[Any], first: str | Select, rest: Parts, raw: Any) -> None:
    if isinstance(first, Select):
        chosen = [i for i in node if isinstance(i, dict) and str(i.get(first.key)) == first.value]
        if not chosen:
            chosen = [{first.key: first.value}]
            node.append(chosen[0])
        for item in chosen[:1]:
            if rest:
                _put(item, rest, raw)
        return
    if first.isdecimal():
        while len(node) <= int(first) < 100:
            node.append({} if rest else None)
        if not rest:
            node[int(first)] = raw
        else:
            _put(node[int(first)], rest, raw)
        return
    # A name met by a list: an object for each value, those that are there keep their other keys.
    wanted = raw if isinstance(raw, list) else [] if raw is None else [raw]
    kept = []
    for value in wanted:
        old = next(
            (i for i in node if isinstance(i, dict) and find(i, (first, *rest)) == value), {}
        )
        item = copy.deepcopy(old)
        _put(item, (first, *rest), value)
        kept.append(item)
    node[:] = kept
