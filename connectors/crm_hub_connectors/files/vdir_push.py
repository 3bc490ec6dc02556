"""Writes one item of a folder: read, held against its guard, changed in place, put back at once.

A file is never seen half written: the new content lies beside it under a hidden name, is on the
disk before it takes the old one's place, and is read back. A new one is named by the write's key,
so that sending it again finds it there.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crm_hub.sdk import ConfigError, Outcome, Unavailable, Write
from crm_hub.sdk.formats.edit_lines import NotWritable
from crm_hub_connectors.files import swap, vdir
from crm_hub_connectors.files.layouts import Layout

_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


class Writer:
    """Writes into one folder. connection: its name, for messages."""

    def __init__(self, path: Path, layout: Layout, connection: str) -> None:
        self._path, self._layout, self._connection = path, layout, connection

    def write(self, one: Write) -> Outcome:
        """Return what became of a write. Raises: ConfigError, Unavailable."""
        try:
            if one.operation not in ("upsert", "delete"):
                return Outcome("rejected", one.id, reasons={".": "files are not merged"})
            suffix = self._layout.suffix
            name = f"{one.idempotency_key}{suffix}" if one.id is None else one.id
            if not vdir.is_item(name, suffix):
                return Outcome("gone", one.id)
            swap.drop(swap.beside(self._path / name))  # what a crash has left
            return self._create(one, name) if one.id is None else self._change(one, name)
        except NotWritable as refusal:
            return Outcome("rejected", one.id, reasons=refusal.reasons)
        except OSError as error:
            raise self._failed(error) from error

    def _create(self, one: Write, name: str) -> Outcome:
        if (there := self._held(name)) is not None:
            return Outcome("duplicate", name, self._version_if(there, one.fields))
        raw = self._layout.make(one.fields, one.idempotency_key)
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
        if why := self._layout.objection(raw):
            return Outcome("rejected", name, reasons=dict.fromkeys(one.fields or ["."], why))
        before = path.stat()
        if one.operation == "delete":
            swap.drop(path)
            swap.settle(self._path)
            return Outcome("applied", name)
        changed = self._layout.change(raw, one.fields)
        if changed == raw:
            return Outcome("applied", name, version)
        waiting = swap.lay_beside(path, changed, before.st_mode & 0o7777)
        try:
            # The last look before the swap: an editor may have saved it meanwhile.
            now = self._held(name)
            if now != raw:
                return Outcome("gone", name) if now is None else self._conflict(name, now)
            swap.take_place(waiting, path)
        finally:
            swap.drop(waiting)
        return Outcome("applied", name, self._read_back(name, changed))

    def _conflict(self, name: str, raw: bytes) -> Outcome:
        version, said = vdir.version_of(raw), self._layout.read(raw).payload
        current = None if said is None else {"file": name, "etag": version, **said}
        return Outcome("conflict", name, version, current)

    # files

    def _held(self, name: str) -> bytes | None:
        try:
            return vdir.read_file(self._path / name)
        except FileNotFoundError:
            return None

    def _read_back(self, name: str, raw: bytes) -> str | None:
        """Return the version of what was written, None where somebody has written since."""
        return vdir.version_of(raw) if self._held(name) == raw else None

    def _version_if(self, raw: bytes, fields: Mapping[str, Any]) -> str | None:
        """Return the version of a file that holds these values already, else None."""
        own = {path: value for path, value in fields.items() if path != "uid"}
        try:
            return vdir.version_of(raw) if self._layout.change(raw, own) == raw else None
        except NotWritable:
            return None

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
