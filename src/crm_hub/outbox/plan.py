"""Which writes make the far sides hold what the golden record says. Pure.

Before it: merge, which decided each field. After it: the store keeps the drafts as writes due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from crm_hub.model.routes import OutField, Route, Unfit
from crm_hub.model.states import ABSENT, FieldStates, mark, same

Kind = Literal["create", "update", "delete", "restore"]
MOST_BOUNCES = 3
"""How often a far side may put the same value back in place of ours before the hub stops."""


class Wanted(NamedTuple):
    """The golden value of a field. is_open: nobody knows which value is right."""

    value: Any
    stamp: int | None
    items: Mapping[str, int | None]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Target:
    """A record at a far side. payload: as last read, or as believed since our last write."""

    record_id: int
    route: Route
    values: Mapping[str, Any]
    states: FieldStates
    changed_at_us: int | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A write that is wanted.

    fields: by canonical field {to, was, stamp, was_stamp, items, raw, base}; raw and base by path.
    constants, anchor: of a record to be created, what makes it one of its kind, and the record
    that it is held together with.
    """

    route: Route
    lane: str
    identity_id: int
    record_id: int | None
    kind: Kind
    name: str
    fields: dict[str, dict[str, Any]]
    constants: dict[str, Any] = field(default_factory=dict)
    anchor: int | None = None

    def doc(self) -> dict[str, Any]:
        """Return what is stored of it."""
        doc: dict[str, Any] = {"fields": self.fields, "name": self.name}
        if self.kind == "create":
            doc |= {"constants": self.constants, "anchor": self.anchor}
        return doc


class Problem(NamedTuple):
    """A field that cannot be written: to which record (None: one to be created), and why."""

    route: Route
    record_id: int | None
    field: str
    reason: str


@dataclass(slots=True)
class Drafts:
    """What an identity needs at all far sides. loops: what a far side keeps putting back."""

    writes: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    loops: list[tuple[int, str]] = field(default_factory=list)


def record_lane(record_id: int) -> str:
    """Return the lane of a record's writes."""
    return f"r:{record_id}"


def create_lane(identity_id: int, route: Route) -> str:
    """Return the lane in which an identity's record is created in a stream."""
    return f"i:{identity_id}:{route.connection}/{route.stream}"


def update(
    identity_id: int, name: str, wanted: Mapping[str, Wanted], target: Target, drafts: Drafts
) -> None:
    """Add what a record needs in order to hold the golden values."""
    if "upsert" not in target.route.ability.write:
        return
    fields = {}
    for out in target.route.section.fields.values():
        want = wanted.get(out.name)
        if want is None or want.is_open:
            continue
        change = _change(out, want, target, drafts)
        if change is not None:
            fields[out.name] = change
    if fields:
        lane = record_lane(target.record_id)
        drafts.writes.append(
            Draft(target.route, lane, identity_id, target.record_id, "update", name, fields)
        )


def needs_payload(route: Route, values: Mapping[str, Any], wanted: Mapping[str, Wanted]) -> bool:
    """Whether any field of a record differs from the golden one, so that its payload is needed."""
    return any(
        out.pushed_only or not same(values.get(out.name), want.value)
        for out in route.section.fields.values()
        if (want := wanted.get(out.name)) is not None
    )


def _change(out: OutField, want: Wanted, target: Target, drafts: Drafts) -> dict[str, Any] | None:
    if want.value is None and not out.clears:
        return None
    base = out.found(target.payload)
    state = target.states.get(out.name)
    had = target.values.get(out.name)
    if out.pushed_only:
        return _pushed(out, want, target, base, drafts)
    single = _is_single(out, target.route, base)
    value = _fitting(want.value, had, single)
    if same(value, had) or (state is not None and same(value, state.undone)):
        return None
    if state is not None and state.bounces >= MOST_BOUNCES:
        drafts.loops.append((target.record_id, out.name))
        return None
    raw = _rendered(out, value, target.route, target.record_id, single, drafts)
    if raw is None:
        return None
    was_stamp = target.changed_at_us if state is None else state.stamp
    return {
        "to": value, "was": had, "stamp": want.stamp, "was_stamp": was_stamp,
        "items": _items(value, want), "raw": raw, "base": base,
    }  # fmt: skip


def _pushed(
    out: OutField, want: Wanted, target: Target, base: dict[str, Any], drafts: Drafts
) -> dict[str, Any] | None:
    """A field that is only written is held against the payload itself."""
    single = _is_single(out, target.route, base)
    value = _fitting(want.value, None, single)
    raw = _rendered(out, value, target.route, target.record_id, single, drafts)
    state = target.states.get(out.name)
    known = base if state is None or state.rendering is ABSENT else state.rendering
    if raw is None or raw == base or (known == raw):
        return None
    return {
        "to": value, "was": None, "stamp": want.stamp, "was_stamp": None, "items": {},
        "raw": raw, "base": base, "pushed": True,
    }  # fmt: skip


def _items(value: Any, want: Wanted) -> dict[str, int | None]:
    if not isinstance(value, list):
        return {}
    return {m: want.items[m] for m in map(mark, value) if m in want.items}


def _is_single(out: OutField, route: Route, base: Mapping[str, Any]) -> bool:
    """Whether a list has to go where the target holds one value."""
    if not out.many or out.whole or any(isinstance(raw, list) for raw in base.values()):
        return False
    filled = any(raw is not None for raw in base.values())
    return filled or all(route.ability.types.get(path) != "array" for path in out.paths)


def _fitting(value: Any, had: Any, single: bool) -> Any:
    """Return as much of a list as the target holds: all, or one where it holds a single value.

    A single value that is in the list stays, so that two systems with one place each are at rest.
    """
    if not single or not value:
        return value
    if isinstance(had, list) and had and any(mark(had[0]) == mark(item) for item in value):
        return had[:1]
    return value[:1]


def _rendered(
    out: OutField, value: Any, route: Route, record_id: int | None, single: bool, drafts: Drafts
) -> dict[str, Any] | None:
    """Return path → value as the target writes it; None, and a problem, where it cannot take it."""
    try:
        raw = out.render(value)
        if single:
            raw = {p: r[0] if isinstance(r, list) and r else r or None for p, r in raw.items()}
        for path, one in raw.items():
            _check_type(one, route.ability.types.get(path))
    except Unfit as error:
        drafts.problems.append(Problem(route, record_id, out.name, str(error)))
        return None
    return raw


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict,
}  # fmt: skip


def _check_type(raw: Any, declared: str | None) -> None:
    wanted = _TYPES.get(declared or "")
    if raw is None or wanted is None:
        return
    for one in raw if isinstance(raw, list) else [raw]:
        if not isinstance(one, wanted) or (isinstance(one, bool) and declared != "boolean"):
            raise Unfit(f"the target takes a {declared} here")


def create(
    identity_id: int,
    name: str,
    entity: str,
    wanted: Mapping[str, Wanted],
    route: Route,
    anchor: int,
    drafts: Drafts,
) -> None:
    """Add the record of an identity that a stream shall have and has not, if its rules allow it."""
    section = route.section
    if section.create_when is None or "upsert" not in route.ability.write:
        return
    if entity not in section.entities or not _may_create(route, wanted):
        return
    fields = {}
    for out in section.fields.values():
        want = wanted.get(out.name)
        if want is None or want.is_open or want.value is None:
            continue
        single = _is_single(out, route, {})
        value = _fitting(want.value, None, single)
        raw = _rendered(out, value, route, None, single, drafts)
        if raw is not None:
            fields[out.name] = {
                "to": value, "was": None, "stamp": want.stamp, "was_stamp": None,
                "items": _items(value, want), "raw": raw, "base": {}, "pushed": out.pushed_only,
            }  # fmt: skip
    if fields:
        constants = dict(section.constants.get(entity, {}))
        lane = create_lane(identity_id, route)
        drafts.writes.append(
            Draft(route, lane, identity_id, None, "create", name, fields, constants, anchor)
        )


def _may_create(route: Route, wanted: Mapping[str, Wanted]) -> bool:
    section = route.section
    for name in section.create_when or ():
        want = wanted.get(name)
        if want is None or want.value is None or want.is_open:
            return False
    for name, barred in section.never_when.items():
        want = wanted.get(name)
        held = [] if want is None else want.value if isinstance(want.value, list) else [want.value]
        if any(str(one).strip().casefold() == barred.strip().casefold() for one in held):
            return False
    return True


def delete(identity_id: int, name: str, cause: str, target: Target, drafts: Drafts) -> None:
    """Add the deletion of a record. cause: the record that was deleted first, for a person."""
    if "delete" in target.route.ability.write:
        lane = record_lane(target.record_id)
        values = {"values": {"was": dict(target.values), "cause": cause}}
        drafts.writes.append(
            Draft(target.route, lane, identity_id, target.record_id, "delete", name, values)
        )


def is_news(
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    fields: Sequence[str],
    there: Route | None,
) -> list[str]:
    """Return the fields in which a record says something that a deleted one did not.

    there: the route to the deleted one, where the hub wrote it: of a list it may hold one item.
    """
    found = []
    for name in fields:
        out = None if there is None else there.section.fields.get(name)
        single = there is not None and out is not None and _is_single(out, there, {})
        if mine.get(name) is not None and not _covered(mine[name], theirs.get(name), single):
            found.append(name)
    return found


def _covered(mine: Any, theirs: Any, single: bool) -> bool:
    if isinstance(mine, list) and isinstance(theirs, list):
        ours, known = {mark(i) for i in mine}, {mark(i) for i in theirs}
        return bool(ours & known) if single else ours <= known
    return same(mine, theirs)
