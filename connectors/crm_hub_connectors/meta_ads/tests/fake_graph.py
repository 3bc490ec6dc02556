"""A small Graph API with memory: a page, its lead forms and their leads, over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Set
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_hub.sdk import HookRequest
from crm_hub.sdk.testing.contract import WRONG, Alteration, Exempt, Source
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.webhooks import sign

FORM = "300000000000001"
PAGE = "500000000000001"


def graph_error(status: int, code: int, subcode: int | None = None, **headers: str) -> Reply:
    error = {"message": "made up for the test", "type": "OAuthException", "code": code}
    return Reply.json({"error": error | ({"error_subcode": subcode} if subcode else {})}, status)


class FakeGraph(Source):
    """Leads are listed newest first, as cursors into a list that can grow meanwhile."""

    def __init__(self, server: FaultServer, secret: str, page_size: int = 10) -> None:
        self.server = server
        self.secret = secret
        self.leads: dict[str, dict[str, Any]] = {}
        self.forms = {FORM: {"id": FORM, "name": "Spring coolers", "status": "ACTIVE"}}
        self.refusal: Reply | None = None
        self._page_size = page_size
        self._numbers = itertools.count(1_200_000_000_000_001)
        self._clock = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
        server.route("GET", "/v24.0/", self._answer)

    # what its users do

    def settings(self) -> dict[str, Any]:
        return self._settings(self.secret, self.server.url)

    def bad_settings(self) -> dict[str, Any]:
        return self._settings(WRONG, self.server.url)

    def dead_settings(self) -> dict[str, Any]:
        return self._settings(self.secret, f"http://127.0.0.1:{free_port()}")

    def ids(self) -> Set[str]:
        return set(self.leads)

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        return [self._add(same_stamp, at) for _ in range(count)]

    def change(self, id: str) -> None:
        raise Exempt("a lead never changes at Meta")

    def alter(self, how: Alteration) -> None:
        lead = self.leads[min(self.leads)]
        if how == "field added":
            lead["retailer_item_id"] = "77"
        elif how == "field removed":
            del lead["field_data"]
        else:
            lead["field_data"] = "gone to text"

    def hook(self, at: datetime, secret: str) -> HookRequest:
        value = {"leadgen_id": min(self.leads), "form_id": FORM, "page_id": PAGE}
        return self.post([{"field": "leadgen", "value": value}], at, secret)

    def unknown_hook(self, at: datetime, secret: str) -> HookRequest:
        return self.post([{"field": "feed", "value": {"item": "post"}}], at, secret)

    def post(self, changes: list[dict[str, Any]], at: datetime, secret: str) -> HookRequest:
        entry = {"id": PAGE, "time": int(at.timestamp()), "changes": changes}
        body = json.dumps({"object": "page", "entry": [entry]}).encode()
        headers = {
            "x-hub-signature-256": "sha256=" + sign(body, secret.encode()),
            "content-type": "application/json",
        }
        return HookRequest("POST", "/in/meta", {}, headers, body, at)

    # how it answers

    def _settings(self, secret: str, url: str) -> dict[str, Any]:
        return {
            "app_secret": secret,
            "verify_token": secret,
            "access_token": secret,
            "base_url": url,
            "form_ids": FORM,
        }

    def _add(self, same_stamp: bool, at: datetime | None) -> str:
        number = str(next(self._numbers))
        if at is None and not same_stamp:
            self._clock += timedelta(seconds=1)
        moment = at or self._clock
        self.leads[number] = {
            "id": number,
            "created_time": moment.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "form_id": FORM,
            "field_data": [{"name": "email", "values": [f"lead{number}@mailbox.example"]}],
            "platform": "fb",
            "is_organic": False,
        }
        return number

    def _answer(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {self.secret}":
            return graph_error(401, 190)
        proof = hmac.new(self.secret.encode(), self.secret.encode(), hashlib.sha256).hexdigest()
        if call.query.get("appsecret_proof") != proof:
            return graph_error(400, 100)
        if self.refusal is not None:
            return self.refusal
        name, _, edge = call.path.removeprefix("/v24.0/").partition("/")
        if edge == "leads" and name in self.forms:
            return self._list(call)
        if name == "me":
            return Reply.json({"id": PAGE, "name": "Clearwater"})
        found = self.leads.get(name) or self.forms.get(name)
        return Reply.json(found) if found and not edge else graph_error(400, 100, 33)

    def _list(self, call: Call) -> Reply:
        leads = [lead for lead in self._newest_first() if _passes(lead, call.query)]
        after = call.query.get("after")
        if after:
            ids = [lead["id"] for lead in leads]
            if after not in ids:
                return graph_error(400, 100)
            leads = leads[ids.index(after) + 1 :]
        page = leads[: min(int(call.query["limit"]), self._page_size)]
        answer: dict[str, Any] = {"data": page}
        if page:
            answer["paging"] = {"cursors": {"before": page[0]["id"], "after": page[-1]["id"]}}
        if len(leads) > len(page):
            answer["paging"]["next"] = f"{self.server.url}{call.path}?after={page[-1]['id']}"
        return Reply.json(answer)

    def _newest_first(self) -> list[dict[str, Any]]:
        key = lambda lead: (lead["created_time"], lead["id"])  # noqa: E731
        return sorted(self.leads.values(), key=key, reverse=True)


def _passes(lead: dict[str, Any], query: Any) -> bool:
    created = datetime.fromisoformat(lead["created_time"]).timestamp()
    for condition in json.loads(query.get("filtering", "[]")):
        assert condition["field"] == "time_created"
        above = condition["operator"] == "GREATER_THAN"
        if not (created > condition["value"] if above else created < condition["value"]):
            return False
    return True
