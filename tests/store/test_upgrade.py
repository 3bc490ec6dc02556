"""A database that an older hub wrote is brought to the newest schema with what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

from crm_hub.flow.hub import Hub
from crm_hub.store import Identities, Likeness, Store, ThreadStore, migrate
from crm_hub.store.match_keys import key_hash
from crm_hub.store.migrate import HEAD
from tests.flow.hubs import make_hub, sync_all, world, write_rows


@contextmanager
def _upgraded(folder: Path, url: str, revision: str) -> Iterator[Connection]:
    """Yield a connection to a database, new or not, at a schema that is not the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    path = url.replace("sqlite:///", f"sqlite:///{folder}/")
    engine = create_engine(path.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
        yield conn
    engine.dispose()


def test_a_hub_from_before_there_were_conversations_opens_and_keeps_its_events(
    tmp_path: Path, store_url: str
) -> None:
    with _upgraded(tmp_path, store_url, "0001") as conn:
        conn.execute(
            text(
                "INSERT INTO event (id, span_from_us, span_to_us, type, occurred_at_us, seq,"
                " visibility, record_id, entry, recorded_at_us, late)"
                " VALUES (7, 1, 1, 'email.sent', 1, 1, 'full', 1, 'mail', 1, false)"
            )
        )
    store = Store(store_url, tmp_path).open()
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
    with _upgraded(tmp_path / "hub", "sqlite:///hub.db", "0005") as conn:
        conn.execute(text(f"UPDATE alembic_version SET version_num = '{HEAD}'"))
    again = Hub(tmp_path / "hub")
    with again.store.read() as db:
        assert db.conn.execute(lines).fetchall() == written
    again.close()
    assert len(written) > 60
    assert any("[[" in row[2] or ",[" in row[2] for row in written), "somebody has no name there"


def test_a_hub_from_before_keys_were_hashed_finds_everybody(tmp_path: Path, store_url: str) -> None:
    with _upgraded(tmp_path, store_url, "0005") as conn:
        conn.execute(
            text(
                "INSERT INTO canonical_record (record_id, entity, data) VALUES (:n, 'person', :d)"
            ),
            [{"n": n, "d": "{}"} for n in range(1, 12_001)],
        )
        conn.execute(
            text("INSERT INTO match_key (key, record_id) VALUES (:key, :n)"),
            [{"key": f"e:{n}@x.example", "n": n} for n in range(1, 12_001)]
            + [{"key": "n:ann lee", "n": n} for n in (1, 9, 12_000)],
        )
    store = Store(store_url, tmp_path).open()
    with store.read() as db:
        repo = Identities(db)
        assert repo.holders(["n:ann lee", "e:7000@x.example"]) == [1, 9, 7000, 12_000]
        assert sorted(repo.keys_of([9, 10])) == [
            ("e:10@x.example", 10), ("e:9@x.example", 9), ("n:ann lee", 9),
        ]  # fmt: skip
    store.close()


def test_names_of_a_hub_of_before_carry_the_marks_of_their_bearers(
    tmp_path: Path, store_url: str
) -> None:
    keys = ["e:7@x.example\nn:ann lee\nm:4.5.4294967295", "n:ann lee\nm:0.0.0", "n:ann lee"]
    with _upgraded(tmp_path, store_url, "0011") as conn:
        conn.execute(
            text(
                "INSERT INTO canonical_record (record_id, entity, data, match_keys)"
                " VALUES (:n, 'person', '{}', :keys)"
            ),
            [{"n": n, "keys": text_} for n, text_ in enumerate(keys, 1)],
        )
        entries = [(key_hash("n:ann lee"), n) for n in (1, 2, 3)]
        for table, some in (("match_key", entries[:2]), ("match_key_recent", entries[2:])):
            insert = text(f"INSERT INTO {table} (key, record_id) VALUES (:key, :n)")
            conn.execute(insert, [{"key": key, "n": n} for key, n in some])
        if conn.dialect.name == "postgresql":  # it has no small table
            conn.execute(text("INSERT INTO match_key SELECT * FROM match_key_recent"))
    store = Store(store_url, tmp_path).open()
    with store.read() as db:
        found = {record: mark for _, record, mark in Likeness(db).named(["n:ann lee"])}
        assert found == {1: (4, 5, 2**32 - 1), 2: (0, 0, 0), 3: (0, 0, 0)}
    store.close()


def test_identities_of_a_hub_of_before_say_in_which_run_they_were_created(
    tmp_path: Path, store_url: str
) -> None:
    with _upgraded(tmp_path, store_url, "0012") as conn:
        conn.execute(
            text(
                "INSERT INTO identity (id, entity, display_name, golden, updated_at_us)"
                " VALUES (:n, 'person', 'Ann', '{}', 1)"
            ),
            [{"n": n} for n in (1, 2, 3)],
        )
        log = [(1, 1, 7, "created"), (2, 2, 8, "created"), (3, 1, 9, "changed")]
        conn.execute(
            text(
                "INSERT INTO change_log (id, identity_id, run_id, at_us, kind, diff)"
                " VALUES (:id, :n, :run, 1, :kind, '{}')"
            ),
            [{"id": id_, "n": n, "run": run, "kind": kind} for id_, n, run, kind in log],
        )
    store = Store(store_url, tmp_path).open()
    with store.read() as db:
        repo = Identities(db)
        found = {n: row.created_run_id for n, row in repo.identities([1, 2, 3]).items()}
        assert found == {1: 7, 2: 8, 3: 0}
        assert repo.changes_after(0) == [(1, "changed", "{}")]
    store.close()


def test_what_a_hub_of_before_measured_stays_and_its_pairs_are_not_known(
    tmp_path: Path, store_url: str
) -> None:
    with _upgraded(tmp_path, store_url, "0013") as conn:
        insert = text("INSERT INTO population (entity, at_us, doc) VALUES ('person', 5, :doc)")
        conn.execute(insert, {"doc": '{"records": 2}'})
    store = Store(store_url, tmp_path).open()
    with store.read() as db:
        repo = Likeness(db)
        assert repo.measured("person") == {"records": 2}
        assert repo.measured_at("person") == (5, "")
        assert repo.pairs_of([1, 2]) == []
    store.close()
