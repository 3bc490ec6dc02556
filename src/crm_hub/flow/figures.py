"""A customer's business figures: what was bought, what is still to be paid, what is late."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from crm_hub.flow.hub import Hub
from crm_hub.flow.reading import find
from crm_hub.merge.figures import Document, Figures, figures
from crm_hub.merge.golden import load
from crm_hub.store import IdentityRow
from crm_hub.store.documents import Documents

DOCUMENTS = ("order", "invoice", "payment")


def figures_of(hub: Hub, who: str) -> tuple[IdentityRow, date, Figures]:
    """Return whose figures they are, today in the company's zone, and the figures of that day.

    Raises: ConfigError when nobody answers to `who`, Ambiguous when several do.
    """
    zone = hub.config.company.zone
    with hub.store.read() as db:
        row = find(hub, db, who)
        found = Documents(db).of_customer(row.id, DOCUMENTS)
    documents = [Document(entity, load(golden).values) for entity, golden in found]
    today = hub.now().astimezone(ZoneInfo(zone)).date()
    return row, today, figures(documents, today, zone)
