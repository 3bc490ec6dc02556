"""What of a record can be made without the store: the pure part of steps 3 and 4.

Before: mapping. After: walk_records, which makes nodes of drafts.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    references: the records it refers to, each a Link as a plain tuple.
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
    references: Sequence[tuple[str, str, str, int | None, int | None]]


def draft_of(record: CanonicalRecord, rules: IdentityRules) -> Draft:
    """Return the draft of a canonical record."""
    return drafts_of([record], rules)[0]


def drafts_of(records: Sequence[CanonicalRecord], rules: IdentityRules) -> list[Draft]:
    """Return the drafts of canonical records; one step for all of them, then the next."""
    names = [name_of(one.entity, one.values) for one in records]
    keys = [
        keys_of(one.claims, name, one.entity, rules)
        for one, name in zip(records, names, strict=True)
    ]
    data = [orjson.dumps(one.values, option=orjson.OPT_SORT_KEYS).decode() for one in records]
    marks = [mark_of(one.entity, one.values, rules) for one in records]
    shown = [display_name(one.entity, one.values) for one in records]
    return [
        Draft(
            one.entity, one.changed_at_us, text, of_it.all, of_it.claimed, of_it.joining,
            "\n".join((*of_it.all, mark.text())), tuple(mark), name,
            tuple([(ln.relation, ln.entity, ln.key, ln.from_us, ln.to_us) for ln in one.links]),
        )
        for one, text, of_it, mark, name in zip(records, data, keys, marks, shown, strict=True)
    ]  # fmt: skip


def name_of(entity: str, values: dict[str, Any]) -> NameForm:
    """Return the name of a record as resolving compares it."""
    return person_form(values) if entity == "person" else organization_form(values)
