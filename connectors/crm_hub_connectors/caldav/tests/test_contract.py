"""The contract suite on real calendar servers: Radicale in whole, others where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import pytest
from crm_hub_connectors.caldav import CaldavConnector
from crm_hub_connectors.caldav.tests.sources import PutSource, RadicaleSource

from crm_hub.sdk.testing.contract import CANARY, ContractSuite, Harness, run_case
from crm_hub.sdk.testing.dav import CASES, DavHarness, OtherHarness
from crm_hub.sdk.testing.servers.cyrus import cyrus
from crm_hub.sdk.testing.servers.xandikos import xandikos


class SmallPages(CaldavConnector):
    page_items: ClassVar[int] = 10


class RadicaleHarness(DavHarness):
    connector = SmallPages
    stream, things = "work", RadicaleSource
    exempt: Mapping[int, str] = {
        10: "it logs in with a password; there is no token to refresh",
        22: "calendar entries are not merged",
    }


class TestRadicale(ContractSuite):
    harness = RadicaleHarness()


class XandikosHarness(OtherHarness):
    connector = SmallPages
    stream, others, start = "calendar", PutSource, staticmethod(xandikos)


class CyrusHarness(OtherHarness):
    connector = SmallPages
    stream, others = "Default", PutSource
    start = staticmethod(partial(cyrus, password=CANARY))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("harness", [XandikosHarness(), CyrusHarness()], ids=["xandikos", "cyrus"])
def test_the_cases_where_servers_differ_hold_on_others_too(harness: Harness, case: int) -> None:
    result = run_case(harness, case)
    assert result.status == "pass", result.reason
