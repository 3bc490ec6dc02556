"""What of a record can be made without the store: the pure part of steps 3 and 4.

Before: mapping. After: walk_records, which makes nodes of drafts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from crm_hub.merge import display_name
from crm_hub.model.canonical import CanonicalRecord
from crm_hub.model.rules import IdentityRules
from crm_hub.resolve import NameForm, keys_of, organization_form, person_form
from crm_hub.resolve.marks import mark_of


class Draft(NamedTuple):
    """A mapped record as the store takes it.

    data: its values as JSON. keys: all its match keys; claimed: those without its name; joining:
    those that may join it with other records. held: all keys and the mark, a line each, as they
    are stored. mark: where and for whom, as numbers (a Mark). shown: what people call it.
    references: (relation, entity, key) of the records it refers to.
    """

    entity: str
    changed_at_us: int | None
    data: str
    keys: list[str]
    claimed: list[str]
    joining: list[str]
    held: str
    mark: tuple[int, ...]
    shown: str
    references: list[tuple[str, str, str]]


def draft_of(record: CanonicalRecord, rules: IdentityRules) -> Draft:
    """Return the draft of a canonical record."""
    entity, values = record.entity, record.values
    keys = keys_of(record.claims, name_of(entity, values), entity, rules)
    data = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
    mark = mark_of(entity, values, rules)
    references = [(link.relation, link.entity, link.key) for link in record.links]
    return Draft(
        entity, record.changed_at_us, data, keys.all, keys.claimed, keys.joining,
        "\n".join((*keys.all, mark.text())), tuple(mark), display_name(entity, values), references,
    )  # fmt: skip


def name_of(entity: str, values: dict[str, Any]) -> NameForm:
    """Return the name of a record as resolving compares it."""
    return person_form(values) if entity == "person" else organization_form(values)
