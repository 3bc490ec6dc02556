"""What sets a folder of cards apart from one of calendar entries: how a file is read and changed.

Before: `vdir` and `vdir_push`, which are the same for both.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from crm_hub.sdk.formats.edit_lines import NotWritable
from crm_hub.sdk.formats.items import Item

_LOOK_AHEAD = timedelta(days=60)
_MAILS = (
    "it invites guests, and whoever carries this folder to a server would mail them; change it in "
    "the calendar program"
)
CARD_FIELDS = {
    **dict.fromkeys(
        ("file", "etag", "uid", "kind", "fn", "n.family", "n.given", "n.additional", "n.prefix",
         "n.suffix", "nickname", "org", "department", "title", "bday", "note", "gender", "rev",
         "photo", "brief", "timeline_url",
         *(f"adrs.0.{part}" for part in ("street", "city", "region", "postcode", "country"))),
        "string",
    ),
    **dict.fromkeys(("emails.value", "tels.value", "urls", "categories", "languages"), "array"),
}  # fmt: skip
ENTRY_FIELDS = {
    **dict.fromkeys(
        ("file", "etag", "kind", "uid", "summary", "description", "location", "status", "class",
         "zone", "last_modified", "url", "rule", "exceptions", "start", "end"),
        "string",
    ),
    "sequence": "integer", "all_day": "boolean", "recurring": "boolean", "organizer": "object",
    "organizer.address": "string",
    **dict.fromkeys(
        ("attendees", "attendees.address", "attendance", "rdates", "categories", "occurrences"),
        "array",
    ),
}  # fmt: skip


class Said(NamedTuple):
    """What a file says. payload: None for what is no record here. problem: why it is unreadable.

    goes_on: it says more when it is read again on a later day.
    """

    payload: dict[str, Any] | None = None
    problem: str = ""
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of folder.

    read: bytes → what they say. change: (bytes, path → value) → bytes. make: (path → value, key)
    → bytes of a new file; both raise NotWritable. objection: why a file must be left alone.
    """

    shape: str
    suffix: str
    fields: Mapping[str, str]
    read: Callable[[bytes], Said]
    change: Callable[[bytes, Mapping[str, Any]], bytes]
    make: Callable[[Mapping[str, Any], str], bytes]
    objection: Callable[[bytes], str] = lambda _raw: ""


def cards() -> Layout:
    """Return the layout of an address book."""
    from crm_hub.sdk.formats.edit_vcard import edit_card, new_card

    def make(fields: Mapping[str, Any], key: str) -> bytes:
        return new_card(fields, uid=key)

    return Layout("cards", ".vcf", CARD_FIELDS, _read_card, edit_card, make)


def _read_card(raw: bytes) -> Said:
    from crm_hub.sdk.formats.vcard import read_cards

    found = list(read_cards(io.BytesIO(raw)))
    if len(found) > 1:
        why = f"it holds {len(found)} cards, and a folder of this kind one in each file"
        return Said(problem=why)
    if not found:
        # A distribution list is no record; an empty file is none yet.
        return Said() if raw.strip() else Said(problem="the file is empty")
    one = found[0]
    return Said(one.payload) if isinstance(one, Item) else Said(problem=one.reason)


def entries(zone: str, now: datetime) -> Layout:
    """Return the layout of a calendar. zone: IANA name, of floating times."""
    from crm_hub.sdk.formats.edit_ical import edit_entry, informs_guests, new_entry
    from crm_hub.sdk.formats.ical_resource import horizon_of, read_resource

    horizon = horizon_of(now.astimezone(UTC), _LOOK_AHEAD)

    def read(raw: bytes) -> Said:
        found = read_resource(raw.decode("utf-8", "replace"), zone=zone, horizon=horizon)
        if found.payload is None:
            why = found.problems[0][1] if found.problems else "it holds no meeting and no task"
            return Said(problem=why)
        is_other = found.payload.get("kind") == "other"
        return Said(None if is_other else found.payload, goes_on=found.goes_on)

    def change(raw: bytes, fields: Mapping[str, Any]) -> bytes:
        return edit_entry(raw, fields, zone=zone, now=now)

    def make(fields: Mapping[str, Any], key: str) -> bytes:
        own = {path: value for path, value in fields.items() if path != "uid"}
        return new_entry(own, uid=str(fields.get("uid") or key), now=now, zone=zone)

    def objection(raw: bytes) -> str:
        try:
            return _MAILS if informs_guests(raw) else ""
        except NotWritable:
            return ""

    return Layout("entries", ".ics", ENTRY_FIELDS, read, change, make, objection)
