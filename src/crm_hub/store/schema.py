"""The tables. Migrations in store/migrations build them; a test keeps both equal.

Times are BIGINT microseconds since 1970 UTC; JSON is TEXT, because both stores
must hold the same bytes. Rooms own tables; no table serves two rooms.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# SQLite makes a BIGINT key an alias of its rowid only when the type says INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
)

# landing ---------------------------------------------------------------------------------

stream = Table(
    "stream",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("connection", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("checkpoint", Text),
    Column("source_count", BigInteger),
    Column("repeats", BigInteger, nullable=False, default=0),
    Column("updated_at_us", BigInteger),
    Column("plan_digest", Text),
    UniqueConstraint("connection", "name"),
)

source_record = Table(
    "source_record",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("stream_id", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("version", Text),
    Column("changed_at_us", BigInteger),
    Column("received_at_us", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("payload", Text, nullable=False),
    UniqueConstraint("stream_id", "key"),
)

Index(
    "source_record_deleted",
    source_record.c.stream_id,
    sqlite_where=source_record.c.deleted.is_(True),
    postgresql_where=source_record.c.deleted,
)

source_version = Table(
    "source_version",
    metadata,
    Column("record_id", BigInteger, nullable=False),
    Column("received_at_us", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("version", Text),
    Column("changed_at_us", BigInteger),
    Column("deleted", Boolean, nullable=False),
    Column("payload", Text, nullable=False),
    Index("source_version_record", "record_id", "received_at_us"),
)

landing = Table(
    "landing",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("stream_id", BigInteger, nullable=False),
    Column("record_ids", Text, nullable=False),
    Column("late_before_us", BigInteger),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("connection", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Index("inbox_due", "connection", "state", "id"),
)

# mapping ---------------------------------------------------------------------------------

canonical_record = Table(
    "canonical_record",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("entity", Text, nullable=False),
    Column("changed_at_us", BigInteger),
    Column("data", Text, nullable=False),
    Column("match_keys", Text, nullable=False),
)

drift = Table(
    "drift",
    metadata,
    Column("stream_id", BigInteger, nullable=False),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("stream_id", "field", "reason"),
)

# resolve ---------------------------------------------------------------------------------

# The hash of each line of canonical_record.match_keys; see store/match_keys.py for the smaller one.
# mark: beside a name, what tells its bearers apart.
match_key = Table(
    "match_key",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("mark", LargeBinary),
    PrimaryKeyConstraint("key", "record_id"),
    sqlite_with_rowid=False,
)

match_key_recent = Table(
    "match_key_recent",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("mark", LargeBinary),
    PrimaryKeyConstraint("key", "record_id"),
    sqlite_with_rowid=False,
)

shared_key = Table(
    "shared_key",
    metadata,
    Column("key", Text, primary_key=True),
    Column("holders", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Index("shared_key_kind", "kind"),
)

review = Table(
    "review",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("a_record", BigInteger, nullable=False),
    Column("b_record", BigInteger, nullable=False),
    Column("bits", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("review_a", "a_record"),
    Index("review_b", "b_record"),
)

# Pairs that weigh enough to be one; a_record: the one whose source key comes first.
liked = Table(
    "liked",
    metadata,
    Column("a_record", BigInteger, primary_key=True, autoincrement=False),
    Column("b_record", BigInteger, primary_key=True, autoincrement=False),
    Column("millibits", BigInteger, nullable=False),
    Index("liked_b", "b_record"),
)

# kept: the mark of the rules by which all pairs stand in `liked`; "" while some may be missing.
population = Table(
    "population",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    Column("kept", Text, nullable=False),
)

record_link = Table(
    "record_link",
    metadata,
    Column("record_id", BigInteger, nullable=False),
    Column("relation", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("from_us", BigInteger),
    Column("to_us", BigInteger),
    PrimaryKeyConstraint("record_id", "relation", "key"),
    Index("record_link_key", "key"),
)

identity_link = Table(
    "identity_link",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("identity_id", BigInteger, nullable=False),
    Column("home_id", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("identity_link_identity", "identity_id"),
)

# What people decided about records: they are one, or they are not. `state` tells whether it stands.
ruling = Table(
    "ruling",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("doc", Text, nullable=False),
)

ruling_record = Table(
    "ruling_record",
    metadata,
    Column("ruling_id", BigInteger, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("side", BigInteger, nullable=False),
    PrimaryKeyConstraint("ruling_id", "record_id"),
    Index("ruling_record_record", "record_id"),
)

# merge -----------------------------------------------------------------------------------

identity = Table(
    "identity",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("entity", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("redirect_to", BigInteger),
    Column("golden", Text, nullable=False),
    Column("updated_at_us", BigInteger, nullable=False),
    Column("created_run_id", BigInteger, nullable=False),
)

# Who works where, as records say.
membership = Table(
    "membership",
    metadata,
    Column("person_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("from_us", BigInteger),
    Column("to_us", BigInteger),
    PrimaryKeyConstraint("person_id", "organization_id"),
    Index("membership_organization", "organization_id"),
)

# What became of identities after they were created.
change_log = Table(
    "change_log",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("identity_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("diff", Text, nullable=False),
    Index("change_log_identity", "identity_id"),
)

# timeline --------------------------------------------------------------------------------

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("key", Text),
    Column("bucket", Text),
    Column("span_from_us", BigInteger, nullable=False),
    Column("span_to_us", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("entry", Text, nullable=False),
    Column("recorded_at_us", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
)
Index("event_key", event.c.key, unique=True)
Index(
    "event_bucket",
    event.c.bucket,
    sqlite_where=event.c.bucket.is_not(None),
    postgresql_where=event.c.bucket.is_not(None),
)

event_source = Table(
    "event_source",
    metadata,
    Column("record_id", BigInteger, nullable=False),
    Column("entry", Text, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("draft", Text, nullable=False),
    PrimaryKeyConstraint("record_id", "entry"),
    Index("event_source_event", "event_id"),
)

participant = Table(
    "participant",
    metadata,
    Column("event_id", BigInteger, nullable=False),
    Column("ord", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fallback", Text),
    Column("name", Text, nullable=False),
    Column("identity_id", BigInteger),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("event_id", "ord"),
    Index("participant_key", "key"),
    sqlite_with_rowid=False,
)
Index(
    "participant_fallback",
    participant.c.fallback,
    sqlite_where=participant.c.fallback.is_not(None),
    postgresql_where=participant.c.fallback.is_not(None),
)

timeline_entry = Table(
    "timeline_entry",
    metadata,
    Column("identity_id", BigInteger, nullable=False),
    Column("occurred_at_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("identity_id", "occurred_at_us", "seq", "event_id"),
    Index("timeline_entry_event", "event_id"),
    sqlite_with_rowid=False,
)

# What a page of a timeline shows of an event, ready to be read; docs/adr/0015.
event_line = Table(
    "event_line",
    metadata,
    Column("event_id", Id, primary_key=True, autoincrement=False),
    Column("thread_id", BigInteger),
    Column("people", Text, nullable=False),
    Column("shown", Text, nullable=False),
)

# What the sender's own signature of a mail tells; told is [title, firms, vague, sites] as JSON.
signature = Table(
    "signature",
    metadata,
    Column("event_id", Id, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("told", Text, nullable=False),
    Index("signature_key", "key"),
)

# Messages joined by their ids. now_id is the conversation it stands for; docs/adr/0010.
thread = Table(
    "thread",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("now_id", BigInteger, nullable=False),
    Column("root_id", BigInteger, nullable=False),
    Column("opens", Boolean, nullable=False),
    Column("head_at_us", BigInteger, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("head_event_id", BigInteger, nullable=False),
    Column("parent_id", BigInteger),
    Index("thread_now", "now_id"),
)

thread_key = Table(
    "thread_key",
    metadata,
    Column("key", Id, primary_key=True, autoincrement=False),
    Column("thread_id", BigInteger, nullable=False),
)

thread_message = Table(
    "thread_message",
    metadata,
    Column("event_id", Id, primary_key=True, autoincrement=False),
    Column("thread_id", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("opens", Boolean, nullable=False),
    Column("forwards", Boolean, nullable=False),
    Column("subject", BigInteger),
    Column("people", Text, nullable=False),
    Index("thread_message_thread", "thread_id"),
)

thread_token = Table(
    "thread_token",
    metadata,
    Column("token", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("token", "event_id"),
    sqlite_with_rowid=False,
)

thread_waiting = Table(
    "thread_waiting",
    metadata,
    Column("token", BigInteger, nullable=False),
    Column("thread_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("token", "thread_id"),
    Index("thread_waiting_thread", "thread_id"),
    sqlite_with_rowid=False,
)

# two-way sync ----------------------------------------------------------------------------

base = Table(
    "base",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),
)

record_claim = Table(
    "record_claim",
    metadata,
    Column("record_id", BigInteger, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("record_id", "value"),
)

route = Table(
    "route",
    metadata,
    Column("connection", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("caps", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("approved_at_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("connection", "stream"),
)

# Whose brief may say something else by now, or will from `at_us` on.
brief_due = Table(
    "brief_due",
    metadata,
    Column("identity_id", Id, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Index("brief_due_at", "at_us"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("connection", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("identity_id", BigInteger, nullable=False),
    Column("record_id", BigInteger),
    Column("kind", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", BigInteger, nullable=False),
    Column("due_at_us", BigInteger, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("settled_at_us", BigInteger),
    Column("run_id", BigInteger),
    Column("reason", Text, nullable=False),
    Index("outbox_lane", "lane"),
    Index("outbox_run", "run_id"),
)
Index(
    "outbox_open",
    outbox.c.connection,
    outbox.c.state,
    outbox.c.id,
    sqlite_where=outbox.c.settled_at_us.is_(None),
    postgresql_where=outbox.c.settled_at_us.is_(None),
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("identity_id", BigInteger, nullable=False),
    Column("field", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("conflict_identity", "identity_id", "state"),
)

# the machinery ---------------------------------------------------------------------------

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("connection", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("record_key", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("inbox_id", BigInteger),
    Column("at_us", BigInteger, nullable=False),
    Column("tries", BigInteger, nullable=False),
    UniqueConstraint("connection", "stream", "record_key", "step"),
)

run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("started_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Index("run_connection", "connection", "id"),
)
