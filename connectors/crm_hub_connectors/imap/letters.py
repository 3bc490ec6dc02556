"""A fetched message becomes a payload, or nothing: what must not be kept ends here.

After: `cycle`, which knows the folders a message stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from crm_hub.sdk import RecordError, Reject
from crm_hub.sdk.formats.items import unreadable
from crm_hub.sdk.formats.mail_headers import Raw
from crm_hub.sdk.formats.mail_message import parse_message
from crm_hub_connectors.imap.folders import Seen
from crm_hub_connectors.imap.settings import ImapSettings
from crm_hub_connectors.imap.uids import EXCLUDED, UNREADABLE, key_of
from crm_hub_connectors.imap.wire import Fetched

BODY_BYTES = 256_000
"""How much of a message is fetched, headers included; attachments beyond it are not needed."""
HEAD_BYTES = 64_000
"""How much of it comes with the first fetch; most messages are whole by then."""
_BROKEN = "Open the message in a mail program; report it if it looks right there."
_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
_WORDS = ("text", "reply_text", "snippet")
_INVITED = ("summary", "description", "location")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it was read. key: EXCLUDED, UNREADABLE, or that of its record."""

    key: int
    payload: dict[str, Any] | None = None
    reject: Reject | None = None


class Reader:
    """Reads messages by the settings of a connection."""

    def __init__(self, settings: ImapSettings, zone: str) -> None:
        from crm_hub_connectors.imap.rules import NeverLog

        self.own = settings.us
        self.never = NeverLog.parse(settings.never_log)
        self._visibility = settings.visibility
        self._zone = zone

    def is_excluded(self, seen: Seen, flags: tuple[str, ...]) -> bool:
        """Tell by folder and flags alone whether a message is no record: a draft, a listed one."""
        if "\\Draft" in flags:
            return True
        return bool(self.never.labels) and self.never.covers_labels(_labels(seen, flags))

    def read(
        self, seen: Seen, one: Fetched, attachments: list[dict[str, Any]] | None = None
    ) -> Letter:
        """Return the message as a letter; one that nobody can read says why.

        attachments: as the server lists them, for a message that was cut.
        """
        raw = one.body or b""
        if self.is_excluded(seen, one.flags):
            return Letter(EXCLUDED)
        place = f"{seen.name}, UID {one.uid}"
        try:
            payload = parse_message(
                raw,
                self.own,
                zone=self._zone,
                received_at=internal_date(one.date),
                folder=seen.role or seen.leaf.lower(),
            )
        except RecordError as error:
            return Letter(UNREADABLE, None, self._reject(seen, one, place, error.message, raw))
        except (ValueError, LookupError, OverflowError, RecursionError) as error:
            reason = f"the message cannot be parsed ({type(error).__name__})"
            return Letter(UNREADABLE, None, self._reject(seen, one, place, reason, raw))
        if self.never and self.never.covers(payload, _labels(seen, one.flags)):
            return Letter(EXCLUDED)
        key = key_of(payload["message_id"], payload["date"] or "", raw[:HEAD_BYTES])
        if len(raw) >= BODY_BYTES:
            payload["truncated"] = True
            _complete(payload, attachments)
        payload["provider_thread_id"] = one.thread
        payload["visibility"] = self._visibility
        del payload["folder"], payload["flags"]
        if self._visibility != "full":
            _veil(payload, self._visibility)
        return Letter(key, payload)

    def _reject(self, seen: Seen, one: Fetched, place: str, reason: str, raw: Raw) -> Reject:
        key = f"{seen.name}/{seen.validity}/{one.uid}"
        shown = raw if self._visibility == "full" and not self.never else b""
        return unreadable(key, place, reason, _BROKEN, shown)


def _complete(payload: dict[str, Any], attachments: list[dict[str, Any]] | None) -> None:
    """Put the server's list of attachments in the place of that of a message that was cut."""
    if attachments is not None:
        payload["attachments"] = attachments
    elif payload["attachments"]:
        # The last one was cut off, or stands whole before what was not fetched: who knows.
        payload["attachments"][-1]["size"] = None


def _labels(seen: Seen, flags: tuple[str, ...]) -> list[str]:
    return [seen.name, seen.leaf, *(flag for flag in flags if not flag.startswith("\\"))]


def _veil(payload: dict[str, Any], visibility: str) -> None:
    """Take out what must not leave the mailbox: the words, and for `metadata` the subject too."""
    payload.update(dict.fromkeys(_WORDS, ""))
    if payload["invitation"]:
        payload["invitation"].update(dict.fromkeys(_INVITED, ""))
    if visibility == "metadata":
        payload.update(subject="", subject_key="")
        for one in payload["attachments"]:
            one["filename"] = ""


@lru_cache(maxsize=1_024)
def internal_date(text: str) -> datetime | None:
    """Return an INTERNALDATE (`17-Jul-2026 02:44:25 -0700`, `` 7-Jul…``) as an aware datetime."""
    try:
        day, clock, zone = text.split()
        number, month, year = day.split("-")
        hour, minute, second = clock.split(":")
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        moment = datetime(
            int(year), _MONTHS[month.lower()], int(number),
            int(hour), int(minute), min(int(second), 59), tzinfo=UTC,
        )  # fmt: skip
        return moment + shift if zone[0] == "-" else moment - shift
    except (ValueError, KeyError, IndexError, OverflowError):
        return None
