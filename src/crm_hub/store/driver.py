"""Statements handed to the driver itself, past SQLAlchemy.

A statement costs 20 us there beside what the driver takes: as much again, where it is about a few
rows, as they are when one record comes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def do(conn: Connection, sql: str, values: Sequence[Any] = (), *, many: bool = False) -> Any:
    """Have a statement done and return the driver's cursor. many: `values` are rows of values.

    Raises: what SQLAlchemy would.
    """
    dbapi: Any = conn.dialect.loaded_dbapi
    cursor = conn.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(sql, values)
    except dbapi.Error as error:
        raise _told(conn, sql, error) from error
    return cursor


@contextmanager
def telling(conn: Connection, sql: str) -> Iterator[None]:
    """Raise what SQLAlchemy would where the block raises an error of the driver."""
    try:
        yield
    except conn.dialect.loaded_dbapi.Error as error:
        raise _told(conn, sql, error) from error


def _told(conn: Connection, sql: str, error: Any) -> Any:
    """Return the error as SQLAlchemy tells it; a connection that is gone is not used again."""
    dialect, dbapi = conn.dialect, conn.dialect.loaded_dbapi
    is_gone = dialect.is_disconnect(error, conn.connection.dbapi_connection, None)
    if is_gone:
        conn.invalidate(error)
    return DBAPIError.instance(
        sql, None, error, dbapi.Error, hide_parameters=True,
        connection_invalidated=is_gone, dialect=dialect,
    )  # fmt: skip
