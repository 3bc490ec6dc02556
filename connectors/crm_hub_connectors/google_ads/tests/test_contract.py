"""The contract suite on the Google connector; it only receives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from crm_hub_connectors.google_ads.connector import GoogleAdsConnector

from crm_hub.sdk import HookRequest
from crm_hub.sdk.testing.contract import ContractSuite, Exempt, Harness, Source


class GoogleSource(Source):
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def settings(self) -> dict[str, Any]:
        return {"google_key": self._secret}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("Google calls the hub; the hub cannot try the key")

    def dead_settings(self) -> dict[str, Any]:
        raise Exempt("it calls no host")

    def hook(self, at: datetime, secret: str) -> HookRequest:
        body = json.dumps({"lead_id": "L1", "google_key": secret, "user_column_data": []})
        return HookRequest("POST", "/in/google", {}, {}, body.encode(), at)

    def unknown_hook(self, at: datetime, secret: str) -> HookRequest:
        raise Exempt("Google posts nothing but leads")


class GoogleHarness(Harness):
    connector = GoogleAdsConnector
    stream = "leads"
    hook_proof = "shared_secret"
    hook_is_timed = False
    exempt: Mapping[int, str] = {10: "it calls no host", 22: "leads are not merged at Google"}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[GoogleSource]:
        yield GoogleSource(self.secret)


class TestGoogleAds(ContractSuite):
    harness = GoogleHarness()
