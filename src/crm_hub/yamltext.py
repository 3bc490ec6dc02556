"""YAML that people edit, read strictly: plain values, and where in the text each one stands.

Comes before config, which turns the positions into error messages. Refused with line and column:
keys given twice, anchors and aliases (a small file can unfold to gigabytes), tags, deep nesting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm_hub.model.errors import ConfigError

Path = tuple[str | int, ...]
_MAX_DEPTH = 20
_MAX_CHARS = 64_000  # ruamel reads about 50,000 characters a second
_TAG = "tag:yaml.org,2002:"
_KINDS = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
_TAGS = {"", *(_TAG + kind for kind in _KINDS)}


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document: its plain value, and path → (line, column) of each key and item, from 1.

    Paths are tuples of keys and list indexes; the document itself is ().
    """

    value: Any
    keys: Mapping[Path, tuple[int, int]]
    values: Mapping[Path, tuple[int, int]]

    def where(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at `path` (of its key, if asked), or of the nearest
        thing around it that the text does hold."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))


def read(text: str, origin: str) -> Document:
    """Return the one document in `text`; an empty text gives the value None.

    origin: the file's name for messages.
    Raises: ConfigError with file, line and column for anything that is not plain YAML.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > _MAX_CHARS:
        raise ConfigError(
            f"{origin} has {len(text)} characters; {_MAX_CHARS} are allowed.",
            remedy="Split it: data does not belong into this file.",
        )
    try:
        root = _compose(text)
        reader = _Reader(origin)
        return Document(reader.value(root, ()), reader.keys, reader.values)
    except MarkedYAMLError as error:
        raise _not_yaml(error, origin) from None  # the text of the error repeats the input
    except (YAMLError, ValueError) as error:
        raise ConfigError(
            f"{origin} cannot be read as YAML ({type(error).__name__}).",
            remedy="It must be plain UTF-8 text without control characters or deep nesting.",
        ) from None


def _compose(text: str) -> Any:
    """Return the tree of nodes; bombs of brackets or aliases are stopped on the way."""
    from ruamel.yaml import YAML
    from ruamel.yaml.composer import Composer, ComposerError

    class PlainComposer(Composer):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            event = self.parser.peek_event()
            if self.depth > _MAX_DEPTH:
                refused = f"nested deeper than {_MAX_DEPTH} levels"
                raise ComposerError(None, None, refused, event.start_mark)
            if getattr(event, "anchor", None):  # an alias has one too
                refused = "anchors and aliases (& and *) are not used here"
                raise ComposerError(None, None, refused, event.start_mark)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    yaml = YAML(pure=True)
    yaml.Composer = PlainComposer
    return yaml.compose(text)


class _Reader:
    """Walks the composed nodes once and notes where each stands."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.keys: dict[Path, tuple[int, int]] = {}
        self.values: dict[Path, tuple[int, int]] = {}

    def value(self, node: Any, path: Path) -> Any:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        if node is None:
            return None
        self.values[path] = _position(node)
        if str(node.tag or "") not in _TAGS:
            raise self._error(node, "tags (!) are not used here")
        if isinstance(node, MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, n)) for n, item in enumerate(node.value)]
        return self._scalar(node)

    def _pairs(self, node: Any, path: Path) -> Iterator[tuple[str, Any]]:
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key == "<<":
                raise self._error(key_node, "a key must be plain text")
            here = (*path, key)
            if here in self.keys:
                raise self._error(key_node, f"{key!r} is given twice")
            self.keys[here] = _position(key_node)
            yield key, self.value(value_node, here)

    def _scalar(self, node: Any) -> Any:
        kind, text = str(node.tag or "").removeprefix(_TAG), str(node.value)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind in ("int", "float"):
            return self._number(node, kind, text.replace("_", ""))
        return text  # a date stays text too: the setting's own type reads it

    def _number(self, node: Any, kind: str, text: str) -> int | float:
        try:
            return int(text, 0) if kind == "int" else float(text.replace(".inf", "inf"))
        except ValueError:
            pass
        try:
            return int(text)  # "007", which int(text, 0) refuses
        except ValueError:
            raise self._error(node, "not a usable number; quote it if it is text") from None

    def _error(self, node: Any, what: str) -> ConfigError:
        line, column = _position(node)
        return ConfigError(f"{self.origin}:{line}:{column}: {what}.", remedy="Correct that line.")


def _position(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _not_yaml(error: Any, origin: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    place = f"{origin}:{mark.line + 1}:{mark.column + 1}" if mark else origin
    return ConfigError(
        f"{place}: not valid YAML: {error.problem or error.context}.",
        remedy="Correct that line; indent with spaces, and quote text that holds ': ' or ' #'.",
    )
