"""From a real post through door and inbox to what the mapping makes of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from crm_hub_connectors.google_ads.connector import GoogleAdsConnector
from crm_hub_connectors.meta_ads.connector import MetaAdsConnector
from crm_hub_connectors.meta_ads.tests.fake_graph import FORM, FakeGraph
from crm_hub_connectors.web_form.connector import WebFormConnector

from crm_hub.mapping import builtin_folder, compile_plan, lint, parse, read_layers, run_tests
from crm_hub.model.canonical import Mapped
from crm_hub.sdk import Connector, Context, HookRefused, HookReply, HookRequest
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.webhooks import sign
from crm_hub.service.receiver import ReceiverThread

SECRET = "canary-secret-1"
SITE = "https://www.clearwater.example"
KINDS = ("web_form", "google_ads", "meta_ads")
FIXTURES = Path(__file__).parents[2] / "connectors" / "crm_hub_connectors"


class ConnectorDoor:
    """A door of three real connectors with an inbox in memory."""

    def __init__(self, graph: FakeGraph) -> None:
        given: dict[str, tuple[type[Connector[Any]], dict[str, Any]]] = {
            "form": (WebFormConnector, {"forms": "contact", "allowed_origins": SITE}),
            "google": (GoogleAdsConnector, {"google_key": SECRET}),
            "meta": (MetaAdsConnector, graph.settings()),
        }
        self.connectors: dict[str, Connector[Any]] = {}
        for name, (kind, settings) in given.items():
            context = Context(name, Path(), http=functools.partial(HttpClient, timeout_s=5))
            model = kind.manifest.settings.model_validate(settings)
            self.connectors[name] = kind(model, context)
        self.inbox: list[tuple[str, HookRequest]] = []

    def verify(self, connection: str, request: HookRequest) -> HookReply:
        if connection not in self.connectors:
            raise HookRefused("there is no such connection", status=404)
        return self.connectors[connection].verify_hook(request)

    def keep(self, batch: Sequence[tuple[str, HookRequest]]) -> None:
        self.inbox += batch

    def mapped(self) -> list[Mapped]:
        """Read the inbox to its end as the hub does."""
        found = []
        for name, request in self.inbox:
            connector = self.connectors[name]
            batch = connector.parse_hook(request)
            changes = [*batch.changes]
            if batch.refs:
                changes += connector.fetch(batch.refs)
            sections = plan(connector.manifest.id, name).sections
            for stream, change in changes:
                if stream in sections and change.payload is not None:
                    found.append(sections[stream].map(change.payload, None))
        self.inbox.clear()
        return found


@functools.cache
def plan(kind: str, connection: str) -> Any:
    file = read_layers(kind, [])
    return compile_plan(file, connection=connection, region="US", zone="America/New_York")


@pytest.fixture(scope="module")
def graph() -> Iterator[FakeGraph]:
    with FaultServer() as server:
        yield FakeGraph(server, SECRET)


@pytest.fixture(scope="module")
def running(graph: FakeGraph) -> Iterator[tuple[ConnectorDoor, str]]:
    door = ConnectorDoor(graph)
    with ReceiverThread(door) as receiver:
        yield door, receiver.url


@pytest.fixture
def door(running: tuple[ConnectorDoor, str]) -> ConnectorDoor:
    running[0].inbox.clear()
    return running[0]


@pytest.fixture
def url(running: tuple[ConnectorDoor, str]) -> str:
    return running[1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_golden_tests_of_the_mapping_pass(kind: str) -> None:
    text = (builtin_folder() / f"{kind}.yaml").read_text("utf-8")
    results = run_tests(parse(text, f"{kind}.yaml"))
    assert results
    assert [result for result in results if not result.ok] == []


def test_no_lead_mapping_has_a_warning(door: ConnectorDoor) -> None:
    for connector in door.connectors.values():
        file = read_layers(connector.manifest.id, [])
        mapped = [stream for stream in connector.discover() if stream.name != "test_leads"]
        findings = lint(file, mapped)
        assert [str(f) for f in findings if f.severity == "warning"] == []


def test_a_form_sent_twice_is_one_event_of_one_person(door: ConnectorDoor, url: str) -> None:
    body = {"name": "Dana Whitfield", "email": "DANA@marlowfinch.example", "message": "Hello"}
    for _ in range(2):
        answer = httpx.post(f"{url}/in/form/contact", json=body, headers={"Origin": SITE})
        assert answer.json() == {"ok": True}
        assert answer.headers["access-control-allow-origin"] == SITE
    first, again = door.mapped()
    assert first.record is not None
    assert first.record.values["email"] == ["DANA@marlowfinch.example"]
    assert {claim.kind for claim in first.record.claims} == {"strong", "email"}
    [event], [same] = first.events, again.events
    assert (event.type, event.body, event.key) == ("form.submitted", "Hello", "")
    assert event.bucket == same.bucket
    assert abs(event.occurred_at_us - same.occurred_at_us) < event.tolerance_us
    own = next(claim for claim in first.record.claims if claim.kind == "strong")
    assert [p.key for p in event.participants] == [f"s:form:web_form_submission:{own.value}"]


def test_two_answers_to_one_form_are_two_events(door: ConnectorDoor, url: str) -> None:
    for text in ("Hello", "Where is my cooler?"):
        httpx.post(f"{url}/in/form/contact", data={"email": "d@mailbox.example", "message": text})
    first, second = door.mapped()
    assert first.events[0].bucket != second.events[0].bucket


def test_a_robot_is_thanked_and_leaves_nothing(door: ConnectorDoor, url: str) -> None:
    answer = httpx.post(f"{url}/in/form/contact", data={"name": "x", "website_url": "y"})
    assert answer.status_code == 200
    assert door.mapped() == []


def test_a_preflight_from_the_site_is_answered_and_from_elsewhere_refused(url: str) -> None:
    asked = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
    answer = httpx.request("OPTIONS", f"{url}/in/form/contact", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SITE
    asked["Origin"] = "https://evil.example"
    assert httpx.request("OPTIONS", f"{url}/in/form/contact", headers=asked).status_code == 403


def google_lead(**fields: Any) -> dict[str, Any]:
    text = (FIXTURES / "google_ads" / "fixtures" / "lead.json").read_text("utf-8")
    return {**json.loads(text.replace("{{google_key}}", SECRET)), **fields}


def test_a_google_lead_sent_twice_has_one_key_in_the_whole_hub(
    door: ConnectorDoor, url: str
) -> None:
    for _ in range(2):
        assert httpx.post(f"{url}/in/google", json=google_lead()).json() == {}
    first, again = door.mapped()
    assert first.events[0].key == again.events[0].key == "google_lead|lead-5a1f"
    assert first.record is not None
    assert first.record.values["phone"] == ["+12125550147"]
    assert first.record.values["address"] == [{"city": "New York"}]
    assert first.events[0].body == "How many people drink water?: 30 to 50"


def test_a_google_test_lead_makes_no_person_and_no_event(door: ConnectorDoor, url: str) -> None:
    assert httpx.post(f"{url}/in/google", json=google_lead(is_test=True)).status_code == 200
    assert len(door.inbox) == 1
    assert door.mapped() == []


def test_a_wrong_google_key_is_403_and_nothing_is_kept(door: ConnectorDoor, url: str) -> None:
    answer = httpx.post(f"{url}/in/google", json=google_lead(google_key="wrong"))
    assert answer.status_code == 403
    assert door.inbox == []


def test_metas_subscription_check_and_notice_work_over_http(
    door: ConnectorDoor, url: str, graph: FakeGraph
) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "42"}
    answer = httpx.get(f"{url}/in/meta", params=query)
    assert (answer.status_code, answer.text) == (200, "42")
    [lead_id] = graph.add()
    value = {"leadgen_id": lead_id, "form_id": FORM}
    body = json.dumps({"entry": [{"changes": [{"field": "leadgen", "value": value}]}]}).encode()
    signature = "sha256=" + sign(body, SECRET.encode())
    assert httpx.post(f"{url}/in/meta", content=body).status_code == 401
    for _ in range(2):
        headers = {"X-Hub-Signature-256": signature}
        assert httpx.post(f"{url}/in/meta", content=body, headers=headers).status_code == 200
    first, again = door.mapped()
    assert first == again
    assert first.events[0].key == f"meta_lead|{lead_id}"
    assert SECRET not in repr(first)
