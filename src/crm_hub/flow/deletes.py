"""Deletes that a source tells one by one, and streams that are no longer there.

What a pull says is gone is held back until the pull is over and it is known how much that is.
The checkpoint waits with it: stopped or killed in between, the next pull tells the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crm_hub.flow.land import cure, grown, land, sweep
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import MassDelete
from crm_hub.model.ids import bounded
from crm_hub.model.records import Change, Checkpoint, Page
from crm_hub.model.values import clean_text, to_us
from crm_hub.sdk import Connector, StreamInfo
from crm_hub.store import Landings, StreamRow

if TYPE_CHECKING:
    from crm_hub.flow.inbound import Inbound

BATCH = 1000


@dataclass(slots=True)
class Held:
    """The tombstones of one pull by record key, and the checkpoint that stands after them.

    any_told: whether there was one, be it settled by now.
    """

    changes: dict[str, Change] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    source_count: int | None = None
    any_told: bool = False

    def hold(self, inbound: Inbound, stream: StreamRow, page: Page) -> Page:
        """Return the page without the deletes of records that are there, which are held.

        As long as any is held, no page moves the checkpoint. A record that comes back later in
        the same pull is not gone. Deletes by rule are not held: a person has asked for them.
        """
        if page.by_rule and not self.changes:
            return page
        if not self.changes and not any(one.payload is None for one in page.changes):
            return page
        told = [(bounded(clean_text(one.id)), one) for one in page.changes]
        live = _live(inbound, stream, [key for key, one in told if one.deleted])
        kept: list[Change] = []
        for key, one in told:
            if one.deleted and key in live and not page.by_rule:
                self.changes[key] = one
                self.any_told = True
                continue
            kept.append(one)
            if not one.deleted:
                self.changes.pop(key, None)
                live.add(key)
        if not self.changes:
            return replace(page, changes=kept)
        self.checkpoint = page.checkpoint or self.checkpoint
        self.source_count = page.source_count
        return replace(page, changes=kept, checkpoint=page.checkpoint if page.complete else None)


def _live(inbound: Inbound, stream: StreamRow, keys: Sequence[str]) -> set[str]:
    if not keys or stream.id == 0:
        return set()
    with inbound.hub.store.read() as db:
        known = Landings(db).known(stream.id, keys)
    return {key for key, (_, content, _) in known.items() if content}


def settle(
    inbound: Inbound, stream: StreamRow, section: SectionPlan, held: Held, late_us: int | None
) -> StreamRow:
    """Apply what is held, unless it is more than half of the stream; then the checkpoint moves.

    Raises: MassDelete, with nothing deleted and the checkpoint before the first delete.
    """
    if not held.changes:
        return stream
    with inbound.hub.store.read() as db:
        count = Landings(db).live_count(stream.id)
    inbound.brake(stream, len(held.changes), count)
    gone = list(held.changes.values())
    for start in range(0, len(gone), BATCH):
        batch = gone[start : start + BATCH]
        with inbound.hub.store.write() as db:
            landed = land(db, stream, batch, to_us(inbound.hub.now()), late_us)
            cure(db, stream, landed.keys, ())
            stream = grown(stream, landed, held.source_count)
            if start + BATCH >= len(gone):
                repo = Landings(db)
                stream = inbound.moved(repo, stream, held.checkpoint, held.source_count)
        inbound.count(landed, Page(batch, None), 0)
        inbound.walk_landed(stream, section, landed, late_us)
    held.changes.clear()
    return stream


def sweep_all(
    inbound: Inbound,
    stream: StreamRow,
    section: SectionPlan,
    gone: Sequence[int],
    late_us: int | None,
) -> None:
    """Mark these records as deleted and walk them, a batch at a time."""
    for start in range(0, len(gone), BATCH):
        batch = gone[start : start + BATCH]
        with inbound.transaction() as db:
            inbound.in_run(db)
            swept = sweep(db, stream, batch, to_us(inbound.hub.now()), late_us)
        inbound.report.counts["deleted"] += len(batch)
        inbound.walk_landed(stream, section, swept, late_us)


def streams_gone(
    inbound: Inbound,
    connector: Connector[Any],
    streams: Sequence[StreamInfo],
    *,
    accepted: bool,
) -> list[MassDelete]:
    """Return a question for each stream with records that the source no longer has.

    Only for connectors that ask (`Manifest.asks_when_gone`). Once accepted its records are
    deleted, and its checkpoint too: should it come back, it is read anew.
    """
    if not connector.manifest.asks_when_gone:
        return []
    listed = {info.name for info in streams}
    with inbound.hub.store.read() as db:
        repo = Landings(db)
        counts = repo.live_counts()
        gone = [s for s in repo.streams(inbound.name) if s.name not in listed and counts.get(s.id)]
    if not accepted:
        return [_question(stream, counts[stream.id]) for stream in gone]
    for stream in gone:
        section = inbound.hub.plan(inbound.name).sections.get(stream.shape)
        if section is None:
            inbound.report.notes.append(f"{stream.name}: gone, but no mapping walks its deletes")
            continue
        with inbound.hub.store.read() as db:
            numbers = list(Landings(db).live_numbers(stream.id))
        sweep_all(inbound, stream, section, numbers, None)
        with inbound.hub.store.write() as db:
            Landings(db).save_stream(stream._replace(checkpoint=None))
    return []


def _question(stream: StreamRow, count: int) -> MassDelete:
    return MassDelete(
        f"{stream.connection}: {stream.name} is no longer there, or may no longer be read. Its "
        f"{count} records are kept; the others are in.",
        remedy=f"If it is really gone, run: crm-hub sync {stream.connection} --accept-deletes",
    )


def ask(questions: Sequence[MassDelete]) -> None:
    """Raise the questions of one run as one. Raises: MassDelete."""
    if questions:
        text = "\n".join(one.message for one in questions)
        raise MassDelete(text, remedy=questions[0].remedy)
