"""Mapping files as typed values: found, read, laid over each other, checked.

The only part of the room that touches the disk, in `read_layers`, `read_text` and
`builtin_folder`. Comes before plan.py, which compiles what is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crm_hub.data import data_folder
from crm_hub.mapping.check import Problem, problems
from crm_hub.mapping.language import Section, Sections
from crm_hub.model.errors import ConfigError
from crm_hub.yamltext import MAX_CHARS, Document, Mark, Place
from crm_hub.yamltext import read as read_document

_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_BY_NAME = ("fields", "links", "events")
_MAX_SHOWN = 5
_REMEDY = "Correct the file; docs/reference/mapping-language.md describes the language."


@dataclass(frozen=True, slots=True)
class MappingFile:
    """What one connector's records mean: its sections by shape, and the text they came from."""

    connector: str
    sections: dict[str, Section]
    document: Document

    def mark(self, *place: str | int) -> Mark:
        """Return where something of this file stands, by its path from the top."""
        return self.document.mark(place) or Mark(self.connector, 1, 1)


def builtin_folder() -> Path:
    """Return the folder of the mapping files that come with the hub."""
    return data_folder("mappings")


def read_layers(
    kind: str, folders: Sequence[Path], *, base_text: str | None = None, base_origin: str = ""
) -> MappingFile:
    """Return the mapping of a connector kind, each folder's file laid over the ones before it.

    The first layer is `base_text` (a connector that carries its own mapping) or the built-in
    file; then `<folder>/<kind>.yaml` of each folder that has one. No file at all: no sections.
    Raises: ConfigError naming file, line and column.
    """
    if not _KIND.fullmatch(kind):
        raise ConfigError(f"{kind!r} is no connector kind.", remedy="Use letters, digits, - and _.")
    layers = [path for folder in folders if (path := folder / f"{kind}.yaml").is_file()]
    documents = []
    if base_text is not None:
        documents.append(read_document(base_text, base_origin or f"{kind}/mapping.yaml"))
    elif (builtin := builtin_folder() / f"{kind}.yaml").is_file():
        layers.insert(0, builtin)
    documents += [read_document(read_text(path), str(path)) for path in layers]
    if not documents:
        return MappingFile(kind, {}, Document({}))
    for document in documents:
        _same_kind(kind, document)
    merged = documents[0]
    for document in documents[1:]:
        merged = _merged(merged, document)
    return _checked(_typed(merged))


def read_text(path: Path) -> str:
    """Return the text of a mapping file. Raises: ConfigError when it cannot be read as UTF-8."""
    try:
        with path.open("rb") as file:
            return file.read(4 * MAX_CHARS).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} could not be read ({type(error).__name__}).",
            remedy="The file must be readable by the hub and be UTF-8 text.",
        ) from error


def parse(text: str, origin: str, *, complete: bool = True) -> MappingFile:
    """Return the mapping in `text`; `origin` names it in errors.

    complete: also check the names of fields, entities and event types. False for a file that is
    only an overriding layer, whose sections may lean on the one below.
    Raises: ConfigError naming file, line and column.
    """
    file = _typed(read_document(text, origin))
    return _checked(file) if complete else file


def overlay(base: MappingFile, over: MappingFile) -> MappingFile:
    """Return `base` with all that `over` says, field by field, link by link, event by event.

    Any other key of a section is replaced whole; `null` takes a field, link or event out.
    Raises: ConfigError when the result is not a complete mapping of one connector.
    """
    _same_kind(base.connector, over.document)
    return _checked(_typed(_merged(base.document, over.document)))


def _same_kind(kind: str, document: Document) -> None:
    found = document.data.get("connector", kind)
    if found != kind:
        mark = document.mark(("connector",))
        raise ConfigError(
            f"{mark}: this file is for the connector {found!r}, not {kind!r}.", remedy=_REMEDY
        )


def _merged(base: Document, over: Document) -> Document:
    streams = dict(_object(base.data.get("streams")))
    for name, section in _object(over.data.get("streams")).items():
        below = streams.get(name)
        both = isinstance(below, dict) and isinstance(section, dict)
        streams[name] = _merged_section(below, section) if both else section
    data = {**base.data, **over.data, "streams": streams}
    return Document(data, {**base.marks, **over.marks})


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _merged_section(base: Any, over: Any) -> dict[str, Any]:
    out = {**base, **over}
    for key in _BY_NAME:
        below, above = base.get(key), over.get(key)
        if isinstance(below, dict) and (above is None or isinstance(above, dict)):
            out[key] = {**below, **(above or {})}
    return out


def _typed(document: Document) -> MappingFile:
    try:
        file = Sections.model_validate(document.data)
    except ValidationError as error:
        raise refused(document, problems_of(document, error)) from error
    return MappingFile(file.connector, file.streams, document)


def problems_of(document: Document, error: ValidationError, top: Place = ()) -> list[Problem]:
    """Return what the types found wrong, each at its place; `top` is where they began."""
    return [_problem(document, details, top) for details in error.errors(include_url=False)]


def _problem(document: Document, details: Any, top: Place) -> Problem:
    place: Place = (*top, *details["loc"])
    context = details.get("ctx", {})
    if details["type"] == "unknown_key":
        place = (*place, context["key"])
    elif details["type"] == "path":
        place = _place_of_text(document.data, place, context["path"]) or place
    message = str(details["msg"]).removeprefix("Value error, ")
    if details["type"] == "missing":
        place, message = place[:-1], f"the key {place[-1]!r} is missing"
    return Problem(place, message.replace("Input should be", "expected"))


def _place_of_text(data: Any, place: Place, text: str) -> Place | None:
    """Return where under `place` the scalar `text` stands first."""
    node = data
    for part in place:
        node = node[part]
    todo: list[tuple[Place, Any]] = [(place, node)]
    while todo:
        here, node = todo.pop()
        if node == text:
            return here
        if isinstance(node, dict):
            todo += reversed([((*here, key), value) for key, value in node.items()])
        elif isinstance(node, list):
            todo += reversed([((*here, index), value) for index, value in enumerate(node)])
    return None


def _checked(file: MappingFile) -> MappingFile:
    found = [
        problem for name, section in file.sections.items() for problem in problems(name, section)
    ]
    if found:
        raise refused(file.document, found)
    return file


def refused(document: Document, found: Iterable[Problem]) -> ConfigError:
    """Return the error that names each problem's file, line and column, at most five of them."""
    lines = []
    for problem in found:
        keys = ".".join(map(str, problem.place)) or "the file"
        lines.append(f"{document.mark(problem.place) or 'mapping'}: {keys}: {problem.message}.")
    more = len(lines) - _MAX_SHOWN
    shown = [*lines[:_MAX_SHOWN], f"… and {more} more."] if more > 0 else lines
    return ConfigError("\n".join(shown), remedy=_REMEDY)
