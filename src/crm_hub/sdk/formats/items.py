"""What a file reader yields for each object it finds; the connector makes pages of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from crm_hub.model.records import Reject
from crm_hub.model.values import clean_text

MAX_ID = 500
_MAX_EXCERPT = 2_000


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a file.

    id: its key inside the stream. changed_at: the file's own time of the last change, aware.
    offset: where a later read goes on after this object; what it counts (bytes, files) is the
    reader's own, so it is only given back to the reader it came from.
    """

    id: str
    payload: dict[str, Any]
    changed_at: datetime | None
    offset: int


def excerpt(raw: bytes | bytearray | str) -> str:
    """Return the first 2,000 characters of an object that could not be read, fit to be stored."""
    head = raw[:_MAX_EXCERPT]
    return clean_text(head if isinstance(head, str) else head.decode("utf-8", "replace"))


def unreadable(
    id: str, place: str, reason: str, remedy: str, raw: bytes | bytearray | str
) -> Reject:
    """Return the Reject of an object that could not be read, with its beginning as excerpt."""
    return Reject(id, place, reason, remedy, excerpt(raw))


def nothing_found(stream: BinaryIO, mark: bytes, kind: str) -> Iterator[Reject]:
    """Yield one Reject when a file that is not empty does not even begin like its kind."""
    stream.seek(0)
    head = stream.read(64_000)
    if head.strip() and mark not in head.upper():
        remedy = f"Export the {kind} again, in UTF-8."
        yield unreadable("file", "the whole file", f"there is no {kind} in it", remedy, head)
