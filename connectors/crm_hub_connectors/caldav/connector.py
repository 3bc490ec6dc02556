"""The CalDAV connector: each calendar of an account is a stream, each resource in it a record.

Sources: RFC 4791 (CalDAV), RFC 6638 (scheduling); what calendars share with address books is in
`crm_hub.sdk.dav`.
"""

from __future__ import annotations

from crm_hub.sdk import Manifest
from crm_hub.sdk.dav.connector import DavConnector
from crm_hub.sdk.dav.discovery import Collection
from crm_hub.sdk.dav.kinds import CALENDAR
from crm_hub.sdk.dav.state import rules_of
from crm_hub_connectors.caldav.editor import CalendarEditor
from crm_hub_connectors.caldav.resources import FIELDS, Reader
from crm_hub_connectors.caldav.settings import CaldavSettings

_SCHEDULES = "calendar-auto-schedule"


class CaldavConnector(DavConnector[CaldavSettings]):
    """Reads and writes the meetings and tasks of a calendar server."""

    manifest = Manifest(
        id="caldav",
        version="2.0.0",
        title="CalDAV calendars",
        settings=CaldavSettings,
        summary="Meetings and tasks of a calendar server: Nextcloud, Radicale, Cyrus, iCloud ...",
        docs=(
            "https://www.rfc-editor.org/rfc/rfc4791",
            "https://www.rfc-editor.org/rfc/rfc6578",
            "https://www.rfc-editor.org/rfc/rfc6638",
            "https://www.rfc-editor.org/rfc/rfc6764",
        ),
        asks_when_gone=True,
    )
    kind = CALENDAR
    shape = "calendar"
    fields = FIELDS

    def _reader(self) -> Reader:
        settings, context = self.settings, self.context
        return Reader(zone=context.zone, since=settings.since, own=settings.own, now=context.now())

    def _editor(self, collection: Collection) -> CalendarEditor:
        def does_mail() -> bool:
            return not self.settings.inform_guests and self._offers(collection.path, _SCHEDULES)

        return CalendarEditor(self.context.zone, self.context.now(), does_mail)

    def _rules(self) -> str:
        return rules_of(self.context.zone, self.settings.since, self.settings.own)

    def _line(self, collection: Collection) -> str:
        kinds = {"VEVENT": "meetings", "VTODO": "tasks"}
        holds = " and ".join(kinds[c] for c in collection.components)
        return f"{self._titled(collection)}: {holds}; {self._way(collection)}"


connector = CaldavConnector
