"""One database, two dialects: connections, transactions and fast rows.

SQLAlchemy Core writes the SQL. Hot writes are compiled once and handed to the
driver as tuples, because that is several times cheaper than binding dicts;
on PostgreSQL rows known to be new go by COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    select,
)
from sqlalchemy.sql.util import find_tables

from crm_hub.store import postgres
from crm_hub.store.driver import do
from crm_hub.store.schema import (
    counter,
    dead_letter,
    event,
    liked,
    population,
    record_link,
    review,
    ruling,
    shared_key,
    signature,
)
from crm_hub.store.sql import (
    among,
    asked_sql,
    asked_tables,
    delete_in_sql,
    delete_sql,
    insert_sql,
    update_sql,
    upsert_sql,
)

Row = tuple[Any, ...]

_TOGETHER = (4_000, 2_000, 1_000, 500, 250, 125, 64, 32, 16, 8, 4)
"""Rows added by a statement, the most that there are first."""
_MOST_VALUES = 32_766  # that SQLite takes in a statement
_MANY = 20  # rows that PostgreSQL is told to change in one statement
_MAY_BE_EMPTY = (
    dead_letter, event, liked, population, record_link, review, ruling, shared_key, signature,
)  # fmt: skip
_COUNTERS = select(counter.c.name, counter.c.next)
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_ANY: Any = select(*[select(t).exists().label(t.name) for t in _MAY_BE_EMPTY])


class Db:
    """A connection inside one transaction, with the few statements every repository needs.

    added: how many rows were inserted. later: inserts wait until somebody asks for their table, or
    for `conn`, and else for the commit: a server then works while nobody waits for it.
    """

    def __init__(self, conn: Connection, *, later: bool = False) -> None:
        self._conn = conn
        self._later = later
        self._waiting: dict[Table, list[Sequence[Row]]] = {}
        self._ends: list[Callable[[], None]] = []
        self.name: str = conn.dialect.name
        # Nobody else takes ids meanwhile: a write transaction is the only one.
        self._next: dict[str, int] = {}
        self._taken: set[str] = set()
        self._filled: dict[str, bool] = {}
        self.added = 0
        self.told_kinds: dict[str, str] = {}  # of match keys, for store/shared_keys.py

    @property
    def conn(self) -> Connection:
        """The connection, for statements of any kind; all that was written has reached it."""
        if self._waiting:
            self._send()
        return self._conn

    @property
    def url(self) -> str:
        """What tells this database from others."""
        return str(self._conn.engine.url)

    def _asking(self, tables: Collection[Any], *, stored: bool = False) -> Connection:
        """Return the connection for a question about these tables. stored: as for `ask_in`."""
        return self._conn if stored or self._waiting.keys().isdisjoint(tables) else self.conn

    def _tell(self, table: Table, work: Callable[[Connection], Any]) -> None:
        """Do `work`, which changes rows of a table."""
        work(self._conn if table not in self._waiting else self.conn)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for table, rows in waiting.items():
            self._add(self._conn, table, list(chain.from_iterable(rows)))

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows known to be new; each row holds every column in the table's order."""
        if not rows:
            return
        self._filled[table.name] = True
        self.added += len(rows)
        if self._later:
            self._waiting.setdefault(table, []).append(rows)
        else:
            self._add(self._conn, table, rows)

    def _add(self, conn: Connection, table: Table, rows: Sequence[Row]) -> None:
        if self.name == "postgresql":
            postgres.copy(conn, table, rows)
        else:
            self._insert_many(conn, table, rows)

    def _insert_many(self, conn: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Add rows by hundreds a statement: SQLite takes a row for half of what it costs alone.

        After each a thread that commits may have to wait for its turn, so that few are better.
        """
        start, most = 0, _MOST_VALUES // len(table.columns)
        for count in _TOGETHER:
            while count <= most and len(rows) - start >= count:
                values = tuple(chain.from_iterable(rows[start : start + count]))
                do(conn, insert_sql(self.name, table, count), values)
                start += count
        if rest := rows[start:]:
            do(conn, insert_sql(self.name, table), rest, many=True)

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows, or replace those with the same primary key."""
        if rows:
            self._filled[table.name] = True
            self._change(table, tuple(c.name for c in table.columns), rows, is_new=True)

    def update(self, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Set `columns` by primary key; each row holds the values, then the key's values."""
        if rows:
            keys = (c.name for c in table.primary_key.columns)
            self._change(table, (*columns, *keys), rows, is_new=False)

    def _change(
        self, table: Table, columns: tuple[str, ...], rows: Sequence[Row], *, is_new: bool
    ) -> None:
        """Set these columns of rows, by primary key. is_new: add what is not there."""
        if self.name == "postgresql" and len(rows) >= _MANY:
            self._tell(
                table, lambda conn: postgres.change(conn, table, columns, rows, is_new=is_new)
            )
            return
        count = len(columns) - len(table.primary_key.columns)
        sql = (
            upsert_sql(self.name, table)
            if is_new
            else update_sql(self.name, table, columns[:count])
        )
        self._tell(table, lambda conn: do(conn, sql, rows, many=True))

    def delete(self, table: Table, rows: Sequence[Row]) -> None:
        """Delete rows by primary key; each row holds the key's values."""
        if rows:
            sql = delete_sql(self.name, table)
            self._tell(table, lambda conn: do(conn, sql, rows, many=True))

    def delete_in(self, table: Table, column: Column[Any], values: Iterable[Any]) -> None:
        """Delete the rows whose `column` is one of `values`."""
        listed = list(values)
        if listed:
            sql, given = delete_in_sql(self.name, table, column), (self.listed(listed),)
            self._tell(table, lambda conn: do(conn, sql, given))

    def among(self, column: Column[Any]) -> ColumnElement[bool]:
        """Return the clause `column is one of :among`; one fixed statement for any length."""
        return among(self.name, column)

    def listed(self, values: Sequence[Any]) -> Any:
        """Return the parameter `among` of that clause."""
        return (
            postgres.array(values) if self.name == "postgresql" else orjson.dumps(values).decode()
        )

    def rows_in(
        self, stmt: Select[Any], column: Column[Any], values: Iterable[Any]
    ) -> Sequence[Any]:
        """Return the rows of `stmt` whose `column` is one of `values`."""
        listed = list(values)
        if not listed:
            return []
        asked = {"among": self.listed(listed)}
        conn = self._asking(find_tables(stmt, include_joins=True) if self._later else ())
        return conn.execute(stmt.where(self.among(column)), asked).fetchall()

    def ask_in(
        self,
        stmt: Select[Any],
        column: Column[Any],
        values: Iterable[Any],
        given: Mapping[str, Any] = _NOTHING,
        *,
        stored: bool = False,
    ) -> Sequence[Row]:
        """Return the rows of a kept statement whose `column` is one of `values`; see `ask`.

        stored: nothing that this transaction has inserted can be among them.
        """
        listed = list(values)
        if not listed:
            return []
        sql, names, fixed = asked_sql(self.name, stmt, column)
        known = {**fixed, **given, "among": self.listed(listed)}
        conn = self._asking(asked_tables(stmt), stored=stored)
        found: list[Row] = do(conn, sql, [known[n] for n in names]).fetchall()
        return found

    def holds_any(self, table: Table) -> bool:
        """Whether there is a row in one of the tables that many hubs leave empty.

        Asked once a transaction, for all of them: a batch of contacts then asks nothing further.
        """
        if table.name not in self._filled:
            asked = self._asking(_MAY_BE_EMPTY, stored=True)  # what was inserted is known
            (row,) = do(asked, asked_sql(self.name, _ANY)[0]).fetchall()
            names = (one.name for one in _MAY_BE_EMPTY)
            self._filled = dict(zip(names, map(bool, row), strict=True)) | self._filled
        return self._filled[table.name]

    def reach(self, table: Table) -> None:
        """Let what waits to be inserted reach the store, if some of it is for this table."""
        if table in self._waiting:
            self._send()

    def ask(
        self, stmt: Select[Any], given: Mapping[str, Any], *, stored: bool = False
    ) -> Sequence[Row]:
        """Return the rows of a statement that is kept somewhere and asked again and again.

        It is compiled once: for a page of a few rows that is most of what asking costs. Rows are
        plain tuples, and booleans come as the driver gives them. stored: as for `ask_in`.
        """
        sql, names, fixed = asked_sql(self.name, stmt)
        values = [given[n] if n in given else fixed[n] for n in names]
        conn = self._asking(asked_tables(stmt), stored=stored)
        found: list[Row] = do(conn, sql, values).fetchall()
        return found

    def take_ids(self, name: str, count: int) -> int:
        """Reserve `count` ids of the counter `name` and return the first."""
        first = self.next_id(name)
        if count:
            self._next[name] = first + count
            self._taken.add(name)
        return first

    def next_id(self, name: str) -> int:
        """Return the id that `take_ids` would give out next."""
        if not self._next:  # there are few counters: one question for all
            self._next.update((row[0], int(row[1])) for row in self.ask(_COUNTERS, {}))
        return self._next.setdefault(name, 1)

    def at_end(self, work: Callable[[], None]) -> None:
        """Do `work` when the transaction is about to commit; at once where no inserts wait."""
        if self._later:
            self._ends.append(work)
        else:
            work()

    def finish(self) -> None:
        """Send what waits and store which ids were taken; the transaction then commits."""
        self.upsert(counter, [(name, self._next[name]) for name in sorted(self._taken)])
        self._taken.clear()
        if self._waiting:
            self._send()
        ends, self._ends = self._ends, []
        for work in ends:
            work()


class Trial(Db):
    """A connection of a read transaction, for trying out what writes: nothing that it is given is
    stored, and ids are given out as if they were."""

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add nothing."""

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add and replace nothing."""

    def update(self, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Change nothing."""

    def delete(self, table: Table, rows: Sequence[Row]) -> None:
        """Delete nothing."""

    def delete_in(self, table: Table, column: Column[Any], values: Iterable[Any]) -> None:
        """Delete nothing."""
