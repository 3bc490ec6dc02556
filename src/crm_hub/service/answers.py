"""How the receiver answers: a connector's reply as it stands, a refusal as a small JSON object.

An answer never names the server, its software or its files.
"""

from __future__ import annotations

import json

from starlette.types import Send

from crm_hub.sdk.contract import HookReply

ALLOWED_METHODS = ("GET", "POST", "OPTIONS")


class Refusal(Exception):
    """A request the receiver does not take; it becomes a JSON answer.

    close: the connection ends with the answer, because the rest of the body was not read.
    retry_after_s: tells the sender when to come back.
    """

    def __init__(
        self,
        status: int,
        error: str,
        remedy: str = "",
        *,
        close: bool = False,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.remedy = remedy
        self.close = close
        self.retry_after_s = retry_after_s


def refusal_reply(refusal: Refusal) -> HookReply:
    """Return the answer that tells a sender why, and what can be done about it."""
    headers: dict[str, str] = {}
    if refusal.close:
        headers["connection"] = "close"
    if refusal.retry_after_s is not None:
        headers["retry-after"] = str(refusal.retry_after_s)
    if refusal.status == 405:
        headers["allow"] = ", ".join(ALLOWED_METHODS)
    body = json.dumps({"error": refusal.error, "remedy": refusal.remedy}).encode()
    return HookReply(
        status=refusal.status,
        body=body,
        content_type="application/json",
        headers=headers,
        keep=False,
    )


def busy(retry_after_s: int) -> Refusal:
    """Return the refusal for a request that was not kept and should be sent again."""
    return Refusal(
        503,
        "the request could not be stored just now",
        "Send it again; nothing was kept.",
        retry_after_s=retry_after_s,
    )


async def send_reply(send: Send, reply: HookReply) -> None:
    """Send status, headers and body of `reply`."""
    headers = {
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    headers.update({name.lower(): value for name, value in reply.headers.items()})
    if reply.status == 204:
        del headers["content-length"], headers["content-type"]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})
