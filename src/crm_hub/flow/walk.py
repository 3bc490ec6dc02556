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
from crm_hub.flow.walk_drafts import Draft
from crm_hub.flow.walk_events import walk_events
from crm_hub.flow.walk_identities import walk_identities
from crm_hub.mapping import SectionPlan
from crm_hub.model.canonical import Drift
from crm_hub.model.errors import RecordError
from crm_hub.model.ids import SourceKey
from crm_hub.observe import logger
from crm_hub.store import Db, DeadLetter, Identities, Machinery, StreamRow

_log = logger("flow")
MAP_STEP = "map"


def walk(
    db: Db,
    tools: Tools,
    stream: StreamRow,
    section: SectionPlan,
    landed: Sequence[Landed],
    moment: Moment,
) -> Walked:
    """Walk landed records of one stream through mapping, identities and timeline."""
    walked = Walked()
    mapped = _map(db, stream, section, landed, moment, walked)
    tracked = None
    if tools.two_way is not None:
        is_silent = stream.connection in tools.silent
        tracked = track(db, tools.two_way, section, mapped, moment, is_silent=is_silent)
    settled = walk_identities(db, tools, mapped, moment, walked, tracked)
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


def _map(
    db: Db,
    stream: StreamRow,
    section: SectionPlan,
    landed: Sequence[Landed],
    moment: Moment,
    walked: Walked,
) -> list[MappedRecord]:
    mapped: list[MappedRecord] = []
    letters: list[DeadLetter] = []
    drifts: dict[tuple[str, str], tuple[int, int]] = {}
    machinery = Machinery(db)
    dead = machinery.dead_keys(stream.connection, stream.name, MAP_STEP)
    for one in landed:
        source = SourceKey(stream.connection, stream.name, one.key)
        if one.made is not None:
            draft, events, drifted = one.made
            draft = None if draft is None else Draft(*draft)
            mapped.append(MappedRecord(one, source, None, events, draft))
            for drift in drifted:
                _count(drifts, drift, one.record_id)
            continue
        if one.payload is None:
            if section.delete != "ignore":
                mapped.append(MappedRecord(one, source, None, []))
            continue
        try:
            found = section.map(one.payload, one.changed_at_us)
        except RecordError as error:
            letters.append(_letter(source, one, error.message, error.remedy, moment))
            continue
        except Exception as error:  # noqa: BLE001 - one record must not stop the others
            _log.exception("%s could not be mapped", source)
            reason = f"the mapping failed on this record ({type(error).__name__})"
            letters.append(_letter(source, one, reason, "Report this; the log has more.", moment))
            continue
        mapped.append(MappedRecord(one, source, found.record, found.events))
        for drift in found.drifts:
            _count(drifts, drift, one.record_id)
    machinery.bury(letters)
    machinery.revive(dead[m.landed.key] for m in mapped if m.landed.key in dead)
    Identities(db).add_drifts(stream.id, drifts)
    walked.counts["dead"] += len(letters)
    return mapped


def _count(found: dict[tuple[str, str], tuple[int, int]], drift: Drift, record_id: int) -> None:
    key = (drift.field, drift.reason[:200])
    found[key] = (found.get(key, (0, 0))[0] + 1, record_id)


def _letter(source: SourceKey, one: Landed, reason: str, remedy: str, moment: Moment) -> DeadLetter:
    return DeadLetter(
        0, source.connection, source.stream, one.key, MAP_STEP, reason, remedy, "",
        one.record_id, None, moment.now_us, 1,
    )  # fmt: skip
