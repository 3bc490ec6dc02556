"""A real HTTP server on 127.0.0.1 that answers from routes, and misbehaves on demand.

    with FaultServer() as server:
        server.route("GET", "/items", lambda call: Reply.json({"items": []}))
        server.script(status(429, retry_after="2"), None, reset_before_headers())
        ...                       # 1st call throttled, 2nd fine, 3rd reset, then fine again
        assert server.calls[0].path == "/items"

A fault is a function of one exchange; write your own where these do not reach.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in; header names are lower-cased."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def json(value: Any, status: int = 200, **headers: str) -> Reply:
        """Return a JSON reply; `retry_after="3"` becomes the header Retry-After."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return Reply(status, json.dumps(value).encode(), headers=named)


Route = Callable[[Call], Reply]


class Exchange:
    """One request in the hands of a fault: the call, the proper reply, and the wire."""

    def __init__(self, call: Call, reply: Callable[[], Reply], handler: _Handler) -> None:
        self.call = call
        self.reply = reply
        self._handler = handler

    def send(self, reply: Reply, *, length: int | None = None, body: bytes | None = None) -> None:
        """Send a reply; `length` lies in Content-Length, `body` is sent in place of its body."""
        self._handler.send_response(reply.status)
        self._handler.send_header("Content-Type", reply.content_type)
        size = len(reply.body) if length is None else length
        self._handler.send_header("Content-Length", str(size))
        for name, value in reply.headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
        if self.call.method != "HEAD":
            self.write(reply.body if body is None else body)

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        wire = self._handler.connection
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection after this exchange."""
        self._handler.close_connection = True


Fault = Callable[[Exchange], None]


def status(code: int, *, retry_after: str | None = None, body: bytes = b"{}") -> Fault:
    """Answer this status; `retry_after` is the header's text: seconds or an HTTP date."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda exchange: exchange.send(Reply(code, body, headers=headers))


def echo_credential(code: int = 500) -> Fault:
    """Answer an error page that repeats the credential, as debugging pages do."""

    def fault(exchange: Exchange) -> None:
        shown = json.dumps({"error": dict(exchange.call.headers), "q": dict(exchange.call.query)})
        exchange.send(Reply(code, shown.encode()))

    return fault


def reset_before_headers() -> Fault:
    """Reset the connection instead of answering."""
    return lambda exchange: exchange.reset()


def reset_after_headers() -> Fault:
    """Send the headers, then reset the connection."""

    def fault(exchange: Exchange) -> None:
        exchange.send(exchange.reply(), body=b"")
        exchange.reset()

    return fault


def cut_body(after: int = 20) -> Fault:
    """Close the connection after this many bytes of the body."""

    def fault(exchange: Exchange) -> None:
        reply = exchange.reply()
        exchange.send(reply, body=reply.body[:after])
        exchange.hang_up()

    return fault


def truncated_json(keep: float = 0.6) -> Fault:
    """Answer 200 with a part of the JSON and a Content-Length that fits it."""

    def fault(exchange: Exchange) -> None:
        body = exchange.reply().body
        exchange.send(Reply(200, body[: int(len(body) * keep)]))

    return fault


def html_page(code: int = 200) -> Fault:
    """Answer a log-in page in place of data."""
    page = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"
    return lambda exchange: exchange.send(Reply(code, page, "text/html"))


def drip(pause_s: float, pieces: int = 1_000) -> Fault:
    """Send the body in tiny pieces with a pause between them."""

    def fault(exchange: Exchange) -> None:
        reply = exchange.reply()
        exchange.send(reply, length=max(len(reply.body), pieces), body=b"")
        for _ in range(pieces):
            exchange.write(b" ")
            time.sleep(pause_s)
        exchange.hang_up()

    return fault


def delay(pause_s: float) -> Fault:
    """Answer properly, but only after a pause."""

    def fault(exchange: Exchange) -> None:
        time.sleep(pause_s)
        exchange.send(exchange.reply())

    return fault


def gzip_bomb(inflated_bytes: int) -> Fault:
    """Answer a small gzip body that inflates to this many blanks."""

    def fault(exchange: Exchange) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        blanks = b" " * 1_000_000
        packed = b"".join(packer.compress(blanks) for _ in range(inflated_bytes // len(blanks)))
        exchange.send(Reply(200, packed + packer.flush(), headers={"Content-Encoding": "gzip"}))

    return fault


def content_type(text: str) -> Fault:
    """Answer properly, but under another content type."""

    def fault(exchange: Exchange) -> None:
        reply = exchange.reply()
        exchange.send(Reply(reply.status, reply.body, text, reply.headers))

    return fault


def redirect(to: str, code: int = 302) -> Fault:
    """Answer a redirect."""
    return lambda exchange: exchange.send(Reply(code, headers={"Location": to}))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; Nagle would hold the second for 40 ms.
    disable_nagle_algorithm = True
    owner: FaultServer

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        url = urlsplit(self.path)
        call = Call(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            received_at=datetime.now(UTC),
        )
        fault = self.owner.record(call)
        exchange = Exchange(call, lambda: self.owner.answer(call), self)
        with contextlib.suppress(ConnectionError):  # the client may have gone
            fault(exchange) if fault else exchange.send(exchange.reply())

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: `calls` is the record."""


_METHODS = "GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND REPORT MKCOL MKCALENDAR"
for _method in _METHODS.split():
    setattr(_Handler, f"do_{_method}", _Handler._serve)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Handlers may still drip or sleep at the end; nobody waits for them.
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in mid-answer is part of the game."""


class FaultServer:
    """The server; a context manager. `url` is its address, `calls` what it was asked so far."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.failures: list[str] = []
        self._routes: dict[tuple[str, str], Route] = {}
        self._script: deque[Fault | None] = deque()
        self._always: Fault | None = None
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def route(self, method: str, path: str, answer: Route) -> None:
        """Answer this path with `answer`; a path that ends in "/" stands for all below it."""
        self._routes[method.upper(), path] = answer

    def script(self, *faults: Fault | None) -> None:
        """Play these faults on the next calls, one each; None means: answer properly."""
        with self._lock:
            self._script.extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Play this fault on every call the script does not reach; None ends it."""
        self._always = fault

    def calm(self) -> None:
        """Forget the script and the faults that were left."""
        with self._lock:
            self._script.clear()
        self._always = None

    def record(self, call: Call) -> Fault | None:
        """Note a call and return the fault that is its turn."""
        with self._lock:
            self.calls.append(call)
            return self._script.popleft() if self._script else self._always

    def answer(self, call: Call) -> Reply:
        """Return the proper reply to a call: 404 without a route, 500 when the route breaks."""
        route = self._routes.get((call.method, call.path)) or self._below(call)
        if route is None:
            return Reply.json({"error": "no such path"}, 404)
        try:
            return route(call)
        except Exception as exc:  # noqa: BLE001 - a broken route must show up in the test
            self.failures.append(f"{call.method} {call.path}: {exc!r}")
            return Reply.json({"error": "the route broke"}, 500)

    def _below(self, call: Call) -> Route | None:
        fitting = [
            path
            for method, path in self._routes
            if method == call.method and path.endswith("/") and call.path.startswith(path)
        ]
        return self._routes[call.method, max(fitting, key=len)] if fitting else None
