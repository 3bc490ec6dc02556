"""Makes connectors and posts for the tests of the web form connector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crm_hub_connectors.web_form.connector import WebFormConnector
from crm_hub_connectors.web_form.settings import WebFormSettings

from crm_hub.sdk import Context, HookRequest

FIXTURES = Path(__file__).parents[1] / "fixtures"
MOMENT = datetime(2026, 3, 10, 14, 5, tzinfo=UTC)
URLENCODED = "application/x-www-form-urlencoded"


def web_form(**settings: Any) -> WebFormConnector:
    context = Context(connection="form", base_dir=FIXTURES)
    return WebFormConnector(WebFormSettings(**settings), context)


def post(
    body: bytes | str,
    content_type: str = "application/json",
    *,
    form: str = "contact",
    later_s: float = 0,
    method: str = "POST",
    query: dict[str, str] | None = None,
    **headers: str,
) -> HookRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(
        method=method,
        path=f"/in/form/{form}",
        query=query or {},
        headers={"content-type": content_type, **named},
        body=body.encode() if isinstance(body, str) else body,
        received_at=MOMENT + timedelta(seconds=later_s),
    )


def submit(connector: WebFormConnector, request: HookRequest) -> dict[str, Any]:
    """Verify and parse a post; return the payload of its one submission."""
    assert connector.verify_hook(request).keep
    [(stream, change)] = connector.parse_hook(request).changes
    assert stream == "submissions"
    assert change.payload is not None
    assert change.id == change.payload["id"]
    return change.payload
