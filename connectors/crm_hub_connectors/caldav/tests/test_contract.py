"""The contract suite on real calendar servers: Radicale in whole, others where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, ClassVar

import pytest
from crm_hub_connectors.caldav import CaldavConnector
from crm_hub_connectors.caldav.tests.sources import (
    PutSource,
    RadicaleSource,
    radicale_source,
)

from crm_hub.sdk.testing.contract import CANARY, ContractSuite, Harness, run_case
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.cyrus import cyrus
from crm_hub.sdk.testing.servers.xandikos import xandikos


class SmallPages(CaldavConnector):
    page_items: ClassVar[int] = 10


class RadicaleHarness(Harness):
    connector = SmallPages
    stream = "work"
    page_size = 10
    exempt: Mapping[int, str] = {
        10: "it logs in with a password; there is no token to refresh",
        22: "calendar entries are not merged",
    }
    # Radicale itself needs 3 ms to index an object for the first time.
    memory_records = 2_000

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[RadicaleSource]:
        try:
            with radicale_source(records) as source:
                yield source
        except Unobtainable as reason:
            pytest.skip(str(reason))


class TestRadicale(ContractSuite):
    harness = RadicaleHarness()


class XandikosHarness(RadicaleHarness):
    stream = "calendar"
    start: Callable[..., AbstractContextManager[Any]] = staticmethod(xandikos)

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[PutSource]:
        try:
            with self.start() as behind, FaultServer() as server:
                forward(server, behind.url)
                source = PutSource(behind, server)
                source.add(records)
                yield source
        except Unobtainable as reason:
            pytest.skip(str(reason))


class CyrusHarness(XandikosHarness):
    stream = "Default"
    start = staticmethod(partial(cyrus, password=CANARY))


@pytest.mark.parametrize("case", [2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 21])
@pytest.mark.parametrize("harness", [XandikosHarness(), CyrusHarness()], ids=["xandikos", "cyrus"])
def test_the_cases_where_servers_differ_hold_on_others_too(harness: Harness, case: int) -> None:
    result = run_case(harness, case)
    assert result.status == "pass", result.reason
