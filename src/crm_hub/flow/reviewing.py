"""Questions that likeness leaves for people: who may be one, why, and what a person answers.

An answer is a ruling (rulings.py): it holds for ever, and the question does not come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from crm_hub.flow.hub import Hub
from crm_hub.flow.rulings import Ruled, never, same
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import public_id
from crm_hub.store import Db, Identities, Likeness, ReviewRow, Rulings


class Question(NamedTuple):
    """A pair that may be one. bits: its weight. waterfall: each comparison, as stored."""

    number: int
    ids: tuple[str, str]
    names: tuple[str, str]
    records: tuple[str, str]
    bits: float
    reason: str
    waterfall: list[dict[str, Any]]


def questions(hub: Hub, limit: int = 50) -> tuple[list[Question], int]:
    """Return open questions, the likeliest first, and how many there are in all.

    Of the pairs of records of two people, the likeliest is the question.
    """
    with hub.store.read() as db:
        rows = Likeness(db).questions()
        links = Identities(db).links_of({r for row in rows for r in (row.a_record, row.b_record)})
        best: dict[frozenset[int], ReviewRow] = {}
        for row in rows:
            pair = frozenset(links[r][0] for r in (row.a_record, row.b_record))
            best.setdefault(pair, row)
        return _shown(db, list(best.values())[:limit]), len(best)


def question(hub: Hub, number: int) -> Question:
    """Return one open question. Raises: ConfigError when there is none of that number."""
    with hub.store.read() as db:
        return _shown(db, [_row(db, number)])[0]


def answer(hub: Hub, number: int, *, one: bool, who: str = "", reason: str = "") -> Ruled:
    """Rule that the two people of a question are one, or are not."""
    asked = question(hub, number)
    rule = same if one else never
    return rule(hub, *asked.ids, who=who, reason=reason)


def _row(db: Db, number: int) -> ReviewRow:
    row = Likeness(db).question(number)
    if row is None:
        raise ConfigError(f"there is no open question {number}", remedy="See: crm-hub review list")
    return row


def _shown(db: Db, rows: Sequence[ReviewRow]) -> list[Question]:
    repo = Identities(db)
    records = {r for row in rows for r in (row.a_record, row.b_record)}
    links = repo.links_of(records)
    identities = repo.identities({number for number, _ in links.values()})
    sources = Rulings(db).names(records)
    found = []
    for row in rows:
        pair = (row.a_record, row.b_record)
        one, other = (identities[links[r][0]] for r in pair)
        found.append(
            Question(
                row.id,
                (public_id(one.entity, one.id), public_id(other.entity, other.id)),
                (one.display_name, other.display_name),
                (sources[pair[0]], sources[pair[1]]),
                row.millibits / 1000,
                row.doc["reason"],
                row.doc["waterfall"],
            )
        )
    return found
