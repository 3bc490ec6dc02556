"""Where an HTTP call may really go: the check on the connected address.

An address in a setting, a redirect or a "next page" link can point a call into the hub's own
network. Checking the name is not enough: a name can resolve to a private address, or to another
one on the second look-up (DNS rebinding). So the name is resolved once, each address is judged,
and the socket is opened to that very address; TLS still proves the name.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import httpcore
import httpx

from crm_hub.model.errors import ConfigError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refusal(address: str, *, allow_private: bool = False) -> str:
    """Return why this IP address must not be connected to; "" when it may.

    Link-local (cloud metadata), multicast and unspecified addresses are refused even with
    `allow_private`; loopback, private, shared (CGNAT) and reserved ones only without it.
    Source: IANA special-purpose address registries; RFC 4291, RFC 6052, RFC 6598.
    """
    ip = _innermost(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_link_local:
        return "link-local"
    if ip.is_multicast:
        return "multicast"
    if ip.is_unspecified:
        return "unspecified"
    if allow_private:
        return ""
    if ip.is_loopback:
        return "loopback"
    if not ip.is_global or (isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local):
        return "private or reserved"
    return ""


def _innermost(ip: Address) -> Address:
    """Return the IPv4 address an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), or itself."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if inner := ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1]):
        return inner
    if ip in _NAT64 or ip in _IPV4_TRANSLATED or (ip in _IPV4_COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


class Deadline:
    """The latest moment for the call that this thread is making; None when it has no end."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let every socket operation of this thread end within `seconds` from now."""
        self._local.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._local.at = None

    def left(self, timeout: float | None, error: type[Exception]) -> float | None:
        """Return the time-out in seconds for the next operation. Raises `error` when it is over."""
        at: float | None = getattr(self._local, "at", None)
        if at is None:
            return timeout
        left = at - time.monotonic()
        if left <= 0:
            raise error("the whole answer took too long")
        return left if timeout is None else min(timeout, left)


class _TimedStream(httpcore.NetworkStream):
    """A socket whose every wait also ends at the call's deadline, however it drips."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        inner = self._inner.start_tls(ssl_context, server_hostname, left)
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _GuardedBackend(httpcore.NetworkBackend):
    """Opens a connection only to an address that was judged first."""

    def __init__(self, is_private_allowed: Callable[[str], bool], deadline: Deadline) -> None:
        self._is_private_allowed = is_private_allowed
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception = httpcore.ConnectError("the name has no address")
        for address in self._allowed_addresses(host, port):
            left = self._deadline.left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                problem = exc
            else:
                return _TimedStream(stream, self._deadline)
        raise problem

    def _allowed_addresses(self, host: str, port: int) -> list[str]:
        allow_private = self._is_private_allowed(host)
        allowed, reasons = [], set()
        for address in _resolve(host, port):
            if reason := refusal(address, allow_private=allow_private):
                reasons.add(reason)
            else:
                allowed.append(address)
        if reasons and not allowed:
            raise ConfigError(
                f"{host} was not called: it leads to a {', '.join(sorted(reasons))} address",
                remedy="If this host is yours, allow it for this connection; "
                "else correct the address.",
            )
        return allowed


def _resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, each once, in the resolver's order."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        # A name that IDNA cannot encode raises UnicodeError.
        raise httpcore.ConnectError(f"the name could not be resolved ({exc})") from None
    return list(dict.fromkeys(str(info[4][0]) for info in found))


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return one TLS context for all clients: loading the root certificates takes a while."""
    return httpx.create_ssl_context()


class _Body(httpx.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._inner

    def close(self) -> None:
        self._inner.close()


@contextlib.contextmanager
def _httpx_errors() -> Iterator[None]:
    """Turn httpcore's errors into httpx's, which carry the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as exc:
        error = getattr(httpx, type(exc).__name__, httpx.TransportError)
        raise error(str(exc)) from None


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport that judges the connected address and keeps a deadline.

    allow_private: True for every host, or the names of the hosts that may be private.
    """

    def __init__(self, allow_private: bool | Collection[str] = False) -> None:
        self.deadline = Deadline()
        if isinstance(allow_private, bool):
            hosts, everywhere = frozenset[str](), allow_private
        else:
            hosts, everywhere = frozenset(h.lower() for h in allow_private), False
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=32,
            max_keepalive_connections=8,
            keepalive_expiry=20,
            network_backend=_GuardedBackend(
                lambda host: everywhere or host.lower() in hosts, self.deadline
            ),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        inner = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _httpx_errors():
            answer = self._pool.handle_request(inner)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()
