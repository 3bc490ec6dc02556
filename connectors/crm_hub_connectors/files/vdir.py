"""A folder with one card for each file, as khard, khal and vdirsyncer keep it: read and written.

Each file is one record, named by its file. What changed is told by size, time and identity of the
files, so that only those are read; what is gone from the folder is told one by one.
Source: the vdir storage format, https://vdirsyncer.pimutils.org/en/stable/vdir.html.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from crm_hub.sdk import Change, Checkpoint, Page, Reject, Unavailable, Window
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.formats.vcard import read_cards

SUFFIX = ".vcf"
MAX_BYTES = 10_000_000
FIELDS = {
    **dict.fromkeys(
        ("file", "etag", "uid", "kind", "fn", "n.family", "n.given", "n.additional", "n.prefix",
         "n.suffix", "nickname", "org", "department", "title", "bday", "note", "gender", "rev",
         "photo", *(f"adrs.0.{part}" for part in ("street", "city", "region", "postcode",
                                                  "country"))),
        "string",
    ),
    **dict.fromkeys(("emails.value", "tels.value", "urls", "categories", "languages"), "array"),
}  # fmt: skip
"""The paths of a card, and what stands there."""
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
    """One folder of cards."""

    def __init__(self, path: Path, now: datetime, page_items: int) -> None:
        self.path = path
        self._now, self._size = now, page_items

    def entries(self) -> dict[str, Entry]:
        """Return the items of the folder by file name; hidden and temporary files are none.

        Raises: OSError when the folder cannot be listed.
        """
        found = {}
        with os.scandir(self.path) as listed:
            for one in listed:
                if is_item(one.name) and (entry := _entry(one)) is not None:
                    found[one.name] = entry
        return found

    def pages(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """Yield what changed since `checkpoint`, in the order of names; none when nothing did."""
        seen, there = Seen.load(checkpoint), self.entries()
        whole = checkpoint is None
        news = [e for n, e in sorted(there.items()) if seen.files.get(n, ("",))[0] != e.mark]
        gone = sorted(seen.files.keys() - there.keys())
        if checkpoint is not None and not news and not gone:
            return
        changes: list[Change] = []
        rejects: list[Reject] = []
        for entry in news:
            if len(changes) + len(rejects) >= self._size:
                yield Page(changes, seen.dump(), rejects=rejects)
                changes, rejects = [], []
            found = self._read(entry, seen.files.get(entry.name))
            if isinstance(found, Reject):
                rejects.append(found)
                whole = False  # a card that cannot be read is not a deleted one
            else:
                changes.append(found)
            seen.files[entry.name] = (self._kept_mark(entry), entry.mtime_ns)
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
            found = self._read(entry, None)
            if isinstance(found, Reject) or found.changed_at is None:
                continue
            if window.since <= found.changed_at < window.until and not found.deleted:
                changes.append(found)
        for start in range(0, len(changes), self._size):
            yield Page(changes[start : start + self._size], None)

    def change(self, name: str) -> Change | None:
        """Return one card as it is now, a tombstone when it is gone, None when it is unreadable."""
        entry = _look(self.path / name) if is_item(name) else None
        if entry is None:
            return Change(name, None)
        found = self._read(entry, None)
        return None if isinstance(found, Reject) else found

    def _read(self, entry: Entry, before: tuple[str, int] | None) -> Change | Reject:
        try:
            raw = read_file(self.path / entry.name)
        except FileNotFoundError:
            return Change(entry.name, None)
        except OSError as error:
            return self._reject(entry.name, f"the file cannot be read ({error.strerror})")
        payload = payload_of(entry.name, raw)
        if isinstance(payload, str):
            return self._reject(entry.name, payload)
        if payload is None:
            return Change(entry.name, None)
        return Change(entry.name, payload, self._changed_at(entry, before), version_of(raw))

    def _reject(self, name: str, reason: str) -> Reject:
        return Reject(name, name, reason, _REMEDY)

    def _changed_at(self, entry: Entry, before: tuple[str, int] | None) -> datetime:
        """Return when the file was changed: its own time, unless that cannot be.

        A file put back from a copy carries an old time, and yet it is the newest there is.
        """
        if before is not None and entry.mtime_ns <= before[1]:
            return self._now
        return datetime.fromtimestamp(entry.mtime_ns // 1000 / 1e6, UTC)

    def _kept_mark(self, entry: Entry) -> str:
        """A file touched just now may be written again without its mark moving: read it again."""
        fresh = abs(self._now.timestamp() * 1e9 - entry.mtime_ns) < _FRESH_NS
        return "" if fresh else entry.mark


def is_item(name: str) -> bool:
    """Tell whether a file of this name is a card of the folder."""
    return (
        name.lower().endswith(SUFFIX)
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


def payload_of(name: str, raw: bytes) -> dict[str, Any] | str | None:
    """Return the payload of a file, None for a distribution list, a text for what is wrong."""
    found = list(read_cards(io.BytesIO(raw)))
    if len(found) > 1:
        return f"it holds {len(found)} cards, and a folder of this kind one in each file"
    if not found:
        return None if raw.strip() else "the file is empty"
    if not isinstance(found[0], Item):
        return found[0].reason
    return {"file": name, "etag": version_of(raw), **found[0].payload}


def unavailable(connection: str, name: str, error: OSError) -> Unavailable:
    """Return what the hub is told when the folder itself fails."""
    return Unavailable(
        f"{connection}: {name} cannot be read: {error.strerror}",
        remedy="Put the folder back or let the hub read it; the checkpoint stands.",
    )
