"""Waiting for news in IDLE, with the inbox open. A poll follows all the same."""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub_connectors.imap.cycle import open_folder
from crm_hub_connectors.imap.folders import Seen, look
from crm_hub_connectors.imap.session import Session
from crm_hub_connectors.imap.state import Mailbox

MAX_IDLE_S = 25 * 60.0
"""Servers may end a session after 30 minutes. Source: RFC 2177 section 3."""


def wait(session: Session, seen: Sequence[Seen], box: Mailbox | None, timeout_s: float) -> bool:
    """Return True once the inbox has news, False when the time passed without any.

    What came between the last pull and the waiting counts as news too.
    """
    folders = [one for one in seen or look(session) if one.is_open]
    inbox = next((one for one in folders if one.role == "inbox"), None) or folders[0]
    opened = open_folder(session, inbox)
    known = box.folders.get(inbox.name) if box is not None else None
    if known is not None and (opened.next_uid > known.look + 1 or opened.exists != len(known.uids)):
        return True
    return bool(session.wire.idle(min(timeout_s, MAX_IDLE_S)))
