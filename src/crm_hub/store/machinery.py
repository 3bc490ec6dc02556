"""Inbox, dead letters and runs: what the machinery keeps about itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, func, select, update

from crm_hub.model.values import clean_text, from_us, to_us
from crm_hub.sdk import HookRequest
from crm_hub.store.db import Db
from crm_hub.store.schema import dead_letter, inbox, run

_DEAD_KEYS = select(dead_letter.c.record_key, dead_letter.c.id).where(
    *(dead_letter.c[name] == bindparam(name) for name in ("connection", "stream", "step"))
)


class DeadLetter(NamedTuple):
    """A record that could not go on: at which step, why, and what to do."""

    id: int
    connection: str
    stream: str
    record_key: str
    step: str
    reason: str
    remedy: str
    excerpt: str
    record_id: int | None
    inbox_id: int | None
    at_us: int
    tries: int


class RunRow(NamedTuple):
    """One run of the machinery; counts is parsed JSON."""

    id: int
    kind: str
    connection: str
    started_at_us: int
    ended_at_us: int | None
    state: str
    message: str
    counts: dict[str, int]


_REQUESTS = (
    select(inbox)
    .where(
        inbox.c.connection == bindparam("connection"),
        inbox.c.state == "due",
        inbox.c.id > bindparam("after"),
    )
    .order_by(inbox.c.id)
    .limit(bindparam("most"))
)


class Machinery:
    """Inbox, dead letters and runs."""

    def __init__(self, db: Db) -> None:
        self._db = db

    # inbox --------------------------------------------------------------------------------

    def keep(self, requests: Sequence[tuple[str, HookRequest]]) -> None:
        """Store requests as they came in; durable once the transaction is committed."""
        first = self._db.take_ids("inbox", len(requests))
        rows = [
            (
                first + i,
                connection,
                one.method,
                clean_text(one.path),
                _dump(one.query),
                _dump(one.headers),
                one.body,
                to_us(one.received_at),
                "due",
            )
            for i, (connection, one) in enumerate(requests)
        ]
        self._db.insert(inbox, rows)

    def due_requests(
        self, connection: str, after: int, limit: int
    ) -> list[tuple[int, HookRequest]]:
        """Return kept requests that wait, oldest first, with their numbers."""
        given = {"connection": connection, "after": after, "most": limit}
        rows = self._db.conn.execute(_REQUESTS, given)
        return [(row.id, _request(row)) for row in rows]

    def request(self, inbox_id: int) -> HookRequest | None:
        """Return one kept request."""
        row = self._db.conn.execute(select(inbox).where(inbox.c.id == inbox_id)).first()
        return None if row is None else _request(row)

    def settle(self, inbox_ids: Iterable[int], state: str) -> None:
        """Set the state of kept requests: due, done, ignored or dead."""
        stmt = update(inbox).values(state=state).where(self._db.among(inbox.c.id))
        listed = list(inbox_ids)
        if listed:
            self._db.conn.execute(stmt, {"among": self._db.listed(listed)})

    def inbox_counts(self) -> dict[tuple[str, str], int]:
        """Return how many requests each connection has in each state."""
        i = inbox.c
        stmt = select(i.connection, i.state, func.count()).group_by(i.connection, i.state)
        return {(row[0], row[1]): row[2] for row in self._db.conn.execute(stmt)}

    # dead letters -------------------------------------------------------------------------

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Set records aside; one that is there already counts one more try."""
        d = dead_letter.c
        for letter in letters:
            stmt = select(d.id, d.tries).where(
                d.connection == letter.connection,
                d.stream == letter.stream,
                d.record_key == letter.record_key,
                d.step == letter.step,
            )
            found = self._db.conn.execute(stmt).first()
            number = found[0] if found else self._db.take_ids("dead_letter", 1)
            tries = found[1] + 1 if found else 1
            self._db.upsert(dead_letter, [tuple(letter._replace(id=number, tries=tries))])

    def dead(self, connection: str | None = None) -> list[DeadLetter]:
        """Return dead letters, oldest first."""
        stmt = select(dead_letter).order_by(dead_letter.c.id)
        if connection is not None:
            stmt = stmt.where(dead_letter.c.connection == connection)
        return [DeadLetter(*row) for row in self._db.conn.execute(stmt)]

    def dead_letter(self, number: int) -> DeadLetter | None:
        """Return one dead letter."""
        row = self._db.conn.execute(select(dead_letter).where(dead_letter.c.id == number)).first()
        return None if row is None else DeadLetter(*row)

    def revive(self, numbers: Iterable[int]) -> None:
        """Take dead letters out: they went on, or their cause is gone."""
        self._db.delete_in(dead_letter, dead_letter.c.id, numbers)

    def dead_keys(self, connection: str, stream: str, step: str) -> dict[str, int]:
        """Return the record keys of one step's dead letters with their numbers."""
        if not self._db.holds_any(dead_letter):
            return {}
        given = {"connection": connection, "stream": stream, "step": step}
        return {row[0]: row[1] for row in self._db.ask(_DEAD_KEYS, given)}

    def dead_counts(self) -> dict[tuple[str, str], int]:
        """Return how many dead letters each stream has."""
        d = dead_letter.c
        stmt = select(d.connection, d.stream, func.count()).group_by(d.connection, d.stream)
        return {(row[0], row[1]): row[2] for row in self._db.conn.execute(stmt)}

    # runs ---------------------------------------------------------------------------------

    def start_run(self, kind: str, connection: str, at_us: int) -> int:
        """Begin a run and return its number."""
        number = self._db.take_ids("run", 1)
        self._db.insert(run, [(number, kind, connection, at_us, None, "running", "", "{}")])
        return number

    def end_run(
        self, number: int, at_us: int, state: str, message: str, counts: dict[str, int]
    ) -> None:
        """Close a run as done, failed or paused."""
        row = (at_us, state, message, orjson.dumps(counts).decode(), number)
        self._db.update(run, ("ended_at_us", "state", "message", "counts"), [row])

    def runs(self, connection: str | None = None, limit: int = 20) -> list[RunRow]:
        """Return the latest runs, newest first."""
        stmt = select(run).order_by(run.c.id.desc()).limit(limit)
        if connection is not None:
            stmt = stmt.where(run.c.connection == connection)
        rows = self._db.conn.execute(stmt)
        return [RunRow(*row)._replace(counts=orjson.loads(row[7])) for row in rows]

    def last_runs(self, kind: str) -> dict[str, RunRow]:
        """Return the latest run of a kind of each connection."""
        newest = select(func.max(run.c.id)).where(run.c.kind == kind).group_by(run.c.connection)
        stmt = select(run).where(run.c.id.in_(newest))
        rows = (
            RunRow(*row)._replace(counts=orjson.loads(row[7]))
            for row in self._db.conn.execute(stmt)
        )
        return {row.connection: row for row in rows}


def _dump(mapping: Any) -> str:
    return orjson.dumps({clean_text(k): clean_text(v) for k, v in mapping.items()}).decode()


def _request(row: Any) -> HookRequest:
    received: datetime = from_us(row.received_at_us)
    return HookRequest(
        row.method,
        row.path,
        orjson.loads(row.query),
        orjson.loads(row.headers),
        bytes(row.body),
        received,
    )
