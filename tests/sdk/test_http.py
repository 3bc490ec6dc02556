"""The HTTP client against a real server that misbehaves."""

from __future__ import annotations

import gzip
import json
import logging
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.model.errors import AuthRefused, ConfigError, Throttled, Unavailable
from crm_hub.sdk.http import Answer, HttpClient
from crm_hub.sdk.http_answer import inflated, parse_json, parse_retry_after
from crm_hub.sdk.testing import fault_server as faults
from crm_hub.sdk.testing.fault_server import FaultServer, Reply
from crm_hub.sdk.testing.harness import CANARY
from crm_hub.sdk.testing.servers import free_port

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ITEMS = {"items": [{"id": number, "text": "x" * 50} for number in range(20)]}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        for method in ("GET", "POST", "PUT", "DELETE"):
            running.route(method, "/items", lambda _: Reply.json(ITEMS))
        running.route("GET", "/deep/items", lambda call: Reply.json(dict(call.query)))
        yield running


class Naps(list[float]):
    """Counts what would have been slept."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(server: FaultServer, **options: Any) -> HttpClient:
    options = {"allow_private": True, "timeout_s": 5, "sleep": Naps(), "now": lambda: NOW} | options
    return HttpClient(server.url, **options)


# retries


@pytest.mark.parametrize(
    "fault",
    [
        faults.status(500),
        faults.status(502),
        faults.status(429),
        faults.status(503, retry_after="1"),
        faults.reset_before_headers(),
        faults.reset_after_headers(),
        faults.cut_body(),
        faults.truncated_json(),
        faults.html_page(),
    ],
)
def test_a_passing_fault_is_healed_by_asking_again(
    server: FaultServer, fault: faults.Fault
) -> None:
    server.script(fault, fault)
    with client(server) as http:
        assert http.json("items") == ITEMS
    assert len(server.calls) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.status(500), Unavailable),
        (faults.status(429), Throttled),
        (faults.status(503), Throttled),
        (faults.reset_before_headers(), Unavailable),
        (faults.reset_after_headers(), Unavailable),
        (faults.cut_body(), Unavailable),
        (faults.truncated_json(), Unavailable),
        (faults.html_page(), Unavailable),
        (faults.status(200, body=b""), Unavailable),
        (faults.status(200, body=b"[" * 200_000), Unavailable),
        (faults.status(200, body=b"9" * 5_000), Unavailable),
    ],
)
def test_a_lasting_fault_becomes_one_typed_error(
    server: FaultServer, fault: faults.Fault, error: type[Exception]
) -> None:
    server.always(fault)
    with client(server, retries=2) as http, pytest.raises(error):
        http.json("items")
    assert len(server.calls) == 3


def test_only_a_harmless_method_is_repeated(server: FaultServer) -> None:
    server.always(faults.status(500))
    with client(server, retries=2) as http:
        for method, calls in {"GET": 3, "PUT": 3, "DELETE": 3, "POST": 1, "PATCH": 1}.items():
            server.calls.clear()
            with pytest.raises(Unavailable):
                http.request(method, "items")
            assert len(server.calls) == calls, method


def test_a_post_is_repeated_when_something_makes_it_harmless(server: FaultServer) -> None:
    server.script(faults.status(500), None, faults.status(500), None)
    with client(server) as http:
        assert http.post("items", json={"a": 1}, idempotency_key="k1").ok
        assert http.post("items", json={"q": "search"}, idempotent=True).ok
    assert [call.headers.get("idempotency-key") for call in server.calls] == [
        "k1",
        "k1",
        None,
        None,
    ]
    assert server.calls[1].json() == {"a": 1}


def test_refusals_and_missing_things_are_not_asked_for_again(server: FaultServer) -> None:
    with client(server) as http:
        for status in (401, 403):
            server.script(faults.status(status))
            with pytest.raises(AuthRefused):
                http.get("items")
        for status in (404, 410):
            server.script(faults.status(status))
            assert http.get("items").missing
        server.script(faults.status(400, body=b'{"code": 190}'), faults.status(403, body=b"{}"))
        assert http.get("items").body == b'{"code": 190}'
        assert http.get("items", accept=(403,)).status == 403
        server.script(faults.status(422))
        with pytest.raises(ConfigError, match="422"):
            http.json("items")
    assert len(server.calls) == 7


# Retry-After


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("99999999999", 86_400.0),
        ("9" * 5_000, None),
        ("Tue, 10 Mar 2026 12:00:30 GMT", 30.0),
        ("Tue, 10 Mar 2026 11:00:00 GMT", 0.0),
        ("Tue, 10 Mar 2099 11:00:00 GMT", 86_400.0),
        ("Tue, 10 Mar 2026 12:00:30", 30.0),
        ("soon", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_every_form(text: str | None, wait_s: float | None) -> None:
    assert parse_retry_after(text, NOW) == wait_s


@given(st.text())
def test_retry_after_never_breaks_and_stays_in_bounds(text: str) -> None:
    wait_s = parse_retry_after(text, NOW)
    assert wait_s is None or 0 <= wait_s <= 86_400


@given(st.integers(-100_000, 200_000))
def test_retry_after_as_a_date_means_the_seconds_until_then(seconds: int) -> None:
    text = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(text, NOW) == min(max(seconds, 0), 86_400)


def test_the_client_waits_as_long_as_it_was_asked_to(server: FaultServer) -> None:
    server.script(
        faults.status(429, retry_after="31"),
        faults.status(503, retry_after=format_datetime(NOW + timedelta(seconds=45), usegmt=True)),
    )
    naps = Naps()
    with client(server, sleep=naps) as http:
        assert http.json("items") == ITEMS
    assert [round(nap) for nap in naps] == [31, 45]


def test_a_wait_beyond_the_limit_is_raised_instead_of_slept(server: FaultServer) -> None:
    server.always(faults.status(429, retry_after="3600"))
    naps = Naps()
    with client(server, sleep=naps) as http, pytest.raises(Throttled) as caught:
        http.json("items")
    assert caught.value.retry_after_s == 3600
    assert naps == []
    assert len(server.calls) == 1


# time


@pytest.mark.parametrize("fault", [faults.delay(20), faults.drip(0.05, pieces=10_000)])
def test_no_call_waits_without_end(server: FaultServer, fault: faults.Fault) -> None:
    server.always(fault)
    started = time.monotonic()
    with client(server, timeout_s=0.2, retries=1) as http, pytest.raises(Unavailable, match="time"):
        http.get("items")
    assert time.monotonic() - started < 15


def test_a_dead_host_is_unavailable() -> None:
    http = HttpClient(
        f"http://127.0.0.1:{free_port()}", allow_private=True, sleep=Naps(), retries=2
    )
    with http, pytest.raises(Unavailable, match="not reached"):
        http.get("items")


# bodies


def test_a_gzip_bomb_stops_at_the_cap_in_little_memory(server: FaultServer) -> None:
    server.route("GET", "/bomb", lambda _: Reply(200, bomb, headers={"Content-Encoding": "gzip"}))
    bomb = _bomb(300_000_000)
    tracemalloc.start()
    try:
        with client(server, max_body_bytes=5_000_000) as http:
            with pytest.raises(ConfigError, match="5,000,000 bytes"):
                http.get("bomb")
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert len(server.calls) == 1


def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b"\0" * 10**6) for _ in range(size // 10**6)) + packer.flush()


def test_an_endless_plain_body_stops_at_the_cap(server: FaultServer) -> None:
    server.route("GET", "/big", lambda _: Reply(200, b"x" * 3_000_000))
    with client(server, max_body_bytes=1_000_000) as http, pytest.raises(ConfigError):
        http.get("big")


@given(st.lists(st.binary(max_size=300_000), max_size=3), st.integers(1, 5_000), st.booleans())
def test_inflating_in_pieces_gives_what_was_packed(
    members: list[bytes], cut: int, is_gzip: bool
) -> None:
    if is_gzip:
        packed = b"".join(gzip.compress(member) for member in members)
    else:
        members = members[:1]
        packed = b"".join(zlib.compress(member) for member in members)
    chunks = [packed[i : i + cut] for i in range(0, len(packed), cut)]
    pieces = list(inflated(chunks, "gzip" if is_gzip else "deflate", "GET x"))
    assert b"".join(pieces) == b"".join(members)
    assert all(len(piece) <= 65_536 for piece in pieces)


def test_raw_deflate_is_read_too() -> None:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b"water" * 100) + packer.flush()
    assert b"".join(inflated([packed], "deflate", "x")) == b"water" * 100


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_packed_data_that_is_cut_or_damaged_is_unavailable(encoding: str) -> None:
    packed = gzip.compress(b"w" * 9999) if encoding == "gzip" else zlib.compress(b"w" * 9999)
    for bad in (packed[:-9], packed[:12], b"\x78\x9cnonsense-nonsense", b"nonsense"):
        with pytest.raises(Unavailable):
            list(inflated([bad], encoding, "GET x"))
    with pytest.raises(Unavailable, match="not asked for"):
        list(inflated([packed], "br", "GET x"))


def test_long_integers_keep_every_digit() -> None:
    assert parse_json(b'{"id": 123456789012345678901234}') == {"id": 123456789012345678901234}
    assert parse_json(b'{"id": 12}') == {"id": 12}


def test_lines_come_one_by_one_and_a_broken_off_stream_says_so(server: FaultServer) -> None:
    rows = [json.dumps({"n": n, "pad": "y" * 300}).encode() for n in range(2_000)]
    body = b"\r\n".join(rows)
    server.route("GET", "/rows", lambda _: Reply(200, body, "application/x-ndjson"))
    with client(server) as http:
        assert list(http.lines("rows")) == rows
        server.script(faults.status(500), None)
        assert len(list(http.lines("rows"))) == 2_000
        server.script(faults.cut_body(100_000))
        with pytest.raises(Unavailable):
            list(http.lines("rows"))
        with pytest.raises(ConfigError, match="one line"):
            list(http.lines("rows", max_line_bytes=100, max_body_bytes=10**7))


# addresses and credentials


def test_paths_queries_and_next_links_are_joined(server: FaultServer) -> None:
    with HttpClient(server.url + "/deep/", allow_private=True) as http:
        assert http.json("items", params={"a": 1, "none": None}) == {"a": "1"}
        assert http.json("/items?b=2", params={"a": 1}) == {"a": "1", "b": "2"}
        assert http.json(f"{server.url}/deep/items?c=%2F") == {"c": "/"}
    assert server.calls[0].path == "/deep/items"


def test_credentials_go_to_their_own_host_alone(server: FaultServer) -> None:
    with FaultServer() as other, client(server, headers={"x-api-token": CANARY}) as http:
        other.route("GET", "/items", lambda _: Reply.json({}))
        http.get("items")
        http.get(f"{other.url}/items")
        server.script(faults.redirect(f"{other.url}/items"))
        http.get("items")
        assert server.calls[0].headers["x-api-token"] == CANARY
        assert len(other.calls) == 2
        assert not any(CANARY in str(call) for call in other.calls)


def test_a_client_of_one_host_calls_no_other(server: FaultServer) -> None:
    with client(server) as http:
        for url in ("http://elsewhere.example/items", "ftp://127.0.0.1/x", "file:///etc/passwd"):
            with pytest.raises(ConfigError):
                http.get(url)
        for start in (301, 302, 303, 307, 308):
            server.script(faults.redirect("http://elsewhere.example/?token=" + CANARY, start))
            with pytest.raises(ConfigError, match="elsewhere") as caught:
                http.get("items")
            assert CANARY not in str(caught.value)


def test_a_redirect_that_is_accepted_is_handed_back_and_not_followed(server: FaultServer) -> None:
    with client(server) as http:
        server.script(faults.redirect("/items", 301))
        answer = http.request("PROPFIND", "/old", idempotent=True, accept=(301,))
        assert (answer.status, answer.headers["location"]) == (301, "/items")
        assert len(server.calls) == 1


def test_redirects_on_the_same_host_are_followed_for_reading_only(server: FaultServer) -> None:
    with client(server, headers={"x-api-token": "t-1234"}) as http:
        server.script(faults.redirect("/deep/items?a=1", 308))
        assert http.json("items") == {"a": "1"}
        assert server.calls[-1].headers["x-api-token"] == "t-1234"
        server.script(faults.redirect("/items", 307))
        with pytest.raises(ConfigError, match="redirects"):
            http.post("items", json={})
        server.always(faults.redirect("/items"))
        with pytest.raises(Unavailable, match="circle"):
            http.get("items")


def test_no_secret_shows_in_an_error_or_a_log(
    server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    with client(server, auth=("user", CANARY), retries=1) as http:
        for fault in (
            faults.echo_credential(500),
            faults.echo_credential(401),
            faults.html_page(),
            faults.reset_before_headers(),
            faults.redirect("http://x.example/" + CANARY),
        ):
            server.always(fault)
            with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
                http.json("items", params={"access_token": CANARY})
            shown += [repr(caught.value), str(caught.getrepr(style="native"))]
        server.always(None)
        answer = http.get("items", params={"access_token": CANARY})
        shown += [repr(answer), repr(http), caplog.text]
    assert server.calls[0].headers["authorization"].startswith("Basic ")
    assert CANARY not in "\n".join(shown)


@pytest.mark.parametrize("value", ["line\nbreak-" + CANARY, "ümläut-" + CANARY])
def test_a_key_that_http_cannot_carry_is_a_clear_error(server: FaultServer, value: str) -> None:
    with client(server, headers={"x-api-key": value}) as http:
        with pytest.raises(ConfigError, match="characters") as caught:
            http.get("items")
        assert CANARY not in str(caught.getrepr(style="native"))


def test_a_forgotten_client_closes_its_sockets(server: FaultServer) -> None:
    # Warnings are errors here, so a socket left open would fail the run.
    assert client(server).get("items").ok


def test_another_transport_can_be_given() -> None:
    fake = httpx.MockTransport(lambda request: httpx.Response(200, json={"path": request.url.path}))
    with HttpClient("https://api.example", transport=fake) as http:
        assert http.json("x") == {"path": "/x"}


def test_an_answer_that_a_reader_finds_broken_is_asked_for_again(server: FaultServer) -> None:
    seen: list[int] = []

    def parse(answer: Answer) -> int:
        seen.append(answer.status)
        return len(answer.json()["items"])

    server.script(faults.status(500), faults.truncated_json(), faults.html_page())
    with client(server) as http:
        assert http.read("items", parse) == 20
    assert seen == [200, 200, 200]  # the 500 never came to the reader
