"""Reads the body of a form post: JSON, urlencoded or multipart, within bounds.

Pure; comes before `submission`, which gives the fields a meaning.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from crm_hub.sdk import HookRefused

_MAX_DEPTH = 20
_MAX_NAME = 200
# The standard library's reader of these headers fails on some RFC 2231 parameters.
_PARAMETER = re.compile(r';\s*([A-Za-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))')
_CHARSETS = frozenset(
    (
        "utf-8",
        "ascii",
        "koi8-r",
        "koi8-u",
        "shift_jis",
        "euc_jp",
        "euc_kr",
        "gbk",
        "gb18030",
        "big5",
    )
)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")


@dataclass(slots=True)
class Form:
    """Fields as typed: name → text, a list where a name repeats, anything where JSON was sent.

    envelope: what a JSON body says beside its `fields`. files: name, file name, type and size
    of uploads; their contents are not kept.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)


def read_form(content_type: str, body: bytes, max_fields: int) -> Form:
    """Return the fields of a form post.

    Raises: HookRefused 400 (unreadable), 413 (too many fields), 415 (another kind of body).
    """
    kind, parameters = _media_type(content_type)
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body, _charset(parameters), max_fields)
    if kind == "multipart/form-data":
        return _multipart(body, parameters.get("boundary", ""), max_fields)
    # sendBeacon and fetch in no-cors mode label their JSON as plain text.
    if kind.endswith(("/json", "+json")) or (kind == "text/plain" and body.lstrip()[:1] == b"{"):
        return _json(body, max_fields)
    raise HookRefused(
        "this kind of body is not read",
        status=415,
        remedy="Send application/json, application/x-www-form-urlencoded or multipart/form-data.",
    )


def _bad(reason: str) -> HookRefused:
    return HookRefused(reason, status=400, remedy="Send the form as UTF-8 and in one piece.")


def _check_count(count: int, max_fields: int) -> None:
    if count > max_fields:
        raise HookRefused(
            "the form has too many fields", status=413, remedy=f"Send at most {max_fields}."
        )


def _media_type(header: str) -> tuple[str, dict[str, str]]:
    """Return `text/html` and {"charset": …} of a Content-Type or Content-Disposition header."""
    kind = header.partition(";")[0].strip().lower()
    found = _PARAMETER.findall(header)
    return kind, {name.lower(): quoted or plain for name, quoted, plain in found}


def _charset(parameters: dict[str, str]) -> str:
    try:
        name = codecs.lookup(parameters.get("charset") or "utf-8").name
    except (LookupError, ValueError):
        name = ""
    if name not in _CHARSETS and not name.startswith(("iso8859-", "cp125")):
        raise _bad("the character set of the form is not one that browsers send")
    return name


def _decode(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset)
    except ValueError:  # UnicodeError is one
        raise _bad("the form is not in the character set it names") from None


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    if len(name) > _MAX_NAME:
        raise _bad("a field name is too long")
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def _urlencoded(body: bytes, charset: str, max_fields: int) -> Form:
    _check_count(body.count(b"&") + 1, max_fields)
    text = _decode(body, charset)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict")
    except ValueError:
        raise _bad("the form is not in the character set it names") from None
    form = Form()
    for name, value in pairs:
        _add(form.fields, name, value)
    return form


def _multipart(body: bytes, boundary: str, max_fields: int) -> Form:
    """RFC 7578 in one pass: counting delimiters first keeps a body of delimiters cheap."""
    if not _BOUNDARY.fullmatch(boundary):
        raise _bad("the multipart boundary is missing or malformed")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    body = b"\r\n" + body
    _check_count(body.count(delimiter) - 1, max_fields)
    _, *parts = body.split(delimiter)
    if not parts or not parts[-1].startswith(b"--"):
        raise _bad("the multipart body has no end")
    form = Form()
    for part in parts[:-1]:
        _add_part(form, part)
    return form


def _add_part(form: Form, part: bytes) -> None:
    padding, newline, rest = part.partition(b"\r\n")
    raw_head, blank, content = (b"\r\n" + rest).partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not newline or not blank:
        raise _bad("a part of the multipart body is malformed")
    head = _part_headers(raw_head)
    _, names = _media_type(head.get("content-disposition", ""))
    if "name" not in names:
        raise _bad("a part of the multipart body has no name")
    kind, parameters = _media_type(head.get("content-type", ""))
    if "filename" not in names:
        _add(form.fields, _name(names["name"]), _decode(content, _charset(parameters)))
    elif names["filename"] or content:
        form.files.append(_file(names, kind, len(content)))


def _part_headers(raw: bytes) -> dict[str, str]:
    lines = [line.partition(":") for line in _decode(raw, "utf-8").split("\r\n")]
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _name(text: str) -> str:
    # The HTML standard escapes these three in names, and a percent sign not at all.
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _file(names: dict[str, str], kind: str, size_bytes: int) -> dict[str, Any]:
    return {
        "field": _name(names["name"])[:_MAX_NAME],
        "filename": _name(names["filename"])[:_MAX_NAME],
        "content_type": kind[:_MAX_NAME] or "application/octet-stream",
        "size_bytes": size_bytes,
    }


def _json(body: bytes, max_fields: int) -> Form:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad("the body is not valid JSON") from None
    if not isinstance(data, dict):
        raise _bad("the body is not a JSON object")
    _check_json(data, max_fields)
    fields = data.get("fields")
    envelope = {name: value for name, value in data.items() if name != "fields"}
    if isinstance(fields, dict):
        return Form(fields, envelope)
    if isinstance(fields, list) and all(_is_pair(item) for item in fields):
        form = Form(envelope=envelope)
        for item in fields:
            _add(form.fields, item["name"], item.get("value"))
        return form
    return Form(data)


def _is_pair(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str)


def _check_json(data: dict[str, Any], max_fields: int) -> None:
    """Count the leaves and the depth without recursion."""
    leaves, level, depth = 0, [data], 0
    while level:
        depth += 1
        if depth > _MAX_DEPTH:
            raise _bad(f"the body nests deeper than {_MAX_DEPTH} levels")
        below: list[Any] = []
        for container in level:
            if isinstance(container, dict) and any(len(name) > _MAX_NAME for name in container):
                raise _bad("a field name is too long")
            values = list(container.values()) if isinstance(container, dict) else container
            nested = [value for value in values if isinstance(value, dict | list)]
            leaves += max(len(values), 1) - len(nested)
            below += nested
        _check_count(leaves, max_fields)
        level = below
