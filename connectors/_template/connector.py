"""__TITLE__: contacts kept as a folder of JSON files, one contact a file.

A small connector that works, to start from: replace the reading of files with calls to the far
side (`self.context.http(base_url=...)` gives a client with retries, limits and redaction) and keep
the shape: check, discover, pull, and the page as the unit that is stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from crm_hub.sdk import (
    Caps,
    Change,
    Checkpoint,
    CheckReport,
    ConfigError,
    Connector,
    Manifest,
    Page,
    Reject,
    StreamInfo,
    Window,
)

_MAX_FILE_BYTES = 1_000_000


class __CLASS__Settings(BaseModel):
    """What the admin sets. A secret would be a `SecretStr`: it is then sealed, never shown."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    path: Path = Field(title="Folder", description="The folder that holds the *.json files")
    page_size: int = Field(
        default=100, ge=1, le=1000, title="Page size", description="Contacts stored at once"
    )


class __CLASS__Connector(Connector[__CLASS__Settings]):
    """Reads the folder whole whenever a file in it has changed."""

    manifest = Manifest(
        id="__NAME__",
        version="0.1.0",
        title="__TITLE__",
        settings=__CLASS__Settings,
        summary="Contacts from a folder of JSON files",
    )

    def check(self) -> CheckReport:
        """Return how many contacts the folder holds. Raises: ConfigError when it is missing."""
        files = self._files()
        return CheckReport(account=self._folder().name, lines=(f"{len(files)} files",))

    def discover(self) -> list[StreamInfo]:
        """Return the one stream; the folder must be there."""
        self._files()
        fields = {"id": "string", "name": "string", "email": "string", "updated_at": "string"}
        return [StreamInfo("contacts", caps=Caps(read="full", deletes="reconcile"), fields=fields)]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield the contacts by file name; no page when nothing changed since the last whole read.

        Checkpoint: {"after": the last file read}; at the end of a whole read {"state": the folder
        as it was when the read began}. Only a read that began at the first file is complete: one
        that was resumed may have missed files that came or went meanwhile, so it leaves an empty
        state and the next pull reads everything.
        """
        files = self._files()
        state = _state(files)
        before = checkpoint or {}
        if window is None and before.get("state") == state:
            return
        after = before.get("after", "") if window is None else ""
        pages = list(_slices([f for f in files if f.name > after], self.settings.page_size))
        for number, part in enumerate(pages, start=1):
            last = number == len(pages)
            yield self._page(part, window, state, last=last, whole=not after, count=len(files))
            if self.context.stopping():
                return

    def _page(
        self,
        files: list[Path],
        window: Window | None,
        state: str,
        *,
        last: bool,
        whole: bool,
        count: int,
    ) -> Page:
        changes, rejects = [], []
        for file in files:
            found = self._read(file)
            if isinstance(found, Reject):
                rejects.append(found)
            elif found is not None and _inside(found, window):
                changes.append(found)
        if window is not None:
            return Page(changes, None, rejects=rejects)
        if not last:
            return Page(changes, {"after": files[-1].name}, rejects=rejects)
        return Page(
            changes,
            {"state": state if whole else ""},
            complete=whole,
            rejects=rejects,
            source_count=count if whole else None,
        )

    def _folder(self) -> Path:
        return self.context.base_dir / self.settings.path

    def _files(self) -> list[Path]:
        folder = self._folder()
        if not folder.is_dir():
            raise ConfigError(
                f"{self.context.connection}: there is no folder {folder}.",
                remedy="Set the folder's path, relative to the hub's folder or absolute.",
            )
        return sorted(folder.glob("*.json"))

    def _read(self, file: Path) -> Change | Reject | None:
        """Return the contact, why it cannot be read, or None when the file has just gone."""
        try:
            with file.open("rb") as handle:
                raw = handle.read(_MAX_FILE_BYTES + 1)
            if len(raw) > _MAX_FILE_BYTES:
                return _reject(file, f"larger than {_MAX_FILE_BYTES} bytes", raw)
            payload = json.loads(raw)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _reject(file, error.strerror or "unreadable", b"")
        except (ValueError, RecursionError):
            return _reject(file, "not JSON", raw)
        if not isinstance(payload, dict):
            return _reject(file, "not a JSON object", raw)
        return Change(file.stem, payload, changed_at=self._time(payload.get("updated_at")))

    def _time(self, text: Any) -> datetime | None:
        """Return the time aware: one without an offset counts in the connection's zone."""
        try:
            time = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            return None
        return time if time.tzinfo else time.replace(tzinfo=ZoneInfo(self.context.zone))


def _slices(files: list[Path], size: int) -> Iterator[list[Path]]:
    """Yield the files in pages; one empty page when there are none, for an empty snapshot."""
    for start in range(0, max(len(files), 1), size):
        yield files[start : start + size]


def _state(files: list[Path]) -> str:
    """Return a short text that changes when a file comes, goes or changes."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        digest.update(f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _inside(change: Change, window: Window | None) -> bool:
    if window is None:
        return True
    return change.changed_at is not None and window.since <= change.changed_at < window.until


def _reject(file: Path, reason: str, raw: bytes) -> Reject:
    return Reject(
        id=file.stem,
        place=file.name,
        reason=reason,
        remedy="Correct the file, or take it out of the folder.",
        excerpt=raw[:500].decode(errors="replace"),
    )


connector = __CLASS__Connector
