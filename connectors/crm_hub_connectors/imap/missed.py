"""The people of mail that passed while nobody collected: read again, header fields alone."""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub_connectors.imap.cycle import imap_day, open_folder, search
from crm_hub_connectors.imap.folders import Seen
from crm_hub_connectors.imap.letters import Reader
from crm_hub_connectors.imap.people import Known, People
from crm_hub_connectors.imap.session import Session
from crm_hub_connectors.imap.settings import ImapSettings
from crm_hub_connectors.imap.wire import uid_set

_COMMAND_UIDS = 1_000
_HEADER = (
    "FROM SENDER TO CC BCC REPLY-TO SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES AUTO-SUBMITTED "
    "PRECEDENCE LIST-ID LIST-UNSUBSCRIBE RETURN-PATH CONTENT-TYPE X-GMAIL-LABELS RECEIVED"
)
_ITEMS = f"UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS ({_HEADER})]"


def read_missed(
    session: Session,
    folders: Sequence[Seen],
    people: People,
    known: Known,
    reader: Reader,
    settings: ImapSettings,
) -> None:
    """Add the people of every folder's mail between `known` and what `people` covers."""
    for one in folders:
        covers = people.covers.get(one.name)
        validity, upto = (one.validity, one.next_uid - 1) if covers is None else covers[:2]
        start = known.read_upto(one.name, validity)
        if start >= upto or not one.is_open:
            continue
        open_folder(session, one)
        since = f" SINCE {imap_day(settings.since)}" if settings.since else ""
        uids = search(session, f"UID {start + 1}:{upto}{since}")
        for first in range(0, len(uids), _COMMAND_UIDS):
            chunk = uid_set(uids[first : first + _COMMAND_UIDS])
            for letter in session.wire.fetch(chunk, _ITEMS):
                if letter.body is None:
                    continue
                read = reader.read(one, letter)
                if read.payload is not None:
                    people.add(read.payload)
