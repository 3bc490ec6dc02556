"""Meta's webhook and the leads behind it, against a local Graph API over real HTTP."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.meta_ads.connector import MetaAdsConnector, MetaAdsSettings
from crm_hub_connectors.meta_ads.tests.fake_graph import FORM, PAGE, FakeGraph, graph_error
from pydantic import ValidationError

from crm_hub.sdk import (
    AuthRefused,
    CheckpointExpired,
    ConfigError,
    Context,
    HookRefused,
    HookRequest,
    HubError,
    RecordError,
    Ref,
    Throttled,
    Unavailable,
)
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.fault_server import FaultServer, Reply
from crm_hub.sdk.webhooks import sign

SECRET = "canary-app-secret"
MOMENT = datetime(2026, 3, 10, 12, 41, 2, tzinfo=UTC)
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with FaultServer() as server:
        yield FakeGraph(server, SECRET, page_size=3)


def meta(graph: FakeGraph, **settings: Any) -> MetaAdsConnector:
    http = functools.partial(HttpClient, sleep=lambda _: None, timeout_s=5)
    context = Context("meta", Path(), log=logging.getLogger("crm_hub.meta"), http=http)
    given = {**graph.settings(), **settings}
    return MetaAdsConnector(MetaAdsSettings.model_validate(given), context)


def asked(**query: str) -> HookRequest:
    named = {f"hub.{name}": value for name, value in query.items()}
    return HookRequest("GET", "/in/meta", named, {}, b"", MOMENT)


def signed(body: bytes, secret: str = SECRET) -> HookRequest:
    headers = {"x-hub-signature-256": "sha256=" + sign(body, secret.encode())}
    return HookRequest("POST", "/in/meta", {}, headers, body, MOMENT)


def test_the_subscription_check_is_answered_with_its_challenge(graph: FakeGraph) -> None:
    request = asked(mode="subscribe", verify_token=SECRET, challenge="1158201444")
    reply = meta(graph).verify_hook(request)
    assert (reply.status, reply.body, reply.keep) == (200, b"1158201444", False)
    assert reply.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"mode": "subscribe", "verify_token": "guess", "challenge": "1"}, 403),
        ({"mode": "subscribe", "challenge": "1"}, 401),
        ({"mode": "unsubscribe", "verify_token": SECRET, "challenge": "1"}, 400),
        ({"mode": "subscribe", "verify_token": SECRET, "challenge": "<script>"}, 400),
        ({"mode": "subscribe", "verify_token": SECRET}, 400),
    ],
)
def test_another_subscription_check_is_refused(
    graph: FakeGraph, query: dict[str, str], status: int
) -> None:
    with pytest.raises(HookRefused) as refused:
        meta(graph).verify_hook(asked(**query))
    assert refused.value.status == status


def test_a_notice_names_each_new_lead_once_and_ignores_the_rest(graph: FakeGraph) -> None:
    notice = json.loads((FIXTURES / "notice.json").read_bytes())
    notice["entry"] *= 2
    request = signed(json.dumps(notice).encode())
    assert meta(graph).verify_hook(request).keep
    [ref] = meta(graph).parse_hook(request).refs
    assert (ref.stream, ref.id) == ("leads", "1200000000000001")
    assert ref.hint["form_id"] == FORM
    assert ref.hint["created_time"] == 1773146460


@pytest.mark.parametrize("change", ["flip", "drop", "other secret", "sha1", "upper"])
def test_a_notice_not_signed_over_its_very_bytes_is_refused(graph: FakeGraph, change: str) -> None:
    request = signed((FIXTURES / "notice.json").read_bytes())
    given = request.headers["x-hub-signature-256"]
    forged = {
        "flip": replace(request, body=request.body[:-3] + b" " + request.body[-3:]),
        "drop": replace(request, headers={}),
        "other secret": signed(request.body, "another-secret"),
        "sha1": replace(request, headers={"x-hub-signature": given}),
        "upper": replace(request, headers={"x-hub-signature-256": given.upper()}),
    }[change]
    with pytest.raises(HookRefused) as refused:
        meta(graph).verify_hook(forged)
    assert refused.value.status == (401 if change in ("drop", "sha1") else 403)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"{", "error"),
        (b"[]", "error"),
        (b'{"entry": [{"changes": [{"field": "leadgen"}]}]}', "error"),
        (b'{"entry": [{"changes": [{"field": "leadgen", "value": []}]}]}', "error"),
        (
            b'{"entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": "../me"}}]}]}',
            "error",
        ),
        (b'{"entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": 7}}]}]}', "7"),
        (b"{}", "ignored"),
        (b'{"entry": null}', "ignored"),
        (b'{"entry": [1, {"changes": [2, {"field": {"a": 1}}]}]}', "ignored"),
        (b'{"entry": {"changes": []}}', "ignored"),
        (b'{"object": "page", "entry": [{"messaging": [{}]}]}', "ignored"),
        (b'{"entry": [' + b"{}," * 200_000 + b"{}]}", "ignored"),
        (b'{"entry": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "error"),
    ],
)
def test_an_odd_notice_is_ignored_or_a_dead_letter(
    graph: FakeGraph, body: bytes, outcome: str
) -> None:
    if outcome == "error":
        with pytest.raises(RecordError) as error:
            meta(graph).parse_hook(signed(body))
        assert error.value.remedy
        return
    batch = meta(graph).parse_hook(signed(body))
    assert [ref.id for ref in batch.refs] == ([] if outcome == "ignored" else [outcome])
    assert bool(batch.ignored) == (outcome == "ignored")


def test_a_fetched_lead_keeps_every_answer_and_tells_its_questions(graph: FakeGraph) -> None:
    lead = json.loads((FIXTURES / "lead.json").read_bytes())
    graph.leads[lead["id"]] = lead
    [(stream, change)] = meta(graph).fetch([Ref("leads", lead["id"])])
    assert (stream, change.id) == ("leads", lead["id"])
    assert change.payload == {**lead, "questions": ["which days suit you: Tuesday, Thursday"]}
    assert change.changed_at == datetime(2026, 3, 10, 12, 41, tzinfo=UTC)


def test_the_token_travels_in_the_header_and_never_in_the_address(graph: FakeGraph) -> None:
    [lead_id] = graph.add()
    meta(graph).fetch([Ref("leads", lead_id)])
    [call] = graph.server.calls
    assert call.headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in repr(call.query)


def test_ad_names_are_asked_for_only_when_wanted(graph: FakeGraph) -> None:
    [lead_id] = graph.add()
    for wanted in (True, False):
        meta(graph, ad_details=wanted).fetch([Ref("leads", lead_id)])
        fields = graph.server.calls[-1].query["fields"].split(",")
        assert ("campaign_name" in fields) == wanted
        assert "field_data" in fields


def test_a_lead_of_the_testing_tool_stays_in_its_own_stream(graph: FakeGraph) -> None:
    lead_id, real = graph.add(2)
    dummy = "<test lead: dummy data for full_name>"
    graph.leads[lead_id]["field_data"] = [{"name": "full_name", "values": [dummy]}]
    [(stream, _)] = meta(graph).fetch([Ref("leads", lead_id)])
    assert stream == "test_leads"
    leads = meta(graph).discover()[0]
    [page] = meta(graph).pull(leads, None)
    assert [change.id for change in page.changes] == [real]


def test_a_lead_that_is_gone_or_hidden_is_a_dead_letter(graph: FakeGraph) -> None:
    with pytest.raises(RecordError, match="444444444444 does not exist") as error:
        meta(graph).fetch([Ref("leads", "444444444444", {"form_id": "444444444444"})])
    assert "lead access" in error.value.remedy


@pytest.mark.parametrize(
    ("status", "code", "subcode", "expected"),
    [
        (400, 190, 463, AuthRefused),
        (401, 190, None, AuthRefused),
        (401, 102, None, AuthRefused),
        (403, 10, None, AuthRefused),
        (403, 200, None, AuthRefused),
        (403, 99_999, None, AuthRefused),
        (400, 4, None, Throttled),
        (403, 4, None, Throttled),
        (400, 17, None, Throttled),
        (400, 32, None, Throttled),
        (403, 613, None, Throttled),
        (400, 341, None, Throttled),
        (400, 80_005, None, Throttled),
        (400, 1, None, Unavailable),
        (400, 2, None, Unavailable),
        (500, 2, None, Unavailable),
        (400, 100, None, ConfigError),
        (400, 2500, None, ConfigError),
    ],
)
def test_an_error_code_of_graph_becomes_the_fitting_error(
    graph: FakeGraph, status: int, code: int, subcode: int | None, expected: type[HubError]
) -> None:
    graph.refusal = graph_error(status, code, subcode)
    with pytest.raises(expected) as error:
        meta(graph).fetch([Ref("leads", "1")])
    assert type(error.value) is expected or expected is ConfigError
    assert not isinstance(error.value, AuthRefused) or expected is AuthRefused
    assert SECRET not in str(error.value)


def test_the_wait_that_meta_names_in_minutes_is_obeyed(graph: FakeGraph) -> None:
    usage = {PAGE: [{"type": "leadgen", "estimated_time_to_regain_access": 19}, {}]}
    body = json.dumps({"error": {"code": 80_005}}).encode()
    graph.refusal = Reply(400, body, headers={"X-Business-Use-Case-Usage": json.dumps(usage)})
    with pytest.raises(Throttled) as error:
        meta(graph).check()
    assert error.value.retry_after_s == 19 * 60


@pytest.mark.parametrize(
    "usage",
    ["", "{", "[]", '{"1": 2}', '{"1": [{"estimated_time_to_regain_access": "x"}]}', "null"],
)
def test_an_unreadable_usage_header_is_no_reason_to_fail(graph: FakeGraph, usage: str) -> None:
    body = b'{"error": {"code": 4}}'
    graph.refusal = Reply(400, body, headers={"X-Business-Use-Case-Usage": usage})
    with pytest.raises(Throttled) as error:
        meta(graph).check()
    assert error.value.retry_after_s is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"error": "no"}', b'{"error": []}'])
def test_an_error_without_a_code_is_still_an_error(graph: FakeGraph, body: bytes) -> None:
    graph.refusal = Reply(400, body)
    with pytest.raises(ConfigError, match="status 400"):
        meta(graph).fetch([Ref("leads", "1")])


def test_check_names_the_page_and_the_forms(graph: FakeGraph) -> None:
    report = meta(graph).check()
    assert report.account == "Clearwater"
    assert any("Spring coolers (ACTIVE)" in line for line in report.lines)


def test_without_forms_the_stream_only_receives(graph: FakeGraph) -> None:
    connector = meta(graph, form_ids="")
    assert [stream.caps.read for stream in connector.discover()] == ["none", "none"]
    assert list(connector.pull(connector.discover()[0], None)) == []
    assert graph.server.calls == []


def test_a_pull_goes_on_where_it_ended_and_is_silent_when_nothing_is_new(graph: FakeGraph) -> None:
    graph.add(7)
    connector = meta(graph)
    leads = connector.discover()[0]
    pages = list(connector.pull(leads, None))
    assert [len(page.changes) for page in pages] == [3, 3, 1]
    checkpoint = json.loads(json.dumps(pages[-1].checkpoint))
    assert list(connector.pull(leads, checkpoint)) == []
    new = graph.add(2)
    pages = list(connector.pull(leads, checkpoint))
    assert sorted(change.id for page in pages for change in page.changes) == new
    assert list(connector.pull(leads, pages[-1].checkpoint)) == []


def test_leads_of_two_forms_are_kept_apart_in_the_checkpoint(graph: FakeGraph) -> None:
    other = "300000000000002"
    graph.forms[other] = {"id": other, "name": "Summer", "status": "ACTIVE"}
    graph.add(2)
    connector = meta(graph, form_ids=f"{FORM}, {other}")
    *_, last = connector.pull(connector.discover()[0], None)
    assert last.checkpoint is not None
    assert last.checkpoint.keys() == {FORM, other}
    assert list(connector.pull(connector.discover()[0], last.checkpoint)) == []


def test_an_expired_page_cursor_asks_for_everything_once_more(graph: FakeGraph) -> None:
    graph.add(7)
    connector = meta(graph)
    leads = connector.discover()[0]
    first = next(iter(connector.pull(leads, None)))
    graph.leads.pop(min(change.id for change in first.changes))
    with pytest.raises(CheckpointExpired):
        list(connector.pull(leads, first.checkpoint))
    assert sum(len(page.changes) for page in connector.pull(leads, None)) == 6


def test_a_lead_without_a_readable_time_is_set_aside_and_the_rest_comes(graph: FakeGraph) -> None:
    broken, good = graph.add(2)
    graph.server.route(
        "GET",
        f"/v24.0/{FORM}/leads",
        lambda _: Reply.json(
            {"data": [{"id": broken, "created_time": "soon"}, "rubbish", graph.leads[good]]}
        ),
    )
    [page] = meta(graph).pull(meta(graph).discover()[0], None)
    assert [change.id for change in page.changes] == [good]
    assert [(reject.id, bool(reject.remedy)) for reject in page.rejects] == [
        (broken, True),
        ("", True),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "http://graph.facebook.com"},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "https://"},
        {"version": "24"},
        {"version": "v24.0/../x"},
        {"form_ids": "1, me"},
        {"app_secret": "short"},
    ],
)
def test_a_bad_setting_is_refused_without_showing_it(
    graph: FakeGraph, settings: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as error:
        meta(graph, **settings)
    assert SECRET not in str(error.value)
    assert "input_value" not in str(error.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {}},
        {"data": None},
        {},
        {"data": [], "paging": {"next": "https://graph.example/?after=x"}},
        {"data": [], "paging": {"next": "x", "cursors": []}},
        {"data": [], "paging": {"next": "x", "cursors": {"after": "the same each time"}}},
        {"error": {"code": [190]}},
    ],
)
def test_an_answer_without_leads_or_cursor_is_an_error_and_never_an_empty_list(
    graph: FakeGraph, answer: dict[str, Any]
) -> None:
    status = 400 if "error" in answer else 200
    graph.server.route("GET", f"/v24.0/{FORM}/leads", lambda _: Reply.json(answer, status))
    with pytest.raises((ConfigError, Unavailable)):
        list(meta(graph).pull(meta(graph).discover()[0], None))
