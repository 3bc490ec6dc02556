"""Writes one card of a folder: read, held against its guard, changed in place, put back at once.

A file is never seen half written: the new content lies beside it under a hidden name, is on the
disk before it takes the old one's place, and is read back. A new card is named by the write's key,
so that sending it again finds it there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from crm_hub.sdk import ConfigError, Outcome, Unavailable, Write
from crm_hub.sdk.formats.edit_lines import NotWritable
from crm_hub.sdk.formats.edit_vcard import edit_card, new_card
from crm_hub_connectors.files import vdir

_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


class Writer:
    """Writes into one folder. connection: its name, for messages."""

    def __init__(self, path: Path, connection: str) -> None:
        self._path, self._connection = path, connection

    def write(self, one: Write) -> Outcome:
        """Return what became of a write. Raises: ConfigError, Unavailable."""
        try:
            if one.operation not in ("upsert", "delete"):
                return Outcome("rejected", one.id, reasons={".": "cards are not merged"})
            name = self.name_of(one.idempotency_key) if one.id is None else one.id
            if not vdir.is_item(name):
                return Outcome("gone", one.id)
            self._drop(self._beside(name))  # what a crash has left
            return self._create(one, name) if one.id is None else self._change(one, name)
        except NotWritable as refusal:
            return Outcome("rejected", one.id, reasons=refusal.reasons)
        except OSError as error:
            raise self._failed(error) from error

    def name_of(self, key: str) -> str:
        """Return the file name of the card that is created with this key."""
        return f"{key}{vdir.SUFFIX}"

    def _create(self, one: Write, name: str) -> Outcome:
        if (there := self._held(name)) is not None:
            return Outcome("duplicate", name, _version_if(edit_card, there, one.fields))
        raw = new_card(one.fields, uid=one.idempotency_key)
        waiting = self._laid_beside(name, raw, mode=None)
        try:
            # Unlike a rename, a link never takes the place of a file that is there.
            os.link(waiting, self._path / name)
        except FileExistsError:
            return Outcome("duplicate", name)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                raise
            os.replace(waiting, self._path / name)
        finally:
            self._drop(waiting)
        self._settle()
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
            os.unlink(path)
            self._settle()
            return Outcome("applied", name)
        changed = edit_card(raw, one.fields)
        if changed == raw:
            return Outcome("applied", name, version)
        waiting = self._laid_beside(name, changed, mode=before.st_mode & 0o7777)
        try:
            # The last look before the swap: an editor may have saved the card meanwhile.
            now = self._held(name)
            if now != raw:
                return Outcome("gone", name) if now is None else self._conflict(name, now)
            os.replace(waiting, path)
        finally:
            self._drop(waiting)
        self._settle()
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

    def _beside(self, name: str) -> Path:
        return self._path / f".{name}.crm-hub.tmp"

    def _drop(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            os.unlink(path)

    def _laid_beside(self, name: str, raw: bytes, mode: int | None) -> Path:
        """Write the content under a hidden name, down to the disk, and return where it is."""
        waiting = self._beside(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(waiting, flags, 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
        except BaseException:
            self._drop(waiting)
            raise
        return waiting

    def _settle(self) -> None:
        """Let the folder's new entry survive a power cut."""
        handle = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

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
