"""What a connector hands over: changes in pages, and what it could not read.

The page is the commit unit: its changes and its next checkpoint are stored in
one transaction, so a pull can stop after any page and go on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

Payload = dict[str, Any]
Checkpoint = dict[str, Any]


class Change(NamedTuple):
    """One object of a source system as it is now, or the news that it is gone.

    id: the object's key inside its stream, never empty.
    payload: the object as that tool gave it, a JSON object; None for a tombstone.
    changed_at: the source's own time of the last change, aware; None when it has none.
    version: the source's own version mark (etag, revision), where it has one.
    merged_into: of a tombstone, the key of the object that it was merged into there.
    """

    id: str
    payload: Payload | None
    changed_at: datetime | None = None
    version: str | None = None
    merged_into: str | None = None

    @property
    def deleted(self) -> bool:
        return self.payload is None


@dataclass(frozen=True, slots=True)
class Reject:
    """One object that could not be read; it becomes a dead letter, the page goes on.

    place: where the object stands, for a person ("line 17", "message at byte 4096").
    excerpt: the first bytes of it as text, at most 2,000 characters.
    """

    id: str
    place: str
    reason: str
    remedy: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A batch of changes and the checkpoint that stands after them.

    changes: oldest first where the source can order them; at most a few thousand.
    checkpoint: JSON object stored with the page; None leaves the stored one alone.
    complete: this page ends a whole snapshot that began without a checkpoint, so
        records not seen since its first page no longer exist in the source.
    source_count: how many live objects the source says it holds, where it can tell.
    by_rule: its deletes follow from the connection's settings, such as a never-log list; nobody
        is asked about them, however many they are.
    notes: what a person should know about the source beyond its records, shown after the run.
    """

    changes: list[Change]
    checkpoint: Checkpoint | None
    complete: bool = False
    rejects: list[Reject] = field(default_factory=list)
    source_count: int | None = None
    by_rule: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A span of source time, both ends aware, `since` included and `until` not."""

    since: datetime
    until: datetime
