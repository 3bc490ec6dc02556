"""What an answer of the API holds: its records, and where the next page is.

Whatever does not fit the settings is said with what was found instead, never with its contents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from crm_hub.sdk import ConfigError
from crm_hub.sdk.http import Answer

MAX_BODY_BYTES = 12_000_000
_MAX_CONTAINERS = 150_000
_MAX_VALUES = 400_000
_MAX_CURSOR = 8_000
_LINK = re.compile(r"<([^<>]{1,8000})>\s*((?:;\s*[^,<>\";]*(?:\"[^\"]*\")?)*)")
_REL_NEXT = re.compile(r";\s*rel\s*=\s*(\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.I)


def getter(path: str) -> Callable[[Any], Any]:
    """Return the function that finds a dotted path in a JSON value, None where nothing is."""
    keys = path.split(".")
    if len(keys) == 1:
        return lambda node: node.get(path) if isinstance(node, dict) else None

    def walk(node: Any) -> Any:
        for key in keys:
            if isinstance(node, dict):
                node = node.get(key)
            elif isinstance(node, list) and key.isdigit() and len(key) < 6:
                node = node[int(key)] if int(key) < len(node) else None
            else:
                return None
        return node

    return walk


def document(answer: Answer, held: int) -> Any:
    """Return the JSON of an answer that fits into memory. Raises: ConfigError, Unavailable.

    A few bytes of JSON become many of objects, so those are counted before they are made.
    held: how many answers are in memory at the same time.
    """
    body = answer.body
    objects, values = _MAX_CONTAINERS // held, _MAX_VALUES // held
    if body.count(b"{") + body.count(b"[") > objects or body.count(b",") > values:
        raise ConfigError(
            f"{answer.where} answered with more than {objects:,} objects or {values:,} values"
            " at once",
            remedy="Ask for smaller pages: set paging, size_param and page_size.",
        )
    return answer.json()


def records_of(found: Any, path: str, where: str) -> list[Any]:
    """Return the list at `path`; null there is an empty one.

    Raises: ConfigError that says which lists there are instead.
    """
    node = found
    for key in path.split(".") if path else ():
        if not isinstance(node, dict) or key not in node:
            raise _no_list(where, path, f"has nothing at {path}", found)
        node = node[key]
    if node is None and path:
        return []
    if not isinstance(node, list):
        kind = "an object" if isinstance(node, dict) else "no list"
        raise _no_list(where, path, f"is {kind} at {path or 'its top'}", found)
    return node


def _no_list(where: str, path: str, what: str, found: Any) -> ConfigError:
    lists = list(_lists(found, "", 0))[:8]
    there = f"There are lists at: {', '.join(lists)}." if lists else "No list was found in it."
    return ConfigError(
        f"{where} {what}, where `records` expects the list of records",
        remedy=f"{there} Set it with: --set records=PATH",
    )


def _lists(node: Any, prefix: str, depth: int) -> Iterator[str]:
    if isinstance(node, list):
        yield prefix.rstrip(".") or "the top (leave records empty)"
    elif isinstance(node, dict) and depth < 3:
        for key in list(node)[:100]:
            if isinstance(key, str) and re.fullmatch(r"[\w-]{1,60}", key):
                yield from _lists(node[key], f"{prefix}{key}.", depth + 1)


def next_in(found: Any, path: str, where: str) -> str:
    """Return the next cursor or address that the body names, "" at the end of the list."""
    value = getter(path)(found)
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > _MAX_CURSOR:
        raise ConfigError(
            f"{where} holds no text or number at {path}, where `next` expects the next page",
            remedy="Correct the setting `next`; for an address set paging=link.",
        )
    return str(value)


def next_in_header(answer: Answer) -> str:
    """Return the target of `Link: <…>; rel="next"`, "" without one. Source: RFC 8288 section 3."""
    header = answer.headers.get("link", "")[: 4 * _MAX_CURSOR]
    for link in _LINK.finditer(header):
        if _REL_NEXT.search(link[2]):
            return link[1]
    return ""
