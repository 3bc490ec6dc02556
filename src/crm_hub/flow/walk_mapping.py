"""Step 3 for one batch, as far as it needs no store: what landed becomes mapped records.

Before: land. After: walk. In a long read it goes on while what landed is being committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crm_hub.flow.batch import Landed, MappedRecord
from crm_hub.flow.walk_records import node_of
from crm_hub.mapping import SectionPlan
from crm_hub.model.canonical import Drift
from crm_hub.model.errors import RecordError
from crm_hub.model.ids import SourceKey
from crm_hub.observe import logger
from crm_hub.store import StreamRow

_log = logger("flow")


class Failed(NamedTuple):
    """A landed record that cannot be mapped, and what to do about it."""

    landed: Landed
    source: SourceKey
    reason: str
    remedy: str


class MappedBatch(NamedTuple):
    """What mapping made of a batch. drifts: (field, reason) → (how many, one record)."""

    records: list[MappedRecord]
    failed: list[Failed]
    drifts: dict[tuple[str, str], tuple[int, int]]


def map_landed(stream: StreamRow, section: SectionPlan, landed: Sequence[Landed]) -> MappedBatch:
    """Return the mapped records of a stream's landed ones; a record that fails stops no other."""
    found = MappedBatch([], [], {})
    records, failed, drifts = found
    for one in landed:
        record_id, key, payload, changed_at_us, _, made = one
        source = SourceKey(stream.connection, stream.name, key)
        if made is not None:
            draft, events, drifted = made
            node = None if draft is None else node_of(record_id, source, draft)
            records.append(MappedRecord(one, source, None, events, node))
            for drift in drifted:
                _count(drifts, drift, record_id)
            continue
        if payload is None:
            if section.delete != "ignore":
                records.append(MappedRecord(one, source, None, []))
            continue
        try:
            mapped = section.map(payload, changed_at_us)
        except RecordError as error:
            failed.append(Failed(one, source, error.message, error.remedy))
            continue
        except Exception as error:  # noqa: BLE001 - one record must not stop the others
            _log.exception("%s could not be mapped", source)
            reason = f"the mapping failed on this record ({type(error).__name__})"
            failed.append(Failed(one, source, reason, "Report this; the log has more."))
            continue
        records.append(MappedRecord(one, source, mapped.record, mapped.events))
        for drift in mapped.drifts:
            _count(drifts, drift, record_id)
    return found


def _count(found: dict[tuple[str, str], tuple[int, int]], drift: Drift, record_id: int) -> None:
    key = (drift.field, drift.reason[:200])
    found[key] = (found.get(key, (0, 0))[0] + 1, record_id)
