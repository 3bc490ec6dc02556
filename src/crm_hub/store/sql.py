"""The words of both dialects, compiled once for each statement."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Select,
    Table,
    any_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy import insert as core_insert
from sqlalchemy.sql.util import find_tables
from sqlalchemy.types import NullType


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
def insert_sql(name: str, table: Table, rows: int = 1) -> str:
    """Return the statement that adds so many rows, each with every column in order."""
    one = _sql(core_insert(table), name)
    if rows == 1:
        return one
    head, values = one.split(" VALUES ")
    return f"{head} VALUES {', '.join([values] * rows)}"


@lru_cache(maxsize=256)
def upsert_sql(name: str, table: Table) -> str:
    """Return the statement that adds a row, or replaces the one with its primary key."""
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
def update_sql(name: str, table: Table, columns: tuple[str, ...]) -> str:
    """Return the statement that sets columns by primary key."""
    stmt = update(table).ordered_values(*((table.c[c], bindparam(f"v_{c}")) for c in columns))
    for column in table.primary_key.columns:
        stmt = stmt.where(column == bindparam(f"k_{column.name}"))
    return _sql(stmt, name)


@lru_cache(maxsize=256)
def delete_sql(name: str, table: Table) -> str:
    """Return the statement that deletes by primary key."""
    keys = (column == bindparam(f"k_{column.name}") for column in table.primary_key.columns)
    return _sql(table.delete().where(*keys), name)


@lru_cache(maxsize=512)
def asked_sql(
    name: str, stmt: Select[Any], column: Column[Any] | None = None
) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """Return a query with the names of its parameters in order, and those that are fixed."""
    asked = stmt if column is None else stmt.where(among(name, column))
    compiled = asked.compile(dialect=_dialect(name))
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), compiled.params


@lru_cache(maxsize=512)
def asked_tables(stmt: Select[Any]) -> frozenset[Any]:
    """Return the tables that a kept query reads."""
    return frozenset(find_tables(stmt, include_joins=True))


@lru_cache(maxsize=256)
def delete_in_sql(name: str, table: Table, column: Column[Any]) -> str:
    """Return the statement that deletes the rows whose `column` is one of a list."""
    return _sql(table.delete().where(among(name, column)), name)


@lru_cache(maxsize=256)
def among(name: str, column: Column[Any]) -> ColumnElement[bool]:
    """Return the clause `column is one of :among` in the words of a dialect."""
    if name == "postgresql":
        return column == any_(bindparam("among", type_=NullType()))
    values = func.json_each(bindparam("among")).table_valued("value")
    return column.in_(select(values.c.value))
