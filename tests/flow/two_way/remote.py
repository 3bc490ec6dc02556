"""The sides of fake.py behind HTTP, for a hub in another process that may be killed."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from crm_hub.model.errors import Unavailable
from crm_hub.sdk import (
    Caps,
    Change,
    CheckReport,
    Connector,
    Manifest,
    Outcome,
    Page,
    Ref,
    StreamInfo,
    Write,
)
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from tests.flow.two_way.fake import Side

_WRITE = ("operation", "stream", "id", "fields", "base", "guard", "idempotency_key")


def serve(server: FaultServer, sides: Sequence[Side]) -> threading.Lock:
    """Answer for the sides; one call at a time, as one database would.

    Returns what their users hold while they do something.
    """
    lock = threading.Lock()
    by_name = {side.name: side for side in sides}

    def answer(call: Call) -> Reply:
        asked = call.json()
        side = by_name[asked["side"]]
        with lock:
            return Reply.json(_ANSWERS[asked["call"]](side, asked))

    server.route("POST", "/rpc", answer)
    return lock


def _pull(side: Side, _asked: Any) -> Any:
    return [_told(side.change(k)) for k, row in side.rows.items() if not row.gone]


def _fetch(side: Side, asked: Any) -> Any:
    found = []
    for key, external in asked["refs"]:
        if not key:
            key = next((k for k, r in side.rows.items() if r.ext == external), "")
        if key in side.rows:
            found.append(_told(side.change(key)))
        elif key:
            found.append(_told(Change(key, None)))
    return found


def _push(side: Side, asked: Any) -> Any:
    outcomes = [side.write(Write(*one)) for one in asked["writes"]]
    return [[o.result, o.id, o.version, o.current, dict(o.reasons)] for o in outcomes]


_ANSWERS: dict[str, Any] = {"pull": _pull, "fetch": _fetch, "push": _push}


def _told(change: Change) -> list[Any]:
    at = None if change.changed_at is None else change.changed_at.isoformat()
    return [change.id, change.payload, at, change.version]


def _heard(told: list[Any]) -> Change:
    key, payload, at, version = told
    return Change(key, payload, None if at is None else datetime.fromisoformat(at), version)


class RemoteSettings(BaseModel):
    side: str = Field(title="Side", description="Which side.")
    url: str = Field(title="Address", description="Where the sides are.")
    idempotency: str = Field("external_id", title="Idempotency", description="What it can.")
    guard: str = Field("version", title="Guard", description="What it checks.")


class RemoteConnector(Connector[RemoteSettings]):
    manifest = Manifest("fake", "1", "Fake", RemoteSettings)

    def check(self) -> CheckReport:
        return CheckReport("remote")

    def discover(self) -> list[StreamInfo]:
        caps = Caps(
            "full", "reconcile", frozenset({"upsert", "delete"}),
            self.settings.guard, self.settings.idempotency,  # type: ignore[arg-type]
        )  # fmt: skip
        return [StreamInfo("contacts", caps=caps, fields={"email": "array"})]

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Iterator[Page]:
        yield Page([_heard(one) for one in self._ask("pull")], {"done": True}, complete=True)

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        asked = [[ref.id, ref.hint.get("external_id", "")] for ref in refs]
        return [("contacts", _heard(one)) for one in self._ask("fetch", refs=asked)]

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        asked = [[getattr(one, name) for name in _WRITE] for one in writes]
        return [Outcome(*one) for one in self._ask("push", writes=asked)]

    def _ask(self, call: str, **more: Any) -> Any:
        body = json.dumps({"side": self.settings.side, "call": call, **more}).encode()
        request = urllib.request.Request(f"{self.settings.url}/rpc", body)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except OSError as error:
            raise Unavailable(f"no answer: {error}") from None


connector = RemoteConnector
