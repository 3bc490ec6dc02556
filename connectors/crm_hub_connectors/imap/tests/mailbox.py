"""A mailbox on a real Dovecot, seen from both ends: as its user, and as the hub."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crm_hub_connectors.imap.connector import ImapConnector
from crm_hub_connectors.imap.settings import ImapSettings
from imapclient import IMAPClient

from crm_hub.sdk import Context, Page, Reject, Window
from crm_hub.sdk.testing.servers.dovecot import Dovecot

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def mail(
    number: int,
    *,
    sender: str = "",
    to: str = "ann@clearwater.example",
    subject: str = "",
    more: str = "",
    body: str = "",
    message_id: str | None = None,
) -> bytes:
    """Return a small message; equal numbers give equal messages."""
    sender = sender or f"Person {number} <p{number}@firm{number % 7}.example>"
    identifier = f"<m{number}@firm.example>" if message_id is None else message_id
    lines = [
        f"Received: from mx by mail; Tue, 10 Mar 2026 12:{number % 60:02}:05 +0000",
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject or f'Order {number}'}",
        f"Date: Tue, 10 Mar 2026 12:{number % 60:02}:00 +0000",
        *([f"Message-ID: {identifier}"] if identifier else []),
        *([more] if more else []),
        "Content-Type: text/plain; charset=utf-8",
        "",
        body or f"We take {number} filters.",
        "",
    ]
    return "\r\n".join(lines).encode()


@dataclass
class Mailbox:
    """One user's mailbox. `records` is what a hub holds of it, `people` of its people."""

    server: Dovecot
    user: str
    settings: dict[str, Any] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    counts: list[int | None] = field(default_factory=list)
    pulled: int = 0
    deletes: int = 0
    checkpoint: dict[str, Any] | None = None
    known: dict[str, Any] | None = None
    page_items: int = 1_000
    _connector: ImapConnector | None = None

    def connect(self, **more: Any) -> ImapConnector:
        """Return a new connector, as after a restart."""
        given = {
            "host": self.server.host,
            "port": self.server.port,
            "tls": "none",
            "username": self.user,
            "password": self.server.password,
            **self.settings,
            **more,
        }
        context = Context("mail", Path(self.server.folder), now=lambda: NOW)

        class Paged(ImapConnector):
            page_items = self.page_items

        return Paged(ImapSettings.model_validate(given), context)

    @property
    def connector(self) -> ImapConnector:
        if self._connector is None:
            self._connector = self.connect()
        return self._connector

    def restart(self, **settings: Any) -> None:
        """Let the hub be started anew, with other settings where some are given."""
        self.settings |= settings
        self.close()

    def close(self) -> None:
        if self._connector is not None:
            self._connector.close()
            self._connector = None

    def pull(self, *, pages: int | None = None) -> list[Page]:
        """Pull mail and store it page by page; return the pages."""
        (stream, *_) = self.connector.discover()
        self.pulled = self.deletes = 0
        seen = set()
        taken = []
        known = None if self.checkpoint is None else json.loads(json.dumps(self.checkpoint))
        flow = self.connector.pull(stream, known)
        for page in flow:
            taken.append(page)
            for change in page.changes:
                seen.add(change.id)
                self.pulled += change.payload is not None
                self.deletes += change.payload is None
                if change.payload is None:
                    self.records.pop(change.id, None)
                else:
                    self.records[change.id] = change.payload
            self.rejects += page.rejects
            self.counts.append(page.source_count)
            if page.complete:
                self.records = {k: v for k, v in self.records.items() if k in seen}
            self.checkpoint = page.checkpoint or self.checkpoint
            if len(taken) == pages:
                break
        flow.close()  # type: ignore[attr-defined]
        return taken

    def meet(self) -> list[Page]:
        """Pull the people and store them; return the pages."""
        stream = next(s for s in self.connector.discover() if s.name == "correspondents")
        pages = list(self.connector.pull(stream, self.known))
        for page in pages:
            for change in page.changes:
                if change.payload is None:
                    self.people.pop(change.id)
                else:
                    self.people[change.id] = change.payload
            self.known = page.checkpoint or self.known
        return pages

    def window(self, since: datetime, until: datetime) -> list[Page]:
        (stream, *_) = self.connector.discover()
        return list(self.connector.pull(stream, None, Window(since, until)))

    def deliver(self, folder: str, *messages: bytes) -> None:
        self.server.deliver(folder, messages, self.user)

    def user_session(self, folder: str = "INBOX") -> IMAPClient:
        """Return a session of the user's own mail program, with a folder open."""
        client = IMAPClient(self.server.host, self.server.port, ssl=False)
        client.login(self.user, self.server.password)
        client.select_folder(folder)
        return client

    def subjects(self) -> dict[str, list[str]]:
        """Return subject → places of what the hub holds."""
        return {r["subject"]: r["locations"] for r in self.records.values()}

    def contacts(self) -> dict[str, str]:
        return {p["address"]: p["name"] for p in self.people.values()}
