"""Ledgers behind OAuth that keep their grant wrongly."""

from __future__ import annotations

import contextlib
from typing import Any

from crm_hub.model.errors import Unavailable
from crm_hub.sdk.http import Grant, HttpClient, RenewedGrant
from crm_hub.sdk.testing.example_oauth import OAuthLedger


class RenewsInEachThread(OAuthLedger):
    """Each client has a grant of its own, as it was when the connector was made."""

    def _http(self) -> HttpClient:
        assert self.context.grants is not None
        kept = self.context.grants.load() or Grant("", self.settings.token.get_secret_value())
        return self._client(auth=RenewedGrant(kept, self._renew, self.context.grants.save))


class ForgetsTheGrant(OAuthLedger):
    """Keeps the new grant in memory alone."""

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self._tokens._save = lambda grant: None


class UsesBeforeSaving(OAuthLedger):
    """Takes a grant into use whether or not it could be saved."""

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        save = self._tokens._save

        def careless(grant: Grant) -> None:
            with contextlib.suppress(Unavailable):
                save(grant)

        self._tokens._save = careless


class NeverRenews(OAuthLedger):
    def _http(self) -> HttpClient:
        token = self._tokens.get() or self._tokens.refresh("")
        return self._client(headers={"authorization": f"Bearer {token}"})
