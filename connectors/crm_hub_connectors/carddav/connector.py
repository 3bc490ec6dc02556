"""The CardDAV connector: each address book of an account is a stream, each card in it a record.

Sources: RFC 6352 (CardDAV), RFC 6350 and RFC 2426 (vCard 4 and 3); what address books share with
calendars is in `crm_hub.sdk.dav`.
"""

from __future__ import annotations

from crm_hub.sdk import Manifest
from crm_hub.sdk.dav.connector import DavConnector
from crm_hub.sdk.dav.discovery import Collection
from crm_hub.sdk.dav.kinds import ADDRESS_BOOK
from crm_hub.sdk.dav.state import rules_of
from crm_hub_connectors.carddav.cards import FIELDS, CardEditor, CardReader
from crm_hub_connectors.carddav.settings import CarddavSettings


class CarddavConnector(DavConnector[CarddavSettings]):
    """Reads and writes the people and firms of an address book server."""

    manifest = Manifest(
        id="carddav",
        version="1.0.0",
        title="CardDAV address books",
        settings=CarddavSettings,
        summary="People and firms of an address book server: Nextcloud, Radicale, Cyrus ...",
        docs=(
            "https://www.rfc-editor.org/rfc/rfc6352",
            "https://www.rfc-editor.org/rfc/rfc6350",
            "https://www.rfc-editor.org/rfc/rfc6578",
            "https://www.rfc-editor.org/rfc/rfc6764",
        ),
        asks_when_gone=True,
    )
    kind = ADDRESS_BOOK
    shape = "contacts"
    fields = FIELDS

    def _reader(self) -> CardReader:
        return CardReader(self.context.now())

    def _editor(self, collection: Collection) -> CardEditor:
        return CardEditor()

    def _rules(self) -> str:
        return rules_of("cards")

    def _line(self, collection: Collection) -> str:
        return f"{self._titled(collection)}: {self._way(collection)}"


connector = CarddavConnector
