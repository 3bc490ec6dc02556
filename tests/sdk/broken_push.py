"""Ledgers that write wrongly."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

from crm_hub.model.errors import ConfigError
from crm_hub.model.records import Change, Page
from crm_hub.sdk.contract import Outcome, StreamInfo
from crm_hub.sdk.testing.example_push import WritableLedger

Pages = Iterator[Page]
_counter = itertools.count()


class ForgetsTheKey(WritableLedger):
    """Makes a new record for each send."""

    def push(self, writes: Any) -> list[Outcome]:
        keys = (f"{one.idempotency_key}-{next(_counter)}" for one in writes)
        return super().push(
            [
                dataclasses.replace(one, idempotency_key=key)
                for one, key in zip(writes, keys, strict=True)
            ]
        )


class RepeatsLookNew(WritableLedger):
    """Says `applied` where the record was there already."""

    def push(self, writes: Any) -> list[Outcome]:
        return [
            dataclasses.replace(one, result="applied") if one.result == "duplicate" else one
            for one in super().push(writes)
        ]


class IgnoresTheGuard(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return super().push([dataclasses.replace(one, guard=None) for one in writes])


class ConflictLooksApplied(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return [
            dataclasses.replace(one, result="applied") if one.result == "conflict" else one
            for one in super().push(writes)
        ]


class WritesWholeRecords(WritableLedger):
    """Sends back all it knows of a record beside what was asked."""

    def push(self, writes: Any) -> list[Outcome]:
        whole = [dataclasses.replace(one, fields={"amount": 0, **one.fields}) for one in writes]
        return super().push(whole)


class DropsAField(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        kept = [{k: v for k, v in one.fields.items() if k != "note"} for one in writes]
        return super().push(
            [dataclasses.replace(one, fields=f) for one, f in zip(writes, kept, strict=True)]
        )


class RaisesForOne(WritableLedger):
    """One bad record stops the batch."""

    def push(self, writes: Any) -> list[Outcome]:
        found = super().push(writes)
        if any(one.result == "rejected" for one in found):
            raise ConfigError("a write was rejected")
        return found


class NamesNoField(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return [dataclasses.replace(one, reasons={}) for one in super().push(writes)]


class OldVersionAfterWrite(WritableLedger):
    """Gives the version of before the write, so that every echo looks like an edit."""

    def push(self, writes: Any) -> list[Outcome]:
        found = super().push(writes)
        return [
            dataclasses.replace(one, version=write.guard) if one.result == "applied" else one
            for one, write in zip(found, writes, strict=True)
        ]


class ForeignId(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return [dataclasses.replace(one, id="entry") for one in super().push(writes)]


class MergeLooksDeleted(WritableLedger):
    """Tells that a record is gone, and not into which it was merged."""

    def _change(self, item: Any) -> Change:
        return super()._change(item)._replace(merged_into=None)


class MergeGoesUnseen(WritableLedger):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, window):
            kept = [change for change in page.changes if change.merged_into is None]
            yield dataclasses.replace(page, changes=kept)
