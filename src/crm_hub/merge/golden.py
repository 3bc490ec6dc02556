"""Survivorship: which member's value stands in the golden record, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from crm_hub.model.rules import LATEST, Win
from crm_hub.model.states import FieldStates

Values = dict[str, Any]
FieldRules = Mapping[str, Win]


@dataclass(frozen=True, slots=True)
class MergeMember:
    """One source record as merging sees it.

    order: its source key, the last tie-break. systems: the names a rule may rank it by, its
    connection and its connector kind. changed_at_us: None when the source does not say.
    states: what two-way sync knows of single fields (three_way.py merges members that have any).
    """

    record_id: int
    order: str
    systems: tuple[str, ...]
    changed_at_us: int | None
    values: Values
    states: FieldStates = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Golden:
    """The merged record. `origin` is the record all values come from, or field → record."""

    values: Values
    origin: int | dict[str, int]

    def dump(self) -> str:
        """Return the stored form, the same text for the same record: {"p": origin, "v": values}."""
        doc = {"p": self.origin, "v": self.values}
        return orjson.dumps(doc, option=orjson.OPT_SORT_KEYS).decode()


def dump_single(values_json: str, record_id: int) -> str:
    """Return the stored form of a one-member record whose values are already sorted JSON."""
    return f'{{"p":{record_id},"v":{values_json}}}'


def load(text: str) -> Golden:
    """Return a golden record from its stored form."""
    doc = orjson.loads(text)
    return Golden(doc["v"], doc["p"])


def golden(members: Sequence[MergeMember], rules: FieldRules, many: frozenset[str]) -> Golden:
    """Return the golden record of `members`, of whom there is at least one.

    many: the fields that hold lists; they are united, the winner's entries first.
    """
    if len(members) == 1:
        return Golden(members[0].values, members[0].record_id)
    values: Values = {}
    origin: dict[str, int] = {}
    for name in sorted({f for m in members for f in m.values}):
        ranked = rank(name, members, rules.get(name, LATEST))
        if name in many:
            values[name] = _united(name, ranked)
        else:
            values[name] = ranked[0].values[name]
        origin[name] = ranked[0].record_id
    return Golden(values, origin)


def rank(name: str, members: Sequence[MergeMember], rule: Win) -> list[MergeMember]:
    """Return the members that have a value for the field, the winner first.

    Certain times beat missing ones, later beats earlier; what is left falls by source key.
    """
    holders = sorted((m for m in members if name in m.values), key=_by_time)
    order = {word: place for place, word in enumerate(rule.order)}
    if rule.strategy == "ordered":
        return sorted(holders, key=lambda m: _place(m, order))
    if rule.strategy == "ladder":
        return sorted(holders, key=lambda m: -order.get(str(m.values[name]), -1))
    if rule.strategy == "strictest":
        return sorted(holders, key=lambda m: order.get(str(m.values[name]), len(order)))
    return holders


def _by_time(member: MergeMember) -> tuple[int, int, str]:
    at = member.changed_at_us
    return (1, 0, member.order) if at is None else (0, -at, member.order)


def _place(member: MergeMember, order: Mapping[str, int]) -> int:
    return min(order.get(system, len(order)) for system in member.systems)


def _united(name: str, ranked: Sequence[MergeMember]) -> list[Any]:
    seen: dict[Any, Any] = {}
    for member in ranked:
        for item in member.values[name]:
            mark = (
                item.lower()
                if isinstance(item, str)
                else orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
            )
            seen.setdefault(mark, item)
    return list(seen.values())


def display_name(entity: str, values: Values) -> str:
    """Return what people call the record: its name, else its first e-mail or phone."""
    name = values.get("display_name")
    if not name and entity == "person":
        name = " ".join(filter(None, (values.get("given_name"), values.get("family_name"))))
    if name:
        return str(name)
    for reached_by in ("email", "phone", "domain"):
        if values.get(reached_by):
            return str(values[reached_by][0])
    return "(no name)"
