"""The contract suite on the Meta connector and a local Graph API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from crm_hub_connectors.meta_ads.connector import MetaAdsConnector
from crm_hub_connectors.meta_ads.tests.fake_graph import FakeGraph

from crm_hub.sdk.testing.contract import ContractSuite, Harness
from crm_hub.sdk.testing.fault_server import FaultServer


class MetaHarness(Harness):
    connector = MetaAdsConnector
    stream = "leads"
    memory_records = 5_000
    hook_is_timed = False
    exempt: Mapping[int, str] = {
        10: "the token is a long-lived one; there is nothing to refresh it with",
        22: "leads are not merged at Meta",
    }

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[FakeGraph]:
        with FaultServer() as server:
            graph = FakeGraph(server, self.secret, page_size)
            graph.add(records)
            yield graph


class TestMetaAds(ContractSuite):
    harness = MetaHarness()
