"""Timelines and conversations as people ask for them, a page at a time."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from crm_hub.flow.finding import find
from crm_hub.flow.hub import Hub
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import parse_public_id, public_id
from crm_hub.model.values import from_us
from crm_hub.store import (
    EMPTY_GOLDEN,
    Db,
    Identities,
    IdentityRow,
    Position,
    ThreadStore,
    TimelineRow,
    Timelines,
)


class Line(NamedTuple):
    """One event of a timeline. cursor: pass it as `before` to read what is older.

    conversation: the id of the conversation it belongs to; `timeline` takes it.
    """

    occurred_at: datetime
    type: str
    subject: str
    snippet: str
    participants: list[str]
    sources: list[str]
    late: bool
    cursor: str
    attributes: dict[str, Any]
    conversation: str | None = None


def timeline(
    hub: Hub, who: str, limit: int = 50, before: str | None = None
) -> tuple[IdentityRow, list[Line]]:
    """Return whose timeline it is, and its newest `limit` events older than the cursor.

    An id such as V12 asks for a conversation; its row bears the subject of its first message.
    """
    position = _position(before)
    asked = parse_public_id(who.strip())
    with hub.store.glance() as db:
        if asked is not None and asked[0] == "conversation":
            return _conversation(db, asked[1], limit, position)
        row = find(hub, db, who)
        return row, _lines(db, Timelines(db).page(row.id, limit, position))


def _conversation(
    db: Db, number: int, limit: int, before: Position | None
) -> tuple[IdentityRow, list[Line]]:
    now = ThreadStore(db).conversation(number)
    if now is None:
        raise ConfigError(
            "there is no such conversation",
            remedy="The lines of a timeline name theirs: crm-hub timeline WHO",
        )
    timelines = Timelines(db)
    first = _lines(db, timelines.first_of_conversation(now))
    subject = first[0].subject if first else ""
    row = IdentityRow(now, "conversation", subject, None, EMPTY_GOLDEN, 0)
    return row, _lines(db, timelines.conversation(now, limit, before))


def _lines(db: Db, rows: Sequence[TimelineRow]) -> list[Line]:
    told = [orjson.loads(row.people) for row in rows]
    nameless = {one[1] for found in told for one in found if type(one) is list}
    known = Identities(db).identities(nameless)
    lines = []
    for row, found in zip(rows, told, strict=True):
        kind, late, subject, snippet, attributes, sources = orjson.loads(row.shown)
        people = found
        if nameless:
            people = [one if type(one) is str else _named(one, known) for one in found]
        lines.append(
            Line(
                from_us(row.occurred_at_us), kind, subject, snippet, people, sources, late,
                cursor(row[:3]), attributes,
                None if row.conversation is None else public_id("conversation", row.conversation),
            )
        )  # fmt: skip
    return lines


def _named(one: Sequence[Any], known: dict[int, IdentityRow]) -> str:
    role, number, address = one
    name = known[number].display_name if number in known else ""
    return f"{role} {name or address}"


_URLSAFE = bytes.maketrans(b"+/", b"-_")


def cursor(position: Sequence[int]) -> str:
    """Return a page's end (occurred_at_us, seq, event) as the text that `--before` takes."""
    raw = b2a_base64(b"[%d,%d,%d]" % tuple(position), newline=False)
    return raw.rstrip(b"=").translate(_URLSAFE).decode()


def _position(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        numbers = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        at, seq, event = numbers
        if not all(isinstance(n, int) and abs(n) < 2**63 for n in numbers):
            raise ValueError
    except (ValueError, TypeError):
        raise ConfigError(
            "that is not a cursor of a timeline",
            remedy="Take the cursor printed at the end of the page before.",
        ) from None
    return Position(at, seq, event)
