"""What psycopg is told beside SQL: arrays as text at once, since it writes them item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_BETWEEN = "\x1f"


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
