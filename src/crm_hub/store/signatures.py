"""What the signatures of mails tell of their senders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select

from crm_hub.store.db import Db, Row
from crm_hub.store.schema import event, participant, signature


class SignedRow(NamedTuple):
    """One signature of one person, from one mailbox, as often as it came.

    key: the mailbox. name: the sender's, as the mail gives it. told: as JSON. first_us, last_us:
    when the first and the last mail with it was sent.
    """

    person_id: int
    key: str
    name: str
    told: str
    first_us: int
    last_us: int


class Signatures:
    """What the signatures of mails tell; of mails all of which may be shown, alone."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def any(self) -> bool:
        """Whether any mail has a signature; a hub without asks nothing further."""
        return self._db.holds_any(signature)

    def stored(self, event_ids: Iterable[int]) -> dict[int, Row]:
        """Return the rows of these events: event, key, told."""
        rows = self._db.rows_in(select(signature), signature.c.event_id, event_ids)
        return {row[0]: tuple(row) for row in rows}

    def save(self, replaced: Iterable[int], rows: Sequence[Row]) -> None:
        """Replace what the signatures of the events `replaced` tell; rows: event, key, told."""
        if self.any():
            self._db.delete_in(signature, signature.c.event_id, replaced)
        self._db.insert(signature, rows)

    def of_mailboxes(self, keys: Iterable[str]) -> list[SignedRow]:
        """Return what was signed from these mailboxes, by whom each mail is known to be."""
        at_us = event.c.occurred_at_us
        what = (participant.c.identity_id, signature.c.key, participant.c.name, signature.c.told)
        stmt = _senders(select(*what, func.min(at_us), func.max(at_us)))
        stmt = stmt.join(event, event.c.id == signature.c.event_id).group_by(*what)
        rows = self._db.rows_in(stmt, signature.c.key, keys)
        return sorted(SignedRow(*row) for row in rows)

    def senders_naming(self, words: Iterable[str], limit: int) -> list[int]:
        """Return people a signature of whom holds one of these names or domains, by number.

        No index leads from a name to the signatures: this reads all of them once.
        """
        texts = [signature.c.told.contains(f'"{word}"', autoescape=True) for word in words]
        if not texts:
            return []
        stmt = _senders(select(participant.c.identity_id).distinct()).where(or_(*texts))
        stmt = stmt.order_by(participant.c.identity_id).limit(limit)
        return [row[0] for row in self._db.conn.execute(stmt)]


def _senders(stmt: Select[Any]) -> Select[Any]:
    """Join the people who are known to have sent the mails of signatures."""
    is_sender = (
        (participant.c.event_id == signature.c.event_id)
        & (participant.c.key == signature.c.key)
        & (participant.c.role == "from")
        & (participant.c.state == "resolved")
    )
    return stmt.select_from(signature).join(participant, is_sender)
