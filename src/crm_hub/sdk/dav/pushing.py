"""Writes to one collection: a resource is read, changed in place, put back if it has stayed.

    create    PUT If-None-Match: * to a name made of the idempotency key, so a repeat meets itself
    change    GET, change the bytes, PUT If-Match
    delete    DELETE If-Match

The version of an outcome is given only where the server then holds what was meant: some rewrite a
resource, and some give no etag to a PUT, so that what stands there is read back.
Source: RFC 9110 section 13.1; RFC 4791 section 5.3; RFC 6352 section 6.3.2.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from crm_hub.model.records import Payload
from crm_hub.sdk.contract import Outcome, Write
from crm_hub.sdk.dav import davxml
from crm_hub.sdk.dav.client import Dav
from crm_hub.sdk.dav.reading import Found, Reader
from crm_hub.sdk.formats.edit_lines import NotWritable
from crm_hub.sdk.http import Answer

_NAMESPACE = uuid.UUID("6f1d7f0e-41c5-5b0a-9a53-0a3a5a0f2c11")
_MISSING = frozenset({404, 410})
_SPACES = re.compile(r"\s+")


class Editor(Protocol):
    """Changes the texts of one kind of resource."""

    def change(self, raw: bytes, fields: Mapping[str, Any]) -> bytes:
        """Return the text with these values, else as it is. Raises: NotWritable."""

    def make(self, fields: Mapping[str, Any], uid: str) -> bytes:
        """Return a new text. Raises: NotWritable."""

    def objection(self, raw: bytes) -> str:
        """Return why this resource must be left alone, "" when it need not."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A resource as it stands at the server."""

    raw: bytes
    etag: str


def name_of(key: str, suffix: str) -> str:
    """Return the name of the resource that a write with this key creates: the same each time."""
    return f"{uuid.uuid5(_NAMESPACE, key)}{suffix}"


def same_etag(one: str | None, other: str | None) -> bool:
    """Whether two marks are one: some servers leave out the quotes in one place."""
    return bool(one) and (one or "").strip('"') == (other or "").strip('"')


class Pusher:
    """Makes the writes of one collection; `folder` is its path."""

    def __init__(self, dav: Dav, folder: str, reader: Reader, editor: Editor) -> None:
        self._dav, self._folder = dav, folder
        self._reader, self._editor = reader, editor

    def push(self, one: Write) -> Outcome:
        """Make one write. Raises: Unavailable, Throttled, AuthRefused when nobody knows."""
        try:
            if one.id is None:
                return self._create(one)
            return (
                self._delete(one, one.id)
                if one.operation == "delete"
                else self._change(one, one.id)
            )
        except NotWritable as error:
            return Outcome("rejected", one.id, reasons=error.reasons)

    # the three kinds ----------------------------------------------------------------------

    def _create(self, one: Write) -> Outcome:
        kind = self._dav.kind
        name = name_of(one.idempotency_key, kind.suffix)
        uid = str(one.fields.get("uid") or uuid.uuid5(_NAMESPACE, one.idempotency_key))
        fields = {path: value for path, value in one.fields.items() if path != "uid"}
        raw = self._editor.make(fields, uid)
        answer = self._dav.put(self._folder + name, raw, None)
        if answer.ok:
            return Outcome("applied", name, self._version(name, raw, answer, one.fields))
        there = self._held(name)
        if there is not None and answer.status in (403, 405, 409, 412):
            # What has this name was made with this key: an earlier send, whose answer got lost.
            return Outcome("duplicate", name, self._settled(name, there, one.fields))
        if answer.status in (409, 412) or "no-uid-conflict" in davxml.error_names(answer.body):
            why = f"another entry of this {kind.word} has this UID"
            return Outcome("rejected", None, reasons={"uid": why})
        return self._refused(one, answer)

    def _change(self, one: Write, name: str) -> Outcome:
        held = self._held(name)
        if held is None:
            return Outcome("gone", name)
        if one.guard is not None and not same_etag(one.guard, held.etag):
            return self._conflict(name, held)
        if why := self._editor.objection(held.raw) or _unguarded(held):
            return Outcome("rejected", name, reasons=dict.fromkeys(one.fields, why))
        raw = self._editor.change(held.raw, one.fields)
        if raw == held.raw:
            return Outcome("applied", name, held.etag)
        answer = self._dav.put(self._folder + name, raw, held.etag)
        if answer.ok:
            return Outcome("applied", name, self._version(name, raw, answer, one.fields))
        return self._not_made(one, name, answer)

    def _delete(self, one: Write, name: str) -> Outcome:
        held = self._held(name)
        if held is None:
            return Outcome("gone", name)
        if one.guard is not None and not same_etag(one.guard, held.etag):
            return self._conflict(name, held)
        if why := self._editor.objection(held.raw) or _unguarded(held):
            return Outcome("rejected", name, reasons={".": why})
        answer = self._dav.delete(self._folder + name, held.etag)
        return Outcome("applied", name) if answer.ok else self._not_made(one, name, answer)

    # what the server says -----------------------------------------------------------------

    def _held(self, name: str) -> _Held | None:
        answer = self._dav.exact(self._folder + name)
        if answer.status in _MISSING:
            return None
        if not answer.ok:
            raise NotWritable({".": f"the server gives it to nobody (status {answer.status})"})
        return _Held(answer.body, answer.headers.get("etag", ""))

    def _not_made(self, one: Write, name: str, answer: Answer) -> Outcome:
        if answer.status in _MISSING:
            return Outcome("gone", name)
        if answer.status == 412:
            there = self._held(name)
            return Outcome("gone", name) if there is None else self._conflict(name, there)
        return self._refused(one, answer)

    def _conflict(self, name: str, held: _Held) -> Outcome:
        return Outcome("conflict", name, held.etag or None, self._said(name, held))

    def _refused(self, one: Write, answer: Answer) -> Outcome:
        names = ", ".join(sorted(davxml.error_names(answer.body)))
        why = f"the server did not take it (status {answer.status}{': ' if names else ''}{names})"
        return Outcome("rejected", one.id, reasons=dict.fromkeys(one.fields or ["."], why))

    # what then stands there ---------------------------------------------------------------

    def _version(
        self, name: str, raw: bytes, answer: Answer, fields: Mapping[str, Any]
    ) -> str | None:
        """Return the etag of what was put, None where somebody else may have written since."""
        etag: str = answer.headers.get("etag", "")
        if etag and not etag.startswith("W/"):
            return etag
        there = self._held(name)
        if there is None:
            return None
        return there.etag if there.raw == raw else self._settled(name, there, fields)

    def _settled(self, name: str, there: _Held, fields: Mapping[str, Any]) -> str | None:
        """Return the etag of a resource that says what was meant: to write it again is nothing."""
        try:
            wanted = {path: value for path, value in fields.items() if path != "uid"}
            stays = self._editor.change(there.raw, wanted) == there.raw
        except NotWritable:
            return None
        return there.etag if stays and there.etag else None

    def _said(self, name: str, held: _Held) -> Payload | None:
        text = held.raw.decode("utf-8", "replace")
        found = Found(name, self._folder + name, held.etag, text)
        change = self._reader.read(found).change
        return change.payload if change is not None else None


def _unguarded(held: _Held) -> str:
    if not held.etag:
        return "the server gives it no etag, so that an edit made meanwhile could be lost"
    if held.etag.startswith("W/"):
        return "the server gives it a weak etag, so that an edit made meanwhile could be lost"
    return ""
