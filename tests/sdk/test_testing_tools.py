"""Golden files, the corpus runner and the servers for tests."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crm_hub.sdk.testing import corpus, golden, servers
from crm_hub.sdk.testing.servers import postgresql as cluster
from crm_hub.sdk.testing.servers.process import running

# golden files


@dataclass(frozen=True)
class Note:
    text: str
    at: datetime


def test_a_golden_file_is_accepted_once_and_then_compared(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("water")
    (pair,) = golden.pairs(tmp_path)
    with pytest.raises(AssertionError, match=r"note\.txt\.expected\.json does not exist"):
        pair.check({"b": 1, "a": ["é"]}, accept=False)
    pair.check({"b": 1, "a": ["é"]}, accept=True)
    pair.check({"a": ["é"], "b": 1}, accept=False)
    assert golden.pairs(tmp_path) == [pair]
    with pytest.raises(AssertionError, match="CRM_HUB_ACCEPT=1") as failure:
        pair.check({"a": ["e"], "b": 1}, accept=False)
    assert '-    "é"' in str(failure.value)
    assert '+    "e"' in str(failure.value)


def test_the_environment_accepts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_HUB_ACCEPT", "1")
    golden.check([1], tmp_path / "x.expected.json")
    monkeypatch.setenv("CRM_HUB_ACCEPT", "0")
    with pytest.raises(AssertionError):
        golden.check([2], tmp_path / "x.expected.json")


def test_an_empty_folder_is_no_green_test(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        golden.pairs(tmp_path)


def test_values_of_the_model_are_written_plainly() -> None:
    text = golden.as_text(
        [Note("a", datetime(2026, 1, 1, tzinfo=UTC)), {"x"}, date(2026, 1, 2), b"\xff"]
    )
    assert '"2026-01-01T00:00:00+00:00"' in text
    assert "\\\\xff" in text
    with pytest.raises(TypeError):
        golden.as_text(object())


def test_a_long_diff_is_cut() -> None:
    shown = golden.diff("a\n" * 900, "b\n" * 900)
    assert len(shown.splitlines()) == 201
    assert "more lines" in shown


# the corpus runner

PARSER = "tests.sdk.nasty_parsers:parse"


def test_each_misbehaviour_is_named_and_harms_no_other_case() -> None:
    words = ["hang", "spin", "refuse", "bug", "crash", "deep", "eat", "fine"]
    cases = {word: word.encode() for word in words}
    found = corpus.run(PARSER, cases, time_s=1, memory_mb=100)
    assert [(f.case, f.outcome) for f in found] == [
        ("hang", "slow"),
        ("spin", "slow"),
        ("refuse", "refused"),
        ("bug", "uncaught"),
        ("crash", "crashed"),
        ("deep", "uncaught"),
        ("eat", "big"),
        ("fine", "read"),
    ]
    bad = [f for f in found if f.is_bad]
    assert len(bad) == 6
    assert "KeyError" in corpus.report(bad)


def test_the_memory_of_a_case_is_what_it_took_at_its_peak() -> None:
    fine, nibble = corpus.run(PARSER, {"fine": b"fine", "nibble": b"nibble"})
    assert nibble.outcome == "read"
    assert fine.memory_mb < 15 < 38 < nibble.memory_mb < 80


def test_a_parser_that_is_not_there_is_an_error_and_not_a_pass() -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        corpus.run("no.such.module:parse", {"a": b"x"})


# servers


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", servers.free_port()))


def _databases(base: str) -> set[str]:
    import psycopg

    with psycopg.connect(base) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def test_a_database_of_its_own_is_made_and_dropped() -> None:
    try:
        with servers.postgres() as base:
            before = _databases(base)
            with servers.postgres_database(base) as url:
                name = url.rpartition("/")[2]
                assert name in _databases(url)
            assert name not in _databases(base)
            assert before
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))


def test_a_cluster_of_our_own_starts_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        programs = cluster._programs()
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))
    with cluster._own_cluster(programs) as base, servers.postgres_database(base) as url:
        assert url.rpartition("/")[2] in _databases(base)
    assert cluster._problem(base)


def test_a_server_that_is_named_but_down_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://nobody@127.0.0.1:{servers.free_port()}/x"
    monkeypatch.setenv("CRM_HUB_TEST_POSTGRES", url)
    with pytest.raises(servers.Unobtainable, match="CRM_HUB_TEST_POSTGRES"), servers.postgres():
        pass


def test_without_postgresql_the_reason_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_HUB_TEST_POSTGRES", raising=False)
    monkeypatch.setattr(cluster, "_problem", lambda url: "down")
    monkeypatch.setattr(cluster.glob, "glob", lambda pattern: [])
    monkeypatch.setattr(cluster.shutil, "which", lambda name: None)
    with (
        pytest.raises(servers.Unobtainable, match="apt-get install postgresql"),
        servers.postgres(),
    ):
        pass


def test_a_server_that_signals_its_process_group_ends_nobody_else(tmp_path: Path) -> None:
    up = tmp_path / "up"
    command = ["sh", "-c", f"trap 'trap - TERM; kill 0' TERM; touch {up}; sleep 60 & wait"]
    with running("A server", command, tmp_path, lambda: "" if up.exists() else "not up") as one:
        assert os.getpgid(one.pid) == one.pid != os.getpgid(0)
    assert one.returncode != 0
