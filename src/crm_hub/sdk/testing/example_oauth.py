"""The ledger of `example.py` behind OAuth: access tokens that expire, refresh tokens used once.

`POST /token` gives a new access token and a new refresh token for the one in use; a used one is
refused for ever. The one to read before writing a connector with OAuth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from crm_hub.model.errors import AuthRefused, ConfigError
from crm_hub.sdk.contract import Context
from crm_hub.sdk.http import Grant, HttpClient, RenewedGrant
from crm_hub.sdk.testing.example import LedgerConnector, LedgerHarness, LedgerSource
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply


class OAuthLedger(LedgerConnector):
    """Reads the ledger with a grant that it renews; one grant for all its threads."""

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        if context.grants is None:
            raise ConfigError("this connector needs a place for its grant")
        first = Grant("", settings.token.get_secret_value())
        kept = context.grants.load()
        self._tokens = RenewedGrant(kept or first, self._renew, context.grants.save)

    def _renew(self, grant: Grant) -> Grant:
        body = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        with self._client() as http:
            answer = http.post("token", json=body, accept=(400,))
        if answer.status != 200:
            raise AuthRefused("the ledger refuses the refresh token", remedy="Connect it again.")
        found = answer.json()
        return Grant(found["access_token"], found["refresh_token"])

    def _http(self) -> HttpClient:
        return self._client(auth=self._tokens)

    def _client(self, **options: Any) -> HttpClient:
        if self.context.http is None:
            raise ConfigError("this connector needs HTTP")
        return self.context.http(self.settings.url, **options)


class OAuthLedgerSource(LedgerSource):
    """The ledger, with the tokens that it has given out."""

    def __init__(self, server: FaultServer, secret: str, page_size: int) -> None:
        super().__init__(server, secret, page_size)
        self._refresh, self._access, self._count = secret, "", 0
        server.route("POST", "/token", self._token)

    def expire_token(self) -> None:
        self._access = ""

    def refreshes(self) -> int:
        return self._count

    def _token(self, call: Call) -> Reply:
        if call.json().get("refresh_token") != self._refresh:
            return Reply.json({"error": "invalid_grant"}, 400)
        self._count += 1
        self._access, self._refresh = f"access-{self._count}", f"refresh-{self._count}"
        return Reply.json({"access_token": self._access, "refresh_token": self._refresh})

    def _guarded(self, answer: Any) -> Any:
        def route(call: Call) -> Reply:
            if not self._access or call.headers.get("authorization") != f"Bearer {self._access}":
                return Reply.json({"error": "unknown token"}, 401)
            reply: Reply = answer(call)
            return reply

        return route


class OAuthLedgerHarness(LedgerHarness):
    """The ledger behind OAuth under the contract suite."""

    connector = OAuthLedger
    exempt: Mapping[int, str] = {}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[OAuthLedgerSource]:
        with FaultServer() as server:
            ledger = OAuthLedgerSource(server, self.secret, page_size)
            ledger.add(records)
            yield ledger
