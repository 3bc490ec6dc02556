"""Opening a hub's database: pragmas, migrations, and the one kind of write transaction.

SQLite runs in WAL with synchronous=FULL (a committed page survives a power cut)
and every write begins IMMEDIATE (a deferred one fails late when two processes
share the file). On PostgreSQL a transaction-level advisory lock gives the same:
one writer of identities at a time, many readers.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, OperationalError

from crm_hub.model.errors import ConfigError, HubError, Unavailable
from crm_hub.observe import logger
from crm_hub.store import postgres
from crm_hub.store.behind import Behind
from crm_hub.store.db import Db, Trial
from crm_hub.store.streaming import Streaming

_log = logger("store")

# One round trip. Tables grow within a run, and a plan once made for an empty one would stay;
# whoever writes asks by key only, which the server cannot know before it has statistics.
_BY_KEY = (
    "set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('enable_seqscan', 'off', true)"
)
_BEGIN_WRITE = text(f"SELECT pg_advisory_xact_lock(:k), {_BY_KEY}")
# The same few questions page after page: each is planned once, for keys of any number, and anew
# when the server has looked at its table again.
_PLAN_ONCE = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
# Rows after whose arrival PostgreSQL is told to look at its tables again: it plans a question for
# a whole page by how many rows share a value, and its own look may be a minute away.
_MEASURE_FROM, _MEASURE_EACH = 20_000, 8
# So many new rows fill about half of the log at which a commit of SQLite copies it back by itself.
_COPY_EACH = 80_000
BUSY_TIMEOUT_MS = 30_000
RESTED_S = 2.0


class Store:
    """A hub's database. `write()` and `read()` open transactions; nothing else touches SQL.

    `before_commit` is called before each commit: tests make it fail.
    """

    def __init__(self, url: str, base_dir: Path) -> None:
        self.url = _absolute(url, base_dir)
        self._engine = _engine(self.url)
        self._viewer = self._glancer = self._beside = self._engine
        if not self.is_sqlite:
            self._viewer = self._engine.execution_options(isolation_level="REPEATABLE READ")
            self._glancer = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            self._beside = _beside(self.url)
        self.before_commit: Any = None
        self._added, self._measure_at = 0, _MEASURE_FROM
        self._logged, self._copied = 0, False

    def open(self) -> Store:
        """Return the store with its tables at the newest version."""
        from crm_hub.store.migrate import migrate

        try:
            migrate(self._engine)
        except DBAPIError as error:
            self.close()
            if (known := _told_by(error)) is not None:
                raise known from None
            if not isinstance(error, OperationalError):
                raise
            raise Unavailable(
                f"the hub's database cannot be opened: {_cause(error)}",
                remedy="Check `store` in hub.yaml and that the database runs.",
            ) from None
        return self

    @contextmanager
    def write(self) -> Iterator[Db]:
        """A write transaction: committed at the end, rolled back on any error."""
        with self._guarded(), self._engine.connect() as conn:
            self._begin_write(conn)
            db = Db(conn)
            yield db
            self._commit(db)

    @contextmanager
    def write_behind(self, behind: Behind) -> Iterator[Db]:
        """A write transaction that is committed in a thread once the block has ended.

        Waits first for the one before it, and raises what became of that: whoever writes this way
        knows that something is durable when the next block begins, or `settled` has returned.
        """
        with self._guarded(), ExitStack() as held:
            behind.wait()
            conn = held.enter_context(self._engine.connect())
            self._begin_write(conn)
            if self.is_sqlite or postgres.is_pooled(conn.connection.dbapi_connection):
                # A pooler has so many sessions: who writes would wait for a second one behind
                # others who hold one each and wait for their turn to write.
                db = Db(conn, later=True)
            else:
                beside = held.enter_context(self._beside.connect())
                db = Streaming(conn, beside, behind)
            try:
                yield db
                if self.before_commit is not None:
                    self.before_commit()
            except BaseException:
                behind.rest()
                raise
            connections = held.pop_all()
            behind.start(lambda: self._commit_behind(db, connections, behind))

    def settled(self, behind: Behind) -> None:
        """Return once what was written last is durable. Raises: what kept it from it."""
        with self._guarded():
            behind.wait()

    def _commit_behind(self, db: Db, connections: ExitStack, behind: Behind) -> None:
        with connections:
            self._commit(db, is_told=True)
        if self.is_sqlite:
            self._keep_log_short(behind, db.added)

    def _keep_log_short(self, behind: Behind, added: int) -> None:
        """Have SQLite's log copied back beside the commits; one of them would else wait for all.

        What has come meanwhile is copied here: only a log of which nothing is left is begun anew.
        """
        self._logged += added
        if behind.is_aside:
            return
        if self._copied:
            self._copied, self._logged = False, 0
            self._copy_log()
        elif self._logged >= _COPY_EACH:
            behind.aside(self._copy_most)

    def _copy_most(self) -> None:
        self._copy_log()
        self._copy_log()  # what has come while the most was copied
        self._copied = True

    def _copy_log(self) -> None:
        # Not with a connection of the pool: that would take turns with the one that writes, and
        # each would find its page cache out of date.
        try:
            with closing(sqlite3.connect(str(make_url(self.url).database))) as conn:
                conn.execute("PRAGMA synchronous = FULL")
                conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:  # what is committed is safe in the log
            _log.warning("the log of the database was not copied back: %s", error)

    def _commit(self, db: Db, *, is_told: bool = False) -> None:
        db.finish()
        if self.before_commit is not None and not is_told:
            self.before_commit()
        db.conn.commit()
        self._added += db.added
        if self._added >= self._measure_at and not self.is_sqlite:
            self._measure_at = self._added * _MEASURE_EACH
            postgres.measure(db.conn)

    @contextmanager
    def read(self) -> Iterator[Db]:
        """A read transaction: one consistent view, never waiting for a writer."""
        with self._guarded(), self._viewer.connect() as conn:
            if self.is_sqlite:
                conn.exec_driver_sql("BEGIN")
            yield Db(conn)
            conn.rollback()

    @contextmanager
    def trial(self) -> Iterator[Db]:
        """A read transaction in which whatever writes can be tried out; nobody waits for it."""
        with self.read() as db:
            yield Trial(db.conn)

    @contextmanager
    def glance(self) -> Iterator[Db]:
        """A read of a few rows for somebody who waits: on PostgreSQL without a transaction.

        Each statement then sees what is committed when it begins, and the two round trips around
        them are saved.
        """
        if self.is_sqlite:
            with self.read() as db:
                yield db
            return
        with self._guarded(), self._glancer.connect() as conn:
            yield Db(conn)

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def rows_changed(self) -> int | None:
        """Return how many rows this process's connection has written (SQLite only)."""
        if not self.is_sqlite:
            return None
        with self._engine.connect() as conn:
            return int(conn.exec_driver_sql("SELECT total_changes()").scalar_one())

    def close(self) -> None:
        self._engine.dispose()
        self._beside.dispose()

    def _begin_write(self, conn: Any) -> None:
        if self.is_sqlite:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            conn.execute(_BEGIN_WRITE, {"k": postgres.WRITER_LOCK})

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if (known := _told_by(error)) is not None:
                raise known from None
            if isinstance(error, OperationalError):
                raise Unavailable(
                    f"the hub's database did not take part: {_cause(error)}",
                    remedy="Nothing was half written. Look for a full disk or another program that "
                    "holds the database, then run the command again.",
                ) from None
            if error.connection_invalidated:
                raise Unavailable(
                    "the hub's database went away", remedy="Run the command again."
                ) from None
            raise


def _absolute(url: str, base_dir: Path) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "`store` is not a database URL",
            remedy="Use sqlite:///hub.db or postgresql://user@host/database.",
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError("`store` names no file", remedy="Use sqlite:///hub.db.")
        parsed = parsed.set(database=str(base_dir / parsed.database))
    elif backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    else:
        raise ConfigError(
            f"the hub does not run on {backend}", remedy="Use sqlite:/// or postgresql://."
        )
    return parsed.render_as_string(hide_password=False)


def _engine(url: str) -> Engine:
    # A lane holds two at most. Were they counted, lanes could wait for each other's second one.
    if url.startswith("sqlite"):
        engine = create_engine(
            url, hide_parameters=True, max_overflow=-1, connect_args={"timeout": 30}
        )
        event.listen(engine, "connect", _sqlite_connected)
        return engine
    try:
        engine = create_engine(url, hide_parameters=True, max_overflow=-1)
    except ModuleNotFoundError:
        raise ConfigError(
            "PostgreSQL needs its driver", remedy="Install it: pip install 'crm-hub[postgres]'"
        ) from None
    # First of all: SQLAlchemy asks for the version, and cannot read it in another encoding.
    event.listen(engine, "connect", _is_utf8, insert=True)
    event.listen(engine, "connect", lambda connection, _record: postgres.prepare(connection))
    event.listen(engine, "checkin", _rested)
    event.listen(engine, "checkout", _still_there)
    return engine


def _is_utf8(connection: Any, _record: Any) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise ConfigError(
            f"the hub's database is in {encoding}, which cannot hold every name",
            remedy="Make one in UTF-8: createdb -E UTF8 -T template0 NAME, and name it in `store`.",
        )


def _beside(url: str) -> Engine:
    """Return an engine for questions beside a transaction; without one, so that plans are kept."""
    engine = _engine(url).execution_options(isolation_level="AUTOCOMMIT")
    event.listen(engine, "connect", lambda connection, _record: _plan_once(connection))
    return engine


def _plan_once(connection: Any) -> None:
    connection.execute(_PLAN_ONCE)
    connection.commit()


def _rested(_connection: Any, record: Any) -> None:
    record.info["used_at_s"] = time.monotonic()


def _still_there(connection: Any, record: Any, _fairy: Any) -> None:
    """Ask a connection that has rested whether the server is still there; a new one takes over.

    One that was in use a moment ago is not asked: that is a round trip for each page read.
    """
    if not connection.closed and time.monotonic() - record.info.get("used_at_s", 0) < RESTED_S:
        return
    try:
        connection.autocommit = True
        connection.execute("SELECT 1")
        connection.autocommit = False
    except Exception as error:
        raise DisconnectionError from error


def _sqlite_connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "cache_size = -8192",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 16000",  # 64 MB: pages written again and again are copied back once
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_NO_RIGHT = "42501"  # insufficient_privilege; postgresql.org/docs/current/errcodes-appendix.html


def _told_by(error: DBAPIError) -> HubError | None:
    """Return what is wrong with the database where its own words name no remedy, else None."""
    name = getattr(error.orig, "sqlite_errorname", "")
    if name.startswith(_DAMAGED):
        return ConfigError(
            f"the hub's database is damaged: {_cause(error)}",
            remedy="It was left as it is. Stop the hub and put the backup in its place, with "
            "hub.db-wal and hub.db-shm taken away; what the sources still hold is read again.",
        )
    if name.startswith("SQLITE_READONLY"):
        return Unavailable(
            f"the hub may not write its database: {_cause(error)}",
            remedy="Run the command as the user who owns the hub's folder, or correct owner and "
            "mode of the folder and of hub.db.",
        )
    if getattr(error.orig, "sqlstate", "") == _NO_RIGHT:
        return Unavailable(
            f"the hub's role may not use its database: {_cause(error)}",
            remedy="Let the role that `store` names own the database and the tables in it.",
        )
    return None


def _cause(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0] if error.orig else "no answer"
