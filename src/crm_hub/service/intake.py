"""From the socket to a HookRequest: sizes and times are bounded before memory is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from crm_hub.sdk.contract import HookRequest
from crm_hub.service.answers import Refusal, busy
from crm_hub.service.limits import Limits

# Proof of the sender and traces of the person: needed to verify, never kept.
_CREDENTIAL_HEADERS = ("authorization", "cookie", "token", "secret", "api-key")
_CREDENTIAL_PARAMETERS = frozenset(
    ("token", "key", "secret", "access_token", "api_key", "hub.verify_token")
)
_ADDRESS_HEADERS = frozenset(
    ("forwarded", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip")
)


class SenderGone(Exception):
    """The sender hung up before its body was complete; there is nobody to answer."""


class Budget:
    """Body bytes the receiver holds in memory at this moment, over all requests."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held_bytes = 0

    def take(self, size: int) -> None:
        """Account for `size` more bytes. Raises: Refusal (503) when that is too many."""
        if self.held_bytes + size > self._limits.max_waiting_bytes:
            refusal = busy(self._limits.retry_after_s)
            refusal.close = True
            raise refusal
        self.held_bytes += size

    def give_back(self, size: int) -> None:
        self.held_bytes -= size


def read_headers(scope: Scope, limits: Limits) -> dict[str, str]:
    """Return headers with lower-cased names; repeated ones joined with a comma (RFC 9110 5.3).

    Raises: Refusal for too many or too long headers (the query string counts), two ways to
        frame the body, or a compressed body.
    """
    raw: Sequence[tuple[bytes, bytes]] = scope["headers"]
    size = len(scope["query_string"]) + sum(len(name) + len(value) for name, value in raw)
    if len(raw) > limits.max_headers or size > limits.max_header_bytes:
        remedy = f"Send at most {limits.max_headers} headers of {limits.max_header_bytes:,} bytes."
        raise Refusal(431, "the headers are too large", remedy, close=True)
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if "content-length" in headers and "transfer-encoding" in headers:
        raise Refusal(
            400, "Content-Length and Transfer-Encoding together", "Send one of them.", close=True
        )
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(415, "compressed bodies are not read", "Send it uncompressed.", close=True)
    return headers


async def read_body(
    receive: Receive, headers: dict[str, str], limits: Limits, budget: Budget
) -> bytes:
    """Return the exact bytes of the body, all of them accounted for in `budget`.

    Raises: Refusal 413 before the first byte is read when Content-Length says too much, and
        while reading for chunked bodies; Refusal 408 when it takes too long; SenderGone.
    """
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_body_bytes:
        raise _too_large(limits)
    taken = 0
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(limits.body_time_s):
            more = True
            while more:
                chunk, more = await _next_chunk(receive)
                if taken + len(chunk) > limits.max_body_bytes:
                    raise _too_large(limits)
                budget.take(len(chunk))
                taken += len(chunk)
                chunks.append(chunk)
    except TimeoutError:
        budget.give_back(taken)
        raise Refusal(
            408, "the body took too long to arrive", "Send it again.", close=True
        ) from None
    except BaseException:
        budget.give_back(taken)
        raise
    return b"".join(chunks)


async def _next_chunk(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise SenderGone
    return message.get("body", b""), message.get("more_body", False)


def _too_large(limits: Limits) -> Refusal:
    return Refusal(
        413, "the body is too large", f"Send at most {limits.max_body_bytes:,} bytes.", close=True
    )


def hook_request(
    scope: Scope, headers: dict[str, str], body: bytes, received_at: datetime
) -> HookRequest:
    """Return the request as connectors see it; a query parameter given twice keeps its last."""
    query = parse_qsl(
        scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace"
    )
    return HookRequest(
        method=scope["method"],
        path=scope["path"],
        query=dict(query),
        headers=headers,
        body=body,
        received_at=received_at,
    )


def without_credentials(request: HookRequest) -> HookRequest:
    """Return the request fit for keeping: no credentials and no network addresses in it.

    The body stays as it came, because connectors read it again from the inbox.
    """
    return replace(
        request,
        headers={name: value for name, value in request.headers.items() if _keepable(name)},
        query={k: v for k, v in request.query.items() if k.lower() not in _CREDENTIAL_PARAMETERS},
    )


def _keepable(name: str) -> bool:
    return name not in _ADDRESS_HEADERS and not any(word in name for word in _CREDENTIAL_HEADERS)
