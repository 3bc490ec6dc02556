"""What PostgreSQL and its driver are told beside SQL.

Arrays go as one text, since psycopg writes them item by item.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from struct import Struct
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from crm_hub.store.driver import do, telling
from crm_hub.store.schema import metadata

WRITER_LOCK = 7_236_014_220_411
"""The advisory lock of the one who writes to a hub's database, or brings it to a newer schema."""

_BETWEEN = "\x1f"
_TOGETHER = 250  # rows changed by a statement
_TYPES = {BigInteger: "int8", Boolean: "bool", LargeBinary: "bytea", Text: "text"}


class BigInts(str):
    """An array of BIGINT as the server reads it."""

    __slots__ = ()


class Texts(str):
    """An array of TEXT as the server reads it."""

    __slots__ = ()


def array(values: Sequence[Any]) -> BigInts | Texts:
    """Return integers, or texts, as one parameter."""
    if isinstance(values[0], int):
        return BigInts("{" + ",".join(map(str, values)) + "}")
    whole = _BETWEEN.join(values)
    if whole.count(_BETWEEN) >= len(values):
        return Texts("{" + ",".join(f'"{_escaped(one)}"' for one in values) + "}")
    return Texts('{"' + _escaped(whole).replace(_BETWEEN, '","') + '"}')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def copy(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows, each with every column in the table's order."""
    names = ", ".join(f'"{c.name}"' for c in table.columns)
    sql = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'
    cursor: Any = connection.connection.cursor()
    with telling(connection, sql), cursor, cursor.copy(sql) as told:
        if all(isinstance(c.type, BigInteger) and not c.nullable for c in table.columns):
            told.write(_numbers(len(table.columns), rows))
            return
        if table.name == "match_key":
            told.write(_entries(rows))
            return
        told.set_types([_type_of(c) for c in table.columns])
        for row in rows:
            told.write_row(row)


def _type_of(column: Column[Any]) -> str:
    return next(name for kind, name in _TYPES.items() if isinstance(column.type, kind))


def _numbers(width: int, rows: Sequence[tuple[int, ...]]) -> bytes:
    """Return rows of BIGINT in the binary format of COPY; a third of what psycopg takes for it.

    Source: postgresql.org/docs/current/sql-copy.html, "Binary Format".
    """
    packed = Struct(">h" + "iq" * width).pack
    if width == 2:
        body = b"".join([packed(2, 8, one, 8, other) for one, other in rows])
    else:
        body = b"".join([packed(width, *chain.from_iterable((8, n) for n in row)) for row in rows])
    return _framed(body)


def _entries(rows: Sequence[tuple[int, int, bytes | None]]) -> bytes:
    """Return entries of match_key in the same format, each with a mark or without one."""
    bare = Struct(">hiqiqi").pack
    body = [
        bare(3, 8, key, 8, record, -1)
        if mark is None
        else bare(3, 8, key, 8, record, len(mark)) + mark
        for key, record, mark in rows
    ]
    return _framed(b"".join(body))


def _framed(body: bytes) -> bytes:
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + body + b"\xff\xff"


def change(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    is_new: bool,
) -> None:
    """Set these columns of rows, by primary key, in one statement; the last row of a key counts.

    is_new: add what is not there; `columns` are then all. Rows go as one JSON text: a statement a
    row, or an array a column, costs the driver more than all else.
    """
    places = [columns.index(c.name) for c in table.primary_key.columns]
    last = {tuple(row[place] for place in places): row for row in rows}
    names = [f"c{place}" for place in range(len(columns))]
    given = [dict(zip(names, row, strict=True)) for row in last.values()]
    for start in range(0, len(given), _TOGETHER):
        text = orjson.dumps(given[start : start + _TOGETHER], _hex).decode()
        do(connection, _change_sql(table, columns, is_new), (text,))


def _hex(value: Any) -> str:
    return bytes(value).hex()


@lru_cache(maxsize=64)
def _change_sql(table: Table, columns: tuple[str, ...], is_new: bool) -> str:
    types = [_type_of(table.c[name]) for name in columns]
    typed = ", ".join(
        f"c{place} {'text' if kind == 'bytea' else kind}" for place, kind in enumerate(types)
    )
    values = {
        f'"{name}"': f"decode(c{place}, 'hex')" if kind == "bytea" else f"c{place}"
        for place, (name, kind) in enumerate(zip(columns, types, strict=True))
    }
    keys = [f'"{c.name}"' for c in table.primary_key.columns]
    rest = [name for name in values if name not in keys]
    rows = f"json_to_recordset(%s::json) AS given({typed})"
    if not is_new:
        sets = ", ".join(f"{name} = {values[name]}" for name in rest)
        meant = " AND ".join(f"{name} = {values[name]}" for name in keys)
        return f'UPDATE "{table.name}" SET {sets} FROM {rows} WHERE {meant}'
    sets = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return (
        f'INSERT INTO "{table.name}" ({", ".join(values)}) SELECT {", ".join(values.values())}'
        f" FROM {rows} ON CONFLICT ({', '.join(keys)})"
        f" DO {f'UPDATE SET {sets}' if rest else 'NOTHING'}"
    )


def measure(connection: Connection) -> None:
    """Let the server count what its indexed columns hold; it plans by that."""
    for table in metadata.sorted_tables:
        keys: list[Any] = [table.primary_key, *table.indexes]
        keys += [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        names = ", ".join(dict.fromkeys(f'"{c.name}"' for one in keys for c in one.columns))
        connection.exec_driver_sql(f'ANALYZE "{table.name}" ({names})')
    connection.commit()


def prepare(connection: Any) -> None:
    """Teach a psycopg connection the arrays of this module, and whether a pooler answers.

    A pooler may give each transaction another session, so that no statement can be kept in one.
    """
    from psycopg.adapt import Dumper

    class OfBigInts(Dumper):
        oid = connection.adapters.types["int8"].array_oid

        def dump(self, obj: str) -> bytes:
            return obj.encode()

    class OfTexts(OfBigInts):
        oid = connection.adapters.types["text"].array_oid

    connection.adapters.register_dumper(BigInts, OfBigInts)
    connection.adapters.register_dumper(Texts, OfTexts)
    # Planning by key is over before code were compiled.
    asked = "SELECT pg_backend_pid(), set_config('jit', 'off', false)"
    (session, _) = connection.execute(asked).fetchone()
    connection.commit()
    if session != connection.info.backend_pid:  # a pooler made up the one it gave
        connection.prepare_threshold = None


def is_pooled(connection: Any) -> bool:
    """Tell whether `prepare` found a pooler: its sessions are not this connection's alone."""
    return connection.prepare_threshold is None
