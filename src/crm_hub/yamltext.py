"""YAML that people edit, read strictly: plain data, and where in the text each thing stands.

Serves hub.yaml and the mapping files. Built on the parser's events instead of its constructors:
no anchors, so no bombs; no tags, so no objects; a limit of depth and size; and the line and
column of each key and value for the errors to come. The events are libyaml's (YAML 1.1); what
plain words mean is ours: the core schema of YAML 1.2, where `no` and `12:30` are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from crm_hub.model.errors import ConfigError

MAX_CHARS = 250_000
MAX_NODES = 12_000
MAX_DEPTH = 24
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_HEX = re.compile(r"0x[0-9A-Fa-f]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_FLOW_OPENERS = re.compile(r"[\[{]")
_MAX_OPENERS_A_LINE = 200
_REMEDY = "Correct that line; indent with spaces, and quote text that holds ': ' or ' #'."

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
    """The data of one file, the mark of each key and item in it, and of each value, by place.

    A place is a tuple of keys and list indexes; the document itself is ().
    """

    data: dict[str, Any]
    marks: dict[Place, Mark] = field(default_factory=dict)
    values: dict[Place, Mark] = field(default_factory=dict)

    def mark(self, place: Place) -> Mark | None:
        """Return the mark of the key or item at `place`, or of the nearest one around it."""
        return _nearest(self.marks, place)

    def value_mark(self, place: Place) -> Mark | None:
        """Return the mark of the value at `place`, or of the nearest one around it."""
        return _nearest(self.values, place)


def _nearest(marks: dict[Place, Mark], place: Place) -> Mark | None:
    for length in range(len(place), -1, -1):
        found = marks.get(place[:length])
        if found is not None:
            return found
    return None


def read(text: str, origin: str, *, max_chars: int = MAX_CHARS) -> Document:
    """Return the data of a YAML text whose top is a mapping (an empty text: no data).

    origin: the file's name for messages.
    Raises: ConfigError with file, line and column for anything that is not plain data.
    """
    from yaml import MarkedYAMLError, YAMLError

    if len(text) > max_chars:
        raise ConfigError(
            f"{origin}: larger than {max_chars:,} characters.",
            remedy="Split it: this file holds settings and meaning, not data.",
        )
    _refuse_dense_lines(text, origin)
    try:
        return _Reader(origin).read(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        why = error.problem or error.context
        raise _bad(
            f"{origin}{at}: this is not YAML: {why}."
        ) from None  # its text repeats the input
    except (YAMLError, ValueError, RecursionError) as error:
        raise _bad(f"{origin}: this is not YAML ({type(error).__name__}).") from None


def _refuse_dense_lines(text: str, origin: str) -> None:
    """A parser's cost grows with the square of the brackets open on one line."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _MAX_OPENERS_A_LINE and len(_FLOW_OPENERS.findall(line)) > (
            _MAX_OPENERS_A_LINE
        ):
            raise _bad(f"{origin}:{number}:1: too many brackets on one line.")


def _bad(message: str) -> ConfigError:
    return ConfigError(message, remedy=_REMEDY)


class _Reader:
    """Walks the events of one document and notes where each node stands."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.marks: dict[Place, Mark] = {}
        self.values: dict[Place, Mark] = {}
        self.nodes = 0

    def read(self, text: str) -> Document:
        import yaml

        events = yaml.parse(text, Loader=yaml.CSafeLoader)
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(event, "a second document begins; one file is one document")
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, ())
                if data is not None and not isinstance(data, dict):
                    self._fail(event, "the file must hold keys and values")
        self.marks.setdefault((), Mark(self.origin, 1, 1))
        self.values.setdefault((), Mark(self.origin, 1, 1))
        return Document(data or {}, self.marks, self.values)

    def _node(self, event: Any, events: Iterator[Any], place: Place) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._fail(event, f"more than {MAX_NODES:,} keys and values")
        if getattr(event, "anchor", None):  # an alias has one too
            self._fail(event, "anchors (&) and aliases (*) are not allowed; write the value out")
        if getattr(event, "tag", None):
            self._fail(event, "tags (!) are not allowed; write plain text, numbers, true or false")
        if len(place) > MAX_DEPTH:
            self._fail(event, f"nested deeper than {MAX_DEPTH} levels")
        self.values[place] = self._mark(event)
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return _scalar(event)
        return (self._sequence if kind == "SequenceStartEvent" else self._mapping)(events, place)

    def _sequence(self, events: Iterator[Any], place: Place) -> list[Any]:
        items: list[Any] = []
        while type(event := next(events)).__name__ != "SequenceEndEvent":
            here = (*place, len(items))
            self.marks[here] = self._mark(event)
            items.append(self._node(event, events, here))
        return items

    def _mapping(self, events: Iterator[Any], place: Place) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while type(event := next(events)).__name__ != "MappingEndEvent":
            if type(event).__name__ != "ScalarEvent":
                self._fail(event, "a key must be a plain text")
            key = event.value
            if key == "<<":
                self._fail(event, "merge keys (<<) are not allowed; write the values out")
            if key in out:
                self._fail(event, f"the key {key!r} stands here twice")
            if event.anchor or event.tag:
                self._fail(event, "anchors and tags are not allowed on keys")
            here = (*place, key)
            self.marks[here] = self._mark(event)
            out[key] = self._node(next(events), events, here)
        return out

    def _mark(self, event: Any) -> Mark:
        mark = event.start_mark
        return Mark(self.origin, mark.line + 1, mark.column + 1)

    def _fail(self, event: Any, reason: str) -> NoReturn:
        raise _bad(f"{self._mark(event)}: {reason}.")


def _scalar(event: Any) -> Any:
    """Return the value of a scalar by the YAML 1.2 core schema; quoted is always text."""
    text: str = event.value
    if event.style not in (None, ""):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _HEX.fullmatch(text):
        return int(text, 16)
    return float(text) if _FLOAT.fullmatch(text) else text
