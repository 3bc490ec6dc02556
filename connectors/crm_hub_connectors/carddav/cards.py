"""A resource becomes a record: the card as it came, and what it says. And back again.

A picture is not kept in the hub, where it would be stored with each version of the record; the
server keeps it, through every change that is written there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm_hub.sdk import Change, Payload, Reject, Window
from crm_hub.sdk.dav.client import Dav
from crm_hub.sdk.dav.discovery import Collection
from crm_hub.sdk.dav.reading import Found, Read
from crm_hub.sdk.formats.edit_lines import NotWritable, Text, head_of
from crm_hub.sdk.formats.edit_vcard import edit_card, new_card
from crm_hub.sdk.formats.items import unreadable
from crm_hub.sdk.formats.vcard import card_payload

MAX_CARD = 10_000_000
MAX_BINARY = 4_000
FIELDS = {
    "href": "string", "etag": "string", "vcard": "string", "uid": "string", "kind": "string",
    "fn": "string", "n.prefix": "string", "n.given": "string", "n.additional": "string",
    "n.family": "string", "n.suffix": "string", "nickname": "string", "org": "string",
    "department": "string", "title": "string", "emails.value": "array", "tels.value": "array",
    "urls": "array", "adrs": "array",
    "bday": "string", "note": "string", "categories": "array", "photo": "string",
    "gender": "string", "languages": "array", "rev": "string", "picture": "string",
    "brief": "string", "timeline_url": "string",
}  # fmt: skip
_BINARY = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
_NAMING = ("fn", "n", "org", "emails", "tels")
_NOT_GIVEN = (
    "It is asked for again each day. If it stays so, open the card in the address book, and save "
    "it anew or delete it."
)
_REMEDY = "Correct or delete the card in the address book; it then comes in by itself."


class CardReader:
    """Makes records of cards."""

    def __init__(self, now: datetime) -> None:
        self.day = now.astimezone(UTC).date().isoformat()

    def read(self, found: Found) -> Read:
        """Return the record of a card; one that cannot be read as Reject.

        A card of kind group is a distribution list: it names others and gives no record.
        """
        if found.gone:
            return Read(Change(found.name, None), False, [])
        if found.text is None:
            reject = Reject(found.name, found.href, found.reason, _NOT_GIVEN)
            return Read(None, True, [reject])
        raw = found.text.encode("utf-8", "replace")
        payload = card_payload(raw) if len(raw) <= MAX_CARD else {}
        reason = _problem(raw, payload)
        if reason:
            reject = unreadable(found.name, found.href, reason, _REMEDY, found.text)
            return Read(None, False, [reject])
        if payload["kind"] == "group":
            return Read(Change(found.name, None), False, [])
        if payload["kind"] != "org":
            payload["kind"] = "individual"  # a place or a device is somebody to call, too
        changed_at = _moment(payload["rev"])
        said = {"href": found.href, "etag": found.etag, **_kept(raw), **payload}
        change = Change(found.name, said, changed_at, found.etag or None)
        return Read(change, False, [])

    def within(self, dav: Dav, collection: Collection, window: Window) -> set[str] | None:
        """Return None: no server tells which cards were changed in a span of time."""
        return None

    def lies_in(self, read: Read, window: Window) -> bool:
        """Tell whether a card says that it was changed in the span."""
        moment = read.change.changed_at if read.change is not None else None
        return moment is not None and window.since <= moment < window.until


class CardEditor:
    """Changes the texts of cards."""

    def change(self, raw: bytes, fields: Mapping[str, Any]) -> bytes:
        """Return the card with these values, else as it is. Raises: NotWritable."""
        return edit_card(raw, fields)

    def make(self, fields: Mapping[str, Any], uid: str) -> bytes:
        """Return a new card. Raises: NotWritable."""
        return new_card(fields, uid=uid)

    def objection(self, _raw: bytes) -> str:
        """Return "": nobody is told when a card is changed."""
        return ""


def _problem(raw: bytes, payload: Payload) -> str:
    upper = raw.upper()
    if len(raw) > MAX_CARD:
        return f"it is larger than {MAX_CARD:,} bytes"
    if b"BEGIN:VCARD" not in upper or b"END:VCARD" not in upper:
        return "it is no whole card"
    if payload["kind"] != "group" and not any(payload[name] for name in _NAMING):
        return "the card names nobody: no name, organization, e-mail address or phone number"
    return ""


def _kept(raw: bytes) -> Payload:
    """Return the card without the bytes of its pictures, and a mark of the first one."""
    if len(raw) <= MAX_BINARY:
        return {"vcard": raw.decode(), "picture": ""}
    try:
        text = Text(raw)
    except NotWritable:
        return {"vcard": "", "picture": ""}
    picture = ""
    for piece in text.pieces:
        if piece.name in _BINARY and len(piece.raw) > MAX_BINARY:
            digest = hashlib.sha256(piece.raw).hexdigest()[:32]
            picture = picture or digest
            piece.raw = head_of(piece.raw) + f"(kept at the server: {digest})\n".encode()
    return {"vcard": bytes(text).decode("utf-8", "replace"), "picture": picture}


def _moment(text: str) -> datetime | None:
    """Return a REV time; one without a zone is UTC, as RFC 6350 writes it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
