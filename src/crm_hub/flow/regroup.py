"""Steps 4 to 7 for stored records, nothing of which was read anew: a person ruled about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from crm_hub.flow.batch import Moment, Tools, Walked
from crm_hub.flow.planning import plan_settled
from crm_hub.flow.tracking import Tracked
from crm_hub.flow.walk_components import components
from crm_hub.flow.walk_events import walk_events
from crm_hub.flow.walk_golden import Settled
from crm_hub.flow.walk_identities import decide, settle
from crm_hub.flow.walk_questions import Turn, turn
from crm_hub.flow.walk_records import Batch, held_node
from crm_hub.store import Db, Identities

NOTHING: Mapping[int, int] = MappingProxyType({})


def regroup(
    db: Db,
    tools: Tools,
    record_ids: Iterable[int],
    moment: Moment,
    *,
    was: Mapping[int, int] = NOTHING,
    touched: Iterable[str] = (),
) -> Settled:
    """Decide anew who these records and all connected with them are; plan what follows from it.

    was: record → the identity it had before something that is undone. touched: match keys that
    were taken from records.
    """
    repo = Identities(db)
    batch = _batch(repo, tools, record_ids)
    batch.touched.update(touched)
    walked, tracked = Walked(), Tracked(db) if tools.two_way is not None else None
    settled = settle(db, repo, tools, batch, moment, walked, tracked, was)
    walk_events(db, tools, (), moment, walked)
    if tracked is not None:
        plan_settled(db, tools, settled, tracked, moment)
    return settled


class Foreseen(NamedTuple):
    """What deciding anew would do. records: all that were looked at."""

    settled: Settled
    questions: Turn
    records: set[int]


def foresee(db: Db, tools: Tools, record_ids: Iterable[int], moment: Moment) -> Foreseen:
    """Return what `regroup` would decide about these records, in a trial: nothing is stored."""
    repo = Identities(db)
    batch = _batch(repo, tools, record_ids)
    for node in batch.nodes.values():
        batch.touched.update(node.claimed)
    groups = components(db, repo, tools, batch, whole=True)
    settled, _ = decide(db, repo, tools, batch, groups, moment, Walked(), NOTHING)
    return Foreseen(settled, turn(db, batch, groups), set(batch.nodes))


def _batch(repo: Identities, tools: Tools, record_ids: Iterable[int]) -> Batch:
    batch = Batch()
    listed = list(record_ids)
    for held in repo.held(listed):
        node = held_node(held, tools)
        batch.nodes[node.record_id] = node
    return batch
