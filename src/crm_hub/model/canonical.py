"""What the mapping room makes of one source record: canonical values and event drafts.

Both are plain JSON inside, so they are stored as they stand and come back equal.
Times are integers: microseconds since 1970-01-01 UTC (`_us`), because they are
compared, indexed and stored millions of times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Claim(NamedTuple):
    """Something a record says about who it is.

    kind: "strong" | "email" | "phone" | "domain"; name: the id's name for a strong claim, else
    the field's; scope: the connection for a strong claim that is only unique there, else "".
    exclusive: two different values of this strong id can never be one identity.
    """

    kind: str
    name: str
    value: str
    scope: str = ""
    exclusive: bool = False


class Link(NamedTuple):
    """A reference from one record to another, by match key (`s:crm:company_id:7`).

    from_us, to_us: since when and until when it holds, None where the source does not say.
    """

    relation: str
    entity: str
    key: str
    from_us: int | None = None
    to_us: int | None = None


@dataclass(slots=True)
class CanonicalRecord:
    """One source record in the words of the canonical model.

    values: field name → value; a list for fields that hold many.
    changed_at_us: when the source last changed it; None when the source does not say.
    """

    entity: str
    values: dict[str, Any]
    claims: list[Claim] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    changed_at_us: int | None = None


@dataclass(slots=True)
class ParticipantDraft:
    """Somebody who took part in an event, by match key and the name given there.

    role: from, to, cc, organizer, attendee, caller, callee, customer, contact, owner, author.
    key: a match key, or "" when only a name is known.
    """

    role: str
    key: str
    name: str = ""


@dataclass(slots=True)
class EventDraft:
    """A timeline event as one source record tells it.

    entry: names this event among those of the same source record ("issued", "paid").
    key: the identity key; two drafts with the same key are the same event. "" when there is none.
    bucket, tolerance_us: without a key, drafts of one bucket that stand closer than the
        tolerance are the same event.
    conversation: the provider's own id of the conversation, with its scope; "" when there is none.
    message_ids, replies_to: the ids that answers name this message by, and those it names, the
        one it answers last. by_subject: its subject may find its conversation where ids are lost.
    mailing_list: the list it went through; its members need no further sign of each other.
    """

    entry: str
    type: str
    occurred_at_us: int
    key: str
    bucket: str = ""
    tolerance_us: int = 0
    direction: str = ""
    status: str = ""
    subject: str = ""
    snippet: str = ""
    body: str = ""
    visibility: str = "full"
    conversation: str = ""
    message_ids: list[str] = field(default_factory=list)
    replies_to: list[str] = field(default_factory=list)
    by_subject: bool = False
    mailing_list: str = ""
    zone: str = ""
    seq: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    participants: list[ParticipantDraft] = field(default_factory=list)


class Drift(NamedTuple):
    """A value that did not fit: the record goes on without it, and `status` shows it."""

    field: str
    reason: str


@dataclass(slots=True)
class Mapped:
    """All that the mapping makes of one source record."""

    record: CanonicalRecord | None
    events: list[EventDraft] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
