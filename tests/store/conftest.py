"""One suite, two stores: every test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_hub.sdk.testing import servers
from crm_hub.store import Store


@pytest.fixture(scope="session")
def postgres_base() -> Iterator[str]:
    try:
        with servers.postgres() as base:
            yield base
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "sqlite:///hub.db"
        return
    with servers.postgres_database(request.getfixturevalue("postgres_base")) as url:
        yield url


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    found = Store(store_url, tmp_path).open()
    yield found
    found.close()
