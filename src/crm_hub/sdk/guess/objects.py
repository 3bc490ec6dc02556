"""JSON objects nobody described: whose shape they have, which paths they hold, of what types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

_TYPES = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array",
    dict: "object", type(None): "null",
}  # fmt: skip
_MAX_FIELDS = 2_000
_MAX_PATHS = 2_000


def json_shape(sample: Sequence[Mapping[str, Any]]) -> str:
    """Return the shape of objects as HubSpot's API gives its contacts, "" for all others."""
    contacts = ("email", "firstname", "lastname", "phone", "hs_object_id")
    for record in sample:
        properties = record.get("properties")
        if not isinstance(properties, dict) or "id" not in record:
            return ""
        if "dealname" in properties or "domain" in properties:
            return ""
        if any(name in properties for name in contacts):
            return "hubspot_contacts_json"
    return ""


def columns_of(sample: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the paths a guess may use: top-level keys, and those of `properties` below it."""
    paths: dict[str, None] = {}
    for record in sample:
        for key, value in record.items():
            inner = value if key in ("properties", "fields", "attributes") else None
            if isinstance(inner, dict):
                paths.update((f"{key}.{name}", None) for name in inner if _plain(name))
            elif _plain(key) and not isinstance(value, dict | list):
                paths[key] = None
    return list(islice(paths, _MAX_PATHS))


def _plain(key: str) -> bool:
    return bool(key) and not set(key) & set(".[]") and len(key) <= 200


def field_types(sample: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return path → JSON type over a sample, sorted; a type beats null, the first one counts."""
    found: dict[str, str] = {}
    for payload in sample:
        for path, kind in _paths(payload, "", 0):
            if len(found) < _MAX_FIELDS and found.get(path, "null") == "null":
                found[path] = kind
    return dict(sorted(found.items()))


def _paths(node: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 3:
            yield from _paths(value, path + ".", depth + 1)
        else:
            yield path, _TYPES.get(type(value), "string")
