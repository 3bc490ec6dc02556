"""Match keys by their hash; as text they stand with their record. docs/adr/0017."""

from itertools import groupby

import sqlalchemy as sa
from alembic import op

from crm_hub.store.match_keys import joined, key_hash

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BATCH = 5_000


def upgrade() -> None:
    op.add_column(
        "canonical_record", sa.Column("match_keys", sa.Text(), nullable=False, server_default="")
    )
    op.drop_index("match_key_record", "match_key")
    op.rename_table("match_key", "match_key_text")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX match_key_pkey RENAME TO match_key_text_pkey")
    op.create_index("match_key_text_record", "match_key_text", ["record_id"])
    for name in ("match_key", "match_key_recent"):
        op.create_table(
            name,
            sa.Column("key", sa.BigInteger(), nullable=False),
            sa.Column("record_id", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("key", "record_id"),
            sqlite_with_rowid=False,
        )
    _move_keys()
    op.drop_table("match_key_text")


def _move_keys() -> None:
    conn = op.get_bind()
    some = sa.text(
        "SELECT record_id FROM canonical_record WHERE record_id > :last"
        " ORDER BY record_id LIMIT :many"
    )
    keys_of = sa.text(
        "SELECT k.record_id, k.key FROM match_key_text k"
        " JOIN canonical_record c ON c.record_id = k.record_id"
        " WHERE k.record_id BETWEEN :first AND :last ORDER BY k.record_id, k.key"
    )
    last = 0
    while ids := list(conn.execute(some, {"last": last, "many": _BATCH}).scalars()):
        last = ids[-1]
        rows = conn.execute(keys_of, {"first": ids[0], "last": last}).fetchall()
        if rows:
            _store([(number, key) for number, key in rows])


def _store(rows: list[tuple[int, str]]) -> None:
    conn = op.get_bind()
    texts = [
        {"record": number, "keys": joined(key for _, key in found)}
        for number, found in groupby(rows, key=lambda row: row[0])
    ]
    update = "UPDATE canonical_record SET match_keys = :keys WHERE record_id = :record"
    conn.execute(sa.text(update), texts)
    entries = [{"key": key_hash(key), "record": number} for number, key in rows]
    insert = "INSERT INTO match_key (key, record_id) VALUES (:key, :record)"
    conn.execute(sa.text(insert), entries)
