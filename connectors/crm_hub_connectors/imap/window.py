"""A span of time once more: the backfill, which leaves the cursor where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta

from crm_hub.sdk import Change, Page, Window
from crm_hub.sdk.formats.mail_message import message_marks
from crm_hub_connectors.imap.cycle import (
    PAGE_BYTES,
    Options,
    imap_day,
    open_folder,
    search,
)
from crm_hub_connectors.imap.fetching import COMMAND_UIDS, letters
from crm_hub_connectors.imap.folders import Seen
from crm_hub_connectors.imap.letters import Reader, internal_date
from crm_hub_connectors.imap.session import Session
from crm_hub_connectors.imap.uids import id_of, key_of
from crm_hub_connectors.imap.wire import uid_set

_FIRST_DAY = date(1900, 1, 1)
_MARKS = "UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)]"


def window_pages(
    session: Session, folders: Sequence[Seen], reader: Reader, window: Window, options: Options
) -> Iterator[Page]:
    """Yield the mail that arrived in the window, on pages without a checkpoint.

    Ids come first, so that a mail in two folders is told once, with both places.
    """
    last = frozenset(one.name for one in folders if one.role == "all")
    places: dict[int, set[str]] = {}
    wanted: dict[str, list[int]] = {}
    for one in folders:
        wanted[one.name] = []
        for uid, key in _inside(session, one, window, options):
            known = places.get(key) if key else None
            if known is None:
                wanted[one.name].append(uid)
            if key:
                places.setdefault(key, set()).add(one.name)
    changes: list[Change] = []
    size = 0
    for one in folders:
        uids = wanted[one.name]
        if uids:
            open_folder(session, one)
        for _, letter, bytes_read, _ in letters(session, one, uids, reader):
            if letter.payload is None:
                continue
            names = places.get(letter.key, {one.name})
            letter.payload["locations"] = sorted((names - last) or names)
            changes.append(Change(id_of(letter.key), letter.payload))
            size += bytes_read
            if len(changes) >= options.page_items or size >= PAGE_BYTES:
                yield Page(changes, None)
                changes, size = [], 0
    if changes:
        yield Page(changes, None)


def _inside(
    session: Session, seen: Seen, window: Window, options: Options
) -> Iterator[tuple[int, int]]:
    """Yield (UID, key) of the mail of one folder inside the window; key 0 without a Message-ID."""
    open_folder(session, seen)
    # SEARCH knows days in the server's zone alone; a day more on either side holds all zones.
    since = max(window.since.astimezone(UTC).date() - timedelta(days=1), _FIRST_DAY)
    if options.since is not None:
        since = max(since, options.since)
    before = window.until.astimezone(UTC).date() + timedelta(days=2)
    uids = search(session, f"SINCE {imap_day(since)} BEFORE {imap_day(before)}")
    for start in range(0, len(uids), COMMAND_UIDS):
        chunk = uid_set(uids[start : start + COMMAND_UIDS])
        for one in session.wire.fetch(chunk, _MARKS):
            moment = internal_date(one.date)
            if moment is None or not window.since <= moment < window.until:
                continue
            message_id, written = message_marks(one.body or b"")
            yield one.uid, key_of(message_id, written or "") if message_id else 0
