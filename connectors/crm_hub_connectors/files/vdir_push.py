"""Writes one card of a folder: read, held against its guard, changed in place, put back at once.

A file is never seen half written: the new content lies beside it under a hidden name, is on the
disk before it takes the old one's place, and is read back. A new card is named by the write's key,
so that sending it again finds it there.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crm_hub.sdk import ConfigError, Outcome, Unavailable, Write
from crm_hub.sdk.formats.edit_lines import NotWritable
from crm_hub.sdk.formats.edit_vcard import edit_card, new_card
from crm_hub_connectors.files import swap, vdir

_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def name_of(key: str) -> str:
    """Return the file name of the card that is created with this key."""
    return f"{key}{vdir.SUFFIX}"


class Writer:
    """Writes into one folder. connection: its name, for messages."""

    def __init__(self, path: Path, connection: str) -> None:
        self._path, self._connection = path, connection

    def write(self, one: Write) -> Outcome:
        """Return what became of a write. Raises: ConfigError, Unavailable."""
        try:
            if one.operation not in ("upsert", "delete"):
                return Outcome("rejected", one.id, reasons={".": "cards are not merged"})
            name = name_of(one.idempotency_key) if one.id is None else one.id
            if not vdir.is_item(name):
                return Outcome("gone", one.id)
            swap.drop(swap.beside(self._path / name))  # what a crash has left
            return self._create(one, name) if one.id is None else self._change(one, name)
        except NotWritable as refusal:
            return Outcome("rejected", one.id, reasons=refusal.reasons)
        except OSError as error:
            raise self._failed(error) from error

    def _create(self, one: Write, name: str) -> Outcome:
        if (there := self._held(name)) is not None:
            return Outcome("duplicate", name, _version_if(edit_card, there, one.fields))
        raw = new_card(one.fields, uid=one.idempotency_key)
        waiting = swap.lay_beside(self._path / name, raw)
        try:
            swap.take_free_place(waiting, self._path / name)
        except FileExistsError:
            return Outcome("duplicate", name)
        finally:
            swap.drop(waiting)
        return Outcome("applied", name, self._read_back(name, raw))

    def _change(self, one: Write, name: str) -> Outcome:
        path = self._path / name
        if (raw := self._held(name)) is None:
            return Outcome("gone", name)
        version = vdir.version_of(raw)
        if one.guard is not None and one.guard != version:
            return self._conflict(name, raw)
        if path.is_symlink():
            return Outcome("rejected", name, reasons={".": "the file is a link to another place"})
        before = path.stat()
        if one.operation == "delete":
            swap.drop(path)
            swap.settle(self._path)
            return Outcome("applied", name)
        changed = edit_card(raw, one.fields)
        if changed == raw:
            return Outcome("applied", name, version)
        waiting = swap.lay_beside(path, changed, before.st_mode & 0o7777)
        try:
            # The last look before the swap: an editor may have saved the card meanwhile.
            now = self._held(name)
            if now != raw:
                return Outcome("gone", name) if now is None else self._conflict(name, now)
            swap.take_place(waiting, path)
        finally:
            swap.drop(waiting)
        return Outcome("applied", name, self._read_back(name, changed))

    def _conflict(self, name: str, raw: bytes) -> Outcome:
        payload = vdir.payload_of(name, raw)
        current = payload if isinstance(payload, dict) else None
        return Outcome("conflict", name, vdir.version_of(raw), current)

    # files

    def _held(self, name: str) -> bytes | None:
        try:
            return vdir.read_file(self._path / name)
        except FileNotFoundError:
            return None

    def _read_back(self, name: str, raw: bytes) -> str | None:
        """Return the version of what was written, None where somebody has written since."""
        return vdir.version_of(raw) if self._held(name) == raw else None

    def _failed(self, error: OSError) -> ConfigError | Unavailable:
        place = f"{self._connection}: {self._path.name or self._path}"
        if error.errno in _NO_RIGHT:
            return ConfigError(
                f"{place} cannot be written to ({error.strerror})",
                remedy="Let the hub's user write to the folder, or set `direction: pull`.",
            )
        return Unavailable(
            f"{place} could not be written to ({error.strerror})",
            remedy="It is tried again by itself; if it stays so, look at the disk.",
        )


def _version_if(edit: Any, raw: bytes, fields: Mapping[str, Any]) -> str | None:
    """Return the version of a card that holds these values already, else None."""
    try:
        return vdir.version_of(raw) if edit(raw, fields) == raw else None
    except NotWritable:
        return None
