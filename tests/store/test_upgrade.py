"""A database that an older hub wrote is brought to the newest schema with what is in it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from crm_hub.store import Store, ThreadStore, migrate
from crm_hub.store.migrate import HEAD


def test_a_hub_from_before_there_were_conversations_opens_and_keeps_its_events(
    tmp_path: Path,
) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.execute(
            text(
                "INSERT INTO event (id, span_from_us, span_to_us, type, occurred_at_us, seq,"
                " visibility, record_id, entry, recorded_at_us, late)"
                " VALUES (7, 1, 1, 'email.sent', 1, 1, 'full', 1, 'mail', 1, false)"
            )
        )
    engine.dispose()
    store = Store("sqlite:///hub.db", tmp_path).open()
    with store.read() as db:
        assert db.conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        assert db.conn.execute(text("SELECT id FROM event")).scalar() == 7
        assert ThreadStore(db).conversations_of([7]) == {}
    store.close()
