"""One database, two dialects: connections, transactions and fast rows.

SQLAlchemy Core writes the SQL. Hot writes are compiled once and handed to the
driver as tuples, because that is several times cheaper than binding dicts;
on PostgreSQL rows known to be new go by COPY.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    any_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy import insert as core_insert
from sqlalchemy.types import NullType

from crm_hub.store.postgres import array
from crm_hub.store.schema import (
    counter,
    event,
    record_link,
    review,
    ruling,
    shared_key,
)

Row = tuple[Any, ...]

_MAY_BE_EMPTY = (event, record_link, review, ruling, shared_key)
_COUNTERS = select(counter.c.name, counter.c.next)
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_ANY: Any = select(*[select(t).exists().label(t.name) for t in _MAY_BE_EMPTY])


@lru_cache(maxsize=2)
def _dialect(name: str) -> Any:
    """Return a dialect, imported when it is asked for: the other one costs 50 ms."""
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.dialect()
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]


def _dialect_insert(name: str, table: Table) -> Any:
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as of_sqlite

        return of_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as of_postgresql

    return of_postgresql(table)


def _sql(stmt: ClauseElement, name: str) -> str:
    return str(stmt.compile(dialect=_dialect(name)))


@lru_cache(maxsize=256)
def _insert_sql(name: str, table: Table) -> str:
    return _sql(core_insert(table), name)


@lru_cache(maxsize=256)
def _upsert_sql(name: str, table: Table) -> str:
    stmt = _dialect_insert(name, table)
    keys = [c.name for c in table.primary_key.columns]
    rest = {c.name: stmt.excluded[c.name] for c in table.columns if c.name not in keys}
    upsert = (
        stmt.on_conflict_do_update(index_elements=keys, set_=rest)
        if rest
        else stmt.on_conflict_do_nothing(index_elements=keys)
    )
    return _sql(upsert, name)


@lru_cache(maxsize=256)
def _update_sql(name: str, table: Table, columns: tuple[str, ...]) -> str:
    stmt = update(table).ordered_values(*((table.c[c], bindparam(f"v_{c}")) for c in columns))
    for column in table.primary_key.columns:
        stmt = stmt.where(column == bindparam(f"k_{column.name}"))
    return _sql(stmt, name)


@lru_cache(maxsize=256)
def _delete_sql(name: str, table: Table) -> str:
    keys = (column == bindparam(f"k_{column.name}") for column in table.primary_key.columns)
    return _sql(table.delete().where(*keys), name)


@lru_cache(maxsize=512)
def _asked_sql(
    name: str, stmt: Select[Any], column: Column[Any] | None = None
) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    asked = stmt if column is None else stmt.where(among(name, column))
    compiled = asked.compile(dialect=_dialect(name))
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), compiled.params


@lru_cache(maxsize=256)
def _delete_in_sql(name: str, table: Table, column: Column[Any]) -> str:
    return _sql(table.delete().where(among(name, column)), name)


class Db:
    """A connection inside one transaction, with the few statements every repository needs."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.name: str = conn.dialect.name
        # Nobody else takes ids meanwhile: a write transaction is the only one.
        self._next: dict[str, int] = {}
        self._taken: set[str] = set()
        self._filled: dict[str, bool] = {}
        self.told_kinds: dict[str, str] = {}  # of match keys, for store/shared_keys.py

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows known to be new; each row holds every column in the table's order."""
        if not rows:
            return
        self._filled[table.name] = True
        if self.name == "postgresql":
            self._copy(table, rows)
        else:
            self.conn.exec_driver_sql(_insert_sql(self.name, table), list(rows))

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows, or replace those with the same primary key."""
        if rows:
            self._filled[table.name] = True
            self.conn.exec_driver_sql(_upsert_sql(self.name, table), list(rows))

    def update(self, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Set `columns` by primary key; each row holds the values, then the key's values."""
        if rows:
            self.conn.exec_driver_sql(_update_sql(self.name, table, columns), list(rows))

    def delete(self, table: Table, rows: Sequence[Row]) -> None:
        """Delete rows by primary key; each row holds the key's values."""
        if rows:
            self.conn.exec_driver_sql(_delete_sql(self.name, table), list(rows))

    def delete_in(self, table: Table, column: Column[Any], values: Iterable[Any]) -> None:
        """Delete the rows whose `column` is one of `values`."""
        listed = list(values)
        if listed:
            sql = _delete_in_sql(self.name, table, column)
            self.conn.exec_driver_sql(sql, (self.listed(listed),))

    def among(self, column: Column[Any]) -> ColumnElement[bool]:
        """Return the clause `column is one of :among`; one fixed statement for any length."""
        return among(self.name, column)

    def listed(self, values: Sequence[Any]) -> Any:
        """Return the parameter `among` of that clause."""
        return array(values) if self.name == "postgresql" else orjson.dumps(values).decode()

    def rows_in(
        self, stmt: Select[Any], column: Column[Any], values: Iterable[Any]
    ) -> Sequence[Any]:
        """Return the rows of `stmt` whose `column` is one of `values`."""
        listed = list(values)
        if not listed:
            return []
        return self.conn.execute(
            stmt.where(self.among(column)), {"among": self.listed(listed)}
        ).fetchall()

    def ask_in(
        self,
        stmt: Select[Any],
        column: Column[Any],
        values: Iterable[Any],
        given: Mapping[str, Any] = _NOTHING,
    ) -> Sequence[Any]:
        """Return the rows of a kept statement whose `column` is one of `values`; see `ask`."""
        listed = list(values)
        if not listed:
            return []
        sql, names, fixed = _asked_sql(self.name, stmt, column)
        known = {**fixed, **given, "among": self.listed(listed)}
        return self.conn.exec_driver_sql(sql, tuple([known[n] for n in names])).fetchall()

    def holds_any(self, table: Table) -> bool:
        """Whether there is a row in one of the tables that many hubs leave empty.

        Asked once a transaction, for all of them: a batch of contacts then asks nothing further.
        """
        if table.name not in self._filled:
            (row,) = self.ask(_ANY, {})
            names = (one.name for one in _MAY_BE_EMPTY)
            self._filled = dict(zip(names, map(bool, row), strict=True)) | self._filled
        return self._filled[table.name]

    def ask(self, stmt: Select[Any], given: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of a statement that is kept somewhere and asked again and again.

        It is compiled once: for a page of a few rows that is most of what asking costs. Booleans
        come as the driver gives them.
        """
        sql, names, fixed = _asked_sql(self.name, stmt)
        values = tuple([given[n] if n in given else fixed[n] for n in names])
        return self.conn.exec_driver_sql(sql, values).fetchall()

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

    def save_counters(self) -> None:
        """Store which ids were taken; the transaction does so before it commits."""
        self.upsert(counter, [(name, self._next[name]) for name in sorted(self._taken)])
        self._taken.clear()

    def _copy(self, table: Table, rows: Sequence[Row]) -> None:
        columns = ", ".join(f'"{c.name}"' for c in table.columns)
        cursor = self.conn.connection.cursor()
        with cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)


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


@lru_cache(maxsize=256)
def among(name: str, column: Column[Any]) -> ColumnElement[bool]:
    """Return the clause `column is one of :among` in the words of a dialect."""
    if name == "postgresql":
        return column == any_(bindparam("among", type_=NullType()))
    values = func.json_each(bindparam("among")).table_valued("value")
    return column.in_(select(values.c.value))
