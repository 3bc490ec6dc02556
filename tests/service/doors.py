"""A door whose verification and keeping a test can script."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from crm_hub.sdk import HookRefused, HookReply, HookRequest

Item = tuple[str, HookRequest]


class RecordingDoor:
    """Accepts connection `shop`; keeps in memory; blocks while `gate` is cleared."""

    def __init__(self) -> None:
        self.batches: list[list[Item]] = []
        self.verified: list[HookRequest] = []
        self.gate = threading.Event()
        self.gate.set()
        self.keeping = threading.Event()
        self.error: Exception | None = None
        self.threads: set[str] = set()

    def verify(self, connection: str, request: HookRequest) -> HookReply:
        self.verified.append(request)
        if connection != "shop":
            raise HookRefused("there is no such connection", status=404)
        refuse = request.headers.get("x-refuse")
        if refuse:
            raise HookRefused("not genuine", status=int(refuse), remedy="Sign it.")
        if "x-crash" in request.headers:
            raise ZeroDivisionError("dana.whitfield@marlowfinch.example")
        if request.method != "POST":
            return HookReply(body=b"hello", keep=False)
        return HookReply(headers={"X-Seen": "1"}, body=b"ok")

    def keep(self, batch: Sequence[Item]) -> None:
        self.threads.add(threading.current_thread().name)
        self.keeping.set()
        assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        self.batches.append(list(batch))

    @property
    def kept(self) -> list[HookRequest]:
        return [request for batch in self.batches for _, request in batch]
