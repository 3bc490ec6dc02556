"""The checkpoint of one calendar or address book.

token       what the server's sync-collection gave last, or in a calendar without it the ctag
etags       without sync-collection: name → short mark of the etag, to tell what changed
series      the names of what says more as days pass, such as a series; null: too many to list
day         the day up to which series were laid out last; "" where nothing depends on it
after       in the middle of a first read: the last name that was read
again       a first read was interrupted, so deletes of that time show in a whole read only
rules       what else decides how resources are read, as a hash
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from crm_hub.model.records import Checkpoint

READER_VERSION = 2
MAX_SERIES = 2_000
MAX_ETAGS = 20_000


@dataclass(slots=True)
class State:
    """Where the reading of a collection stands; see the module's table."""

    rules: str
    day: str = ""
    token: str = ""
    by_token: bool = True
    series: set[str] | None = field(default_factory=set)
    etags: dict[str, str] | None = None
    after: str | None = None
    again: bool = False

    def dump(self) -> Checkpoint:
        doc: Checkpoint = {
            "rules": self.rules,
            "day": self.day,
            "token": self.token,
            "by_token": self.by_token,
            "series": None if self.series is None else sorted(self.series),
        }
        if self.etags is not None:
            doc["etags"] = dict(sorted(self.etags.items()))
        if self.after is not None:
            doc["after"] = self.after
        if self.again:
            doc["again"] = True
        return doc

    @classmethod
    def load(cls, checkpoint: Checkpoint | None, rules: str) -> State | None:
        """Return the state of a checkpoint, None where everything is to be read anew."""
        if checkpoint is None or checkpoint.get("rules") != rules:
            return None
        series, etags = checkpoint.get("series"), checkpoint.get("etags")
        return cls(
            rules,
            day=str(checkpoint.get("day", "")),
            token=str(checkpoint.get("token", "")),
            by_token=bool(checkpoint.get("by_token", True)),
            series=set(series) if isinstance(series, list) else None,
            etags=dict(etags) if isinstance(etags, dict) else None,
            after=checkpoint.get("after"),
            again=bool(checkpoint.get("again")),
        )

    def note_series(self, name: str, goes_on: bool) -> None:
        """Keep or drop a resource as one to look at again as time passes."""
        if self.series is None:
            return
        if not goes_on:
            self.series.discard(name)
            return
        self.series.add(name)
        if len(self.series) > MAX_SERIES:
            self.series = None


def rules_of(*parts: object) -> str:
    """Return a short hash of everything beside the resources that decides what is read."""
    return hashlib.blake2b(repr((READER_VERSION, *parts)).encode(), digest_size=8).hexdigest()


def etag_mark(etag: str) -> str:
    """Return eight characters that stand for an etag."""
    return hashlib.blake2b(etag.encode("utf-8", "replace"), digest_size=4).hexdigest()
