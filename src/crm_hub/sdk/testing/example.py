"""A whole small connector with its harness: the one to read before writing your own.

"Ledger" is a made-up API: `GET /entries` lists what changed since a time, in pages, tombstones
among them, behind a bearer token; it also posts signed webhooks. The suite runs on it, and on
broken copies of it that the suite must catch.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crm_hub.model.errors import ConfigError, RecordError
from crm_hub.model.records import Change, Checkpoint, Page, Window
from crm_hub.sdk import webhooks
from crm_hub.sdk.contract import (
    Caps,
    CheckReport,
    Connector,
    HookBatch,
    HookReply,
    HookRequest,
    Manifest,
    Ref,
    StreamInfo,
)
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.harness import WRONG, Alteration, Harness, Source
from crm_hub.sdk.testing.servers import free_port

_EARLIEST = "1970-01-01T00:00:00+00:00"


class LedgerSettings(BaseModel):
    """What an admin fills in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(title="Address", description="Where the ledger is, https://host")
    token: SecretStr = Field(title="Token", description="Made in the ledger under Settings > API")
    signing_secret: SecretStr = Field(
        title="Signing secret", description="Shown beside the webhook in the ledger"
    )


class LedgerConnector(Connector[LedgerSettings]):
    """Reads the ledger's entries.

    Checkpoint: {"since": time, "next": page token or None}. While a listing goes on, `since`
    stays and `next` moves; at its end `since` becomes the newest time seen. The source lists
    from `since` inclusive, so equal times across two pulls are repeated rather than lost.
    """

    manifest = Manifest(
        id="ledger", version="1.0", title="Ledger", settings=LedgerSettings, docs=("example",)
    )

    def check(self) -> CheckReport:
        with self._http() as http:
            found = http.json("me")
        return CheckReport(account=str(found["account"]))

    def discover(self) -> list[StreamInfo]:
        caps = Caps(read="since", deletes="tombstone", webhooks=True)
        return [StreamInfo("entries", caps=caps, fields={"id": "string", "amount": "number"})]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        since = checkpoint["since"] if checkpoint else _EARLIEST
        token = checkpoint["next"] if checkpoint else None
        newest = checkpoint.get("newest", since) if checkpoint else since
        params = {"since": since, "tombstones": "1"}
        if window is not None:
            params = {"since": window.since.isoformat(), "until": window.until.isoformat()}
            token = None
        with self._http() as http:
            while not self.context.stopping():
                found = http.json("entries", params={**params, "next": token})
                token = found["next"]
                newest = max([newest, *(item["updated_at"] for item in found["items"])])
                going_on = {"since": since, "next": token, "newest": newest}
                after = going_on if token else {"since": newest, "next": None}
                yield Page(
                    changes=[self._change(item) for item in found["items"]],
                    checkpoint=after if window is None else None,
                )
                if token is None:
                    return

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        with self._http() as http:
            return [(ref.stream, self._fetched(http, ref.id)) for ref in refs]

    def verify_hook(self, request: HookRequest) -> HookReply:
        webhooks.check_timestamped(
            request.body,
            request.headers.get("ledger-signature"),
            self.settings.signing_secret.get_secret_value(),
            self.context.now(),
        )
        return HookReply()

    def parse_hook(self, request: HookRequest) -> HookBatch:
        try:
            event = json.loads(request.body)
            kind, id = event["type"], str(event["entry"])
        except (ValueError, TypeError, KeyError):
            raise RecordError("the webhook is not a ledger event") from None
        if kind != "entry.changed":
            return HookBatch(ignored=f"events of type {kind} are not used")
        return HookBatch(refs=[Ref("entries", id)])

    def _http(self) -> HttpClient:
        if self.context.http is None:
            raise ConfigError("this connector needs HTTP")
        token = self.settings.token.get_secret_value()
        return self.context.http(self.settings.url, headers={"authorization": f"Bearer {token}"})

    def _fetched(self, http: HttpClient, id: str) -> Change:
        answer = http.get(f"entries/{id}")
        return Change(id, None) if answer.missing else self._change(answer.json())

    def _change(self, item: Mapping[str, Any]) -> Change:
        return Change(
            id=item["id"],
            payload=None if item.get("deleted") else dict(item),
            changed_at=datetime.fromisoformat(item["updated_at"]),
            merged_into=item.get("merged_into"),
        )


class LedgerSource(Source):
    """The ledger itself: a fault server with a table behind it. Each change is a second later."""

    def __init__(self, server: FaultServer, secret: str, page_size: int) -> None:
        self.server = server
        self._secret = secret
        self._page_size = page_size
        self._rows: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)
        server.route("GET", "/me", self._guarded(lambda _: Reply.json({"account": "Clearwater"})))
        server.route("GET", "/entries", self._guarded(self._list))
        server.route("GET", "/entries/", self._guarded(self._one))

    # what its users do

    def settings(self) -> dict[str, Any]:
        return self._settings_with(self._secret, str(self.server and self.server.url))

    def bad_settings(self) -> dict[str, Any]:
        return self._settings_with(WRONG, str(self.server and self.server.url))

    def dead_settings(self) -> dict[str, Any]:
        return self._settings_with(self._secret, f"http://127.0.0.1:{free_port()}")

    def ids(self) -> Set[str]:
        return {id for id, row in self._rows.items() if not row.get("deleted")}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        ids = [f"e{next(self._numbers):06}" for _ in range(count)]
        for id in ids:
            stamp = self._stamp() if at is None and not same_stamp else at or self._clock
            row = {"id": id, "amount": 100, "note": "water", "updated_at": stamp.isoformat()}
            self._rows[id] = row
        return ids

    def change(self, id: str) -> None:
        row = self._rows[id]
        self._rows[id] = {**row, "amount": row["amount"] + 1, "updated_at": self._now()}

    def delete(self, id: str) -> None:
        self._rows[id] = {"id": id, "deleted": True, "updated_at": self._now()}

    def merge(self, loser: str, winner: str) -> None:
        self.delete(loser)
        self._rows[loser]["merged_into"] = winner
        self.change(winner)

    def alter(self, how: Alteration) -> None:
        row = dict(self._rows[min(self.ids())])
        if how == "field added":
            row["currency"] = "USD"
        elif how == "field removed":
            del row["amount"]
        else:
            row["amount"] = {"value": "1.00"}
        self._rows[row["id"]] = {**row, "updated_at": self._now()}

    def hook(self, at: datetime, secret: str) -> HookRequest:
        return self._post({"type": "entry.changed", "entry": min(self.ids())}, at, secret)

    def unknown_hook(self, at: datetime, secret: str) -> HookRequest:
        return self._post({"type": "invoice.sent", "entry": "i1"}, at, secret)

    # how it answers

    def _settings_with(self, secret: str, url: str) -> dict[str, Any]:
        return {"url": url, "token": secret, "signing_secret": secret}

    def _stamp(self) -> datetime:
        self._clock += timedelta(seconds=1)
        return self._clock

    def _now(self) -> str:
        return self._stamp().isoformat()

    def _post(self, event: dict[str, str], at: datetime, secret: str) -> HookRequest:
        body = json.dumps(event).encode()
        sent = str(int(at.timestamp()))
        mark = webhooks.sign(sent.encode() + b"." + body, secret.encode())
        headers = {"ledger-signature": f"t={sent},v1={mark}", "content-type": "application/json"}
        return HookRequest("POST", "/in/ledger", {}, headers, body, at)

    def _guarded(self, answer: Any) -> Any:
        def route(call: Call) -> Reply:
            if call.headers.get("authorization") != f"Bearer {self._secret}":
                return Reply.json({"error": "unknown token"}, 401)
            reply: Reply = answer(call)
            return reply

        return route

    def _one(self, call: Call) -> Reply:
        row = self._rows.get(call.path.rpartition("/")[2])
        if row is None or row.get("deleted"):
            return Reply.json({"error": "no such entry"}, 404)
        return Reply.json(row)

    def _list(self, call: Call) -> Reply:
        """Answer a page; its token names the last (time, id) given, so changes shift nothing."""
        since = call.query.get("since", "")
        until = call.query.get("until", "9999")
        rows = [
            row
            for row in self._ordered(call.query.get("next", ""))
            if since <= row["updated_at"] < until
            and not (row.get("deleted") and "tombstones" not in call.query)
        ]
        page, more = rows[: self._page_size], len(rows) > self._page_size
        token = f"{page[-1]['updated_at']}|{page[-1]['id']}" if more else None
        return Reply.json({"items": page, "next": token})

    def _ordered(self, token: str) -> list[dict[str, Any]]:
        def place(row: dict[str, Any]) -> tuple[str, str]:
            return row["updated_at"], row["id"]

        after = tuple(token.split("|")) if token else ("", "")
        return sorted((row for row in self._rows.values() if place(row) > after), key=place)


class LedgerHarness(Harness):
    """The ledger under the contract suite."""

    connector = LedgerConnector
    exempt: Mapping[int, str] = {10: "its token never expires"}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[LedgerSource]:
        with FaultServer() as server:
            ledger = LedgerSource(server, self.secret, page_size)
            ledger.add(records)
            yield ledger
