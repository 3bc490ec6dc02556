"""The HTTP client every connector uses through `context.http(...)`.

It keeps the promises a connector cannot be trusted to remember: a time-out on each call, a cap
on each body, retries only where a repeat is harmless, Retry-After obeyed, credentials sent to
their own host alone, no call into private networks, no secret in any error.

    status                   becomes
    2xx, 404, 410, other 4xx an Answer (`.ok`, `.missing`, `.status`); `.json()` wants 2xx
    401                      one token refresh where there is a TokenSource, then AuthRefused
    403                      AuthRefused
    429, 503                 Throttled with retry_after_s, after retries
    other 5xx, reset, time-out, cut or damaged body    Unavailable, after retries
    3xx                      followed on the same host (GET and HEAD), else ConfigError
"""

from __future__ import annotations

import base64
import logging
import time
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, Self, TypedDict, TypeVar, Unpack

import httpx
import tenacity

from crm_hub.model.errors import AuthRefused, ConfigError, Throttled, TransientError, Unavailable
from crm_hub.observe import hide, redact
from crm_hub.sdk.http_answer import (
    ACCEPT_ENCODING,
    Answer,
    capped,
    inflated,
    parse_retry_after,
)
from crm_hub.sdk.http_guard import GuardedTransport
from crm_hub.sdk.http_urls import (
    Params,
    host_limit,
    joined,
    merged,
    parse_url,
    same_origin,
    where_of,
)
from crm_hub.sdk.tokens import Grant, GrantStore, RenewedGrant, TokenSource

__all__ = ["Answer", "Grant", "GrantStore", "HttpClient", "RenewedGrant", "TokenSource"]

_HARMLESS_TO_REPEAT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 6
_PLAIN = frozenset({"accept", "accept-encoding", "user-agent"})
_SECRET_HEADERS = ("authorization", "cookie", "key", "token", "secret", "signature")

T = TypeVar("T")

# Both log whole URLs or headers, and a URL may hold a secret.
for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


class Ask(TypedDict, total=False):
    """What a call may carry besides method and URL.

    idempotency_key: sent as Idempotency-Key; makes any method harmless to repeat.
    idempotent: says so for a call whose method does not show it (a search made by POST).
    accept: statuses handed back as an Answer instead of raised or followed, such as a 403 that
        means quota.
    """

    params: Params
    headers: Mapping[str, str] | None
    json: Any
    data: Mapping[str, Any] | None
    content: bytes | None
    idempotency_key: str | None
    idempotent: bool | None
    accept: Collection[int]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HttpClient:
    """HTTP for one far side; share it between threads, close it when done.

    base_url: its host alone gets `headers` and `auth`, and is the only one called unless
        `limit_to_hosts` names more (those are called without credentials).
    auth: (user, password) for Basic, or a TokenSource for Bearer.
    timeout_s: for each wait on the socket; a whole call without streaming gets ten times that.
    max_body_bytes: after inflating. max_wait_s: a longer Retry-After raises Throttled at once.
    allow_private: True, or the host names that may lead to a private address.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | TokenSource | None = None,
        timeout_s: float = 30.0,
        max_body_bytes: int = 50_000_000,
        retries: int = 4,
        max_wait_s: float = 60.0,
        allow_private: bool | Collection[str] = False,
        limit_to_hosts: Collection[str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = _utc_now,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base = parse_url(base_url) if base_url else None
        self._hosts = host_limit(self._base, limit_to_hosts)
        self._headers = dict(headers or {})
        self._tokens = auth if isinstance(auth, TokenSource) else None
        if isinstance(auth, tuple):
            packed = base64.b64encode(":".join(auth).encode()).decode()
            self._headers["authorization"] = f"Basic {packed}"
            hide([auth[1], packed])
        hide(_secret_values(self._headers))
        self._timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        self._retries = retries
        self._max_wait_s = max_wait_s
        self._sleep = sleep
        self._now = now
        self._backoff = tenacity.wait_random_exponential(multiplier=0.5, max=20)
        self._guard = GuardedTransport(allow_private) if transport is None else None
        # trust_env would send credentials from a .netrc and reroute calls through a proxy.
        self._client = httpx.Client(
            transport=transport or self._guard, timeout=timeout_s, trust_env=False
        )
        # A client that is forgotten closes its sockets when it is collected.
        self._closer = weakref.finalize(self, self._client.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections kept open."""
        self._closer()

    def request(self, method: str, url: str, **ask: Unpack[Ask]) -> Answer:
        """Return the answer; which statuses are raised instead, the module's table says.

        url: absolute, or a path below `base_url`.
        Raises: AuthRefused, Throttled, Unavailable, ConfigError.
        """
        call = self._call(method.upper(), url, ask)
        return self._repeat(call, ask, lambda: self._judged(call, ask))

    def get(self, url: str, **ask: Unpack[Ask]) -> Answer:
        """Return the answer to a GET; see `request`."""
        return self.request("GET", url, **ask)

    def post(self, url: str, **ask: Unpack[Ask]) -> Answer:
        """Return the answer to a POST; not repeated unless said to be harmless; see `request`."""
        return self.request("POST", url, **ask)

    def json(self, url: str, *, method: str = "GET", **ask: Unpack[Ask]) -> Any:
        """Return the parsed JSON of a 2xx answer, asked for again while it comes in broken.

        Raises: as `request`, and ConfigError for every status that is not 2xx.
        """
        return self.read(url, Answer.json, method=method, **ask)

    def read(
        self, url: str, parse: Callable[[Answer], T], *, method: str = "GET", **ask: Unpack[Ask]
    ) -> T:
        """Return what `parse` makes of the answer, asked for again while it comes in broken.

        parse: raises Unavailable for an answer that is broken; may run more than once.
        Raises: as `request`, and what `parse` raises.
        """
        call = self._call(method.upper(), url, ask)
        return self._repeat(call, ask, lambda: parse(self._judged(call, ask)))

    def stream(
        self, url: str, *, max_body_bytes: int | None = None, **ask: Unpack[Ask]
    ) -> Iterator[bytes]:
        """Yield the inflated body of a 2xx answer to a GET in pieces of at most 64 kB or so.

        Only the opening is repeated; a body that breaks later raises Unavailable.
        """
        call = self._call("GET", url, ask)
        response = self._repeat(call, ask, lambda: self._opened(call, ask))
        where = where_of(response.request)
        limit = max_body_bytes or self._max_body_bytes
        try:
            with _translated(where, self._timeout_s):
                yield from capped(_plain(response, where), limit, where)
        finally:
            response.close()

    def lines(
        self,
        url: str,
        *,
        max_body_bytes: int | None = None,
        max_line_bytes: int = 10_000_000,
        **ask: Unpack[Ask],
    ) -> Iterator[bytes]:
        """Yield the body line by line without line ends, as NDJSON wants it; see `stream`."""
        waiting = b""
        for piece in self.stream(url, max_body_bytes=max_body_bytes, **ask):
            *whole, waiting = (waiting + piece).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in whole)
            if len(waiting) > max_line_bytes:
                raise ConfigError(f"one line of the answer is longer than {max_line_bytes:,} bytes")
        if waiting:
            yield waiting

    # one call

    def _call(self, method: str, url: str, ask: Ask) -> httpx.Request:
        target = joined(self._base, url)
        self._check_host(target)
        headers = {"accept-encoding": ACCEPT_ENCODING}
        if self._is_own(target):
            headers.update(self._headers)
        headers.update(ask.get("headers") or {})
        hide(_secret_values(headers))
        if key := ask.get("idempotency_key"):
            headers["idempotency-key"] = key
        try:
            return self._client.build_request(
                method,
                merged(target, ask.get("params")),
                headers=headers,
                json=ask.get("json"),
                data=dict(ask.get("data") or {}) or None,
                content=ask.get("content"),
            )
        except UnicodeEncodeError:
            raise ConfigError(
                "a header value holds characters that HTTP does not allow",
                remedy="Check the keys and tokens of this connection for stray characters.",
            ) from None

    def _check_host(self, target: httpx.URL) -> None:
        if target.scheme not in ("http", "https") or not target.host:
            raise ConfigError(
                "the address to call is not an http or https URL",
                remedy="Give it as https://host/path.",
            )
        if self._hosts is not None and target.host.lower() not in self._hosts:
            raise ConfigError(
                f"{redact(target.host)} was not called: this connection talks to "
                f"{', '.join(sorted(self._hosts))} only",
                remedy="If the source moved, correct the address in the connection's settings.",
            )

    def _repeat(self, call: httpx.Request, ask: Ask, attempt: Callable[[], T]) -> T:
        harmless = ask.get("idempotent")
        if harmless is None:
            harmless = call.method in _HARMLESS_TO_REPEAT or bool(ask.get("idempotency_key"))
        if not harmless:
            return attempt()
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._retries + 1),
            retry=tenacity.retry_if_exception(self._is_worth_waiting),
            wait=self._wait_s,
            sleep=self._sleep,
            reraise=True,
        )(attempt)

    def _is_worth_waiting(self, error: BaseException) -> bool:
        return isinstance(error, TransientError) and (error.retry_after_s or 0) <= self._max_wait_s

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        # "Retry after 0 seconds" still backs off, so that a wrong header makes no storm.
        return max(self._backoff(state), getattr(error, "retry_after_s", None) or 0.0)

    def _judged(self, call: httpx.Request, ask: Ask) -> Answer:
        with self._guard.deadline.within(10 * self._timeout_s) if self._guard else nullcontext():
            response = self._opened(call, ask)
            where = where_of(response.request)
            try:
                with _translated(where, self._timeout_s):
                    body = b"".join(capped(_plain(response, where), self._max_body_bytes, where))
            finally:
                response.close()
        return Answer(response.status_code, where, response.headers, body)

    def _opened(self, call: httpx.Request, ask: Ask) -> httpx.Response:
        accept = ask.get("accept", ())
        if self._tokens is None or not self._is_own(call.url):
            response = self._followed(call, accept)
        else:
            token = self._tokens.get()
            response = self._followed(_with_token(call, token), accept)
            if response.status_code == 401 and 401 not in accept:
                response.close()
                call = _with_token(call, self._tokens.refresh(token))
                response = self._followed(call, accept)
        try:
            self._judge(response, accept)
        except BaseException:
            response.close()
            raise
        return response

    def _is_own(self, target: httpx.URL) -> bool:
        return self._base is None or same_origin(self._base, target)

    def _followed(self, call: httpx.Request, accept: Collection[int]) -> httpx.Response:
        for _ in range(_MOST_REDIRECTS):
            with _translated(where_of(call), self._timeout_s):
                response = self._client.send(call, stream=True, follow_redirects=False)
            status = response.status_code
            if status not in _REDIRECTS or status in accept or "location" not in response.headers:
                return response
            response.close()
            call = self._redirected(call, response)
        raise Unavailable(f"{where_of(call)} redirects in a circle")

    def _redirected(self, call: httpx.Request, response: httpx.Response) -> httpx.Request:
        where = where_of(call)
        try:
            target = call.url.join(response.headers["location"])
        except httpx.InvalidURL:
            raise Unavailable(f"{where} redirects to an address that is none") from None
        listed = self._hosts is not None and target.host.lower() in self._hosts
        same = same_origin(call.url, target)
        downgrade = call.url.scheme == "https" and target.scheme != "https"
        if call.method not in ("GET", "HEAD") or downgrade or not (same or listed):
            raise ConfigError(
                f"{where} redirects to {target.scheme}://{redact(target.host)}; not followed",
                remedy="If the source moved there, set its new address in the connection.",
            )
        self._check_host(target)
        kept = {k: v for k, v in call.headers.items() if k != "host" and (same or k in _PLAIN)}
        return self._client.build_request(call.method, target, headers=kept)

    def _judge(self, response: httpx.Response, accept: Collection[int]) -> None:
        status, where = response.status_code, where_of(response.request)
        if status in accept:
            return
        if status in (401, 403):
            raise AuthRefused(
                f"{where} refused the credential ({status})",
                remedy="Check the key or token of this connection and what it may read.",
            )
        if status in (429, 503):
            wait_s = parse_retry_after(response.headers.get("retry-after"), self._now())
            raise Throttled(f"{where} asks for a pause ({status})", retry_after_s=wait_s)
        if status >= 500:
            raise Unavailable(f"{where} failed on the far side ({status})")
        if status in _REDIRECTS or status < 200:
            raise Unavailable(f"{where} answered {status} without saying where to go")


def _secret_values(headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        if any(word in name.lower() for word in _SECRET_HEADERS):
            yield value
            yield value.partition(" ")[2]


def _with_token(call: httpx.Request, token: str) -> httpx.Request:
    hide([token])
    try:
        call.headers["authorization"] = f"Bearer {token}"
    except UnicodeEncodeError:
        raise ConfigError("the token holds characters that HTTP does not allow") from None
    return call


def _plain(response: httpx.Response, where: str) -> Iterator[bytes]:
    if response.is_stream_consumed:
        # A transport of tests hands over an answer that is already read and inflated.
        return iter([response.content])
    return inflated(response.iter_raw(), response.headers.get("content-encoding", ""), where)


@contextmanager
def _translated(where: str, timeout_s: float) -> Iterator[None]:
    """Turn httpx's errors into the hub's; without the cause, whose text may hold a secret."""
    try:
        yield
    except httpx.TimeoutException:
        raise Unavailable(
            f"{where} did not answer in time ({timeout_s:g} s for each step)",
            remedy="It is tried again by itself; if it stays so, check the host.",
        ) from None
    except httpx.LocalProtocolError:
        raise ConfigError(
            f"{where} was not sent: a header or the address holds forbidden characters",
            remedy="Check the keys and tokens of this connection for line breaks and blanks.",
        ) from None
    except httpx.TransportError as error:
        raise Unavailable(
            f"{where} broke off or was not reached ({redact(str(error))[:200]})",
            remedy="It is tried again by itself; if it stays so, check the host and its name.",
        ) from None
