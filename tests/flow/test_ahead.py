"""A helper process maps ahead of a long read: the same rows, and no trace of it when it is gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_hub.flow import ahead, pages, walk_drafts
from crm_hub.flow.ahead import Ahead
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.mapping_process import answer_of, unpacked
from crm_hub.model.errors import Unavailable
from crm_hub.model.records import Change
from crm_hub.sdk.testing import servers
from crm_hub.store import Db, Store
from crm_hub.store.schema import metadata
from tests.flow.hubs import content, make_hub, sync_all, world, write_rows

ROWS = world(160, 120, seed=5)
# One that no mapping takes: its error must be the same wherever it is met.
ROWS["mail_1"]["mails"][7]["date"] = "the day after"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper starts with the first record, and pages wait until it is there."""
    monkeypatch.setattr(ahead, "LONG", 0)
    monkeypatch.setattr(ahead, "_START_S", 60.0)
    monkeypatch.setattr(ahead, "cores", lambda: 2)
    for enough in ("ENOUGH", "ENOUGH_FOR_SERVER"):
        monkeypatch.setattr(pages, enough, 50)


def _hub(folder: Path, rows: Any = ROWS, store: str = "sqlite:///hub.db") -> Hub:
    for name, streams in rows.items():
        write_rows(folder / "src" / name, streams)
    sources = {n: folder / "src" / n for n in rows}
    return make_hub(folder / "hub", sources, page_size=20, store=store)


def _left(hub: Hub) -> dict[str, Any]:
    with hub.store.read() as db:
        letters = db.conn.execute(metadata.tables["dead_letter"].select())
        dead = sorted((row.record_key, row.step, row.reason, row.remedy) for row in letters)
        drifts = sorted(map(tuple, db.conn.execute(metadata.tables["drift"].select())))
    return {**content(hub), "dead": dead, "drifts": drifts}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    hub = _hub(tmp_path / "alone")
    list(sync_all(hub))
    return _left(hub)


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list to which the number of records that come from the helper is added."""
    taken: list[int] = []
    usual = Ahead.take

    def take(self: Ahead) -> Any:
        found = usual(self)
        taken.append(sum(one[3] is not None for one in found.values()))
        return found

    monkeypatch.setattr(Ahead, "take", take)
    return taken


def test_what_the_helper_maps_is_what_would_have_been_mapped(
    tmp_path: Path, expected: dict[str, Any], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = _counted(monkeypatch)
    hub = _hub(tmp_path)
    sync_all(hub)
    assert _left(hub) == expected
    assert expected["dead"] or expected["drifts"]
    assert sum(taken) > 250, "most records came from the helper"


def test_what_postgres_is_told_behind_is_what_sqlite_holds(
    tmp_path: Path, expected: dict[str, Any], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = _counted(monkeypatch)
    try:
        with servers.postgres() as base, servers.postgres_database(base) as url:
            hub = _hub(tmp_path, store=url)
            sync_all(hub)
            assert _left(hub) == expected
            hub.close()
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))
    assert sum(taken) > 250, "most records came from the helper"


def test_a_record_that_fails_is_left_to_the_asker_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = _hub(tmp_path)
    section, rules = hub.plan("crm_a").sections["contacts"], hub.tools.rules
    payloads: list[Any] = [{"id": str(n), "first": f"Ann{n}"} for n in range(4)]
    for _ in range(100):  # what holds a NUL is cleaned, and that may not be this deep
        payloads[1]["deep"] = {"on": payloads[1].get("deep", "\0")}
    job = (orjson.dumps(payloads), [None] * 4)
    whole = unpacked(answer_of(section, rules, job))
    assert [one is not None for one in whole] == [True, False, True, True]

    usual = walk_drafts.name_of

    def name_of(entity: str, values: dict[str, Any]) -> Any:
        if values.get("given_name") == "Ann2":
            raise ZeroDivisionError
        return usual(entity, values)

    monkeypatch.setattr(walk_drafts, "name_of", name_of)
    found = unpacked(answer_of(section, rules, job))
    assert found[2] is not None
    assert found[2][3] is None, "its text and hash stand; it is mapped where it is stored"
    assert [found[0], found[1], found[3]] == [whole[0], whole[1], whole[3]]


def test_the_read_goes_on_when_the_helper_dies(
    tmp_path: Path, expected: dict[str, Any], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    offered: list[bool] = []
    usual = Ahead.offer

    def offer(self: Ahead, changes: Sequence[Change]) -> bool:
        offered.append(usual(self, changes))
        if self._helper is not None and offered[-1] and len(offered) % 3 == 0:
            os.kill(self._helper.pid, signal.SIGKILL)
            killed.append(self._helper.pid)
        return offered[-1]

    monkeypatch.setattr(Ahead, "offer", offer)
    hub = _hub(tmp_path)
    sync_all(hub)
    assert killed
    assert _left(hub) == expected


def test_it_has_the_next_page_before_the_last_is_taken_and_gives_both_back_when_it_dies(
    tmp_path: Path, at_once: None
) -> None:
    hub = _hub(tmp_path)
    section = hub.plan("crm_a").sections["contacts"]

    def page(name: str) -> list[Change]:  # more than its pipes hold
        return [
            Change(f"{name}{n}", {"id": f"{name}{n}", "first": "A" * 4_000}) for n in range(600)
        ]

    with Ahead(section, hub.tools.rules) as helper:
        helper.saw(1)
        first, second, third = page("a"), page("b"), page("c")
        assert helper.offer(first)
        assert helper.offer(second)
        assert not any(one.payload for one in (*first, *second))
        for given in (first, second):
            taken = helper.take()
            assert [taken[id(one)][0] for one in given] == [
                orjson.dumps({"first": "A" * 4_000, "id": one.id}).decode() for one in given
            ]
        first, second = page("a"), page("b")
        assert helper.offer(first)
        assert helper.offer(second)
        assert helper._helper is not None
        os.kill(helper._helper.pid, signal.SIGKILL)
        while helper.offer(third):  # what is still sent before it is known to be gone
            third = page("c")
        helper.take()
        helper.take()
        assert all(one.payload == {"id": one.id, "first": "A" * 4_000} for one in (*first, *second))
        assert all(one.payload for one in third)


def test_a_commit_that_fails_behind_loses_nothing_and_the_next_sync_converges(
    tmp_path: Path, expected: dict[str, Any], at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Store._commit_behind
    failed = []
    for n in (1, 2, 5, 9):
        done: list[int] = []

        def commit(
            self: Store, db: Db, held: ExitStack, behind: Any, n: int = n, done: Any = done
        ) -> None:
            done.append(n)
            if len(done) == n:
                held.close()
                raise Unavailable("the disk is busy")
            usual(self, db, held, behind)

        monkeypatch.setattr(Store, "_commit_behind", commit)
        hub = _hub(tmp_path / str(n))
        failed += [r.error.message for r in sync(hub) if r.error is not None]
        monkeypatch.setattr(Store, "_commit_behind", usual)
        sync_all(hub)
        assert content(hub) == {key: expected[key] for key in content(hub)}
        hub.close()
    assert failed == ["the disk is busy"] * 4


def test_no_helper_outlives_its_read(
    tmp_path: Path, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    usual = Ahead._start

    def start(self: Ahead) -> None:
        usual(self)
        assert self._helper is not None
        seen.append(self._helper.pid)

    monkeypatch.setattr(Ahead, "_start", start)
    sync_all(_hub(tmp_path))
    assert seen
    assert not [pid for pid in seen if Path(f"/proc/{pid}").exists()]


def test_the_helper_ends_with_whoever_started_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # stands for a hub that is killed
        ahead.LONG = 0
        hub = Hub(_hub(tmp_path).folder)
        section = hub.plan("crm_a").sections["contacts"]
        one = Ahead(section, hub.tools.rules)
        one._start()
        assert one._helper is not None
        os.write(writer, str(one._helper.pid).encode())
        time.sleep(60)
        os._exit(1)
    pid = int(os.read(reader, 20))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
