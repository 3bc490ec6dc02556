"""Who works where, and who was seen at which firm's mailboxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import func, or_, select

from crm_hub.store.db import Db, Row
from crm_hub.store.match_keys import split
from crm_hub.store.schema import (
    canonical_record,
    event,
    identity,
    identity_link,
    membership,
    participant,
)

_TOLD = select(membership)
_KEYS = (
    select(identity_link.c.identity_id, canonical_record.c.match_keys)
    .join(canonical_record, canonical_record.c.record_id == identity_link.c.record_id)
    .where(identity_link.c.state != "revoked")
)
Span = tuple[int, int]


class Told(NamedTuple):
    """A membership as records say it. from_us, to_us: its time, None where nobody says."""

    person_id: int
    organization_id: int
    title: str
    from_us: int | None
    to_us: int | None


class Memberships:
    """What records say of who works where, and what mails show of it."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def of_people(self, person_ids: Iterable[int]) -> list[Told]:
        """Return the memberships of these people, as records say."""
        rows = self._db.ask_in(_TOLD, membership.c.person_id, person_ids)
        return [Told(*row) for row in rows]

    def of_firms(self, organization_ids: Iterable[int]) -> list[Told]:
        """Return the memberships in these firms, as records say."""
        rows = self._db.ask_in(_TOLD, membership.c.organization_id, organization_ids)
        return [Told(*row) for row in rows]

    def save(self, person_ids: Sequence[int], rows: Sequence[Row]) -> None:
        """Replace the memberships of these people."""
        self._db.delete_in(membership, membership.c.person_id, person_ids)
        self._db.insert(membership, rows)

    def boxes(self, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], set[str]]:
        """Return the firm's domains at which a person has a mailbox, by (person, firm)."""
        listed = list(pairs)
        if not listed:
            return {}
        rows = self._db.rows_in(_KEYS, identity_link.c.identity_id, set(chain(*listed)))
        at: dict[int, set[str]] = defaultdict(set)
        for number, keys in rows:
            held = split(keys)
            at[number] |= {key.rpartition("@")[2] for key in held if key[:2] == "e:"}
            at[number] |= {key for key in held if key[:2] == "d:"}
        firm = {f: {key[2:] for key in at[f] if key[:2] == "d:"} for _, f in listed}
        return {(p, f): found for p, f in listed if (found := at[p] & firm[f])}

    def seen(self, keys: Iterable[str]) -> dict[str, Span]:
        """Return when each of these mailboxes first and last took part in an event, in UTC us."""
        at_us = event.c.occurred_at_us
        stmt = (
            select(participant.c.key, func.min(at_us), func.max(at_us))
            .join(event, event.c.id == participant.c.event_id)
            .group_by(participant.c.key)
        )
        rows = self._db.rows_in(stmt, participant.c.key, keys)
        return {row[0]: (row[1], row[2]) for row in rows}

    def seen_at(self, domains: Iterable[str]) -> dict[int, Span]:
        """Return who took part in events from a mailbox at one of these domains, and when.

        domains: match keys (`d:firm.example`).
        """
        at_us = event.c.occurred_at_us
        stmt = (
            select(participant.c.identity_id, func.min(at_us), func.max(at_us))
            .join(event, event.c.id == participant.c.event_id)
            .where(participant.c.state == "resolved")
            .group_by(participant.c.identity_id)
        )
        rows = self._db.rows_in(stmt, participant.c.fallback, domains)
        return {row[0]: (row[1], row[2]) for row in rows}

    def with_mailbox_at(self, domains: Iterable[str], limit: int) -> list[int]:
        """Return people whose golden values hold a mailbox at one of these domains, by number.

        No index leads from a domain to its mailboxes: this reads all identities once.
        """
        texts = [identity.c.golden.contains(f'@{domain}"', autoescape=True) for domain in domains]
        if not texts:
            return []
        stmt = select(identity.c.id).where(
            identity.c.entity == "person", identity.c.redirect_to.is_(None), or_(*texts)
        )
        return list(self._db.conn.execute(stmt.order_by(identity.c.id).limit(limit)).scalars())
