"""The two rule files beside the mappings: who wins a field, and what is no sign of one person.

Both are read in layers like a mapping file; the values go to merge and resolve through
crm_hub.model.rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from crm_hub.mapping.reading import MappingFile, builtin_folder, read_text
from crm_hub.mapping.shortforms import near, parse_win
from crm_hub.model.entities import ENTITIES
from crm_hub.model.errors import ConfigError
from crm_hub.model.rules import LATEST, UNION, Bands, IdentityRules, Survivorship, Win
from crm_hub.yamltext import Document, Place
from crm_hub.yamltext import read as read_document

_LISTS = (
    "role_local_parts", "free_domains", "honorifics", "junk_local_parts", "junk_emails",
    "junk_phones",
)  # fmt: skip
_REMEDY = "Correct the file; docs/reference/mapping-language.md describes it."


def read_survivorship(
    folders: Sequence[Path] = (), mappings: Mapping[str, MappingFile] = MappingProxyType({})
) -> Survivorship:
    """Return the rule of every canonical field, by entity.

    The built-in survivorship.yaml first, then `win` in the mappings of the connections, then the
    survivorship.yaml of each folder, field by field. A field that nobody names: `latest`, and
    `union` where it holds many.
    Raises: ConfigError naming file, line and column, or two mappings that contradict each other.
    """
    rules: Survivorship = {
        entity: {name: UNION if field.many else LATEST for name, field in fields.items()}
        for entity, fields in ENTITIES.items()
    }
    built_in, *own = [
        _rules_of(document, rules)
        for document in _layers("survivorship.yaml", folders, ("version", "entities"))
    ]
    said = {(entity, name) for layer in own for entity in layer for name in layer[entity]}
    wins = {place: found for place, found in _wins(mappings).items() if place not in said}
    for layer in (built_in, _agreed(wins), *own):
        for entity, found in layer.items():
            rules[entity] |= found
    return rules


def _rules_of(document: Document, entities: Mapping[str, Any]) -> Survivorship:
    """Return the rules that one file gives."""
    for entity in _object(document, ("entities",)):
        if entity not in entities:
            _fail(document, ("entities", entity), f"no such entity; {near(entity, entities)}")
    return {entity: _entity_rules(document, entity) for entity in _object(document, ("entities",))}


_Wins = dict[tuple[str, str], dict[Win, str]]


def _wins(mappings: Mapping[str, MappingFile]) -> _Wins:
    """Return (entity, field) → what mappings say of it, each with the connection that says it."""
    found: _Wins = {}
    for connection, file in mappings.items():
        for section in file.sections.values():
            for entity in section.entity.possible() if section.entity else ():
                for name, rule in section.fields.items():
                    if rule.win is not None and name in ENTITIES.get(entity, {}):
                        found.setdefault((entity, name), {}).setdefault(rule.win, connection)
    return found


def _agreed(wins: _Wins) -> Survivorship:
    """Return what the mappings say. Raises: ConfigError where two of them say different things."""
    rules: Survivorship = {}
    for (entity, name), found in wins.items():
        if len(found) > 1:
            names = " and ".join(sorted(found.values()))
            raise ConfigError(
                f"the mappings of {names} say different things of who wins in {entity}.{name}",
                remedy="Say it in mappings/survivorship.yaml beside hub.yaml; that file decides.",
            )
        rules.setdefault(entity, {})[name] = next(iter(found))
    return rules


def _entity_rules(document: Document, entity: str) -> dict[str, Win]:
    """Return the rules that one file gives for one entity."""
    rules = {}
    for name, win in _object(document, ("entities", entity)).items():
        place = ("entities", entity, name)
        if name not in ENTITIES[entity]:
            _fail(document, place, f"no such field; {near(name, ENTITIES[entity])}")
        try:
            rules[name] = parse_win(win)
        except ValueError as error:
            _fail(document, place, str(error))
    return rules


def read_identity(folders: Sequence[Path] = ()) -> IdentityRules:
    """Return the rules of identity: the built-in identity.yaml, changed by that of each folder.

    A list replaces the one below; `{add: [...], remove: [...]}` changes it.
    Raises: ConfigError naming file, line and column.
    """
    lists: dict[str, frozenset[str]] = dict.fromkeys(_LISTS, frozenset())
    cap, bands = IdentityRules().holders_cap, Bands()
    for document in _layers("identity.yaml", folders, ("version", "thresholds", *_LISTS)):
        for name in _LISTS:
            if name in document.data:
                lists[name] = _changed(document, name, lists[name])
        thresholds = _object(document, ("thresholds",))
        _known_keys(document, ("thresholds",), thresholds, ("holders_cap", *Bands._fields))
        cap = _count(document, "holders_cap", thresholds.get("holders_cap", cap))
        bands = _bands(document, bands, thresholds)
    return IdentityRules(**lists, holders_cap=cap, bands=bands)


def _bands(document: Document, below: Bands, thresholds: dict[str, Any]) -> Bands:
    given: dict[str, Any] = {}
    for name in Bands._fields:
        if name not in thresholds:
            continue
        value = thresholds[name]
        if name in ("bridge_size", "cluster_cap"):
            given[name] = _count(document, name, value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 60:
            _fail(document, ("thresholds", name), "expected bits, a number from -60 to 60")
        else:
            given[name] = float(value)
    bands = below._replace(**given)
    if bands.review > bands.link:
        _fail(document, ("thresholds",), "`review` must not be above `link`")
    return bands


def _layers(name: str, folders: Sequence[Path], allowed: tuple[str, ...]) -> Iterator[Document]:
    for folder in (builtin_folder(), *folders):
        path = folder / name
        if path.is_file():
            document = _document(read_text(path), str(path))
            _known_keys(document, (), document.data, allowed)
            if document.data.get("version") != 1:
                _fail(document, ("version",), "the file must say `version: 1`")
            yield document


@lru_cache(maxsize=8)
def _document(text: str, origin: str) -> Document:
    """Return the data of a rule file: the built-in ones are the same for every hub."""
    return read_document(text, origin)


def _known_keys(
    document: Document, place: Place, data: dict[str, Any], allowed: tuple[str, ...]
) -> None:
    for key in data:
        if key not in allowed:
            _fail(document, (*place, key), f"unknown key; {near(key, allowed)}")


def _object(document: Document, place: Place) -> dict[str, Any]:
    node: Any = document.data
    for part in place:
        node = node.get(part) or {}
    if not isinstance(node, dict):
        _fail(document, place, "expected keys and values")
    return node


def _changed(document: Document, name: str, below: frozenset[str]) -> frozenset[str]:
    value = document.data[name]
    if not isinstance(value, dict):
        return _texts(document, (name,), value)
    _known_keys(document, (name,), value, ("add", "remove"))
    added = _texts(document, (name, "add"), value.get("add", []))
    return (below | added) - _texts(document, (name, "remove"), value.get("remove", []))


def _texts(document: Document, place: Place, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or any(isinstance(v, dict | list | bool) for v in value):
        _fail(document, place, "expected a list of texts")
    return frozenset(str(item).strip().lower() for item in value if item is not None)


def _count(document: Document, name: str, value: Any) -> int:
    if type(value) is not int or not 2 <= value <= 1_000_000:
        _fail(document, ("thresholds", name), "expected a whole number from 2 up")
    return int(value)


def _fail(document: Document, place: Place, reason: str) -> NoReturn:
    keys = ".".join(map(str, place)) or "the file"
    raise ConfigError(f"{document.mark(place)}: {keys}: {reason}.", remedy=_REMEDY)
