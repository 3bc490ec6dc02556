"""A pooler between the hub and PostgreSQL, which gives each transaction another session."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm_hub.sdk.testing import servers
from crm_hub.sdk.testing.servers.pgbouncer import pgbouncer
from crm_hub.store import Db, Identities, Store
from crm_hub.store.behind import Behind

SESSIONS, OFTEN = 3, 8
"""More often than psycopg asks before it has the server keep a statement."""


@pytest.fixture
def pooled(postgres_base: str) -> Iterator[str]:
    try:
        with servers.postgres_database(postgres_base) as url, pgbouncer(url, SESSIONS) as found:
            yield found
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))


def _ask(db: Db) -> list[int]:
    return Identities(db).holders(["e:ann@x.example"])


def test_a_session_that_changes_hands_breaks_nothing(pooled: str, tmp_path: Path) -> None:
    store, other = (Store(pooled, tmp_path).open() for _ in range(2))
    for _ in range(OFTEN):
        with store.write() as db:
            assert _ask(db) == []
    with other.read() as beside:  # takes the session that the store had
        assert _ask(beside) == []
        for _ in range(OFTEN):
            with store.read() as db:
                assert _ask(db) == []
    for each in (store, other):
        each.close()


def test_lanes_that_write_at_once_need_a_session_each_and_no_second(
    pooled: str, tmp_path: Path
) -> None:
    store = Store(pooled, tmp_path).open()

    def pages(_lane: int) -> None:
        with Behind() as behind:
            for _ in range(OFTEN):
                with store.write_behind(behind) as db:
                    assert _ask(db) == []
            store.settled(behind)

    with ThreadPoolExecutor(SESSIONS) as lanes:
        list(lanes.map(pages, range(SESSIONS)))
    store.close()
