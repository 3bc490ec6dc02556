"""Records that are kept equal are held together by a claim of the hub's own.

An edit of an address must not part them. Part of step 7. Before: planning, which decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crm_hub.flow.batch import TwoWay
from crm_hub.model.ids import strong_key
from crm_hub.store import Db, Outbox

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject

HELD_TOGETHER = "crm_hub"
"""The name of the strong id that the hub gives records which it keeps equal."""


def hold_together(db: Db, two_way: TwoWay, subjects: Sequence[Subject]) -> None:
    """Give records that are kept equal from now on a claim of their own."""
    repo = Outbox(db)
    found = newly_held(repo, two_way, subjects)
    rows = [(r, value) for records, value in found.values() for r in records]
    repo.add_claims(rows, [(claim_key(value), record_id) for record_id, value in rows])


def newly_held(
    repo: Outbox, two_way: TwoWay, subjects: Sequence[Subject]
) -> dict[int, tuple[list[int], str]]:
    """Return identity → the records that are about to be kept equal with others, and the claim."""
    kept = {s.identity_id: _kept_equal(s, two_way) for s in subjects}
    held: dict[int, set[str]] = defaultdict(set)
    for record_id, value in repo.claims({r for ids in kept.values() for r in ids}):
        held[record_id].add(value)
    found = {}
    for number, ids in kept.items():
        if len(ids) < 2 or set.intersection(*(held[r] for r in ids)):
            continue
        value = min((v for r in ids for v in held[r]), default=f"r{min(ids)}")
        found[number] = ([r for r in ids if value not in held[r]], value)
    return found


def claim_key(value: str) -> str:
    """Return the match key of records that the hub holds together."""
    return strong_key("", HELD_TOGETHER, value)


def _kept_equal(subject: Subject, two_way: TwoWay) -> list[int]:
    targets = [member.record_id for member, _ in subject.targets(two_way)]
    if not targets:
        return []
    steady = [
        record_id
        for record_id, source in subject.sources.items()
        if source.connection in two_way.steady
    ]
    return sorted({*targets, *steady})
