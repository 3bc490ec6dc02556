"""T2: steps 3 to 7 for one landed batch, in one transaction.

Reads top to bottom like the table in docs/explanation/house.md. A record that cannot be
mapped is set aside as a dead letter; the batch goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub.flow.batch import Landed, MappedRecord, Moment, Tools, Walked
from crm_hub.flow.briefs import note_customers
from crm_hub.flow.planning import plan_settled
from crm_hub.flow.remerging import remerge_unchanged
from crm_hub.flow.tracking import track
from crm_hub.flow.walk_events import walk_events
from crm_hub.flow.walk_identities import walk_identities
from crm_hub.flow.walk_mapping import Failed, MappedBatch, map_landed
from crm_hub.flow.walk_memberships import refresh_unchanged
from crm_hub.mapping import SectionPlan
from crm_hub.store import Db, DeadLetter, Identities, Machinery, StreamRow

MAP_STEP = "map"


def walk(
    db: Db,
    tools: Tools,
    stream: StreamRow,
    section: SectionPlan,
    landed: Sequence[Landed],
    moment: Moment,
    batch: MappedBatch | None = None,
) -> Walked:
    """Walk landed records of one stream through mapping, identities and timeline.

    batch: what mapping made of them, where that was done already.
    """
    walked = Walked()
    batch = map_landed(stream, section, landed) if batch is None else batch
    mapped = _note(db, stream, batch, moment, walked)
    tracked = None
    if tools.two_way is not None:
        is_silent = stream.connection in tools.silent
        tracked = track(db, tools.two_way, section, mapped, moment, is_silent=is_silent)
    settled = walk_identities(db, tools, mapped, moment, walked, tracked, batch.fresh)
    if moment.is_replay:
        refresh_unchanged(db, mapped, walked)
    if stream.connection not in tools.silent:
        walk_events(db, tools, mapped, moment, walked)
    if tools.two_way is not None and tools.two_way.briefs is not None:
        note_customers(db, mapped)
    if tracked is not None:
        walked.counts["near echoes"] += tracked.near
        if settled is not None:
            plan_settled(db, tools, settled, tracked, moment)
    if moment.is_replay:
        remerge_unchanged(db, tools, mapped, settled, moment, tracked)
    return walked


def _note(
    db: Db, stream: StreamRow, batch: MappedBatch, moment: Moment, walked: Walked
) -> list[MappedRecord]:
    """Set aside what could not be mapped, and count what did not fit; return the rest."""
    machinery = Machinery(db)
    dead = machinery.dead_keys(stream.connection, stream.name, MAP_STEP)
    machinery.bury([_letter(one, moment) for one in batch.failed])
    if dead:
        keys = (one.landed.key for one in batch.records)
        machinery.revive([dead[key] for key in keys if key in dead])
    Identities(db).add_drifts(stream.id, batch.drifts)
    walked.counts["dead"] += len(batch.failed)
    return batch.records


def _letter(one: Failed, moment: Moment) -> DeadLetter:
    source = one.source
    return DeadLetter(
        0, source.connection, source.stream, source.id, MAP_STEP, one.reason, one.remedy, "",
        one.landed.record_id, None, moment.now_us, 1,
    )  # fmt: skip
