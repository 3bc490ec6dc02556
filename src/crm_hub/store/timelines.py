"""Pages of timelines and conversations: one statement a page, one narrow row an event.

What is shown of an event lies ready in `event_line`, written by the walk, so that a page reads
neither the words of its sources nor its participants. The statements are compiled once and go to
the driver as they are: building one costs what asking it does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select, tuple_

from crm_hub.store.db import Db
from crm_hub.store.schema import event, event_line, thread, thread_message, timeline_entry


class Position(NamedTuple):
    """Where a page of a timeline ends; the next page holds what is older."""

    occurred_at_us: int
    seq: int
    event_id: int


class TimelineRow(NamedTuple):
    """One line of a timeline. shown, people: JSON, as the timeline room writes them."""

    occurred_at_us: int
    seq: int
    event_id: int
    shown: str
    people: str
    conversation: int | None

    @property
    def position(self) -> Position:
        return Position(self.occurred_at_us, self.seq, self.event_id)


def _of_identity() -> Select[Any]:
    t = timeline_entry.c
    page = select(t.occurred_at_us, t.seq, t.event_id)
    return page.where(t.identity_id == bindparam("whose"))


def _of_conversation() -> Select[Any]:
    page = select(event.c.occurred_at_us, event.c.seq, event.c.id.label("event_id"))
    page = page.join(thread_message, thread_message.c.event_id == event.c.id)
    page = page.join(thread, thread.c.id == thread_message.c.thread_id)
    return page.where(thread.c.now_id == bindparam("whose"))


@lru_cache(maxsize=8)
def _page(of: Callable[[], Select[Any]], has_before: bool) -> Select[Any]:
    """Return the statement of a page: its events by key alone, then what is shown of each."""
    page = of()
    position = page.selected_columns
    if has_before:
        edge = tuple_(bindparam("at"), bindparam("seq"), bindparam("event"))
        page = page.where(tuple_(*position) < edge)
    newest = [column.desc() for column in position]
    sub = page.order_by(*newest).limit(bindparam("rows")).subquery()
    return (
        select(
            sub.c.occurred_at_us,
            sub.c.seq,
            sub.c.event_id,
            event_line.c.shown,
            event_line.c.people,
            thread.c.now_id,
        )
        .join(event_line, event_line.c.event_id == sub.c.event_id)
        .outerjoin(thread, thread.c.id == event_line.c.thread_id)
        .order_by(sub.c.occurred_at_us.desc(), sub.c.seq.desc(), sub.c.event_id.desc())
    )


@lru_cache(maxsize=1)
def _coming() -> Select[Any]:
    page = _of_identity().where(timeline_entry.c.occurred_at_us > bindparam("after"))
    oldest = page.selected_columns
    sub = page.order_by(*oldest).limit(bindparam("rows")).subquery()
    return (
        select(
            sub.c.occurred_at_us, sub.c.seq, sub.c.event_id, event_line.c.shown,
            event_line.c.people, event_line.c.thread_id,
        )
        .join(event_line, event_line.c.event_id == sub.c.event_id)
        .order_by(sub.c.occurred_at_us, sub.c.seq, sub.c.event_id)
    )  # fmt: skip


class Timelines:
    """Timelines as people read them, a page at a time."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def page(self, identity_id: int, limit: int, before: Position | None) -> list[TimelineRow]:
        """Return the newest `limit` events of one identity older than `before`.

        Keyset paging: page k costs what page 1 costs, and pages joined are the whole, sorted.
        """
        return self._lines(_of_identity, identity_id, limit, before)

    def coming(self, identity_id: int, after_us: int, limit: int) -> list[TimelineRow]:
        """Return the next `limit` events of one identity that lie after an instant, in order."""
        given = {"whose": identity_id, "after": after_us, "rows": limit}
        return list(map(TimelineRow._make, self._db.ask(_coming(), given)))

    def conversation(self, number: int, limit: int, before: Position | None) -> list[TimelineRow]:
        """Return the newest `limit` events of one conversation older than `before`."""
        return self._lines(_of_conversation, number, limit, before)

    def first_of_conversation(self, number: int) -> list[TimelineRow]:
        """Return the first event of a conversation that is still told; none when all have gone."""
        t = event.c
        first = _of_conversation().order_by(t.occurred_at_us, t.seq, t.id).limit(1)
        row = self._db.conn.execute(first, {"whose": number}).first()
        if row is None:
            return []
        return self.conversation(number, 1, Position(row[0], row[1], row[2] + 1))

    def _lines(
        self, of: Callable[[], Select[Any]], whose: int, limit: int, before: Position | None
    ) -> list[TimelineRow]:
        given = {"whose": whose, "rows": limit}
        if before is not None:
            given |= {"at": before.occurred_at_us, "seq": before.seq, "event": before.event_id}
        stmt = _page(of, before is not None)
        return list(map(TimelineRow._make, self._db.ask(stmt, given)))
