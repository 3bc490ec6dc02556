"""The ledger of `example.py` made two-way: entries can be created, changed and deleted.

`POST /entries` makes one record for each external id; `PATCH` and `DELETE /entries/ID` are
refused with 409 when `If-Match` is not the entry's revision, with 422 for a bad field. The ledger
stores notes in lower case, as some systems do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crm_hub.model.records import Change
from crm_hub.sdk.contract import Caps, Outcome, Ref, StreamInfo, Write
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.http_answer import Answer
from crm_hub.sdk.testing.example import LedgerConnector, LedgerHarness, LedgerSource
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply


class WritableLedger(LedgerConnector):
    """Reads and writes the ledger's entries."""

    def discover(self) -> list[StreamInfo]:
        caps = Caps(
            read="since",
            deletes="tombstone",
            webhooks=True,
            write=frozenset({"upsert", "delete"}),
            guard="version",
            idempotency="external_id",
        )
        return [StreamInfo("entries", caps=caps, fields={"id": "string", "amount": "number"})]

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        found = []
        with self._http() as http:
            for ref in refs:
                if ref.id:
                    found.append((ref.stream, self._fetched(http, ref.id)))
                    continue
                listed = http.json("entries", params={"external": ref.hint["external_id"]})
                found += [(ref.stream, self._change(item)) for item in listed["items"]]
        return found

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        with self._http() as http:
            return [self._push(http, one) for one in writes]

    def _push(self, http: HttpClient, one: Write) -> Outcome:
        accept = (404, 409, 410, 422)
        headers = {} if one.guard is None else {"if-match": one.guard}
        if one.operation == "delete":
            path = f"entries/{one.id}"
            return self._outcome(one, http.request("DELETE", path, headers=headers, accept=accept))
        body = dict(one.fields)
        if one.id is None:
            body["external"] = one.idempotency_key
            ask = http.post(
                "entries", json=body, idempotency_key=one.idempotency_key, accept=accept
            )
            return self._outcome(one, ask)
        path = f"entries/{one.id}"
        answer = http.request("PATCH", path, json=body, headers=headers, accept=accept)
        return self._outcome(one, answer)

    def _outcome(self, one: Write, answer: Answer) -> Outcome:
        if answer.missing:
            return Outcome("gone", one.id)
        found = json.loads(answer.body)
        if answer.status == 422:
            return Outcome("rejected", one.id, reasons=found["errors"])
        result = "conflict" if answer.status == 409 else "applied"
        if found.pop("was_there", False):
            result = "duplicate"
        current = found if result == "conflict" else None
        return Outcome(result, found["id"], str(found["rev"]), current)  # type: ignore[arg-type]

    def _change(self, item: Mapping[str, Any]) -> Change:
        change = super()._change(item)
        return change._replace(version=str(item.get("rev", "")) or None)


class WritableLedgerSource(LedgerSource):
    """The ledger, with what it answers to writes, and what the suite needs to know of them."""

    def __init__(self, server: FaultServer, secret: str, page_size: int) -> None:
        super().__init__(server, secret, page_size)
        server.route("POST", "/entries", self._guarded(self._create))
        server.route("PATCH", "/entries/", self._guarded(self._patch))
        server.route("DELETE", "/entries/", self._guarded(self._delete))

    def new_fields(self) -> Mapping[str, Any]:
        return {"amount": 7, "note": "Bread"}

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"note": f"Changed {id}"}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"amount": "many"}

    def held(self, id: str) -> Mapping[str, Any] | None:
        row = self._rows.get(id)
        return None if row is None or row.get("deleted") else dict(row)

    def change(self, id: str) -> None:
        super().change(id)
        self._rows[id]["rev"] = self._rows[id].get("rev", 1) + 1

    def add(self, *args: Any, **named: Any) -> list[str]:
        ids = super().add(*args, **named)
        for id in ids:
            self._rows[id]["rev"] = 1
        return ids

    def _list(self, call: Call) -> Reply:
        external = call.query.get("external")
        if external is None:
            return super()._list(call)
        found = [row for row in self._rows.values() if row.get("external") == external]
        return Reply.json({"items": found, "next": None})

    def _create(self, call: Call) -> Reply:
        body = call.json()
        for row in self._rows.values():
            if row.get("external") == body["external"]:
                return Reply.json({**row, "was_there": True})
        if errors := self._errors(body):
            return Reply.json({"errors": errors}, 422)
        id = f"n{next(self._numbers):06}"
        self._rows[id] = {"id": id, "rev": 1, "updated_at": self._now(), **self._stored(body)}
        return Reply.json(self._rows[id], 201)

    def _patch(self, call: Call) -> Reply:
        row, refused = self._found(call)
        if refused is not None:
            return refused
        if errors := self._errors(call.json()):
            return Reply.json({"errors": errors}, 422)
        stored = self._stored(call.json())
        self._rows[row["id"]] = {
            **row, **stored, "rev": row["rev"] + 1, "updated_at": self._now(),
        }  # fmt: skip
        return Reply.json(self._rows[row["id"]])

    def _delete(self, call: Call) -> Reply:
        row, refused = self._found(call)
        if refused is not None:
            return refused
        self.delete(row["id"])
        return Reply.json({"id": row["id"], "rev": row["rev"] + 1})

    def _found(self, call: Call) -> tuple[dict[str, Any], Reply | None]:
        row = self._rows.get(call.path.rpartition("/")[2], {})
        if not row or row.get("deleted"):
            return row, Reply.json({"error": "no such entry"}, 404)
        guard = call.headers.get("if-match")
        if guard is not None and guard != str(row["rev"]):
            return row, Reply.json(row, 409)
        return row, None

    def _errors(self, body: Mapping[str, Any]) -> dict[str, str]:
        amount = body.get("amount", 0)
        return {} if isinstance(amount, int | float) else {"amount": "must be a number"}

    def _stored(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v.lower() if k == "note" else v for k, v in body.items()}


class WritableLedgerHarness(LedgerHarness):
    """The two-way ledger under the contract suite."""

    connector = WritableLedger

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[WritableLedgerSource]:
        with FaultServer() as server:
            ledger = WritableLedgerSource(server, self.secret, page_size)
            ledger.add(records)
            yield ledger
