"""Whom a person means: the records that an id, a source key, an address or a name stands for.

Before: a command. After: rulings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crm_hub.flow.hub import Hub
from crm_hub.flow.reading import find
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import public_id
from crm_hub.store import Db, Held, Identities, Rulings


class Side(NamedTuple):
    """What a person named: an identity with all its records, or one of them (named)."""

    identity_id: int
    entity: str
    records: tuple[int, ...]
    anchor: int
    named: bool
    shown: str

    @property
    def meant(self) -> tuple[int, ...]:
        """The records that a ruling is about."""
        return (self.anchor,) if self.named else self.records


def side_of(hub: Hub, db: Db, text: str) -> Side:
    """Return whom a text names. Raises: ConfigError when it names nobody, or more than one."""
    identities = Identities(db)
    record = _record(db, text)
    if record is not None:
        number = identities.links_of([record])[record][0]
    else:
        number = find(hub, db, text).id
    held = sorted(identities.held_by_identity([number]), key=key_of)
    held = [one for one in held if one.record_id in dict(identities.records_of([number]))]
    if not held:
        raise ConfigError(
            f"{text} has no records any more", remedy="List who is there: crm-hub people [QUERY]"
        )
    anchor = held[0].record_id if record is None else record
    shown = text.strip() if record is not None else public_id(held[0].entity, number)
    records = tuple(one.record_id for one in held)
    return Side(number, held[0].entity, records, anchor, record is not None, shown)


def _record(db: Db, text: str) -> int | None:
    """Return the record that a source key names; None when the text is none."""
    place, mark, key = text.strip().partition("#")
    connection, slash, stream = place.partition("/")
    if not mark or not slash:
        return None
    record = Rulings(db).record(connection, stream, key)
    if record is None or not Identities(db).held([record]):
        raise ConfigError(
            f"there is no source record {text.strip()}",
            remedy="crm-hub explain WHO lists the source records of somebody.",
        )
    return record


def parts_of(db: Db, side: Side, parts: Sequence[str]) -> tuple[int, ...]:
    """Return the records of `side` that parts name. Raises: ConfigError for one that names none."""
    identities = Identities(db)
    homes = {row[0]: row[2] for row in identities.link_rows(side.records)}
    found: set[int] = set()
    for text in parts:
        record = _record(db, text)
        if record is not None:
            leaving = {record} & set(side.records)
        else:
            leaving = {r for r, home in homes.items() if _leads(identities, home, text, side)}
        if not leaving:
            raise ConfigError(
                f"{text} is no part of {side.shown}", remedy=f"Name one of: {listed(db, side)}"
            )
        found |= leaving
    return tuple(r for r in side.records if r in found)


def _leads(identities: Identities, home: int, text: str, side: Side) -> bool:
    """Whether an old id leads through the one that `text` names."""
    seen: set[int] = set()
    while home not in seen and home != side.identity_id:
        seen.add(home)
        row = identities.identities([home]).get(home)
        if row is None:
            return False
        if public_id(row.entity, home) == text.strip().upper():
            return True
        if row.redirect_to is None:
            return False
        home = row.redirect_to
    return False


def listed(db: Db, side: Side) -> str:
    """Return the source keys of a side's records, for a person to choose from."""
    return ", ".join(sorted(Rulings(db).names(side.records).values()))


def key_of(one: Held) -> str:
    """Return the source key of a record as people write it."""
    return f"{one.connection}/{one.stream}#{one.key}"
