"""Paths: where a value stands in a payload. Parsed once, walked for each record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Select(NamedTuple):
    """A path part that picks, of a list of objects, those whose `key` is `value`."""

    key: str
    value: str


Parts = tuple[str | Select, ...]


def parse_path(path: str, *, flat: bool = False) -> Parts:
    """Return the parts of a path; none for `.`, one literal key when `flat`.

    Raises: ValueError for an empty part or an open bracket.
    """
    if path == ".":
        return ()
    if flat:
        return (path,)
    parts: list[str | Select] = []
    rest = path
    while True:
        part, rest = _take(rest, path)
        parts.append(part)
        if not rest:
            return tuple(parts)
        rest = rest[1:]


def _take(rest: str, path: str) -> tuple[str | Select, str]:
    if rest.startswith("["):
        inside, closed, after = rest[1:].partition("]")
        if not closed or not inside or (after and (after[0] != "." or len(after) == 1)):
            raise ValueError(f"the path {path!r} has a bracket that does not end a part")
        key, selects, value = inside.partition("=")
        return (Select(key, value) if selects else inside), after
    name, dot, after = rest.partition(".")
    if not name or (dot and not after):
        raise ValueError(f"the path {path!r} has an empty part; write [a.b] for a key with a dot")
    return name, dot + after


def compile_path(parts: Parts) -> Callable[[Any], Any]:
    """Return `find` for these parts, without its loop where they are one or two plain keys."""
    if not 1 <= len(parts) <= 2 or not all(isinstance(part, str) for part in parts):
        return lambda node: find(node, parts)
    first, last = parts[0], parts[-1]
    single = len(parts) == 1

    def one(node: Any) -> Any:
        return node.get(last) if type(node) is dict else find(node, parts)

    def two(node: Any) -> Any:
        inner = node.get(first) if type(node) is dict else None
        return inner.get(last) if type(inner) is dict else find(node, parts)

    return one if single else two


def find(node: Any, parts: Parts) -> Any:
    """Return what stands at a path, None where there is nothing.

    A name met by a list is looked up in each of its items, and gives a list.
    """
    for part in parts:
        if type(node) is dict:
            node = _in_object(node, part)
        elif type(node) is list:
            node = _in_list(node, part)
        else:
            return None
    return node


def _in_object(node: dict[str, Any], part: str | Select) -> Any:
    if type(part) is str:
        return node.get(part)
    return node if _selected(node, part) else None  # type: ignore[arg-type]


def _in_list(node: list[Any], part: str | Select) -> Any:
    if isinstance(part, Select):
        return [item for item in node if _selected(item, part)]
    if part.isdecimal() and part.isascii():
        index = int(part[:9])
        return node[index] if index < len(node) else None
    found: list[Any] = []
    for item in node:
        value = item.get(part) if type(item) is dict else None
        if type(value) is list:
            found.extend(value)
        elif value is not None:
            found.append(value)
    return found


def _selected(item: Any, part: Select) -> bool:
    return type(item) is dict and part.key in item and str(item[part.key]) == part.value
