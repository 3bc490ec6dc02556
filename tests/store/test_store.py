"""The store keeps what it is given, the same on both databases."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from crm_hub.model.errors import ConfigError, Unavailable
from crm_hub.sdk import HookRequest
from crm_hub.store import (
    EMPTY_GOLDEN,
    Db,
    DeadLetter,
    Events,
    Identities,
    Landings,
    Machinery,
    Position,
    Store,
    Timelines,
)
from crm_hub.store.migrate import HEAD
from crm_hub.store.schema import counter, metadata, source_version


def _add(db: Db, key: str, payload: str = "{}") -> int:
    stream = Landings(db).stream("crm", "people") or Landings(db).add_stream(
        "crm", "people", "people"
    )
    return Landings(db).add([(stream.id, key, b"h", None, None, 5, False, payload)])[0]


def test_the_migrations_build_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.read() as db:
        context = MigrationContext.configure(db.conn, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_opening_a_store_again_changes_nothing(store: Store) -> None:
    store.open()
    with store.read() as db:
        assert db.next_id("event") == 1


def test_processes_that_open_a_new_hub_at_once_take_turns(store_url: str, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import alembic.command; "
        "from crm_hub.store import Store; print('ready', flush=True); sys.stdin.readline(); "
        "Store(sys.argv[1], Path(sys.argv[2])).open().close()"
    )
    command = [sys.executable, "-c", program, store_url, str(tmp_path)]
    openers = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for one in openers:
        assert one.stdout is not None
        one.stdout.readline()
    for one in openers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    failures = [one.communicate(timeout=60)[1] for one in openers]
    assert [one.returncode for one in openers] == [0, 0, 0], failures


def test_a_database_of_a_newer_hub_is_refused(store: Store) -> None:
    with store.write() as db:
        db.conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="9999"):
        store.open()


def test_a_read_sees_one_moment_however_much_is_written_meanwhile(store: Store) -> None:
    with store.write() as db:
        _add(db, "a")
    with store.read() as reading:
        before = Landings(reading).live_counts()
        with store.write() as db:
            _add(db, "b")
        assert Landings(reading).live_counts() == before == {1: 1}
    with store.read() as reading:
        assert Landings(reading).live_counts() == {1: 2}


def test_as_many_can_read_at_once_as_want_to(store: Store) -> None:
    with ExitStack() as held:
        started = time.monotonic()
        for _ in range(20):
            assert Landings(held.enter_context(store.read())).streams() == []
        assert time.monotonic() - started < 10


def test_an_error_inside_a_write_leaves_no_trace(store: Store) -> None:
    def fail(db: Db) -> None:
        _add(db, "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.write() as db:
        fail(db)
    with store.read() as db:
        assert Landings(db).streams() == []


def test_a_failing_commit_leaves_no_trace(store: Store) -> None:
    def fail() -> None:
        raise Unavailable("no")

    store.before_commit = fail
    with pytest.raises(Unavailable), store.write() as db:
        _add(db, "a")
    store.before_commit = None
    with store.read() as db:
        assert Landings(db).streams() == []


def test_sqlite_runs_with_a_write_ahead_log_and_full_synchronisation(tmp_path: Path) -> None:
    store = Store("sqlite:///hub.db", tmp_path).open()
    with store.read() as db:
        assert db.conn.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert db.conn.execute(text("PRAGMA synchronous")).scalar() == 2
    store.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense"])
def test_a_store_that_cannot_be_used_is_refused_with_a_remedy(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        Store(url, tmp_path)
    assert error.value.remedy


def test_ids_are_given_out_once(store: Store) -> None:
    with store.write() as db:
        assert [db.take_ids("event", 3), db.take_ids("event", 1), db.next_id("event")] == [1, 4, 5]
        assert db.take_ids("event", 0) == 5
        assert db.take_ids("identity", 0) == 1
    with store.write() as db:
        assert db.next_id("event") == 5
        assert db.conn.execute(select(func.count()).select_from(counter)).scalar() == 1


def test_ids_of_a_write_that_failed_are_given_out_again(store: Store) -> None:
    def fail() -> None:
        with store.write() as db:
            db.take_ids("event", 3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as db:
        assert db.next_id("event") == 1


def test_a_replaced_payload_is_kept_as_a_version(store: Store) -> None:
    with store.write() as db:
        number = _add(db, "a", '{"n":1}')
        Landings(db).replace([(b"i", "v2", 7, 9, False, '{"n":2}', number)])
        Landings(db).tombstone([number], 11)
    with store.read() as db:
        repo = Landings(db)
        assert repo.versions(number) == [(5, '{"n":1}'), (9, '{"n":2}')]
        (raw,) = repo.records([number])
        assert (raw.deleted, raw.payload) == (True, '{"n":2}')
        assert repo.live_counts() == {raw.stream_id: 0}
        assert db.conn.execute(select(func.count()).select_from(source_version)).scalar() == 2


def test_text_of_every_script_comes_back_as_it_went_in(store: Store) -> None:
    payload = orjson.dumps({"name": "Zoë 北京 \U0001f600 ' \" \\ \t"}).decode()
    with store.write() as db:
        number = _add(db, "ключ ' ", payload)
    with store.read() as db:
        (raw,) = Landings(db).records([number])
        assert (raw.key, raw.payload) == ("ключ ' ", payload)


def test_landings_wait_in_order_until_they_are_walked(store: Store) -> None:
    with store.write() as db:
        number = _add(db, "a")
        repo = Landings(db)
        first, second = repo.queue(1, [number], None), repo.queue(1, [number], 3)
        assert [d.id for d in repo.due("crm")] == [first, second]
        repo.walked(first)
        assert [(d.id, d.record_ids, d.late_before_us) for d in repo.due("crm")] == [
            (second, [number], 3)
        ]
        assert repo.waiting() == {1: 1}


def test_a_checkpoint_is_stored_with_its_stream(store: Store) -> None:
    with store.write() as db:
        row = Landings(db).add_stream("crm", "people", "people")
        Landings(db).save_stream(row._replace(checkpoint={"offset": 3}, source_count=9))
    with store.read() as db:
        found = Landings(db).stream("crm", "people")
        assert found is not None
        assert (found.checkpoint, found.source_count) == ({"offset": 3}, 9)


def test_a_redirect_is_followed_to_its_end(store: Store) -> None:
    with store.write() as db:
        repo = Identities(db)
        rows = [(i, "person", f"N{i}", None, '{"p":1,"v":{"a":1}}', 1, 1) for i in (1, 2, 3)]
        repo.save_identities([*rows, (4, "person", "Gone", None, EMPTY_GOLDEN, 1, 1)], [])
        repo.redirect({3: 2, 2: 1})
        assert repo.follow(3) == 1
        assert [r.id for r in repo.search("", ["person"], 9)] == [1]
        assert repo.counts() == {"person": 1}


@pytest.mark.parametrize("query", ["%", "_", "\\", "'"])
def test_a_search_takes_signs_literally(store: Store, query: str) -> None:
    with store.write() as db:
        repo = Identities(db)
        rows = [
            (1, "person", "Plain Name", None, '{"p":1,"v":{"a":"b"}}', 1, 1),
            (2, "person", f"Odd{query}Name", None, '{"p":1,"v":{"a":"b"}}', 1, 1),
        ]
        repo.save_identities(rows, [])
        assert [r.id for r in repo.search_name(query, ["person"], 9)] == [2]


@pytest.mark.parametrize("query", ["Özdemir", "özdemir", "Dê Ö", "Петров", "ПЕТРОВ", "İzm"])
def test_a_search_knows_the_small_letters_of_every_script(store: Store, query: str) -> None:
    names = ("Plain Name", "Dê Özdemir", "Иван Петров", "İzmir Office")
    with store.write() as db:
        repo = Identities(db)
        rows = [
            (n, "person", name, None, '{"p":1,"v":{"a":"b"}}', 1, 1) for n, name in enumerate(names)
        ]
        repo.save_identities(rows, [])
        (found,) = repo.search_name(query, ["person"], 9)
        assert query.lower() in found.display_name.lower()


def test_a_dead_letter_counts_its_tries(store: Store) -> None:
    letter = DeadLetter(0, "crm", "people", "a", "map", "r", "do", "", None, None, 1, 1)
    with store.write() as db:
        Machinery(db).bury([letter])
        Machinery(db).bury([letter._replace(reason="other")])
        (found,) = Machinery(db).dead()
        assert (found.tries, found.reason) == (2, "other")
        Machinery(db).revive([found.id])
        assert Machinery(db).dead() == []


def test_a_kept_request_comes_back_byte_for_byte(store: Store) -> None:
    body = bytes(range(256))
    request = HookRequest(
        "POST", "/in/form/x", {"a": "b"}, {"h": "v"}, body, datetime(2026, 1, 2, tzinfo=UTC)
    )
    with store.write() as db:
        Machinery(db).keep([("form", request), ("form", request)])
        due = Machinery(db).due_requests("form", 0, 10)
        assert [one for _, one in due] == [request, request]
        Machinery(db).settle([due[0][0]], "done")
        assert len(Machinery(db).due_requests("form", 0, 10)) == 1
        assert Machinery(db).inbox_counts() == {("form", "done"): 1, ("form", "due"): 1}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    when=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=60),
    limit=st.integers(1, 9),
)
def test_the_paged_timeline_is_the_whole_sorted(
    store: Store, when: list[tuple[int, int]], limit: int
) -> None:
    with store.write() as db:
        record = _add(db, f"r{db.next_id('source_record')}")
        identity = db.take_ids("identity", 1)
        first = db.take_ids("event", len(when))
        repo = Events(db)
        repo.save_sources([], [(record, str(i), first + i, "{}") for i in range(len(when))])
        repo.save(
            [
                (first + i, None, None, at, at, "note", at, seq, "full", record, str(i), 1, False)
                for i, (at, seq) in enumerate(when)
            ],
            [],
        )
        entries = [(identity, at, seq, first + i) for i, (at, seq) in enumerate(when)]
        repo.save_placement([], [], entries)
        repo.save_lines([(first + i, None, "[]", "[]") for i in range(len(when))], [])
    with store.read() as db:
        pages, before = [], None
        while page := Timelines(db).page(identity, limit, before):
            pages.extend(row.position for row in page)
            before = pages[-1]
    assert pages == sorted((Position(*entry[1:]) for entry in entries), reverse=True)


def test_the_server_knows_its_tables_soon_after_many_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.is_sqlite:
        pytest.skip("SQLite plans by key without statistics")
    monkeypatch.setattr(store, "_measure_at", 100)
    with store.write() as db:
        repo = Landings(db)
        stream = repo.add_stream("crm", "contacts", "contact")
        repo.add([(stream.id, str(n), b"h", None, None, 1, False, "{}") for n in range(20_000)])
    with store.write() as db:
        stmt = "SELECT attname FROM pg_stats WHERE tablename = 'source_record' ORDER BY 1"
        found = list(db.conn.exec_driver_sql(stmt).scalars())
        assert found == ["id", "key", "stream_id"]
        asked = "SELECT id FROM source_record WHERE stream_id = 1 AND key = ANY(%s::text[])"
        keys = [str(n) for n in range(19_500, 20_500)]
        plan = db.conn.exec_driver_sql(f"EXPLAIN {asked}", (keys,)).scalars().all()
        assert any("Index Cond" in line and "key = ANY" in line for line in plan), plan
