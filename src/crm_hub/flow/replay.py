"""Walking stored records again: after a changed mapping, a changed rule, or a cured cause.

Forward again, never back: ids stay, and only what comes out different is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub.flow.batch import REPLAYED
from crm_hub.flow.farside import PUSH_STEP
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, Progress, SyncReport, silent
from crm_hub.flow.land import queue, reload
from crm_hub.mapping import SectionPlan
from crm_hub.model.values import to_us
from crm_hub.store import DeadLetter, Identities, Landings, Machinery, Outbox, StreamRow

BATCH = 1000


def replay(hub: Hub, names: Sequence[str] = (), *, progress: Progress = silent) -> list[SyncReport]:
    """Walk every stored record of these connections with the mapping as it is now."""
    return [_replay(hub, name, progress) for name in hub.names(names)]


def _replay(hub: Hub, name: str, progress: Progress) -> SyncReport:
    inbound = Inbound(hub, name, progress)
    return inbound.recorded(lambda: _replay_streams(hub, inbound, progress), looks=False)


def _replay_streams(hub: Hub, inbound: Inbound, progress: Progress) -> None:
    with hub.store.read() as db:
        streams = Landings(db).streams(inbound.name)
    proposed = sections(hub, inbound.name)
    inbound.walk_due(proposed)
    for stream in streams:
        section = proposed.get(stream.name) or hub.plan(inbound.name).sections.get(stream.shape)
        if section is None:
            inbound.report.notes.append(f"{stream.name}: no mapping for the shape {stream.shape}")
            continue
        _replay_stream(hub, inbound, stream, section, progress)


def sections(hub: Hub, name: str) -> dict[str, SectionPlan | None]:
    """Return the mapping of each stream the connector shows now."""
    connector = hub.connector(name)
    return {info.name: hub.section(name, info) for info in connector.discover()}


def _replay_stream(
    hub: Hub, inbound: Inbound, stream: StreamRow, section: SectionPlan, progress: Progress
) -> None:
    with inbound.transaction() as db:
        inbound.in_run(db)
        Identities(db).clear_drifts([stream.id])
        row = stream._replace(plan_digest=section.digest)
        Landings(db).save_stream(row)
        batches = list(Landings(db).record_numbers(stream.id, BATCH))
    for numbers in batches:
        _replay_batch(hub, inbound, row, section, numbers)
        inbound.report.counts["walked"] += len(numbers)
        progress(inbound.name, stream.name, inbound.report.counts)
        if hub.stopping():
            return


def _replay_batch(
    hub: Hub, inbound: Inbound, stream: StreamRow, section: SectionPlan, numbers: Sequence[int]
) -> None:
    with hub.store.write() as db:
        repo = Landings(db)
        landed = reload(repo, numbers, is_new=False).get(stream.id, [])
        landing_id = queue(repo, stream, landed, REPLAYED)
    if landing_id:
        inbound.walk_landing(stream, section, landing_id, landed, REPLAYED)


def retry(hub: Hub, numbers: Sequence[int] = ()) -> list[SyncReport]:
    """Try dead letters again: records through the walk, requests through the inbox.

    Letters of the pull step go when the next sync reads the source in full.
    """
    with hub.store.read() as db:
        letters = [d for d in Machinery(db).dead() if not numbers or d.id in numbers]
    by_connection: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        by_connection.setdefault(letter.connection, []).append(letter)
    return [_retry(hub, name, found) for name, found in sorted(by_connection.items())]


def _retry(hub: Hub, name: str, letters: Sequence[DeadLetter]) -> SyncReport:
    requests = [d for d in letters if d.inbox_id is not None]
    records = [d.record_id for d in letters if d.record_id is not None]
    rejected = {d.record_key: d.id for d in letters if d.step == PUSH_STEP}  # by lane
    with hub.store.write() as db:
        if rejected:
            Outbox(db).waken(name, to_us(hub.now()), rejected)  # the next push sends them
            Machinery(db).revive(rejected.values())
        Machinery(db).settle([d.inbox_id for d in requests if d.inbox_id is not None], "due")
        Machinery(db).revive([d.id for d in requests])
    inbound = Inbound(hub, name)
    return inbound.recorded(lambda: _retry_records(hub, inbound, records), looks=False)


def _retry_records(hub: Hub, inbound: Inbound, records: Sequence[int]) -> None:
    with hub.store.write() as db:
        repo = Landings(db)
        streams = {s.id: s for s in repo.streams(inbound.name)}
        for stream_id, landed in reload(repo, records, is_new=False).items():
            queue(repo, streams[stream_id], landed, None)
    inbound.drain_due()
