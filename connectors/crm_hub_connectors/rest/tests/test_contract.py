"""The contract suite on the REST connector, once for each kind of paging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from crm_hub_connectors.rest.connector import RestConnector
from crm_hub_connectors.rest.tests import fake_api

from crm_hub.sdk.testing.contract import ContractSuite, Harness
from crm_hub.sdk.testing.fault_server import FaultServer


class ApiHarness(Harness):
    connector = RestConnector
    exempt: Mapping[int, str] = {
        10: "the token is a fixed one; there is nothing to refresh it with",
        22: "a list of records does not say that two were merged",
    }
    manner: ClassVar[dict[str, Any]]

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[fake_api.FakeApi]:
        with FaultServer() as server:
            api = fake_api.FakeApi(server, self.secret, page_size, self.manner)
            api.add(records)
            yield api


class CursorHarness(ApiHarness):
    manner = fake_api.CURSOR


class LinkHarness(ApiHarness):
    manner = fake_api.LINK
    memory_records = 5_000


class OffsetHarness(ApiHarness):
    manner = fake_api.OFFSET
    memory_records = 5_000


class PageHarness(ApiHarness):
    manner = fake_api.PAGE
    memory_records = 5_000


class TestCursor(ContractSuite):
    harness = CursorHarness()


class TestLink(ContractSuite):
    harness = LinkHarness()


class TestOffset(ContractSuite):
    harness = OffsetHarness()


class TestPage(ContractSuite):
    harness = PageHarness()
