"""YAML text → plain data with the place of every node; the first thing that meets a mapping file.

Built on the parser's events instead of its constructors: no anchors, so no bombs; no tags, so no
objects; a depth and a size limit; and the line and column of each key for the errors to come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from crm_hub.model.errors import ConfigError

# The parser reads some 150,000 characters a second: any file is read or refused within 2 s.
MAX_CHARS = 250_000
MAX_NODES = 12_000
MAX_DEPTH = 24
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_FLOW_OPENERS = re.compile(r"[\[{]")
_MAX_OPENERS_A_LINE = 200

Place = tuple[str | int, ...]


class Mark(NamedTuple):
    """Where something stands in a file; line and column count from 1."""

    origin: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one file and the mark of each key and item in it, by path."""

    data: dict[str, Any]
    marks: dict[Place, Mark] = field(default_factory=dict)

    def mark(self, place: Place) -> Mark | None:
        """Return the mark of `place`, or of the nearest node around it."""
        for length in range(len(place), -1, -1):
            found = self.marks.get(place[:length])
            if found is not None:
                return found
        return None


def read_document(text: str, origin: str) -> Document:
    """Return the data of a YAML file whose top is a mapping (an empty file: no data).

    Raises: ConfigError with file, line and column for anything that is not plain data.
    """
    if len(text) > MAX_CHARS:
        raise ConfigError(
            f"{origin}: larger than {MAX_CHARS:,} characters.",
            remedy="A mapping file holds meaning, not data; split it by connector.",
        )
    _refuse_dense_lines(text, origin)
    try:
        return _Reader(origin).read(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise _bad(f"{origin}{at}: this is not YAML: {error.problem or error.context}.") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise _bad(f"{origin}: this is not YAML ({type(error).__name__}).") from error


def _refuse_dense_lines(text: str, origin: str) -> None:
    """The parser's cost grows with the square of the brackets open on one line."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _MAX_OPENERS_A_LINE and len(_FLOW_OPENERS.findall(line)) > (
            _MAX_OPENERS_A_LINE
        ):
            raise _bad(f"{origin}:{number}:1: too many brackets on one line.")


def _bad(message: str) -> ConfigError:
    return ConfigError(message, remedy="See docs/reference/mapping-language.md.")


class _Reader:
    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.marks: dict[Place, Mark] = {}
        self.nodes = 0

    def read(self, text: str) -> Document:
        events = YAML(typ="safe", pure=True).parse(text)
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(event, "a second document begins; one file is one document")
            elif isinstance(event, NodeEvent):
                data = self._node(event, events, ())
                if data is not None and not isinstance(data, dict):
                    self._fail(event, "the file must hold keys and values")
        self.marks.setdefault((), Mark(self.origin, 1, 1))
        return Document(data or {}, self.marks)

    def _node(self, event: Event, events: Iterator[Event], place: Place) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._fail(event, f"more than {MAX_NODES:,} keys and values")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            self._fail(event, "anchors (&) and aliases (*) are not allowed; write the value out")
        if getattr(event, "tag", None):
            self._fail(event, "tags (!) are not allowed; write plain text, numbers, true or false")
        if len(place) > MAX_DEPTH:
            self._fail(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, place)
        return self._mapping(events, place)

    def _sequence(self, events: Iterator[Event], place: Place) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            here = (*place, len(items))
            self._note(here, event)
            items.append(self._node(event, events, here))
        return items

    def _mapping(self, events: Iterator[Event], place: Place) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._fail(event, "a key must be a plain text")
            key = event.value
            if key == "<<":
                self._fail(event, "merge keys (<<) are not allowed; write the values out")
            if key in out:
                self._fail(event, f"the key {key!r} stands here twice")
            here = (*place, key)
            self._note(here, event)
            self._node_checks_key(event)
            out[key] = self._node(next(events), events, here)
        return out

    def _node_checks_key(self, event: ScalarEvent) -> None:
        if event.anchor or event.tag:
            self._fail(event, "anchors and tags are not allowed on keys")

    def _note(self, place: Place, event: Event) -> None:
        mark = event.start_mark
        self.marks[place] = Mark(self.origin, mark.line + 1, mark.column + 1)

    def _fail(self, event: Event, reason: str) -> NoReturn:
        mark = event.start_mark
        raise _bad(f"{self.origin}:{mark.line + 1}:{mark.column + 1}: {reason}.")


def _scalar(event: ScalarEvent) -> Any:
    """Return the value of a scalar by the YAML 1.2 core schema; quoted is always text."""
    text: str = event.value
    if event.style not in (None, ""):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
