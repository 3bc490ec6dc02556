"""The fault server does to a plain client what its script says."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterator
from datetime import UTC

import pytest

from crm_hub.sdk.testing import fault_server as faults
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.route("GET", "/x", lambda _: Reply.json({"fine": True}, retry_after="1"))
        yield running


def ask(server: FaultServer, path: str = "/x") -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path, headers={"X-Mark": "m"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_faults_come_in_the_order_of_the_script_and_then_end(server: FaultServer) -> None:
    server.script(faults.status(429, retry_after="5"), None, faults.html_page())
    first = ask(server)
    assert (first[0], first[1]["Retry-After"]) == (429, "5")
    assert ask(server)[2] == b'{"fine": true}'
    assert ask(server)[1]["Content-Type"] == "text/html"
    assert ask(server)[0] == 200
    server.always(faults.status(500))
    assert [ask(server)[0], ask(server)[0]] == [500, 500]
    server.calm()
    assert ask(server)[0] == 200


def test_every_call_is_recorded(server: FaultServer) -> None:
    ask(server, "/x?a=1&b=")
    (call,) = server.calls
    assert (call.method, call.path, call.query) == ("GET", "/x", {"a": "1", "b": ""})
    assert call.headers["x-mark"] == "m"
    assert call.received_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.reset_before_headers(), ConnectionError),
        (faults.reset_after_headers(), (ConnectionError, http.client.IncompleteRead)),
        (faults.cut_body(3), http.client.IncompleteRead),
        (faults.drip(0, pieces=30), None),
        (faults.delay(0.01), None),
    ],
)
def test_the_wire_breaks_as_asked(
    server: FaultServer, fault: faults.Fault, error: type[Exception] | None
) -> None:
    server.script(fault)
    if error is None:
        assert ask(server)[0] == 200
    else:
        with pytest.raises(error):
            ask(server)
    assert ask(server)[0] == 200


def test_bodies_are_bent_as_asked(server: FaultServer) -> None:
    server.script(
        faults.truncated_json(0.5),
        faults.content_type("text/csv"),
        faults.redirect("/y"),
        faults.gzip_bomb(2_000_000),
        faults.echo_credential(),
    )
    assert ask(server)[2] == b'{"fine"'
    assert ask(server)[1]["Content-Type"] == "text/csv"
    assert ask(server)[1]["Location"] == "/y"
    packed = ask(server)[2]
    assert len(zlib.decompress(packed, 31)) == 2_000_000
    assert len(packed) < 10_000
    assert b'"x-mark": "m"' in ask(server)[2]


def test_a_route_that_breaks_is_noted_and_a_path_ends_with_its_prefix(server: FaultServer) -> None:
    def breaks(call: Call) -> Reply:
        raise ValueError("a slip in the test")

    server.route("GET", "/folder/", lambda call: Reply.json(call.path))
    server.route("GET", "/folder/deep/", breaks)
    assert ask(server, "/folder/a")[2] == b'"/folder/a"'
    assert ask(server, "/folder/deep/a")[0] == 500
    assert "a slip in the test" in server.failures[0]
    assert ask(server, "/nowhere")[0] == 404
