"""A name's entry carries the mark of its bearer. docs/adr/0031."""

from struct import pack
from typing import Any

import sqlalchemy as sa
from alembic import op

from crm_hub.store.match_keys import key_hash

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BATCH = 5_000
_TABLES = ("match_key", "match_key_recent")


def upgrade() -> None:
    for name in _TABLES:
        op.add_column(name, sa.Column("mark", sa.LargeBinary()))
    conn = op.get_bind()
    some = sa.text(
        "SELECT record_id, match_keys FROM canonical_record WHERE record_id > :last"
        " ORDER BY record_id LIMIT :many"
    )
    last = 0
    while rows := conn.execute(some, {"last": last, "many": _BATCH}).fetchall():
        last = rows[-1].record_id
        _mark([(record, keys.split("\n")) for record, keys in rows])


def _mark(rows: list[tuple[int, list[str]]]) -> None:
    given: list[dict[str, Any]] = []
    for record, keys in rows:
        told = next((key[2:] for key in keys if key[:2] == "m:"), "0.0.0")
        if told != "0.0.0":
            mark = pack("<3I", *map(int, told.split(".")))
            given += [
                {"key": key_hash(key), "record": record, "mark": mark}
                for key in keys
                if key[:2] == "n:"
            ]
    conn = op.get_bind()
    for table in _TABLES if given else ():
        if conn.execute(sa.text(f"SELECT 1 FROM {table} LIMIT 1")).first():
            update = f"UPDATE {table} SET mark = :mark WHERE key = :key AND record_id = :record"
            conn.execute(sa.text(update), given)
