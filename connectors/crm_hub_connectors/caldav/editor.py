"""Changes the texts of a calendar's entries, and leaves those alone whose guests would be mailed.

A server that does scheduling mails the guests of a meeting when its organizer's copy is changed or
deleted (RFC 6638 section 3.2.1). Nobody asked for that, so such meetings wait for a setting. Taking
the server out of it by SCHEDULE-AGENT=CLIENT would not help: it then mails that they are uninvited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from crm_hub.sdk.formats.edit_ical import edit_entry, informs_guests, new_entry
from crm_hub.sdk.formats.edit_lines import NotWritable

_MAILS = (
    "the server would mail the guests of this meeting; change it in the calendar program, or set "
    "`inform_guests`"
)


class CalendarEditor:
    """zone: of floating times. does_mail: whether the server informs guests, asked when needed."""

    def __init__(self, zone: str, now: datetime, does_mail: Callable[[], bool]) -> None:
        self._zone, self._now, self._does_mail = zone, now, does_mail

    def change(self, raw: bytes, fields: Mapping[str, Any]) -> bytes:
        """Return the entry with these values, else as it is. Raises: NotWritable."""
        return edit_entry(raw, fields, zone=self._zone, now=self._now)

    def make(self, fields: Mapping[str, Any], uid: str) -> bytes:
        """Return a new entry, whose guests no server informs. Raises: NotWritable."""
        return new_entry(fields, uid=uid, now=self._now, zone=self._zone)

    def objection(self, raw: bytes) -> str:
        """Return why an entry must be left alone, "" when it need not."""
        try:
            invites = informs_guests(raw)
        except NotWritable:
            return ""
        return _MAILS if invites and self._does_mail() else ""
