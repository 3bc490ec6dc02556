"""Which match keys belong to several people, or to so many that they say nothing.

Most batches ask about the same keys more than once, and in most hubs there are few such keys or
none; so a transaction remembers what it was told, and an empty table is asked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from crm_hub.store.db import Db
from crm_hub.store.schema import shared_key

CROWDED, SEVERAL = "crowded", "several"
_KINDS = select(shared_key.c.key, shared_key.c.kind)
_MOST = 50_000  # so many answers are remembered: a rebuild asks about all keys of a hub


class SharedKeys:
    """The shared keys of a hub, each with its kind: "crowded" or "several"."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._told = db.told_kinds

    def kinds(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the kind of those of `keys` that are shared."""
        wanted = set(keys)
        told = self._told
        if len(told) > _MOST:
            for key in [key for key, kind in told.items() if not kind]:
                del told[key]
        if not self._db.holds_any(shared_key):
            return {}
        if fresh := wanted - told.keys():
            told.update(dict.fromkeys(fresh, ""))
            rows = self._db.ask_in(_KINDS, shared_key.c.key, fresh, stored=True)
            told.update(map(tuple, rows))
        return {key: kind for key in wanted if (kind := told.get(key))}

    def of_kind(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that are shared in this way."""
        return {key for key, found in self.kinds(keys).items() if found == kind}

    def save(self, kind: str, holders: Mapping[str, int]) -> None:
        """Store keys that have become shared: key → how many records hold it."""
        if not holders:
            return
        is_empty = not self._db.holds_any(shared_key)
        rows = [(key, count, kind) for key, count in holders.items()]
        self._db.insert(shared_key, [r for r in rows if is_empty or self._told.get(r[0]) == ""])
        self._db.upsert(
            shared_key, [r for r in rows if not is_empty and self._told.get(r[0]) != ""]
        )
        self._told.update(dict.fromkeys(holders, kind))

    def forget(self, keys: Iterable[str]) -> None:
        """Let keys be one person's again."""
        listed = list(keys)
        self._db.delete_in(shared_key, shared_key.c.key, listed)
        self._told.update(dict.fromkeys(listed, ""))
