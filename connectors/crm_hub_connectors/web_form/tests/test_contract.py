"""The contract suite on the web form connector; it only receives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from crm_hub_connectors.web_form.connector import WebFormConnector

from crm_hub.sdk import HookRequest
from crm_hub.sdk.testing.contract import ContractSuite, Exempt, Harness, Source


class FormSource(Source):
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def settings(self) -> dict[str, Any]:
        return {"secret": self._secret, "forms": "contact"}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("browsers call the hub; the hub cannot try the token")

    def dead_settings(self) -> dict[str, Any]:
        raise Exempt("it calls no host")

    def hook(self, at: datetime, secret: str) -> HookRequest:
        headers = {"content-type": "application/json", "x-form-token": secret}
        return HookRequest("POST", "/in/form/contact", {}, headers, b'{"name": "Ann"}', at)

    def unknown_hook(self, at: datetime, secret: str) -> HookRequest:
        raise Exempt("a form of an unknown name is refused with 404")


class FormHarness(Harness):
    connector = WebFormConnector
    hook_proof = "shared_secret"
    hook_is_timed = False
    exempt: Mapping[int, str] = {10: "it calls no host", 22: "submissions are not merged"}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[FormSource]:
        yield FormSource(self.secret)


class TestWebForm(ContractSuite):
    harness = FormHarness()
