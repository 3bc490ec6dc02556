"""Merging identities again from their members as they are: after a ruling, or a changed rule.

Steps 5 and 7 alone; who belongs together stays as it is. Before: resolving, and walk in a replay.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from crm_hub.flow.batch import MappedRecord, Moment, Tools, Walked
from crm_hub.flow.planning import plan_settled
from crm_hub.flow.tracking import Tracked
from crm_hub.flow.walk_golden import Settled, merge_identities
from crm_hub.flow.walk_records import Node, held_node
from crm_hub.store import Db, Identities


def remerge(
    db: Db,
    tools: Tools,
    identity_ids: Iterable[int],
    moment: Moment,
    tracked: Tracked | None = None,
) -> None:
    """Merge these identities again, and plan what follows."""
    repo = Identities(db)
    members: dict[int, list[Node]] = defaultdict(list)
    for held in repo.held_by_identity(identity_ids):
        members[held.identity_id or 0].append(held_node(held, tools))
    if not members:
        return
    settled = Settled(db.next_id("identity"), dict(members), set(members))
    merge_identities(repo, tools, settled, moment, Walked(), tracked)
    if tracked is not None:
        plan_settled(db, tools, settled, tracked, moment)


def remerge_unchanged(
    db: Db,
    tools: Tools,
    mapped: Sequence[MappedRecord],
    settled: Settled | None,
    moment: Moment,
    tracked: Tracked | None,
) -> None:
    """In a replay, merge again whose records say what they said before: a rule may have changed.

    A record that stands alone is merged with nobody, and concerns nobody else unless the hub
    writes.
    """
    repo = Identities(db)
    links = repo.links_of([m.landed.record_id for m in mapped if m.record is not None])
    wanted = {identity for identity, _ in links.values()}
    wanted -= set() if settled is None else settled.changed
    if tracked is None:
        sizes = Counter(identity for _, identity in repo.records_of(wanted))
        wanted = {identity for identity in wanted if sizes[identity] > 1}
    remerge(db, tools, wanted, moment, tracked)
