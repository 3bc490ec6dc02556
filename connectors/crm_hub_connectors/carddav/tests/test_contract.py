"""The contract suite on real address book servers: Radicale in whole, others where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import pytest
from crm_hub_connectors.carddav import CarddavConnector
from crm_hub_connectors.carddav.tests.sources import PutSource, RadicaleSource

from crm_hub.sdk.testing.contract import CANARY, ContractSuite, Harness, run_case
from crm_hub.sdk.testing.dav import CASES, DavHarness, OtherHarness
from crm_hub.sdk.testing.servers.cyrus import cyrus
from crm_hub.sdk.testing.servers.xandikos import xandikos


class SmallPages(CarddavConnector):
    page_items: ClassVar[int] = 10


class RadicaleHarness(DavHarness):
    connector = SmallPages
    stream, things = "people", RadicaleSource
    exempt: Mapping[int, str] = {
        10: "it logs in with a password; there is no token to refresh",
        22: "an address book does not tell that cards were merged",
    }


class TestRadicale(ContractSuite):
    harness = RadicaleHarness()


class XandikosHarness(OtherHarness):
    connector = SmallPages
    stream, others, start = "addressbook", PutSource, staticmethod(xandikos)


class CyrusHarness(OtherHarness):
    connector = SmallPages
    stream, others = "Default", PutSource
    start = staticmethod(partial(cyrus, password=CANARY))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("harness", [XandikosHarness(), CyrusHarness()], ids=["xandikos", "cyrus"])
def test_the_cases_where_servers_differ_hold_on_others_too(harness: Harness, case: int) -> None:
    result = run_case(harness, case)
    assert result.status == "pass", result.reason
