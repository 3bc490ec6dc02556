"""Bringing a database to the newest schema; Alembic is imported only when there is work."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from crm_hub.model.errors import ConfigError
from crm_hub.store.postgres import WRITER_LOCK

_FOLDER = Path(__file__).parent / "migrations"
HEAD = "0014"


def migrate(engine: Engine) -> None:
    """Upgrade the database to HEAD; refuse one that a newer hub wrote."""
    current = _current(engine)
    if current == HEAD:
        return
    if current is not None and not (list((_FOLDER / "versions").glob(f"{current}_*.py"))):
        raise ConfigError(
            f"the database is at schema {current}, which this version of the hub does not know",
            remedy="Run the version that wrote it, or a newer one.",
        )
    _upgrade(engine, current)


def _current(engine: Engine) -> str | None:
    with engine.connect() as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        got = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if got is None else str(got)


def _upgrade(engine: Engine, was: str | None) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with engine.connect() as conn:
        # DDL is transactional in both: processes that open a new hub at once take turns.
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        if engine.dialect.name == "postgresql" and was is not None:
            # Tables that a migration filled have no statistics yet, and plans made without are bad.
            conn.exec_driver_sql("ANALYZE")
        conn.commit()
