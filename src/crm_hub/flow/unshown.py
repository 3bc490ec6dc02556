"""Records that the hub has written, and that the pull after it did not show.

A server that tells what changed since a mark tells of our own writes too. It says nothing of a
record that was created after the mark and deleted before it was asked: such a record is asked for
by itself, else its deletion would never be known.
Source: RFC 6578 section 3.5.
"""

from __future__ import annotations

from crm_hub.flow.hub import Hub
from crm_hub.flow.tracking import LOOK_AGAIN, UNREAD
from crm_hub.sdk import StreamInfo
from crm_hub.store import Outbox, StreamRow


def written(hub: Hub, stream: StreamRow, info: StreamInfo) -> list[int]:
    """Return the records that a pull of what changed, which begins now, should show."""
    two_way = hub.tools.two_way
    is_route = two_way is not None and (stream.connection, stream.name) in two_way.routes
    tells = info.caps.read == "delta" and info.caps.deletes == "tombstone"
    if not (is_route and tells and stream.checkpoint is not None):
        return []
    with hub.store.read() as db:
        return Outbox(db).unread(stream.id, UNREAD)


def look_at(hub: Hub, stream: StreamRow, record_ids: list[int]) -> None:
    """Let those that were not shown be looked at before the next writes."""
    if not record_ids:
        return
    with hub.store.write() as db:
        repo = Outbox(db)
        silent = set(repo.unread(stream.id, UNREAD)) & set(record_ids)
        repo.look_again(sorted(silent), LOOK_AGAIN)
