"""Step 3 for one batch, as far as it needs no store: what landed becomes mapped records.

Before: land. After: walk. In a long read it goes on while what landed is being committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from crm_hub.flow.batch import Landed, MappedRecord
from crm_hub.flow.walk_records import Batch, Node
from crm_hub.mapping import SectionPlan
from crm_hub.model.canonical import Drift, Mapped
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
    """What mapping made of a batch. drifts: (field, reason) → (how many, one record).

    fresh: what is to be stored of the records that are new and came with a node.
    """

    records: list[MappedRecord]
    failed: list[Failed]
    drifts: dict[tuple[str, str], tuple[int, int]]
    fresh: Batch


def map_landed(stream: StreamRow, section: SectionPlan, landed: Sequence[Landed]) -> MappedBatch:
    """Return the mapped records of a stream's landed ones; a record that fails stops no other."""
    found = MappedBatch([], [], {}, Batch())
    records, failed, drifts, fresh = found
    mapped, new = _mapped(section, landed), []
    for one in landed:
        record_id, key, payload, _, is_new, made = one
        source = SourceKey(stream.connection, stream.name, key)
        if made is not None:
            draft, events, drifted = made
            node = None if draft is None else Node(record_id, source, draft)
            records.append(MappedRecord(one, source, None, events, node))
            if node is not None and is_new:
                new.append(node)
        elif payload is None:
            if section.delete != "ignore":
                records.append(MappedRecord(one, source, None, []))
            continue
        else:
            said = next(mapped)
            if isinstance(said, Exception):
                failed.append(_failed(one, source, said))
                continue
            records.append(MappedRecord(one, source, said.record, said.events))
            drifted = said.drifts
        for drift in drifted:
            _count(drifts, drift, record_id)
    fresh.add_new(new)
    return found


def _mapped(section: SectionPlan, landed: Sequence[Landed]) -> Iterator[Mapped | Exception]:
    """Return what is said by the records that the helper process has not mapped."""
    due = [one for one in landed if one.made is None and one.payload is not None]
    payloads = [one.payload for one in due if one.payload is not None]
    return iter(section.map_all(payloads, [one.changed_at_us for one in due]))


def _failed(one: Landed, source: SourceKey, error: Exception) -> Failed:
    if isinstance(error, RecordError):
        return Failed(one, source, error.message, error.remedy)
    _log.error("%s could not be mapped", source, exc_info=error)
    reason = f"the mapping failed on this record ({type(error).__name__})"
    return Failed(one, source, reason, "Report this; the log has more.")


def _count(found: dict[tuple[str, str], tuple[int, int]], drift: Drift, record_id: int) -> None:
    key = (drift.field, drift.reason[:200])
    found[key] = (found.get(key, (0, 0))[0] + 1, record_id)
