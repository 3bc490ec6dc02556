"""One Tryton for all tests of this folder; skipped with the reason where it cannot be had."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm_hub.sdk.testing.servers.process import Unobtainable
from crm_hub.sdk.testing.servers.tryton import Erp, tryton


@pytest.fixture(scope="session")
def erp() -> Iterator[Erp]:
    """A Tryton whose data the tests share: each makes parties of its own."""
    try:
        with tryton() as server:
            yield server
    except Unobtainable as missing:
        pytest.skip(str(missing))
