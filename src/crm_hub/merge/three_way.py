"""Merging records that the hub also writes to: each field by its own stamp, edits against a base.

Pure. `edited` turns edits into values and stamps; `decide` chooses each golden value by its rule,
or says that nobody can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crm_hub.merge.golden import FieldRules, Golden, MergeMember
from crm_hub.model.rules import LATEST, UNION, Win
from crm_hub.model.states import ABSENT, FieldState, RecordState, mark, same


class Edit(NamedTuple):
    """Somebody changed a field of a record; None stands for no value.

    kept: false where the record's mapping says that a blank says nothing.
    """

    record_id: int
    field: str
    before: Any
    after: Any
    kept: bool = True


class Fields(NamedTuple):
    """What a section says of its fields: those that hold lists, those that a blank clears."""

    many: frozenset[str]
    clears: frozenset[str]


def tick(previous: int | None, changed_at_us: int | None) -> int:
    """Return the stamp of an edit made on top of a value of stamp `previous`."""
    least = 1 if previous is None else previous + 1
    return least if changed_at_us is None else max(least, changed_at_us)


def edited(
    record_id: int,
    state: RecordState,
    values: dict[str, Any],
    edits: Mapping[str, Any],
    changed_at_us: int | None,
    fields: Fields,
) -> list[Edit]:
    """Apply edits to a record's values and state, both changed in place; return them in full."""
    found = []
    for name, after in edits.items():
        before = values.get(name)
        entry = state.entry(name)
        if after is None and name not in fields.clears:
            found.append(Edit(record_id, name, before, None, kept=False))
            values.pop(name, None)
            state.fields.pop(name, None)
            continue
        found.append(Edit(record_id, name, before, after))
        if name in fields.many:
            after = _items(entry, before or [], after or [], changed_at_us)
        _stamp(entry, after, changed_at_us)
        if after in (None, []):
            values.pop(name, None)
        else:
            values[name] = after
    return found


def _stamp(entry: FieldState, after: Any, changed_at_us: int | None) -> None:
    entry.stamp = tick(entry.stamp, changed_at_us)
    entry.rendering = entry.undone = ABSENT
    entry.copied = entry.person = False
    entry.cleared = after is None or after == []


def _items(
    entry: FieldState, had: list[Any], found: list[Any], changed_at_us: int | None
) -> list[Any]:
    """Stamp the items of a list that came and went; return the list in the hub's words."""
    shown = had if entry.rendering is ABSENT else entry.rendering
    ours = {mark(theirs): item for theirs, item in zip(shown, had, strict=False)}
    ours |= {mark(item): item for item in had}
    result = [ours.get(mark(item), item) for item in found]
    before, after = {mark(i) for i in had}, {mark(i) for i in result}
    for gone in before - after:
        entry.removed[gone] = tick(entry.item_stamp(gone), changed_at_us)
        entry.added.pop(gone, None)
    stays = {m: entry.item_stamp(m) for m in before & after}
    for new in after - before:
        entry.added[new] = tick(entry.removed.pop(new, None), changed_at_us)
    # The field's own stamp is about to move; what stays keeps the stamp that it had.
    entry.added |= stays
    return result


class Decision(NamedTuple):
    """The golden value of a field, None when it was cleared.

    stamp: that of the value. items: stamps of the items of a list. origin: the record it is from.
    open: other members hold other values, and the rule cannot tell which is right.
    """

    value: Any
    stamp: int | None
    items: dict[str, int | None]
    origin: int
    open: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """All fields of one identity."""

    fields: dict[str, Decision] = field(default_factory=dict)

    def golden(self) -> Golden:
        """Return the golden record; its origins as one record where they all are the same."""
        kept = {n: d for n, d in self.fields.items() if d.value is not None}
        origin = {name: one.origin for name, one in kept.items()}
        return Golden({name: one.value for name, one in kept.items()}, origin)


def decide(members: Sequence[MergeMember], rules: FieldRules, many: frozenset[str]) -> Decided:
    """Return the golden value of every field of `members`, with what decided it."""
    out = {}
    for name in sorted({f for m in members for f in _names(m)}):
        holders = [m for m in members if name in m.values or _cleared(m, name)]
        if not holders:
            continue
        rule = UNION if name in many else rules.get(name, LATEST)
        order = sorted(holders, key=lambda m: _key(name, m, rule))
        out[name] = _union(name, order) if name in many else _single(name, order, rule)
    return Decided(out)


def ranked(name: str, members: Sequence[MergeMember], rule: Win) -> list[MergeMember]:
    """Return the members that have a value for the field, the winner first."""
    holders = [m for m in members if name in m.values]
    return sorted(holders, key=lambda m: _key(name, m, rule))


def _names(member: MergeMember) -> Iterable[str]:
    yield from member.values
    yield from (name for name, one in member.states.items() if one.cleared or one.removed)


def _cleared(member: MergeMember, name: str) -> bool:
    state = member.states.get(name)
    return state is not None and (state.cleared or bool(state.removed))


def stamp_of(member: MergeMember, name: str) -> int | None:
    """Return the stamp of a member's value: the record's time where there is no other."""
    state = member.states.get(name)
    return member.changed_at_us if state is None else state.stamp


_Rank = tuple[tuple[int, int], tuple[int, int]]


def _key(name: str, member: MergeMember, rule: Win) -> tuple[_Rank, bool, str]:
    return _rank(name, member, rule), is_copied(name, member), member.order


def _rank(name: str, member: MergeMember, rule: Win) -> _Rank:
    """Return what the rule and the stamps say of a member's value; less is better."""
    stamp = stamp_of(member, name)
    age = (1, 0) if stamp is None else (0, -stamp)
    state = member.states.get(name)
    chosen = 0 if state is not None and state.person else 1
    return (chosen if rule.strategy in ("human", "manual") else 0, _place(name, member, rule)), age


def is_copied(name: str, member: MergeMember) -> bool:
    """Whether the hub wrote a member's value, and nobody has changed it since."""
    state = member.states.get(name)
    return state is not None and state.copied


def _place(name: str, member: MergeMember, rule: Win) -> int:
    order = {word: place for place, word in enumerate(rule.order)}
    value = str(member.values.get(name))
    if rule.strategy == "ordered":
        return min(order.get(system, len(order)) for system in member.systems)
    if rule.strategy == "ladder":
        return -order.get(value, -1)
    return order.get(value, len(order)) if rule.strategy == "strictest" else 0


def _single(name: str, order: Sequence[MergeMember], rule: Win) -> Decision:
    top = order[0]
    value = top.values.get(name)
    others = [m for m in order[1:] if not same(m.values.get(name), value)]
    best = _rank(name, top, rule)
    # A copy that reads differently by now (another mapping) disputes nothing.
    is_open = any(_rank(name, m, rule) == best for m in others if not is_copied(name, m))
    if rule.strategy == "manual" and others:
        is_open = best[0][0] != 0
    return Decision(value, stamp_of(top, name), {}, top.record_id, is_open)


def _union(name: str, order: Sequence[MergeMember]) -> Decision:
    """Return the items that some member holds and nobody has removed since."""
    items: dict[str, Any] = {}
    stamps: dict[str, int | None] = {}
    removed: dict[str, int] = {}
    for member in order:
        state = member.states.get(name)
        for one, gone_at in (state.removed if state is not None else {}).items():
            removed[one] = max(gone_at, removed.get(one, gone_at))
        for item in member.values.get(name, ()):
            held = mark(item)
            own: int | None = member.changed_at_us if state is None else state.item_stamp(held)
            items.setdefault(held, item)
            stamps[held] = _later(stamps.get(held), own)
    kept = {m: item for m, item in items.items() if not _is_gone(stamps[m], removed.get(m))}
    origin = next((m for m in order if name in m.values), order[0]).record_id
    stamp = max((stamp_of(m, name) or 0 for m in order), default=0) or None
    return Decision(list(kept.values()) or None, stamp, {m: stamps[m] for m in kept}, origin)


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _is_gone(held: int | None, removed: int | None) -> bool:
    return removed is not None and (held is None or removed > held)
