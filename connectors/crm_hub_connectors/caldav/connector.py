"""The CalDAV connector: each calendar of an account is a stream, each resource in it a record.

A stream a calendar, because everything a server tells is told of a collection: its sync token,
what was deleted in it, and whether the user may still see it.
Sources: RFC 4791 (CalDAV), RFC 6578 (sync-collection), RFC 6764 (finding it).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import ClassVar
from urllib.parse import urlsplit

from crm_hub.sdk import (
    Caps,
    Checkpoint,
    CheckpointExpired,
    CheckReport,
    ConfigError,
    Connector,
    Context,
    Manifest,
    Page,
    StreamInfo,
    Window,
)
from crm_hub.sdk.http import HttpClient
from crm_hub_connectors.caldav.dav import Dav, NoCalDav
from crm_hub_connectors.caldav.discovery import (
    Account,
    Calendar,
    choose,
    find_account,
    find_calendars,
    start_path,
)
from crm_hub_connectors.caldav.resources import FIELDS, Reader
from crm_hub_connectors.caldav.settings import CaldavSettings
from crm_hub_connectors.caldav.state import State, rules_of
from crm_hub_connectors.caldav.walk import CalendarWalk


class CaldavConnector(Connector[CaldavSettings]):
    """Reads the meetings and tasks of a calendar server; never writes."""

    manifest = Manifest(
        id="caldav",
        version="1.0.0",
        title="CalDAV calendars",
        settings=CaldavSettings,
        summary="Meetings and tasks of a calendar server: Nextcloud, Radicale, Cyrus, iCloud ...",
        docs=(
            "https://www.rfc-editor.org/rfc/rfc4791",
            "https://www.rfc-editor.org/rfc/rfc6578",
            "https://www.rfc-editor.org/rfc/rfc6764",
        ),
        asks_when_gone=True,
    )

    page_items: ClassVar[int] = 500
    """Resources on one page, at most."""

    def __init__(self, settings: CaldavSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._client: HttpClient | None = None
        self._account: Account | None = None
        self._known: dict[str, Calendar] = {}
        self._expired: set[str] = set()

    def check(self) -> CheckReport:
        """Return the principal, the calendars, and how each tells what changed."""
        dav = self._dav()
        account = self._account = find_account(dav, start_path(self.settings.url))
        calendars = choose(find_calendars(dav, account), self.settings.wanted)
        lines = [_line(one) for one in calendars]
        if not calendars:
            lines.append("There is no calendar yet.")
        return CheckReport(
            account=f"{self.settings.username} ({account.principal or account.homes[0]})",
            lines=tuple(lines),
            clock_skew_s=self._skew_s(dav),
        )

    def discover(self) -> list[StreamInfo]:
        """Return a stream for each calendar, sorted by name."""
        found = self._calendars()
        self._known = {one.name: one for one in found}
        return [_info(one) for one in found]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield the pages of one calendar; none at all when nothing changed.

        Raises: CheckpointExpired, ConfigError when the calendar is not there any more.
        """
        settings, context = self.settings, self.context
        reader = Reader(
            zone=context.zone, since=settings.since, own=settings.own, now=context.now()
        )
        walk = CalendarWalk(self._dav(), self._calendar(stream.name), reader, self.page_items)
        rules = rules_of(context.zone, settings.since, settings.own)
        state = State.load(checkpoint, rules)
        if window is not None:
            pages = walk.window(window)
        elif state is None or state.again:
            first = checkpoint is None and stream.name not in self._expired
            pages = walk.whole(rules, None, first=first)
        elif state.after is not None:
            pages = walk.whole(rules, state)
        else:
            pages = walk.changed(state)
        try:
            for page in pages:
                yield page
                if context.stopping():
                    return
        except CheckpointExpired:
            self._expired.add(stream.name)
            raise
        if window is None:
            self._expired.discard(stream.name)

    def close(self) -> None:
        """Close the connections to the server."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # the account --------------------------------------------------------------------------

    def _calendars(self) -> list[Calendar]:
        """Return the calendars to read. What is behind the address is found once."""
        dav = self._dav()
        if self._account is not None:
            try:
                return choose(find_calendars(dav, self._account), self.settings.wanted)
            except NoCalDav:
                self._account = None  # it moved: look for it anew
        self._account = find_account(dav, start_path(self.settings.url))
        return choose(find_calendars(dav, self._account), self.settings.wanted)

    def _calendar(self, name: str) -> Calendar:
        if name in self._known:
            return self._known[name]
        calendars = self._calendars()
        for one in calendars:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in calendars) or "none"
        raise ConfigError(
            f"{self.context.connection}: the calendar {name} is not there any more",
            remedy=f"There are: {names}. What was read from it is kept.",
        )

    def _dav(self) -> Dav:
        parts = urlsplit(self.settings.url)
        base = f"{parts.scheme}://{parts.netloc}"
        if self._client is None:
            if self.context.http is None:
                raise ConfigError("caldav was started without an HTTP client")
            # The admin typed this address, and may mean a server in the own network.
            self._client = self.context.http(
                base,
                auth=(self.settings.username, self.settings.password.get_secret_value()),
                allow_private=[parts.hostname],
            )
        return Dav(self._client, base)

    def _skew_s(self, dav: Dav) -> float | None:
        try:
            theirs = parsedate_to_datetime(dav.date)
        except (ValueError, TypeError):
            return None
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        return (theirs - self.context.now()).total_seconds()


def _info(calendar: Calendar) -> StreamInfo:
    return StreamInfo(
        calendar.name,
        "calendar",
        Caps(read="delta", deletes="tombstone"),
        FIELDS,
        guess=_line(calendar),
    )


def _line(calendar: Calendar) -> str:
    kinds = {"VEVENT": "meetings", "VTODO": "tasks"}
    holds = " and ".join(kinds[c] for c in calendar.components)
    way = "a sync token" if calendar.offers("sync-collection") else "comparing all etags"
    title = f" ({calendar.title})" if calendar.title not in ("", calendar.name) else ""
    return f"{calendar.name}{title}: {holds}; changes by {way}"


connector = CaldavConnector
