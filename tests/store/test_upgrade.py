"""A database that an older hub wrote is brought to the newest schema with what is in it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from crm_hub.flow.hub import Hub
from crm_hub.store import Store, ThreadStore, migrate
from crm_hub.store.migrate import HEAD
from tests.flow.hubs import make_hub, sync_all, world, write_rows


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


def test_what_timelines_show_is_made_for_the_events_of_an_older_hub(tmp_path: Path) -> None:
    rows = world(60, 90, seed=3)
    for mail in rows["mail_1"]["mails"][::2]:
        mail["from_name"] = ""
    for name, streams in rows.items():
        write_rows(tmp_path / "src" / name, streams)
    hub = make_hub(tmp_path / "hub", {n: tmp_path / "src" / n for n in rows})
    sync_all(hub)
    lines = text("SELECT event_id, thread_id, people, shown FROM event_line ORDER BY event_id")
    with hub.store.write() as db:
        written = db.conn.execute(lines).fetchall()
        db.conn.execute(text("DROP TABLE event_line"))
        db.conn.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    hub.close()
    again = Hub(tmp_path / "hub")
    with again.store.read() as db:
        assert db.conn.execute(lines).fetchall() == written
    again.close()
    assert len(written) > 60
    assert any("[[" in row[2] or ",[" in row[2] for row in written), "somebody has no name there"
