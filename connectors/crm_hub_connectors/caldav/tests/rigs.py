"""Connectors and pulls for tests."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crm_hub_connectors.caldav import CaldavConnector

from crm_hub.sdk import Checkpoint, Context, Page, StreamInfo, Window
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.contract import CANARY

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def connect(
    url: str, *, now: datetime = NOW, page_items: int = 500, zone: str = "UTC", **settings: Any
) -> CaldavConnector:
    """Return a connector on this server, which waits for nothing."""
    values = {"url": url, "username": "ann", "password": CANARY, **settings}
    context = Context(
        connection="cal",
        base_dir=Path(),
        now=lambda: now,
        http=functools.partial(
            HttpClient, timeout_s=3, sleep=lambda _s: None, max_body_bytes=20_000_000
        ),
        zone=zone,
    )
    kind = type("Small", (CaldavConnector,), {"page_items": page_items})
    found: CaldavConnector = kind(CaldavConnector.manifest.settings.model_validate(values), context)
    return found


def pull(
    connector: CaldavConnector,
    checkpoint: Checkpoint | None = None,
    *,
    stream: str = "work",
    window: Window | None = None,
) -> list[Page]:
    return list(connector.pull(StreamInfo(stream, "calendar"), checkpoint, window))


def told(pages: list[Page]) -> dict[str, dict[str, Any] | None]:
    """Return what the pages say by id: payload, or None for gone."""
    return {change.id: change.payload for page in pages for change in page.changes}


def after(pages: list[Page]) -> Checkpoint:
    """Return the checkpoint that stands after the pages."""
    return next(page.checkpoint for page in reversed(pages) if page.checkpoint is not None)
