"""A folder with one item for each file, as khard, khal and vdirsyncer keep it: read and written.

Each file is one record, named by its file. What changed is told by size, time and identity of the
files, so that only those are read; what is gone from the folder is told one by one.
Source: the vdir storage format, https://vdirsyncer.pimutils.org/en/stable/vdir.html.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from crm_hub.sdk import Change, Checkpoint, Page, Reject, Unavailable, Window
from crm_hub_connectors.files.layouts import Layout

MAX_BYTES = 10_000_000
_FRESH_NS = 2_000_000_000
_REMEDY = "Correct or remove the file; then sync again."


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the folder as it stands. mark: changes with every write that is not hidden."""

    name: str
    mtime_ns: int
    mark: str


@dataclass(slots=True)
class Seen:
    """Which files were handed over, by name, with their marks and times of change."""

    files: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def load(cls, checkpoint: Checkpoint | None) -> Seen:
        found = (checkpoint or {}).get("files")
        known = found if isinstance(found, dict) else {}
        return cls({n: (str(one[0]), int(one[1])) for n, one in known.items()})

    def dump(self) -> Checkpoint:
        return {"files": {name: list(one) for name, one in sorted(self.files.items())}}


class Folder:
    """One folder of cards or entries."""

    def __init__(self, path: Path, layout: Layout, now: datetime, page_items: int) -> None:
        self.path, self._layout = path, layout
        self._now, self._size = now, page_items
        self._day = now.astimezone(UTC).date().isoformat()

    def entries(self) -> dict[str, Entry]:
        """Return the items of the folder by file name; hidden and temporary files are none.

        Raises: OSError when the folder cannot be listed.
        """
        found = {}
        with os.scandir(self.path) as listed:
            for one in listed:
                if is_item(one.name, self._layout.suffix) and (entry := _entry(one)) is not None:
                    found[one.name] = entry
        return found

    def pages(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """Yield what changed since `checkpoint`, in the order of names; none when nothing did."""
        seen, there = Seen.load(checkpoint), self.entries()
        whole = checkpoint is None
        news = [e for n, e in sorted(there.items()) if not self._is_as_seen(e, seen.files.get(n))]
        gone = sorted(seen.files.keys() - there.keys())
        if checkpoint is not None and not news and not gone:
            return
        changes: list[Change] = []
        rejects: list[Reject] = []
        for entry in news:
            if len(changes) + len(rejects) >= self._size:
                yield Page(changes, seen.dump(), rejects=rejects)
                changes, rejects = [], []
            found, goes_on = self._read(entry, seen.files.get(entry.name))
            if isinstance(found, Reject):
                rejects.append(found)
                whole = False  # a card that cannot be read is not a deleted one
            else:
                changes.append(found)
            seen.files[entry.name] = (self._kept_mark(entry, goes_on), entry.mtime_ns)
        for start in range(0, len(gone), self._size):
            if len(changes) + len(rejects) >= self._size:
                yield Page(changes, seen.dump(), rejects=rejects)
                changes, rejects = [], []
            names = gone[start : start + self._size]
            changes += [Change(name, None) for name in names]
            for name in names:
                del seen.files[name]
        yield Page(changes, seen.dump(), whole, rejects)

    def window(self, window: Window) -> Iterator[Page]:
        """Yield the cards that changed in a span of time, on pages without a checkpoint."""
        changes = []
        for entry in self.entries().values():
            found, _ = self._read(entry, None)
            if isinstance(found, Reject) or found.changed_at is None:
                continue
            if window.since <= found.changed_at < window.until and not found.deleted:
                changes.append(found)
        for start in range(0, len(changes), self._size):
            yield Page(changes[start : start + self._size], None)

    def change(self, name: str) -> Change | None:
        """Return one card as it is now, a tombstone when it is gone, None when it is unreadable."""
        entry = _look(self.path / name) if is_item(name, self._layout.suffix) else None
        if entry is None:
            return Change(name, None)
        found, _ = self._read(entry, None)
        return None if isinstance(found, Reject) else found

    def _read(self, entry: Entry, before: tuple[str, int] | None) -> tuple[Change | Reject, bool]:
        """Return what a file says, and whether it says more on a later day."""
        try:
            raw = read_file(self.path / entry.name)
        except FileNotFoundError:
            return Change(entry.name, None), False
        except OSError as error:
            why = f"the file cannot be read ({error.strerror})"
            return self._reject(entry.name, why), False
        said = self._layout.read(raw)
        if said.problem:
            return self._reject(entry.name, said.problem), False
        if said.payload is None:
            return Change(entry.name, None), False
        version = version_of(raw)
        payload = {"file": entry.name, "etag": version, **said.payload}
        moment = self._changed_at(entry, before)
        return Change(entry.name, payload, moment, version), said.goes_on

    def _reject(self, name: str, reason: str) -> Reject:
        return Reject(name, name, reason, _REMEDY)

    def _changed_at(self, entry: Entry, before: tuple[str, int] | None) -> datetime:
        """Return when the file was changed: its own time, unless that cannot be.

        A file put back from a copy carries an old time, and yet it is the newest there is.
        """
        is_other = before is not None and before[0].partition("@")[0] not in ("", entry.mark)
        if is_other and before is not None and entry.mtime_ns <= before[1]:
            return self._now
        return datetime.fromtimestamp(entry.mtime_ns // 1000 / 1e6, UTC)

    def _is_as_seen(self, entry: Entry, kept: tuple[str, int] | None) -> bool:
        """Tell whether a file was handed over as it stands; a series is so for the day alone."""
        return kept is not None and kept[0] in (entry.mark, f"{entry.mark}@{self._day}")

    def _kept_mark(self, entry: Entry, goes_on: bool) -> str:
        """A file touched just now may be written again without its mark moving: read it again."""
        if abs(self._now.timestamp() * 1e9 - entry.mtime_ns) < _FRESH_NS:
            return ""
        return f"{entry.mark}@{self._day}" if goes_on else entry.mark


def is_item(name: str, suffix: str) -> bool:
    """Tell whether a file of this name is an item of a folder."""
    return (
        name.lower().endswith(suffix)
        and not name.startswith(".")
        and name.isprintable()
        and "/" not in name
        and "\\" not in name
    )


def _entry(one: os.DirEntry[str]) -> Entry | None:
    try:
        return _entry_of(one.name, one.stat())
    except OSError:
        return None


def _look(path: Path) -> Entry | None:
    try:
        return _entry_of(path.name, path.stat())
    except FileNotFoundError:
        return None


def _entry_of(name: str, found: os.stat_result) -> Entry | None:
    # A pipe or a device would block the reader for ever.
    if not stat.S_ISREG(found.st_mode):
        return None
    return Entry(name, found.st_mtime_ns, f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}")


def read_file(path: Path) -> bytes:
    """Return what a file holds. Raises: OSError, also for one that is far too large for a card."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise OSError(27, "larger than a card can be")
    return raw


def version_of(raw: bytes) -> str:
    """Return the mark of a card's content, which is what a write is held against."""
    return blake2b(raw, digest_size=16).hexdigest()


def unavailable(connection: str, name: str, error: OSError) -> Unavailable:
    """Return what the hub is told when the folder itself fails."""
    return Unavailable(
        f"{connection}: {name} cannot be read: {error.strerror}",
        remedy="Put the folder back or let the hub read it; the checkpoint stands.",
    )
