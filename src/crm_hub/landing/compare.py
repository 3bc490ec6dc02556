"""Holding a page of changes against what the store already knows of the same records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from crm_hub.model.errors import RecordError
from crm_hub.model.ids import bounded
from crm_hub.model.records import Change, Payload, Reject
from crm_hub.model.values import clean_json, clean_text, to_us

MAX_PAYLOAD_BYTES = 8_000_000
_GONE = b""
_NUL = b"\\u0000"
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19


Known = tuple[int, bytes, int | None]
"""What the store knows of a record: its number, content hash and source time in microseconds."""
_Found = tuple[int | None, bytes, int | None]
_UNKNOWN: _Found = (None, _GONE, None)


Ready = tuple[str, bytes, int | None, Any]
"""What was made of a change before it lands: its payload as it is stored, with its hash, its source
time in microseconds, and what the steps after this one need."""


class Arrival(NamedTuple):
    """One record as it lands. `id` is None for a record the hub has not seen before.

    hash is empty and payload None for a tombstone, whose last content the store keeps.
    made: what the steps after this one need, where it is made already.
    """

    id: int | None
    key: str
    hash: bytes
    version: str | None
    changed_at_us: int | None
    text: str
    payload: Payload | None
    made: Any = None

    @property
    def deleted(self) -> bool:
        return self.payload is None


@dataclass(slots=True)
class Landing:
    """What a page amounts to: arrivals to store, and how many changes need nothing.

    revived: how many of `changed` were deleted before. shared: keys under which the page gives
    different records; the last of each counts.
    """

    new: list[Arrival] = field(default_factory=list)
    changed: list[Arrival] = field(default_factory=list)
    seen_ids: list[int] = field(default_factory=list)
    unchanged: int = 0
    stale: int = 0
    repeats: int = 0
    revived: int = 0
    shared: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """By how many live records the stream has grown; negative when it has shrunk."""
        return len(self.new) + self.revived - sum(one.deleted for one in self.changed)


def fold(changes: Sequence[Change]) -> tuple[dict[str, Change], Landing]:
    """Return the page's changes by stored record key, and a landing that counts the repeats.

    Of two changes of one record the later in the page counts, unless it is certainly older.
    """
    landing = Landing()
    latest: dict[str, Change] = {}
    for change in changes:
        if not change.id:
            landing.rejects.append(
                Reject("", "a record without id", "the record has no id", "Name an id column.")
            )
            continue
        key = bounded(clean_text(change.id))
        before = latest.get(key)
        if before is not None:
            landing.repeats += 1
            if None not in (before.payload, change.payload) and before.payload != change.payload:
                landing.shared.append(key)
            if _is_older(change, before):
                continue
            del latest[key]
        latest[key] = change
    return latest, landing


def compare(
    latest: Mapping[str, Change],
    known: Mapping[str, Known],
    landing: Landing,
    ready: Mapping[int, Ready] = MappingProxyType({}),
) -> Landing:
    """Return `landing` filled with what is news, given what is `known` by record key.

    A change older than the known one, both times certain, is stale and ignored; but a record that
    was deleted is there again, however old the copy is that somebody put back. ready: what was made
    of some of the changes already, by the id() of the change.
    """
    for key, change in latest.items():
        try:
            _sort_in(key, change, known.get(key, _UNKNOWN), landing, ready.get(id(change)))
        except RecordError as error:
            landing.rejects.append(Reject(key, f"record {key}", error.message, error.remedy))
    return landing


def _is_older(change: Change, other: Change) -> bool:
    if change.changed_at is None or other.changed_at is None:
        return False
    return change.changed_at < other.changed_at


def _sort_in(
    key: str, change: Change, known: _Found, landing: Landing, ready: Ready | None
) -> None:
    if ready is not None:
        text, digest, changed_at_us, made = ready
    else:
        changed_at_us = None if change.changed_at is None else to_us(change.changed_at)
    number, content, known_us = known
    if number is not None:
        landing.seen_ids.append(number)
        if content != _GONE and _is_stale(changed_at_us, known_us):
            landing.stale += 1
            return
    if change.payload is None:
        if content == _GONE:
            landing.unchanged += 1
        else:
            landing.changed.append(
                Arrival(number, key, _GONE, change.version, changed_at_us, "", None)
            )
        return
    payload, raw = change.payload, b""
    if ready is None:
        payload, raw, digest = encode(payload)
    if content == digest:
        landing.unchanged += 1
        return
    if ready is None:
        text, made = raw.decode(), None
    landing.revived += number is not None and content == _GONE
    news = landing.new if number is None else landing.changed
    news.append(Arrival(number, key, digest, change.version, changed_at_us, text, payload, made))


def _is_stale(changed_at_us: int | None, known_us: int | None) -> bool:
    return changed_at_us is not None and known_us is not None and changed_at_us < known_us


def _is_odd(raw: bytes) -> bool:
    """Whether JSON may hold what a writer lets through: a NUL, an integer outside 64 bits."""
    return _NUL in raw or _LONG_NUMBER in raw.translate(_DIGITS)


def encode(payload: Payload) -> tuple[Payload, bytes, bytes]:
    """Return a payload as it is walked, as it is stored, and its hash. Raises: RecordError."""
    try:
        raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        raw = _NUL
    if _is_odd(raw):
        payload = clean_json(payload)
        raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise RecordError(
            f"the record is larger than {MAX_PAYLOAD_BYTES:,} bytes",
            remedy="Shorten it in the source, or leave its largest field out of the export.",
        )
    return payload, raw, blake2b(raw, digest_size=16).digest()
