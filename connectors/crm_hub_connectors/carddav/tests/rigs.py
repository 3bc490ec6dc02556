"""Connectors for tests."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from crm_hub_connectors.carddav import CarddavConnector

from crm_hub.sdk import Context
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.contract import CANARY


def connect(url: str, **settings: Any) -> CarddavConnector:
    """Return a connector on this server, which waits for nothing."""
    values = {"url": url, "username": "ann", "password": CANARY, **settings}
    http = functools.partial(HttpClient, timeout_s=3, sleep=lambda _s: None)
    context = Context(connection="people", base_dir=Path(), http=http)
    return CarddavConnector(CarddavConnector.manifest.settings.model_validate(values), context)
