"""OAuth grants that connectors renew, sealed with the hub's other secrets."""

from __future__ import annotations

import json
from datetime import datetime

from crm_hub.sdk.tokens import Grant
from crm_hub.secrets import SealedStore

_FIELD = "(grant)"


class SealedGrants:
    """The grant of one connection."""

    def __init__(self, secrets: SealedStore, connection: str) -> None:
        self._secrets, self._connection = secrets, connection

    def load(self) -> Grant | None:
        """Return the grant that was saved last, None when none was."""
        text = self._secrets.get(self._connection, _FIELD)
        if text is None:
            return None
        access, refresh, expires = json.loads(text)
        if not access and not refresh:
            return None
        return Grant(access, refresh, None if expires is None else datetime.fromisoformat(expires))

    def forget(self) -> None:
        """Let go of the grant: the account was connected anew."""
        self.save(Grant(""))

    def save(self, grant: Grant) -> None:
        """Store a grant durably, before anything uses it."""
        expires = None if grant.expires_at is None else grant.expires_at.isoformat()
        text = json.dumps([grant.access_token, grant.refresh_token, expires])
        self._secrets.put(self._connection, _FIELD, text)
