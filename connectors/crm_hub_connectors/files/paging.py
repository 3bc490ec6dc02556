"""Items become pages: the checkpoint of a file, and when a pull may say it saw everything.

A file is a snapshot without a cursor. It is read again from its start when it changed; the hub's
content hashes make what did not change cheap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crm_hub.sdk import Change, Checkpoint, Page, Reject, Window
from crm_hub.sdk.formats.items import Item
from crm_hub_connectors.files.sources import Source, State, fingerprint, state_of

_FRESH_NS = 2_000_000_000
READER_VERSION = 1

Read = Callable[[int], Iterator[Item | Reject]]
"""Reads a source from an offset on."""


@dataclass(slots=True)
class Progress:
    """Where the reading of one source stands.

    rules: what decides how it is read, as a hash. columns: of a table, as they are now.
    """

    state: State
    fingerprint: str
    rules: str
    offset: int = 0
    items: int = 0
    resumed: bool = False
    columns: tuple[str, ...] = ()

    def checkpoint(self, done: bool, now_ns: int) -> Checkpoint:
        """Return the checkpoint after the items so far.

        A file touched within the last two seconds may be written again without its time of
        change moving, so that time is not kept and the content decides.
        """
        fresh = abs(now_ns - self.state.mtime_ns) < _FRESH_NS
        columns = {"columns": list(self.columns)} if self.columns else {}
        return {
            **columns,
            "size": self.state.size,
            "mtime_ns": 0 if fresh else self.state.mtime_ns,
            "fingerprint": self.fingerprint,
            "rules": self.rules,
            "offset": self.offset,
            "items": self.items,
            "done": done,
        }


def rules_hash(*parts: object) -> str:
    """Return a short hash of everything beside the content that decides what is read."""
    return hashlib.blake2b(repr((READER_VERSION, *parts)).encode(), digest_size=8).hexdigest()


def start_of(source: Source, checkpoint: Checkpoint | None, rules: str) -> Progress | None:
    """Return where to begin: None when nothing changed since a finished checkpoint."""
    state = state_of(source.path)
    known = checkpoint if checkpoint and checkpoint.get("rules") == rules else {}
    done = known.get("done") is True
    if done and (known.get("size"), known.get("mtime_ns")) == (state.size, state.mtime_ns):
        return None
    mark = fingerprint(source.path)
    if known.get("fingerprint") != mark:
        return Progress(state, mark, rules)
    if done:
        return None
    offset, items = (int(known.get(key) or 0) for key in ("offset", "items"))
    return Progress(state, mark, rules, offset, items, resumed=offset > 0)


def pages(
    source: Source,
    progress: Progress,
    read: Read,
    now: datetime,
    size: int,
    notes: tuple[str, ...] = (),
) -> Iterator[Page]:
    """Yield pages of at most `size` changes; the last one is there even when it is empty.

    notes: go with the first of them.

    Complete is said only by a pull that began at the start, read every object, and found the
    file as it was before: an object that could not be read is not a deleted one.
    """
    now_ns = int(now.timestamp() * 1e9)
    changes: list[Change] = []
    rejects: list[Reject] = []
    whole = True
    for item in read(progress.offset):
        if isinstance(item, Reject):
            whole = False
            rejects.append(item)
            if len(rejects) < size:
                continue
        elif len(changes) < size:
            changes.append(Change(item.id, item.payload, item.changed_at))
            progress.offset = item.offset
            progress.items += 1
            continue
        yield Page(changes, progress.checkpoint(False, now_ns), rejects=rejects, notes=notes)
        changes, rejects, notes = [], [], ()
        if not isinstance(item, Reject):
            changes.append(Change(item.id, item.payload, item.changed_at))
            progress.offset = item.offset
            progress.items += 1
    yield replace(_last_page(source, progress, changes, rejects, whole, now_ns), notes=notes)


def _last_page(
    source: Source,
    progress: Progress,
    changes: list[Change],
    rejects: list[Reject],
    whole: bool,
    now_ns: int,
) -> Page:
    if state_of(source.path) != progress.state:
        # Somebody wrote meanwhile: what was read is kept, and the next pull starts over.
        progress.fingerprint = ""
        return Page(changes, progress.checkpoint(False, now_ns), rejects=rejects)
    if progress.resumed:
        # Deletes show in whole reads alone, so the next pull is one.
        progress.offset = progress.items = 0
        return Page(changes, progress.checkpoint(False, now_ns), rejects=rejects)
    checkpoint = progress.checkpoint(True, now_ns)
    return Page(changes, checkpoint, whole, rejects, progress.items)


def window_pages(read: Read, window: Window, size: int) -> Iterator[Page]:
    """Yield the items whose own time lies in the window, on pages without a checkpoint."""
    changes: list[Change] = []
    for item in read(0):
        if isinstance(item, Reject):
            continue
        moment = _moment(item)
        if moment is None or not window.since <= moment < window.until:
            continue
        changes.append(Change(item.id, item.payload, item.changed_at))
        if len(changes) == size:
            yield Page(changes, None)
            changes = []
    if changes:
        yield Page(changes, None)


def _moment(item: Item) -> datetime | None:
    """Return the item's time: of its last change, else of the mail or the appointment."""
    return item.changed_at or _read_time(item.payload)


def _read_time(payload: dict[str, Any]) -> datetime | None:
    for name in ("date", "received_at", "start"):
        value = payload.get(name)
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                continue
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
