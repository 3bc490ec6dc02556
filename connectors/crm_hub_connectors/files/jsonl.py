"""JSON, one object a line (.jsonl, .ndjson) or a short array of objects (.json).

Large exports come this way, so the loop over lines is kept to the few steps that each record
needs. What the objects mean is decided from a sample, in `plans`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.items import MAX_ID, Item, unreadable
from crm_hub_connectors.files.tabular import row_hash

MAX_LINE = 1_000_000
MAX_DOCUMENT = 8_000_000
_MAX_PARTS = 1_000_000
_HEAD_BYTES = 65_536
_BOM = b"\xef\xbb\xbf"
_IDS = ("id", "key", "_id", "uuid", "Id", "ID", "record_id", "recordId", "email", "Email")
_CHANGED = (
    "updatedAt", "updated_at", "modified_at", "modifiedAt", "lastModified", "last_modified",
    "LastModifiedDate", "changed_at", "update_time", "updated",
)  # fmt: skip
_LISTS = ("results", "data", "items", "records", "value")
_REMEDY = "Correct the line, or export the data again."


def read_jsonl(path: Path, zone: tzinfo, start: int = 0) -> Iterator[Item | Reject]:
    """Yield the objects of a file after byte `start`; an offset is the byte after the line.

    A line that is no JSON object becomes a Reject, with its number.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if _is_document(head, path):
            yield from _document_items(path, zone, start)
            return
        offset = len(_BOM) if head.startswith(_BOM) else 0
        number = 0
        stream.seek(offset)
        if start > offset:
            number = _lines_before(stream, offset, start)
            offset = start
        yield from _line_items(stream, zone, offset, number)


def _is_document(head: bytes, path: Path) -> bool:
    """Tell a JSON document from JSON lines: an array, or one object in the whole file."""
    first, _, rest = head.removeprefix(_BOM).lstrip().partition(b"\n")
    if path.suffix.lower() == ".json":
        return first.startswith(b"[") or not rest.strip() or not _is_json(first)
    return first.startswith(b"[") and not _is_json(first)


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _lines_before(stream: BinaryIO, first: int, start: int) -> int:
    """Return how many lines stand before byte `start`, and leave the stream there."""
    count, left = 0, start - first
    while left > 0 and (block := stream.read(min(left, MAX_LINE))):
        count += block.count(b"\n")
        left -= len(block)
    return count


def _line_items(
    stream: BinaryIO, zone: tzinfo, offset: int, number: int
) -> Iterator[Item | Reject]:
    loads, readline = orjson.loads, stream.readline
    while line := readline(MAX_LINE):
        offset += len(line)
        number += 1
        if len(line) == MAX_LINE and line[-1] != 10 and (more := _rest_of_line(stream)):
            offset += more
            yield _bad_line(number, "the line is longer than 1 MB", line)
            continue
        if line.isspace():
            continue
        try:
            record = loads(line)
        except orjson.JSONDecodeError as error:
            yield _bad_line(number, f"the line is not JSON ({error.msg})", line)
            continue
        if type(record) is not dict:
            yield _bad_line(number, "the line holds no JSON object", line)
            continue
        yield Item(_id(record), record, _changed_at(record, zone), offset)


def _rest_of_line(stream: BinaryIO) -> int:
    length = 0
    while block := stream.readline(MAX_LINE):
        length += len(block)
        if block[-1] == 10:
            break
    return length


def _bad_line(number: int, reason: str, line: bytes) -> Reject:
    return unreadable(f"line:{number}", f"line {number}", reason, _REMEDY, line)


def _id(record: dict[str, Any]) -> str:
    """Return the record's own id as text, else a hash of its content."""
    value = record.get("id")
    if type(value) is str and value and len(value) <= MAX_ID and value.isprintable():
        return value
    for name in _IDS:
        value = record.get(name)
        if type(value) is int:
            return str(value)
        if type(value) is str and value.strip() and len(value) <= MAX_ID and value.isprintable():
            return value
    return row_hash(record)


def _changed_at(record: dict[str, Any], zone: tzinfo) -> datetime | None:
    for name in _CHANGED:
        if name in record:
            try:
                moment = datetime.fromisoformat(record[name])
            except (TypeError, ValueError):
                continue
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return None


def _document_items(path: Path, zone: tzinfo, start: int) -> Iterator[Item | Reject]:
    """Yield the objects of one JSON document; an offset counts objects."""
    reason, objects = _document(path)
    if reason:
        remedy = "Export one object a line (.jsonl), or in smaller files."
        yield unreadable("document", "the whole file", reason, remedy, b"")
        return
    for offset, record in enumerate(objects, 1):
        if offset <= start:
            continue
        if type(record) is dict:
            yield Item(_id(record), record, _changed_at(record, zone), offset)
        else:
            reason = "the element is no JSON object"
            place = f"element {offset}"
            yield unreadable(f"element:{offset}", place, reason, _REMEDY, repr(record)[:2_000])


def _document(path: Path) -> tuple[str, list[Any]]:
    """Return ("", objects) of a document, or the reason why it cannot be read."""
    if path.stat().st_size > MAX_DOCUMENT:
        return f"the JSON document is longer than {MAX_DOCUMENT // 1_000_000} MB", []
    raw = path.read_bytes().removeprefix(_BOM)
    # Millions of tiny values would take fifty times the file's size in memory.
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > _MAX_PARTS:
        return f"the JSON document has more than {_MAX_PARTS:,} values", []
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return f"the file is not JSON ({error.msg}, line {error.lineno})", []
    if isinstance(document, dict):
        lists = [document[name] for name in _LISTS if isinstance(document.get(name), list)]
        document = lists[0] if len(lists) == 1 else [document]
    return "", document if isinstance(document, list) else [document]


def sample_of(path: Path, zone: tzinfo, count: int) -> list[dict[str, Any]]:
    """Return the payloads of the first objects that can be read."""
    found = islice(read_jsonl(path, zone), count)
    return [item.payload for item in found if isinstance(item, Item)]
