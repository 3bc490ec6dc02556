"""Which writes make the far sides hold what the golden record says. Pure.

Before it: merge, which decided each field. After it: the store keeps the drafts as writes due.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_hub.model.entities import MADE
from crm_hub.model.routes import OutField, Route
from crm_hub.model.states import ABSENT, same
from crm_hub.outbox.drafts import Draft, Drafts, Target, Wanted, create_lane, record_lane
from crm_hub.outbox.fitting import fitting, is_single, items, rendered

_NOTHING = Wanted(None, None, {}, False)
MOST_BOUNCES = 3
"""How often a far side may put the same value back in place of ours before the hub stops."""


def update(
    identity_id: int, name: str, wanted: Mapping[str, Wanted], target: Target, drafts: Drafts
) -> None:
    """Add what a record needs in order to hold the golden values."""
    if "upsert" not in target.route.ability.write:
        return
    fields = {}
    theirs = is_for(target.route, wanted)
    for out in target.route.section.fields.values():
        want = wanted.get(out.name) if theirs or out.name not in MADE else _NOTHING
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
    single = is_single(out, target.route, base)
    value = fitting(want.value, had, single)
    if same(value, had) or (state is not None and same(value, state.undone)):
        return None
    if state is not None and state.bounces >= MOST_BOUNCES:
        drafts.loops.append((target.record_id, out.name))
        return None
    raw = rendered(out, value, target.route, target.record_id, single, drafts)
    if raw is None:
        return None
    was_stamp = target.changed_at_us if state is None else state.stamp
    return {
        "to": value, "was": had, "stamp": want.stamp, "was_stamp": was_stamp,
        "items": items(value, want), "raw": raw, "base": base, "from": want.origin,
    }  # fmt: skip


def _pushed(
    out: OutField, want: Wanted, target: Target, base: dict[str, Any], drafts: Drafts
) -> dict[str, Any] | None:
    """A field that is only written is held against the payload itself."""
    single = is_single(out, target.route, base)
    value = fitting(want.value, None, single)
    raw = rendered(out, value, target.route, target.record_id, single, drafts)
    state = target.states.get(out.name)
    known = base if state is None or state.rendering is ABSENT else state.rendering
    if raw is None or raw == base or (known == raw):
        return None
    return {
        "to": value, "was": None, "stamp": want.stamp, "was_stamp": None, "items": {},
        "raw": raw, "base": base, "pushed": True,
    }  # fmt: skip


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
        single = is_single(out, route, {})
        value = fitting(want.value, None, single)
        raw = rendered(out, value, route, None, single, drafts)
        if raw is not None:
            fields[out.name] = {
                "to": value, "was": None, "stamp": want.stamp, "was_stamp": None,
                "items": items(value, want), "raw": raw, "base": {}, "pushed": out.pushed_only,
            }  # fmt: skip
    if fields:
        constants = dict(section.constants.get(entity, {}))
        lane = create_lane(identity_id, route)
        drafts.writes.append(
            Draft(route, lane, identity_id, None, "create", name, fields, constants, anchor)
        )


def _may_create(route: Route, wanted: Mapping[str, Wanted]) -> bool:
    section = route.section
    if not is_for(route, wanted):
        return False
    for name in section.create_when or ():
        want = wanted.get(name)
        if want is None or want.value is None or want.is_open:
            return False
    for name, barred in section.never_when.items():
        if barred.strip().casefold() in _held(wanted.get(name)):
            return False
    return True


def is_for(route: Route, wanted: Mapping[str, Wanted]) -> bool:
    """Whether a stream is for those who have these values (`only` of its connection)."""
    return all(
        not _held(wanted.get(name)).isdisjoint(one.strip().casefold() for one in allowed)
        for name, allowed in route.only.items()
    )


def _held(want: Wanted | None) -> set[str]:
    if want is None or want.value is None:
        return set()
    values = want.value if isinstance(want.value, list) else [want.value]
    return {str(one).strip().casefold() for one in values}
