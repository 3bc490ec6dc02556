"""What several of these tests are run with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm_hub.sdk.testing import servers


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty store, of each kind in turn."""
    if request.param == "sqlite":
        yield "sqlite:///hub.db"
        return
    try:
        with servers.postgres() as base, servers.postgres_database(base) as url:
            yield url
    except servers.Unobtainable as missing:
        pytest.skip(str(missing))
