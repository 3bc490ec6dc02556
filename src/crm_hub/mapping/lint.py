"""What is suspicious in a mapping file though nothing in it is wrong.

Runs over a typed file and the streams that a connector discovered; shown by the CLI.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

from crm_hub.mapping.check import field_names
from crm_hub.mapping.language import FieldRule, Section, all_paths
from crm_hub.mapping.outbound import refused
from crm_hub.mapping.prepare import preparation
from crm_hub.mapping.reading import MappingFile
from crm_hub.mapping.rulebooks import read_survivorship
from crm_hub.model.entities import ENTITIES
from crm_hub.model.errors import RecordError
from crm_hub.model.rules import Survivorship
from crm_hub.sdk.contract import StreamInfo
from crm_hub.yamltext import Mark


class Finding(NamedTuple):
    """One remark about a mapping file. warning: something is lost; note: worth knowing."""

    severity: Literal["warning", "note"]
    mark: Mark
    message: str

    def __str__(self) -> str:
        return f"{self.mark}: {self.severity}: {self.message}"


def lint(
    file: MappingFile, streams: Sequence[StreamInfo], survivorship: Survivorship | None = None
) -> list[Finding]:
    """Return what is suspicious in the file, in its order, then what streams lack in it.

    survivorship: the rules whose ladders name the known words of a field; the built-in ones when
    left out.
    """
    rules = read_survivorship() if survivorship is None else survivorship
    found: list[Finding] = []
    for name, section in file.sections.items():
        found += _section(file, name, section, rules)
    for stream in streams:
        found += _stream(file, stream)
    return found


def _section(
    file: MappingFile, name: str, section: Section, rules: Survivorship
) -> Iterator[Finding]:
    here = ("streams", name)
    if not section.tests:
        yield Finding("note", file.mark(*here), f"{name}: no golden test shows what comes out")
    if section.entity and not section.identity:
        mark = file.mark(*here)
        yield Finding("warning", mark, f"{name}: without `identity` no record is ever matched")
    for field, rule in section.fields.items():
        mark = file.mark(*here, "fields", field)
        for message in _field(section, field, rule, rules):
            yield Finding("warning", mark, f"{name}.{field}: {message}")


def _field(section: Section, field: str, rule: FieldRule, rules: Survivorship) -> Iterator[str]:
    entity = section.entity.default if section.entity else ""
    entities = section.entity.possible() if section.entity else []
    known = next((ENTITIES[e][field] for e in entities if field in ENTITIES[e]), None)
    if known is None:
        return
    if rule.dir != "pull" and (reason := refused(field, known, rule, entities)):
        yield f"{reason}; use dir: pull"
    ladder = rules[entity][field].order if field in ENTITIES[entity] else ()
    for call in rule.steps:
        if call.name == "enum" and ladder:
            strange = [str(ours) for ours in call.params.values() if ours not in (*ladder, None)]
            if strange:
                yield f"{', '.join(strange)} not among the known words: {', '.join(ladder)}"


def _stream(file: MappingFile, stream: StreamInfo) -> Iterator[Finding]:
    section = file.sections.get(stream.shape)
    if section is None:
        if stream.section is None:
            message = f"{stream.name}: no section for the shape {stream.shape!r}; it maps nothing"
            yield Finding("warning", file.mark("streams"), message)
        return
    mark = file.mark("streams", stream.shape)
    mapped = all_paths(section)
    given = _given_by_hook(stream.shape, section, list(stream.fields))
    if section.unknown != "drop":
        for path in stream.fields:
            names = [name for name, column in given.items() if column == path]
            if not any(_covers(one, name) for one in mapped for name in (path, *names)):
                yield Finding("note", mark, f"{stream.name}: nobody maps the field {path!r}")
    if stream.fields:
        yield from _absent(file, stream, section, [*stream.fields, *given])


def _given_by_hook(name: str, section: Section, columns: Sequence[str]) -> dict[str, str]:
    """Return what a table's hook adds to a row: name → column whose value it is, "" for others.

    Seen by a row in which each column holds its own name.
    """
    if not section.hook or not section.flat:
        return {}
    prepare = preparation(name, section.model_copy(update={"unknown": "keep"}))
    row = {column: column for column in columns}
    try:
        made = prepare(row) if prepare is not None else row
    except RecordError:
        return {}
    return {key: value if value in row else "" for key, value in made.items() if key not in row}


def _absent(
    file: MappingFile, stream: StreamInfo, section: Section, shown: Sequence[str]
) -> Iterator[Finding]:
    """A field whose paths are all strange to the source never gets a value."""
    for field in sorted(field_names(section) & set(section.fields)):
        paths = section.fields[field].at
        if paths and not any(_covers(path, one) for path in paths for one in shown):
            close = get_close_matches(paths[0], stream.fields, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            mark = file.mark("streams", stream.shape, "fields", field)
            message = f"{stream.name}: the source shows no field {paths[0]!r}{hint}"
            yield Finding("note", mark, message)


def _covers(one: str, other: str) -> bool:
    """Tell whether one of two paths is the other or an object around it."""
    return one in (other, ".") or one.startswith(f"{other}.") or other.startswith(f"{one}.")
