"""What a delete in one system does in the others, and when an edit stands against it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_hub.model.routes import Route
from crm_hub.model.states import mark, same
from crm_hub.outbox.drafts import Draft, Drafts, Kind, Target, record_lane
from crm_hub.outbox.fitting import is_single


def delete(identity_id: int, name: str, cause: str, target: Target, drafts: Drafts) -> None:
    """Add the deletion of a record. cause: the record that was deleted first, for a person."""
    if "delete" in target.route.ability.write:
        drafts.writes.append(_draft("delete", identity_id, name, cause, target))


def archive(identity_id: int, name: str, cause: str, target: Target, drafts: Drafts) -> None:
    """Add the write that puts a record away where it is, because another was deleted."""
    if "upsert" in target.route.ability.write:
        draft = _draft("archive", identity_id, name, cause, target)
        drafts.writes.append(replace(draft, constants=dict(target.route.section.archive)))


def _draft(kind: Kind, identity_id: int, name: str, cause: str, target: Target) -> Draft:
    values = {"values": {"was": dict(target.values), "cause": cause}}
    lane = record_lane(target.record_id)
    return Draft(target.route, lane, identity_id, target.record_id, kind, name, values)


TAKE_AWAY = {"propagate": delete, "archive": archive}
"""What a delete elsewhere does to a record, by the policy of its section."""


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
        single = there is not None and out is not None and is_single(out, there, {})
        if mine.get(name) is not None and not _covered(mine[name], theirs.get(name), single):
            found.append(name)
    return found


def _covered(mine: Any, theirs: Any, single: bool) -> bool:
    if isinstance(mine, list) and isinstance(theirs, list):
        ours, known = {mark(i) for i in mine}, {mark(i) for i in theirs}
        return bool(ours & known) if single else ours <= known
    return same(mine, theirs)
