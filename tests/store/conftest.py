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
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        found = Store("sqlite:///hub.db", tmp_path).open()
        yield found
        found.close()
        return
    with servers.postgres_database(request.getfixturevalue("postgres_base")) as url:
        found = Store(url, tmp_path).open()
        yield found
        found.close()
