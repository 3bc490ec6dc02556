"""Whole messages as letters: small ones as they come, big ones a second time and with a list.

The first fetch of a message brings its first 64 kB, which is all of most. Of the others more is
fetched, as much as text may take, and the server is asked which attachments they have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from crm_hub_connectors.imap.folders import Seen
from crm_hub_connectors.imap.letters import BODY_BYTES, HEAD_BYTES, Letter, Reader
from crm_hub_connectors.imap.session import Session
from crm_hub_connectors.imap.structure import attachments_of
from crm_hub_connectors.imap.wire import Refused, joined, read_fetch, uid_set

COMMAND_UIDS = 1_000


def letters(
    session: Session, seen: Seen, uids: Sequence[int], reader: Reader
) -> Iterator[tuple[int, Letter, int, bool]]:
    """Yield (UID, letter, bytes fetched, are all UIDs up to it read) of an open folder."""
    for start in range(0, len(uids), COMMAND_UIDS):
        big: list[int] = []
        chunk = uids[start : start + COMMAND_UIDS]
        for one in session.wire.fetch(uid_set(chunk), _items(session, HEAD_BYTES)):
            if one.body is None:
                continue
            if len(one.body) >= HEAD_BYTES:
                big.append(one.uid)
                continue
            yield one.uid, reader.read(seen, one), len(one.body), not big
        yield from _big(session, seen, big, reader)


def _big(
    session: Session, seen: Seen, uids: Sequence[int], reader: Reader
) -> Iterator[tuple[int, Letter, int, bool]]:
    if not uids:
        return
    listed = _listed(session, uids)
    for one in session.wire.fetch(uid_set(uids), _items(session, BODY_BYTES)):
        if one.body is not None:
            letter = reader.read(seen, one, listed.get(one.uid))
            yield one.uid, letter, len(one.body), False


def _listed(session: Session, uids: Sequence[int]) -> dict[int, list[dict[str, Any]] | None]:
    """Return UID → attachments as the server lists them; none where it cannot tell."""
    found = {}
    command = f"UID FETCH {uid_set(uids)} (UID BODYSTRUCTURE)".encode("ascii")
    # Servers have been seen to refuse this for malformed mail; the mail itself is still read.
    with suppress(Refused):
        for answer in session.wire.run(command):
            one = read_fetch(answer[:1])
            if one is not None:
                found[one.uid] = attachments_of(joined(answer))
    return found


def _items(session: Session, size: int) -> str:
    thread = "X-GM-THRID " if session.can("X-GM-EXT-1") else ""
    if not thread and session.can("OBJECTID"):
        thread = "THREADID "
    return f"UID FLAGS INTERNALDATE {thread}BODY.PEEK[]<0.{size}>"
