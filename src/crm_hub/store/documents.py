"""The orders, invoices and payments of a customer, found through the indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from crm_hub.store.db import Db
from crm_hub.store.identities import EMPTY_GOLDEN
from crm_hub.store.match_keys import MatchKeys
from crm_hub.store.schema import identity, identity_link, record_link

RELATION = "customer"


class Documents:
    """What names an identity as its customer, by any strong id of the identity's records."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def of_customer(self, identity_id: int, entities: Sequence[str]) -> list[tuple[str, str]]:
        """Return (entity, golden record as JSON) of each, once, in the order of their ids."""
        own = identity_link.c
        records = select(own.record_id).where(
            own.identity_id == identity_id, own.state != "revoked"
        )
        keys = MatchKeys(self._db).of_records(self._db.conn.execute(records).scalars())
        strong = {key for key, _ in keys if key[:2] == "s:"}
        rows = self._db.rows_in(documents_of(entities), record_link.c.key, strong)
        found = {row[0]: (row[1], row[2]) for row in rows}
        return [found[number] for number in sorted(found)]


def documents_of(entities: Sequence[str]) -> Select[Any]:
    """Return the query: who refers to a key of the customer → its identity.

    Two records of one order, in two systems, are one identity and count once.
    """
    its = identity_link.c
    return (
        select(identity.c.id, identity.c.entity, identity.c.golden)
        .select_from(record_link)
        .join(identity_link, its.record_id == record_link.c.record_id)
        .join(identity, identity.c.id == its.identity_id)
        .where(
            record_link.c.relation == RELATION,
            identity.c.entity.in_(list(entities)),
            identity.c.redirect_to.is_(None),
            identity.c.golden != EMPTY_GOLDEN,
        )
    )
