"""The HTTP door for webhooks and forms: 200 means durable, and nothing else does.

Before it stands the network; behind it the `Door`, which verifies a request and keeps
it. Parsing, mapping and everything slower happen later, from the inbox.

    POST | GET | OPTIONS  /in/<connection>[/<rest>]
    GET                   /healthz
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from crm_hub.model.errors import HookRefused, HubError, NotSupported
from crm_hub.observe import logger
from crm_hub.sdk.contract import HookReply, HookRequest
from crm_hub.service.answers import ALLOWED_METHODS, Refusal, busy, refusal_reply, send_reply
from crm_hub.service.group_commit import GroupCommit
from crm_hub.service.intake import (
    Budget,
    SenderGone,
    hook_request,
    read_body,
    read_headers,
    without_credentials,
)
from crm_hub.service.limits import Limits

_log = logger("receiver")

# Below this size verifying costs less than handing it to a thread.
_INLINE_BYTES = 65_536


class Door(Protocol):
    """What the receiver needs of the hub."""

    def verify(self, connection: str, request: HookRequest) -> HookReply:
        """Return what to answer once the request is proven genuine.

        Pure computing over the raw bytes: it runs on the event loop for small bodies and in
        any thread for large ones, so it neither blocks nor touches a database.
        Raises: HookRefused; with status 404 when there is no such connection.
        """
        ...

    def keep(self, batch: Sequence[tuple[str, HookRequest]]) -> None:
        """Make these requests durable; returning is the promise that they are.

        Always called from one and the same thread. Raises anything when it could not: the
        whole batch is then answered 503, so it must keep all of it or nothing.
        """
        ...


class _Entrance:
    """The ASGI endpoint behind /in/: read, verify, keep, answer."""

    def __init__(
        self, door: Door, limits: Limits, commit: GroupCommit, now: Callable[[], datetime]
    ) -> None:
        self._door = door
        self._limits = limits
        self._commit = commit
        self._now = now
        self._budget = Budget(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._answer(scope, receive)
        except Refusal as refusal:
            reply = refusal_reply(refusal)
        except SenderGone:
            return
        await send_reply(send, reply)

    async def _answer(self, scope: Scope, receive: Receive) -> HookReply:
        if scope["method"] not in ALLOWED_METHODS:
            raise Refusal(405, "this method is not taken here", "Use POST.", close=True)
        headers = read_headers(scope, self._limits)
        body = await read_body(receive, headers, self._limits, self._budget)
        try:
            request = hook_request(scope, headers, body, self._now())
            return await self._admit(scope["path_params"]["connection"], request)
        finally:
            self._budget.give_back(len(body))

    async def _admit(self, connection: str, request: HookRequest) -> HookReply:
        reply = await self._verify(connection, request)
        if reply.keep and not await self._commit.kept((connection, without_credentials(request))):
            raise busy(self._limits.retry_after_s)
        return reply

    async def _verify(self, connection: str, request: HookRequest) -> HookReply:
        try:
            if len(request.body) > _INLINE_BYTES:
                return await asyncio.to_thread(self._door.verify, connection, request)
            return self._door.verify(connection, request)
        except HookRefused as refused:
            wait_s = self._limits.retry_after_s if refused.status == 503 else None
            raise Refusal(
                refused.status, refused.message, refused.remedy, retry_after_s=wait_s
            ) from None
        except NotSupported:
            raise Refusal(404, "nothing is received here", "Check the address.") from None
        except HubError as error:
            _log.error("connection %s cannot verify requests: %s", connection, error.message)
            raise busy(self._limits.retry_after_s) from None
        except Exception as error:  # noqa: BLE001  the sender gets an answer, the log gets the bug
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            _log.error("connection %s: %s in %s:%s", connection, name, place.name, place.lineno)
            raise Refusal(500, "the request could not be read", "Send it again later.") from None


def create_app(
    door: Door, limits: Limits | None = None, *, now: Callable[[], datetime] | None = None
) -> Starlette:
    """Return the ASGI application of the receiver; its lifespan starts and drains the inbox."""
    limits = limits or Limits()
    commit = GroupCommit(door.keep, limits)
    entrance = _Entrance(door, limits, commit, now or (lambda: datetime.now(UTC)))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        commit.start()
        yield
        await commit.stop()

    def health(_: Request) -> Response:
        status = "ok" if commit.ready else "busy"
        return _json_response(HookReply(200 if commit.ready else 503, _health_body(status)))

    def refuse(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        text = "there is nothing here" if status == 404 else "this is not taken here"
        return _json_response(refusal_reply(Refusal(status, text, "Check the address.")))

    return Starlette(
        routes=[
            Route("/healthz", health, methods=["GET"]),
            Route("/in/{connection}", entrance),
            Route("/in/{connection}/{rest:path}", entrance),
        ],
        exception_handlers={404: refuse, 405: refuse},
        lifespan=lifespan,
    )


def _health_body(status: str) -> bytes:
    return b'{"status":"' + status.encode() + b'"}'


def _json_response(reply: HookReply) -> Response:
    return Response(
        reply.body, reply.status, headers=dict(reply.headers), media_type="application/json"
    )
