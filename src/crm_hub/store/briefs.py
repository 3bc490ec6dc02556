"""Whose brief has to be looked at again, and from when on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, insert, literal, select

from crm_hub.store.db import Db
from crm_hub.store.schema import brief_due, identity

AT_ONCE = 0


class Briefs:
    """The identities whose brief may say something else by now."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def touch(self, identity_ids: Iterable[int]) -> None:
        """Let these be looked at with the next push: something came to their timelines."""
        self._db.upsert(brief_due, [(number, AT_ONCE) for number in sorted(identity_ids)])

    def touch_all(self, entities: Sequence[str]) -> None:
        """Let every identity of these entities be looked at with the next push."""
        i = identity.c
        wanted = select(i.id, literal(AT_ONCE)).where(
            i.entity.in_(list(entities)), i.redirect_to.is_(None)
        )
        self._db.conn.execute(delete(brief_due))
        self._db.conn.execute(insert(brief_due).from_select(["identity_id", "at_us"], wanted))

    def due(self, now_us: int, limit: int) -> list[int]:
        """Return those that are to be looked at by now."""
        b = brief_due.c
        stmt = select(b.identity_id).where(b.at_us <= now_us).order_by(b.at_us).limit(limit)
        return list(self._db.conn.execute(stmt).scalars())

    def looked_at(self, next_us: Mapping[int, int | None]) -> None:
        """Store when each of these is to be looked at next; None: when something happens."""
        rows = [(number, at_us) for number, at_us in next_us.items() if at_us is not None]
        done = [number for number, at_us in next_us.items() if at_us is None]
        self._db.delete_in(brief_due, brief_due.c.identity_id, done)
        self._db.upsert(brief_due, rows)
