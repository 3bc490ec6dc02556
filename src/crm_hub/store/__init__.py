"""The only room that speaks SQL: SQLite by default, PostgreSQL by URL.

One repository a room, each made from a transaction's Db:

    with store.write() as db:
        Landings(db).queue(...)
"""

from crm_hub.store.behind import Behind
from crm_hub.store.briefs import Briefs
from crm_hub.store.db import Db, Row
from crm_hub.store.engine import Store
from crm_hub.store.events import EventRow, Events, ParticipantRow, SourceRow
from crm_hub.store.identities import EMPTY_GOLDEN, Held, Identities, IdentityRow
from crm_hub.store.landings import DueLanding, Landings, RawRecord, StreamRow
from crm_hub.store.likeness import LikedRow, Likeness, ReviewRow
from crm_hub.store.machinery import DeadLetter, Machinery, RunRow
from crm_hub.store.memberships import Memberships, Told
from crm_hub.store.outbox import ConflictRow, Outbox, OutboxFigures, RouteRow, Sent, WriteRow
from crm_hub.store.rulings import RulingRow, Rulings
from crm_hub.store.shared_keys import CROWDED, SEVERAL, SharedKeys
from crm_hub.store.signatures import Signatures, SignedRow
from crm_hub.store.threads import MessageRow, ThreadRow, ThreadStore
from crm_hub.store.timelines import Position, TimelineRow, Timelines

__all__ = [
    "CROWDED",
    "EMPTY_GOLDEN",
    "SEVERAL",
    "Behind",
    "Briefs",
    "ConflictRow",
    "Db",
    "DeadLetter",
    "DueLanding",
    "EventRow",
    "Events",
    "Held",
    "Identities",
    "IdentityRow",
    "Landings",
    "LikedRow",
    "Likeness",
    "Machinery",
    "Memberships",
    "MessageRow",
    "Outbox",
    "OutboxFigures",
    "ParticipantRow",
    "Position",
    "RawRecord",
    "ReviewRow",
    "RouteRow",
    "Row",
    "RulingRow",
    "Rulings",
    "RunRow",
    "Sent",
    "SharedKeys",
    "Signatures",
    "SignedRow",
    "SourceRow",
    "Store",
    "StreamRow",
    "ThreadRow",
    "ThreadStore",
    "TimelineRow",
    "Timelines",
    "Told",
    "WriteRow",
]
