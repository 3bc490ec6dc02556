"""A transaction that is committed behind its writer: what it says meanwhile, and when it fails."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from crm_hub.model.errors import Unavailable
from crm_hub.store import Behind, Db, Identities, Likeness, SharedKeys, Store, engine, match_keys
from crm_hub.store.match_keys import entries_of, joined
from crm_hub.store.schema import match_key_recent, population, shared_key
from crm_hub.store.streaming import Streaming


def _hold(db: Db, number: int, keys: list[str]) -> None:
    repo = Identities(db)
    repo.save_canonical([(number, "person", None, "{}", joined(keys))], [])
    repo.add_keys(entries_of((key, number) for key in keys))
    repo.save_identities([(number, "person", f"P{number}", None, "{}", 1, 1)], [])
    repo.save_links([(number, number, number, "alone", "auto", 1)], [])


def _hold_and_fail(db: Db) -> None:
    _hold(db, 1, ["e:a@x.example"])
    raise ZeroDivisionError


def test_what_was_inserted_is_found_before_and_after_the_commit(store: Store) -> None:
    with Behind() as behind:
        for number in range(1, 6):
            with store.write_behind(behind) as db:
                _hold(db, number, [f"e:{number}@x.example", "p:+12125550100"])
                repo = Identities(db)
                assert repo.holders(["p:+12125550100"]) == list(range(1, number + 1))
                assert repo.links_of([number]) == {number: (number, number)}
                assert [h.display_name for h in repo.identities([number]).values()] == [
                    f"P{number}"
                ]
                repo.redirect({number: 1})
        store.settled(behind)
    with store.read() as db:
        found = Identities(db).identities(range(1, 9))
        assert {n: row.redirect_to for n, row in found.items()} == dict.fromkeys(range(1, 6), 1)


def test_what_is_asked_beside_is_planned_once_and_never_waits_in_a_transaction(
    store: Store,
) -> None:
    if store.is_sqlite:
        pytest.skip("SQLite asks on the connection that writes")
    with Behind() as behind:
        for number in range(1, 21):
            with store.write_behind(behind) as db:
                assert isinstance(db, Streaming)
                keys = [f"e:{n}@x.example" for n in range(number)]
                assert Identities(db).holders(keys) == list(range(1, number))
                _hold(db, number, [f"e:{number - 1}@x.example"])
                beside: Any = db._beside.connection.dbapi_connection
                assert beside.info.transaction_status == TransactionStatus.IDLE
        store.settled(behind)
        by_key = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement "
        planned = beside.execute(by_key + "LIKE '%match_key.key = ANY%'").fetchall()
    assert planned
    assert all(once and not anew for once, anew in planned)


def test_a_block_that_fails_leaves_nothing(store: Store) -> None:
    with Behind() as behind:
        with pytest.raises(ZeroDivisionError), store.write_behind(behind) as db:
            _hold_and_fail(db)
        store.settled(behind)
    with store.write() as db:
        assert Identities(db).holders(["e:a@x.example"]) == []


@pytest.fixture
def failing(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose next commit behind fails."""
    usual = Store._commit

    def commit(self: Store, db: Db, **more: Any) -> None:
        monkeypatch.setattr(Store, "_commit", usual)
        raise Unavailable("the disk is full")

    monkeypatch.setattr(Store, "_commit", commit)
    return store


def test_a_commit_that_fails_is_told_once_and_leaves_nothing(failing: Store) -> None:
    with Behind() as behind:
        with failing.write_behind(behind) as db:
            _hold(db, 1, ["e:a@x.example"])
        with pytest.raises(Unavailable, match="is full"):
            failing.settled(behind)
        failing.settled(behind)
    with failing.write() as db:
        assert Identities(db).holders(["e:a@x.example"]) == []


def test_nothing_is_built_on_a_commit_that_failed(failing: Store) -> None:
    with Behind() as behind:
        with failing.write_behind(behind) as db:
            _hold(db, 1, ["e:a@x.example"])
        with pytest.raises(Unavailable, match="is full"), failing.write_behind(behind):
            raise AssertionError("it begins only when the one before is durable")


def test_the_log_of_sqlite_is_copied_back_beside_the_commits_and_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_COPY_EACH", 20)
    store = Store("sqlite:///hub.db", tmp_path).open()
    with Behind() as behind:
        for number in range(1, 200):
            with store.write_behind(behind) as db:
                _hold(db, number, [f"e:{number}@x.example"])
        store.settled(behind)
    with store.read() as db:
        assert len(Identities(db).identities(range(1, 200))) == 199
    with store._engine.connect() as conn:
        _busy, pages, _copied = conn.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
    store.close()
    assert pages < 199  # each of the commits writes several


def test_keys_wait_to_be_merged_until_the_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_keys, "RECENT", 10)
    with Behind() as behind:
        for number in range(1, 36):
            with store.write_behind(behind) as db:
                _hold(db, number, [f"s:crm:id:{number}", "n:ann lee"])
                assert Identities(db).holders(["n:ann lee"]) == list(range(1, number + 1))
        store.settled(behind)
    with store.read() as db:
        assert Identities(db).holders(["n:ann lee"]) == list(range(1, 36))
        waiting = db.conn.execute(select(match_key_recent)).fetchall()
    assert len(waiting) < 10


def test_a_log_that_cannot_be_copied_back_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "_COPY_EACH", 20)
    store = Store("sqlite:///hub.db", tmp_path).open()

    def refuse(*_: Any, **__: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    with Behind() as behind, caplog.at_level("WARNING"):
        monkeypatch.setattr(engine.sqlite3, "connect", refuse)
        for number in range(1, 60):
            with store.write_behind(behind) as db:
                _hold(db, number, [f"e:{number}@x.example"])
        store.settled(behind)
    monkeypatch.undo()
    with store.read() as db:
        assert len(Identities(db).identities(range(1, 60))) == 59
    store.close()
    assert "not copied back: disk I/O error" in caplog.text


def test_what_is_changed_goes_after_what_was_inserted_before_it(store: Store) -> None:
    def kinds(db: Db) -> list[tuple[str, str]]:
        found = SharedKeys(db).kinds(["p:1", "p:2", "p:3"])
        return sorted(found.items())

    with Behind() as behind:
        with store.write_behind(behind) as db:
            db.insert(shared_key, [("p:1", 2, "several"), ("p:2", 2, "several")])
            db.delete_in(shared_key, shared_key.c.key, ["p:1"])
            db.insert(shared_key, [("p:1", 9, "crowded")])
            db.update(shared_key, ("kind",), [("crowded", "p:2")])
            db.insert(shared_key, [("p:3", 2, "several")])
            asked = sorted(map(tuple, db.ask(select(shared_key.c.key, shared_key.c.kind), {})))
            assert asked == [("p:1", "crowded"), ("p:2", "crowded"), ("p:3", "several")]
        with store.write_behind(behind) as db:
            assert kinds(db) == asked
            db.conn.execute(shared_key.delete())  # what goes this way is seen as well
            assert db.ask(select(shared_key.c.key), {}, stored=True) == []
        store.settled(behind)
    with store.read() as db:
        assert kinds(db) == []


def test_a_row_that_is_refused_stops_what_comes_after_it_and_leaves_nothing(store: Store) -> None:
    def refused() -> None:
        with store.write_behind(behind) as db:
            _hold(db, 1, ["e:a@x.example"])
            db.insert(shared_key, [("p:1", 2, "several"), ("p:1", 3, "several")])
            db.insert(population, [("person", 1, "{}", "")])
        store.settled(behind)

    with Behind() as behind:
        with pytest.raises(IntegrityError):
            refused()
        with store.write_behind(behind) as db:
            assert Identities(db).holders(["e:a@x.example"]) == []
            assert not Likeness(db).measured("person")
            _hold(db, 1, ["e:a@x.example"])
        store.settled(behind)
    with store.read() as db:
        assert Identities(db).holders(["e:a@x.example"]) == [1]


def test_an_error_of_the_writer_waits_for_what_is_being_sent(store: Store) -> None:
    with Behind() as behind:
        for _ in range(20):
            with pytest.raises(ZeroDivisionError), store.write_behind(behind) as db:
                _hold_and_fail(db)
    with store.write() as db:
        assert Identities(db).holders(["e:a@x.example"]) == []


def test_many_writers_behind_at_once_do_not_wait_for_each_others_connections(store: Store) -> None:
    def write(first: int) -> None:
        with Behind() as behind:
            for number in range(first, first + 3):
                with store.write_behind(behind) as db:
                    _hold(db, number, [f"e:{number}@x.example"])
            store.settled(behind)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(0, 60, 3)))
    with store.read() as db:
        assert len(Identities(db).identities(range(60))) == 60
