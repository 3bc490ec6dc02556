"""An OAuth grant that a connector renewed is sealed, and forgotten when it is connected anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from crm_hub.config import create
from crm_hub.flow.grants import SealedGrants
from crm_hub.flow.hub import Hub
from crm_hub.flow.setup import connect
from crm_hub.sdk.http import Grant
from crm_hub.secrets import SealedStore

DROP_IN = "from crm_hub.sdk.testing.example_oauth import OAuthLedger as connector  # noqa: F401\n"


def made(folder: Path, url: str) -> Hub:
    create(folder)
    SealedStore(folder).create_key()
    (folder / "connectors" / "ledger").mkdir(parents=True)
    (folder / "connectors" / "ledger" / "connector.py").write_text(DROP_IN)
    hub = Hub(folder)
    connect(hub, "ledger", "books", settings(url), checked=False)
    return hub


def settings(url: str, token: str = "first-refresh-token") -> dict[str, str]:
    return {"url": url, "token": token, "signing_secret": "a-signing-secret"}


def test_a_grant_outlives_the_process_and_lies_sealed(tmp_path: Path) -> None:
    hub = made(tmp_path, "https://ledger.example")
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    SealedGrants(hub.secrets, "books").save(Grant("access-canary-1", "refresh-canary-1", at))
    grant = SealedGrants(Hub(tmp_path).secrets, "books").load()
    assert grant == Grant("access-canary-1", "refresh-canary-1", at)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path


def test_a_new_secret_lets_go_of_the_grant_and_another_setting_does_not(tmp_path: Path) -> None:
    hub = made(tmp_path, "https://ledger.example")
    SealedGrants(hub.secrets, "books").save(Grant("access-1", "refresh-1"))
    more = {"url": "https://ledger.example/v2"}
    connect(hub, "ledger", "books", more, checked=False, replace=True)
    assert SealedGrants(SealedStore(tmp_path), "books").load() == Grant("access-1", "refresh-1")
    again = {"token": "second-refresh-token"}
    connect(hub, "ledger", "books", again, checked=False, replace=True)
    assert SealedGrants(SealedStore(tmp_path), "books").load() is None
