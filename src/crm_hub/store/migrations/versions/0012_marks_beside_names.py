"""A name's entry carries the mark of its bearer. docs/adr/0031."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from crm_hub.store.match_keys import NAME, entries_of, split

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
        _mark([(record, split(keys)) for record, keys in rows])


def _mark(rows: list[tuple[int, list[str]]]) -> None:
    names, marks = [], {}
    for record, keys in rows:
        names += [(key, record) for key in keys if key[:2] == NAME]
        for key in keys:
            if key[:2] == "m:":
                place, firm, domain = map(int, key[2:].split("."))
                marks[record] = place, firm, domain
    given: list[dict[str, Any]] = [
        {"key": key, "record": record, "mark": mark}
        for key, record, mark in entries_of(names, marks)
        if mark is not None
    ]
    if given:
        for table in _TABLES:
            update = f"UPDATE {table} SET mark = :mark WHERE key = :key AND record_id = :record"
            op.get_bind().execute(sa.text(update), given)
