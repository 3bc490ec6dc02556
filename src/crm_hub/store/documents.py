"""The orders, invoices and payments of a customer, found through the indexes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from crm_hub.store.db import Db
from crm_hub.store.identities import EMPTY_GOLDEN
from crm_hub.store.schema import identity, identity_link, match_key, record_link

RELATION = "customer"


class Documents:
    """What names an identity as its customer, by any strong id of the identity's records."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def of_customer(self, identity_id: int, entities: Sequence[str]) -> list[tuple[str, str]]:
        """Return (entity, golden record as JSON) of each, once, in the order of their ids."""
        rows = self._db.conn.execute(documents_of(identity_id, entities))
        return [(row[1], row[2]) for row in rows]


def documents_of(identity_id: int, entities: Sequence[str]) -> Select[Any]:
    """Return the query: the customer's records → their keys → who refers to one → its identity.

    Two records of one order, in two systems, are one identity and count once.
    """
    own, its = identity_link.alias("own"), identity_link.alias("its")
    return (
        select(identity.c.id, identity.c.entity, identity.c.golden)
        .select_from(own)
        .join(match_key, match_key.c.record_id == own.c.record_id)
        .join(record_link, record_link.c.key == match_key.c.key)
        .join(its, its.c.record_id == record_link.c.record_id)
        .join(identity, identity.c.id == its.c.identity_id)
        .where(
            own.c.identity_id == identity_id,
            own.c.state != "revoked",
            record_link.c.relation == RELATION,
            identity.c.entity.in_(list(entities)),
            identity.c.redirect_to.is_(None),
            identity.c.golden != EMPTY_GOLDEN,
        )
        .distinct()
        .order_by(identity.c.id)
    )
