"""Runs the receiver on uvicorn: in the foreground for a service, in a thread for all else.

This is the module other rooms import; `app` says what it answers.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from crm_hub.model.errors import ConfigError
from crm_hub.service.app import Door, create_app
from crm_hub.service.limits import Limits

__all__ = ["Door", "Limits", "ReceiverThread", "create_app", "serve"]

_START_TIME_S = 10.0


def serve(
    door: Door,
    host: str = "127.0.0.1",
    port: int = 8765,
    limits: Limits | None = None,
    *,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Receive until SIGINT or SIGTERM; requests under way are finished first.

    `on_start` gets the URL once the port is bound. The signal is raised again at the end, so a
    caller sees KeyboardInterrupt after Ctrl-C.
    Raises: ConfigError when the address cannot be bound.
    """
    limits = limits or Limits()
    with _bind(host, port) as listener:
        if on_start is not None:
            on_start(_url(listener))
        _server(door, limits).run(sockets=[listener])


class ReceiverThread:
    """A receiver that runs in a thread for the length of a `with` block.

        with ReceiverThread(door) as receiver:
            httpx.post(f"{receiver.url}/in/web/contact", json={...})

    Port 0 takes a free one; `now` is the clock requests are stamped with. Leaving the block
    finishes the requests under way.
    """

    def __init__(
        self,
        door: Door,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._listener = _bind(host, port)
        self.url = _url(self._listener)
        self._server = _server(door, limits or Limits(), now)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="crm-hub-receiver"
        )

    def __enter__(self) -> ReceiverThread:
        self._thread.start()
        deadline = time.monotonic() + _START_TIME_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise ConfigError(f"the receiver at {self.url} did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop accepting, finish what is under way, and return when the port is free."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._listener.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not 0 <= port <= 65_535:
            raise OSError(None, "a port is a number up to 65535")
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"the receiver cannot listen on {host} port {port}: {error.strerror or error}",
            remedy="Set receiver.host and receiver.port in hub.yaml to an address of this machine"
            " that is free.",
        ) from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(door: Door, limits: Limits, now: Callable[[], datetime] | None = None) -> Server:
    return Server(
        Config(
            create_app(door, limits, now=now),
            http=timed_protocol(limits.header_time_s),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=limits.max_connections,
            h11_max_incomplete_event_size=limits.max_header_bytes,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=limits.stop_time_s,
        )
    )


def timed_protocol(header_time_s: float) -> type[H11Protocol]:
    """Return an HTTP protocol that hangs up on senders who do not finish their headers.

    uvicorn bounds the idle time between requests, but not how long the first byte or the
    rest of a header block may take, so a few thousand silent sockets would hold the door.
    """

    class TimedProtocol(H11Protocol):
        _header_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            # The access log holds query strings, which may hold secrets.
            self.access_log = False
            self._watch_headers()

        def handle_events(self) -> None:
            super().handle_events()
            self._watch_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel_header_timer()
            super().connection_lost(exc)

        def _watch_headers(self) -> None:
            between_requests = self.timeout_keep_alive_task is not None
            if self.conn.their_state is not h11.IDLE or between_requests:
                self._cancel_header_timer()
            elif self._header_timer is None:
                self._header_timer = self.loop.call_later(header_time_s, self.transport.close)

        def _cancel_header_timer(self) -> None:
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None

    return TimedProtocol
