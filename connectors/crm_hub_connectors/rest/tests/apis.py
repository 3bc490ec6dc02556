"""APIs that are a function of the request, and the connector on one of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from crm_hub_connectors.rest.connector import RestConnector
from crm_hub_connectors.rest.settings import RestSettings

from crm_hub.sdk import Checkpoint, Context, Page
from crm_hub.sdk.http import HttpClient

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
URL = "https://api.acme.example"
SINCE = {"changed_at": "at", "since_param": "since", "size_param": "limit"}
Answerer = Callable[[httpx.Request], httpx.Response]


def connector(answer: Answerer, **settings: Any) -> RestConnector:
    """Return the connector on an API that is a function of the request."""
    http = functools.partial(
        HttpClient, transport=httpx.MockTransport(answer), sleep=lambda _: None
    )
    context = Context("tool", Path("/nowhere"), now=lambda: NOW, http=http)
    given = {"base_url": URL, "path": "list", **settings}
    return RestConnector(RestSettings.model_validate(given), context)


def calls(pages: dict[str, Any], seen: list[dict[str, str]]) -> Answerer:
    """Return an API that answers by its `page` parameter, and notes the parameters it got."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.url.params))
        return httpx.Response(200, json=pages.get(request.url.params.get("page", ""), []))

    return answer


def read(one: Any, checkpoint: Checkpoint | None = None) -> tuple[list[Page], Checkpoint | None]:
    """Return the pages of a pull and the checkpoint after it."""
    (stream, *_) = one.discover()
    pages = list(one.pull(stream, checkpoint))
    moved = [page.checkpoint for page in pages if page.checkpoint is not None]
    return pages, moved[-1] if moved else checkpoint


def rows(*stamps: str) -> list[dict[str, str]]:
    return [{"id": str(n), "at": stamp} for n, stamp in enumerate(stamps, 1)]
