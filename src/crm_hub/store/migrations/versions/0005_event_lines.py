"""What timelines show of an event lies ready in one row; made here for the events there are."""

from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 1_000

_EVENTS = sa.text(
    "SELECT e.id, e.type, e.visibility, e.late, s.draft, m.thread_id FROM event e"
    " LEFT JOIN event_source s ON s.record_id = e.record_id AND s.entry = e.entry"
    " LEFT JOIN thread_message m ON m.event_id = e.id"
    " WHERE e.id > :after ORDER BY e.id LIMIT :rows"
)
_SPAN = " BETWEEN :first AND :last"
_PEOPLE = sa.text(
    "SELECT event_id, role, key, name, identity_id FROM participant"
    f" WHERE event_id{_SPAN} ORDER BY event_id, ord"
)
_TELLERS = sa.text(
    "SELECT DISTINCT es.event_id, st.connection, st.name FROM event_source es"
    " JOIN source_record r ON r.id = es.record_id JOIN stream st ON st.id = r.stream_id"
    f" WHERE es.event_id{_SPAN}"
)


def upgrade() -> None:
    table = op.create_table(
        "event_line",
        sa.Column("event_id", _ID, autoincrement=False, nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    conn, after = op.get_bind(), 0
    while rows := conn.execute(_EVENTS, {"after": after, "rows": _AT_ONCE}).fetchall():
        span = {"first": rows[0][0], "last": rows[-1][0]}
        people: dict[int, list[object]] = {}
        for number, role, key, name, identity in conn.execute(_PEOPLE, span):
            address = key.rpartition(":")[2]
            told = [role, identity, address] if identity and not name else None
            people.setdefault(number, []).append(told or f"{role} {name or address}")
        tellers: dict[int, list[str]] = {}
        for number, connection, stream in conn.execute(_TELLERS, span):
            tellers.setdefault(number, []).append(f"{connection}/{stream}")
        lines = [
            {
                "event_id": row[0],
                "thread_id": row[5],
                "people": orjson.dumps(people.get(row[0], [])).decode(),
                "shown": _shown(row, sorted(tellers.get(row[0], []))),
            }
            for row in rows
        ]
        conn.execute(table.insert(), lines)
        after = rows[-1][0]


def _shown(row: Any, tellers: list[str]) -> str:
    draft = orjson.loads(row[4]) if row[4] else {}
    is_told, snippet = row[2] != "metadata", ""
    if row[2] == "full":
        body = draft.get("body", "")
        snippet = draft.get("snippet") or " ".join(body[:400].split())[:200]
    subject = draft.get("subject", "") if is_told else ""
    attributes = draft.get("attributes", {}) if is_told else {}
    shown = [row[1], bool(row[3]), subject, snippet, attributes, tellers]
    return orjson.dumps(shown).decode()
