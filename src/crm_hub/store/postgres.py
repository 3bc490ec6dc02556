"""What PostgreSQL and its driver are told beside SQL.

Arrays go as one text, since psycopg writes them item by item.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from struct import Struct
from typing import Any

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

from crm_hub.store.schema import metadata

_BETWEEN = "\x1f"
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
    with cursor, cursor.copy(sql) as told:
        if all(isinstance(c.type, BigInteger) and not c.nullable for c in table.columns):
            told.write(_numbers(len(table.columns), rows))
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
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + body + b"\xff\xff"


def measure(connection: Connection) -> None:
    """Let the server count what its indexed columns hold; it plans by that."""
    for table in metadata.sorted_tables:
        keys: list[Any] = [table.primary_key, *table.indexes]
        keys += [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        names = ", ".join(dict.fromkeys(f'"{c.name}"' for one in keys for c in one.columns))
        connection.exec_driver_sql(f'ANALYZE "{table.name}" ({names})')
    connection.commit()


def prepare(connection: Any) -> None:
    """Teach a psycopg connection the arrays of this module."""
    from psycopg.adapt import Dumper

    class OfBigInts(Dumper):
        oid = connection.adapters.types["int8"].array_oid

        def dump(self, obj: str) -> bytes:
            return obj.encode()

    class OfTexts(OfBigInts):
        oid = connection.adapters.types["text"].array_oid

    connection.adapters.register_dumper(BigInts, OfBigInts)
    connection.adapters.register_dumper(Texts, OfTexts)
    connection.execute("SET jit = off")  # planning by key is over before code were compiled
    connection.commit()
