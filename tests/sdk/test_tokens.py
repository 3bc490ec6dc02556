"""One refresh for all threads, saved before use; a revoked grant is asked for once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from crm_hub.model.errors import AuthRefused, Unavailable
from crm_hub.sdk.http import Grant, HttpClient, RenewedGrant
from crm_hub.sdk.testing import fault_server as faults
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Account:
    """A far side whose token can expire, with a rotating refresh token."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.good = "token-0"
        self.renewed = 0
        self.saved: list[str] = []
        self.used_before_saved = False
        self.revoked = False
        server.route("GET", "/page", self._page)

    def _page(self, call: Call) -> Reply:
        token = call.headers["authorization"].removeprefix("Bearer ")
        if token != "token-0" and token not in self.saved:
            self.used_before_saved = True
        return Reply.json({"ok": True}) if token == self.good else Reply.json({}, 401)

    def renew(self, grant: Grant) -> Grant:
        self.renewed += 1
        if self.revoked:
            raise AuthRefused("the grant was revoked")
        assert grant.refresh_token == f"refresh-{self.renewed - 1}"
        self.good = f"token-{self.renewed}"
        return Grant(self.good, f"refresh-{self.renewed}")

    def save(self, grant: Grant) -> None:
        self.saved.append(grant.access_token)

    def grant(self) -> RenewedGrant:
        return RenewedGrant(Grant("token-0", "refresh-0"), self.renew, self.save, lambda: NOW)

    def client(self, auth: RenewedGrant) -> HttpClient:
        return HttpClient(self.server.url, auth=auth, allow_private=True, sleep=lambda _: None)


@pytest.fixture
def account() -> Iterator[Account]:
    with FaultServer() as server:
        yield Account(server)


def test_eight_threads_that_meet_a_401_refresh_once(account: Account) -> None:
    with account.client(account.grant()) as http, ThreadPoolExecutor(8) as pool:
        assert http.json("page") == {"ok": True}
        account.good = "expired-now"
        answers = list(pool.map(lambda _: http.json("page"), range(80)))
    assert answers == [{"ok": True}] * 80
    assert account.renewed == 1
    assert account.saved == ["token-1"]
    assert not account.used_before_saved


def test_two_clients_share_one_refresh(account: Account) -> None:
    shared = account.grant()
    account.good = "expired-now"
    with account.client(shared) as one, account.client(shared) as two:
        assert one.get("page").ok
        assert two.get("page").ok
    assert account.renewed == 1


def test_a_second_401_is_refused_and_not_repeated(account: Account) -> None:
    account.server.always(faults.status(401))
    with account.client(account.grant()) as http, pytest.raises(AuthRefused):
        http.get("page")
    assert len(account.server.calls) == 2
    assert account.renewed == 1


def test_a_revoked_grant_is_asked_for_once_by_all_threads(account: Account) -> None:
    account.revoked = True
    account.good = "expired-now"

    def ask(_: int) -> type[Exception] | None:
        try:
            http.get("page")
        except AuthRefused:
            return AuthRefused
        return None

    with account.client(account.grant()) as http, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(40))) == {AuthRefused}
    assert account.renewed == 1


def test_an_expired_grant_is_renewed_before_it_is_used(account: Account) -> None:
    old = Grant("token-0", "refresh-0", expires_at=NOW + timedelta(seconds=30))
    source = RenewedGrant(old, account.renew, account.save, lambda: NOW)
    assert source.get() == "token-1"
    assert source.get() == "token-1"
    assert account.saved == ["token-1"]


def test_a_new_grant_that_could_not_be_saved_is_kept_and_not_used(account: Account) -> None:
    fails = [True]

    def save(grant: Grant) -> None:
        if fails.pop() if fails else False:
            raise Unavailable("the store is full")
        account.save(grant)

    source = RenewedGrant(Grant("token-0", "refresh-0"), account.renew, save, lambda: NOW)
    with pytest.raises(Unavailable):
        source.refresh("token-0")
    assert source.get() == "token-0"
    assert source.refresh("token-0") == "token-1"
    # The rotated refresh token was not thrown away, and the endpoint was not asked twice.
    assert account.renewed == 1


def test_a_grant_shows_no_token() -> None:
    assert "token-0" not in repr(Grant("token-0", "refresh-0"))
