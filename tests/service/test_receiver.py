"""The receiver on real sockets: what it takes, what it refuses, and what it answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from crm_hub.model.errors import ConfigError
from crm_hub.service.receiver import Limits, ReceiverThread
from tests.service.doors import RecordingDoor
from tests.service.raw import RawClient

QUICK = Limits(header_time_s=0.4, body_time_s=0.4, max_body_bytes=10_000, max_headers=20)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[RecordingDoor, str]]:
    door = RecordingDoor()
    with ReceiverThread(door, limits=QUICK) as receiver:
        yield door, receiver.url


@pytest.fixture
def door(running: tuple[RecordingDoor, str]) -> RecordingDoor:
    running[0].batches.clear()
    running[0].verified.clear()
    return running[0]


@pytest.fixture
def url(door: RecordingDoor, running: tuple[RecordingDoor, str]) -> str:
    return running[1]


def test_the_raw_body_query_and_headers_are_kept_exactly(door: RecordingDoor, url: str) -> None:
    body = b'{"a": "\xff\x00 raw"}'
    answer = httpx.post(
        f"{url}/in/shop/contact%20us?x=1&empty=",
        content=body,
        headers=[("X-Twice", "1"), ("X-Twice", "2"), ("Content-Type", "application/json")],
    )
    assert (answer.status_code, answer.content, answer.headers["x-seen"]) == (200, b"ok", "1")
    [kept] = door.kept
    assert kept.body == body
    assert kept.path == "/in/shop/contact us"
    assert kept.query == {"x": "1", "empty": ""}
    assert kept.headers["x-twice"] == "1, 2"
    assert kept.received_at.tzinfo is not None


def test_credentials_and_addresses_are_verified_but_not_kept(door: RecordingDoor, url: str) -> None:
    headers = {
        "X-Form-Token": "canary-1",
        "Authorization": "Bearer canary-2",
        "Cookie": "c=canary-3",
        "X-Forwarded-For": "203.0.113.9",
        "X-Hub-Signature-256": "sha256=1",
    }
    httpx.post(f"{url}/in/shop?token=canary-4&page=2", headers=headers)
    assert door.verified[0].headers["x-form-token"] == "canary-1"
    assert door.verified[0].query["token"] == "canary-4"
    [kept] = door.kept
    assert "canary" not in repr(kept)
    assert "203.0.113.9" not in repr(kept)
    assert kept.query == {"page": "2"}
    assert kept.headers["x-hub-signature-256"] == "sha256=1"


def test_a_reply_marked_not_to_be_kept_is_answered_without_a_commit(
    door: RecordingDoor, url: str
) -> None:
    answer = httpx.get(f"{url}/in/shop?hub.challenge=1")
    assert (answer.status_code, answer.text) == (200, "hello")
    assert door.batches == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413])
def test_a_refused_request_gets_its_status_and_a_remedy_and_is_not_kept(
    door: RecordingDoor, url: str, status: int
) -> None:
    answer = httpx.post(f"{url}/in/shop", headers={"X-Refuse": str(status)})
    assert answer.status_code == status
    assert answer.json() == {"error": "not genuine", "remedy": "Sign it."}
    assert door.batches == []


@pytest.mark.parametrize("path", ["/", "/in", "/in/", "/in/nobody", "/admin", "/in/nobody/x"])
def test_an_unknown_address_is_a_json_404(url: str, path: str) -> None:
    answer = httpx.post(url + path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "remedy"}


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_405_and_name_the_allowed_ones(
    door: RecordingDoor, url: str, method: str
) -> None:
    answer = httpx.request(method, f"{url}/in/shop")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST, OPTIONS"
    assert door.verified == []


def test_health_answers_ok_and_nothing_else(url: str) -> None:
    answer = httpx.get(f"{url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert httpx.post(f"{url}/healthz").status_code == 405


def test_no_answer_names_the_server(url: str) -> None:
    for path in ("/in/shop", "/in/nobody", "/healthz", "/x"):
        answer = httpx.get(url + path)
        assert "server" not in answer.headers
        assert "uvicorn" not in answer.text.lower()


def test_a_declared_oversize_is_refused_before_the_body_is_sent(
    door: RecordingDoor, url: str
) -> None:
    with RawClient(url) as client:
        client.head("POST", "/in/shop", "Content-Length: 10000000000")
        answer = client.answer()
        assert answer.status == 413
        assert answer.headers["connection"] == "close"
        assert json.loads(answer.body)["remedy"] == "Send at most 10,000 bytes."
        assert client.closed()
    assert door.verified == []


def test_a_sender_that_asks_first_is_not_told_to_continue_when_it_is_too_much(url: str) -> None:
    with RawClient(url) as client:
        client.head("POST", "/in/shop", "Content-Length: 99999999", "Expect: 100-continue")
        assert client.answer().status == 413


def test_an_oversize_chunked_body_is_cut_off_while_it_comes(door: RecordingDoor, url: str) -> None:
    with RawClient(url) as client:
        client.head("POST", "/in/shop", "Transfer-Encoding: chunked")
        for _ in range(11):
            client.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        assert client.answer().status == 413
        assert client.closed()
    assert door.verified == []


def test_a_chunked_body_within_the_limit_is_put_together(door: RecordingDoor, url: str) -> None:
    answer = httpx.post(f"{url}/in/shop", content=iter([b"ab", b"cd", b"e" * 5000]))
    assert answer.status_code == 200
    assert door.kept[0].body == b"abcd" + b"e" * 5000


def test_a_dripping_body_ends_with_408(door: RecordingDoor, url: str) -> None:
    with RawClient(url) as client:
        client.head("POST", "/in/shop", "Content-Length: 100")
        client.send(b"x")
        assert client.answer().status == 408
        assert client.closed()
    assert door.verified == []


@pytest.mark.parametrize("start", [b"", b"POST /in/shop HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_unfinished_headers_are_hung_up_on(url: str, start: bytes) -> None:
    with RawClient(url) as client:
        client.send(start)
        assert client.closed()


def test_unfinished_headers_of_a_second_request_are_hung_up_on(url: str) -> None:
    with RawClient(url) as client:
        client.head("GET", "/healthz")
        assert client.answer().status == 200
        client.send(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        assert client.closed()


def test_a_connection_serves_several_requests(door: RecordingDoor, url: str) -> None:
    with httpx.Client() as client:
        assert [client.post(f"{url}/in/shop", content=b"1").status_code for _ in range(20)] == [
            200
        ] * 20
    assert len(door.kept) == 20


def test_a_sender_that_hangs_up_in_mid_body_leaves_no_trace(door: RecordingDoor, url: str) -> None:
    with RawClient(url) as client:
        client.head("POST", "/in/shop", "Content-Length: 100")
        client.send(b"half")
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert door.verified == []


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Content-Encoding: gzip", 415),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("X-Long: " + "x" * 20_000, 431),
        ("X-Endless: " + "x" * 200_000, 400),
        ("\r\n".join(f"X-{n}: 1" for n in range(30)), 431),
        ("Content-Length: -1", 400),
        ("Content-Length: 1\r\nContent-Length: 2", 400),
        ("no colon", 400),
    ],
)
def test_malformed_or_excessive_headers_are_refused(
    door: RecordingDoor, url: str, header: str, status: int
) -> None:
    with RawClient(url) as client:
        client.head("POST", "/in/shop", header)
        assert client.answer().status == status
    assert door.verified == []


def test_bytes_that_are_no_http_get_400(url: str) -> None:
    with RawClient(url) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert client.answer().status == 400


def test_a_bug_in_verification_is_a_500_without_its_text_in_answer_or_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = httpx.post(f"{url}/in/shop", headers={"X-Crash": "1"})
    assert answer.status_code == 500
    assert "ZeroDivisionError in verify" in caplog.text
    assert "marlowfinch" not in caplog.text + answer.text


def test_bodies_and_queries_are_never_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for connection in ("shop", "nobody"):
            httpx.post(f"{url}/in/{connection}?q=canary-query", content=b"canary-body")
    # The test's own client logs its URLs; the server's lines are the ones to look at.
    own = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    assert not [line for line in own if "canary" in line]


def test_a_large_body_is_verified_off_the_event_loop_and_kept_whole() -> None:
    door = RecordingDoor()
    body = b"x" * 300_000
    with ReceiverThread(door, limits=replace(QUICK, max_body_bytes=400_000)) as receiver:
        assert httpx.post(f"{receiver.url}/in/shop", content=body).status_code == 200
    assert door.kept[0].body == body


def test_a_port_in_use_is_a_config_error_that_says_what_to_set(url: str) -> None:
    port = int(url.rsplit(":", 1)[1])
    with pytest.raises(ConfigError, match=r"(?s)cannot listen.*hub\.yaml"):
        ReceiverThread(RecordingDoor(), port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("no.such.host.invalid", 0)])
def test_an_impossible_address_is_a_config_error(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        ReceiverThread(RecordingDoor(), port, host=host)
