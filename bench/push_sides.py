"""Two contact books for bench/push.py: one in memory, one behind HTTP on the fault server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, Field

from crm_hub.model.errors import ConfigError
from crm_hub.sdk import (
    Caps,
    Change,
    CheckReport,
    Connector,
    Manifest,
    Outcome,
    Page,
    StreamInfo,
    Write,
)
from crm_hub.sdk.http import HttpClient

MAPPING = """\
version: 1
connector: book
streams:
  contacts:
    entity: person
    identity: [{strong: book_id, at: id}, {match: email}]
    fields:
      given_name: {at: first, dir: both}
      family_name: {at: last, dir: both}
      title: {at: title, dir: both}
      email: {at: email, dir: both}
    create: {when: [email]}
"""
BOOKS: dict[str, Book] = {}


class Book:
    """Contacts by id, with the order of their changes; `writes` counts what the hub wrote.

    lists: it gives all its contacts each time, instead of those that changed.
    """

    def __init__(self, name: str) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.changed: list[str] = []
        self.writes, self.lists = 0, False
        self.name = name
        BOOKS[name] = self

    def put(self, id: str, fields: dict[str, Any]) -> int:
        self.rows[id] = {**self.rows.get(id, {}), **fields}
        self.versions[id] = self.versions.get(id, 0) + 1
        self.changed.append(id)
        return self.versions[id]

    def write(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one write: result, id, version."""
        self.writes += 1
        id = one["id"]
        if id is None:
            known = self.keys.get(one["key"])
            if known is not None:
                return {"result": "duplicate", "id": known, "version": str(self.versions[known])}
            id = self.keys[one["key"]] = f"{self.name}{len(self.rows)}"
            return {"result": "applied", "id": id, "version": str(self._new(id, one["fields"]))}
        if one["guard"] is not None and one["guard"] != str(self.versions[id]):
            return {"result": "conflict", "id": id, "version": str(self.versions[id])}
        return {"result": "applied", "id": id, "version": str(self.put(id, one["fields"]))}

    def _new(self, id: str, fields: dict[str, Any]) -> int:
        return self.put(id, {"id": id, **fields})


class BookSettings(BaseModel):
    book: str = Field(title="Book", description="Which book.")
    url: str = Field("", title="Address", description="Written to by HTTP where it is given.")
    batch: int = Field(1, title="Batch", description="Writes a call.")


class BookConnector(Connector[BookSettings]):
    """Reads a book as a feed of changes; writes to it at once or by HTTP."""

    manifest = Manifest("book", "1", "Book", BookSettings)
    _client: HttpClient | None = None

    def check(self) -> CheckReport:
        return CheckReport("book")

    def discover(self) -> list[StreamInfo]:
        caps = Caps(
            "delta", "tombstone", frozenset({"upsert"}), "version", "external_id",
            batch_size=self.settings.batch,
        )  # fmt: skip
        return [StreamInfo("contacts", caps=caps, fields={"email": "string"})]

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Iterator[Page]:
        book, start = BOOKS[self.settings.book], checkpoint["at"] if checkpoint else 0
        if book.lists:
            yield from self._listing(book)
            return
        for first in range(start, len(book.changed), 1000):
            ids = dict.fromkeys(book.changed[first : first + 1000])
            found = [Change(i, dict(book.rows[i]), None, str(book.versions[i])) for i in ids]
            yield Page(found, {"at": min(first + 1000, len(book.changed))})

    def _listing(self, book: Book) -> Iterator[Page]:
        ids, end = list(book.rows), {"at": len(book.changed)}
        for first in range(0, len(ids), 1000):
            found = [
                Change(i, dict(book.rows[i]), None, str(book.versions[i]))
                for i in ids[first : first + 1000]
            ]
            yield Page(found, end, complete=first + 1000 >= len(ids))

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        sent = [
            {"id": w.id, "fields": dict(w.fields), "guard": w.guard, "key": w.idempotency_key}
            for w in writes
        ]
        if not self.settings.url:
            answers = [BOOKS[self.settings.book].write(one) for one in sent]
        else:
            answers = self._http().json("contacts", method="POST", json=sent, idempotent=False)
        return [Outcome(a["result"], a["id"], a["version"]) for a in answers]

    def _http(self) -> HttpClient:
        if self._client is None:
            if self.context.http is None:
                raise ConfigError("this connector needs HTTP")
            self._client = self.context.http(self.settings.url, allow_private=["127.0.0.1"])
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


connector = BookConnector
