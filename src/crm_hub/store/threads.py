"""Threads, the keys they are joined by, their messages, and who waits for an older one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.types import NullType

from crm_hub.store.db import Db, Row
from crm_hub.store.schema import (
    thread,
    thread_key,
    thread_message,
    thread_token,
    thread_waiting,
)


class ThreadRow(NamedTuple):
    """A thread as stored; see crm_hub.timeline.Thread."""

    id: int
    now_id: int
    root_id: int
    opens: bool
    head_at_us: int
    head_seq: int
    head_event_id: int
    parent_id: int | None


class MessageRow(NamedTuple):
    """A message of a thread; `people` is JSON: the last parts of a Message."""

    event_id: int
    thread_id: int
    at_us: int
    seq: int
    opens: bool
    forwards: bool
    subject: int | None
    people: str


class ThreadStore:
    """Everything that tells which conversation an event belongs to."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def of_keys(self, keys: Iterable[int]) -> dict[int, int]:
        """Return key → thread for the keys that are known."""
        rows = self._db.rows_in(select(thread_key), thread_key.c.key, keys)
        return {row[0]: row[1] for row in rows}

    def around(self, ids: Iterable[int]) -> list[ThreadRow]:
        """Return every thread of each conversation that one of these threads belongs to."""
        listed = list(ids)
        if not listed:
            return []
        mine = select(thread.c.now_id).where(self._db.among(thread.c.id))
        stmt = select(thread).where(thread.c.now_id.in_(mine))
        rows = self._db.conn.execute(stmt, {"among": self._db.listed(listed)})
        return [ThreadRow(*row) for row in rows]

    def messages(self, event_ids: Iterable[int]) -> dict[int, MessageRow]:
        """Return these events as messages."""
        rows = self._db.rows_in(select(thread_message), thread_message.c.event_id, event_ids)
        return {row[0]: MessageRow(*row) for row in rows}

    def messages_of(self, ids: Iterable[int]) -> list[MessageRow]:
        """Return the messages of these threads."""
        rows = self._db.rows_in(select(thread_message), thread_message.c.thread_id, ids)
        return [MessageRow(*row) for row in rows]

    def waiting(self, tokens: Iterable[int]) -> set[int]:
        """Return the threads that look for an older message with one of these tokens."""
        stmt = select(thread_waiting.c.thread_id)
        return {row[0] for row in self._db.rows_in(stmt, thread_waiting.c.token, tokens)}

    def full(self, tokens: Iterable[int], most: int) -> set[int]:
        """Return the tokens that more than `most` messages share; reads `most` of each at most."""
        listed = list(tokens)
        if not listed:
            return set()
        if self._db.name == "postgresql":
            among = bindparam("among", type_=NullType())
            asked = func.unnest(among).table_valued("value").render_derived()
        else:
            asked = func.json_each(bindparam("among")).table_valued("value")
        beyond = select(literal(1)).where(thread_token.c.token == asked.c.value)
        stmt = select(asked.c.value).where(beyond.limit(1).offset(most).scalar_subquery() == 1)
        rows = self._db.conn.execute(stmt, {"among": self._db.listed(listed)})
        return {row[0] for row in rows}

    def by_tokens(self, tokens: Iterable[int]) -> list[tuple[int, MessageRow]]:
        """Return the messages that these tokens find, with the token."""
        stmt = select(thread_token.c.token, thread_message).join(
            thread_message, thread_message.c.event_id == thread_token.c.event_id
        )
        rows = self._db.rows_in(stmt, thread_token.c.token, tokens)
        return [(row[0], MessageRow(*row[1:])) for row in rows]

    def save_messages(
        self,
        keys: Sequence[Row],
        new: Sequence[Row],
        changed: Sequence[Row],
        tokens: Sequence[Row],
        tokens_again: Sequence[Row],
    ) -> None:
        """Store keys, messages and tokens; those of known messages may be there already."""
        self._db.insert(thread_key, keys)
        self._db.insert(thread_message, new)
        self._db.upsert(thread_message, changed)
        self._db.insert(thread_token, tokens)
        self._db.upsert(thread_token, tokens_again)

    def save_threads(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Store threads; rows hold every column."""
        self._db.insert(thread, new)
        self._db.upsert(thread, changed)

    def save_waiting(
        self, settled: Iterable[int], full: Iterable[int], rows: Sequence[Row]
    ) -> None:
        """Replace what the threads `settled` wait for; nobody waits for a token that is full."""
        self._db.delete_in(thread_waiting, thread_waiting.c.thread_id, settled)
        self._db.delete_in(thread_waiting, thread_waiting.c.token, full)
        self._db.insert(thread_waiting, rows)

    def threads_of(self, event_ids: Iterable[int]) -> dict[int, int]:
        """Return event → thread, for the events that belong to one."""
        t = thread_message.c
        rows = self._db.rows_in(select(t.event_id, t.thread_id), t.event_id, event_ids)
        return {row[0]: row[1] for row in rows}

    def conversations_of(self, event_ids: Iterable[int]) -> dict[int, int]:
        """Return event → conversation, for the events that belong to one."""
        stmt = select(thread_message.c.event_id, thread.c.now_id).join(
            thread, thread.c.id == thread_message.c.thread_id
        )
        rows = self._db.rows_in(stmt, thread_message.c.event_id, event_ids)
        return {row[0]: row[1] for row in rows}

    def conversation(self, number: int) -> int | None:
        """Return the conversation that goes by this number now; None when there never was one."""
        stmt = select(thread.c.now_id).where(thread.c.id == number)
        got = self._db.conn.execute(stmt).scalar()
        return None if got is None else int(got)
