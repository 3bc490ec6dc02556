"""The inbound walk of one connection: pull → land → map → resolve → merge → timeline.

T1 stores a page with its checkpoint, T2 walks it; while pages follow each other, T2 of one page
and T1 of the next share a transaction. Killed in between, the next run walks first what has
landed. Killed before T1, the next run pulls the page again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from crm_hub.flow import deletes, hooks
from crm_hub.flow.batch import Landed, Moment
from crm_hub.flow.collecting import collecting_seldom
from crm_hub.flow.hub import Hub
from crm_hub.flow.land import PULL_STEP, bury_rejects, cure, grown, land, reload
from crm_hub.flow.land import Page as LandedPage
from crm_hub.flow.pages import pull
from crm_hub.flow.snapshot import Snapshot
from crm_hub.flow.walk import walk
from crm_hub.flow.walk_mapping import MappedBatch
from crm_hub.landing import Landing, Ready
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import (
    CheckpointExpired,
    ConfigError,
    HubError,
    MassDelete,
    Throttled,
    TransientError,
)
from crm_hub.model.records import Page, Reject, Window
from crm_hub.model.values import from_us, to_us
from crm_hub.observe import logger, redact
from crm_hub.sdk import Connector, StreamInfo
from crm_hub.store import Db, Landings, Machinery, StreamRow

_log = logger("flow")
_WHOLE = "the whole stream"


@dataclass(slots=True)
class SyncReport:
    """What one sync of one connection did.

    counts: pulled, new, changed, unchanged, deleted, dead, and new identities and events.
    """

    connection: str
    counts: Counter[str] = field(default_factory=Counter)
    error: HubError | None = None
    notes: list[str] = field(default_factory=list)


Progress = Callable[[str, str, Counter[str]], None]


def silent(_connection: str, _stream: str, _counts: Counter[str]) -> None:
    """Report no progress."""


def sync(
    hub: Hub,
    names: Sequence[str] = (),
    *,
    progress: Progress = silent,
    accept_deletes: bool = False,
) -> Iterator[SyncReport]:
    """Sync connections one after the other; a failing one does not stop the next."""
    for name in hub.names(names):
        yield Inbound(hub, name, progress, accept_deletes).run()


class Inbound:
    """One run over one connection. The run is recorded only once it has an effect."""

    def __init__(
        self,
        hub: Hub,
        name: str,
        progress: Progress = silent,
        accept_deletes: bool = False,
    ) -> None:
        self.hub = hub
        self.name = name
        self.report = SyncReport(name)
        self._progress = progress
        self._accept_deletes = accept_deletes
        self._run_id = 0
        self.kind = "sync"

    # the run ------------------------------------------------------------------------------

    def run(self) -> SyncReport:
        """Pull and walk everything there is; the report says what came and what went wrong."""
        return self.recorded(self._sync)

    def backfill(self, window: Window) -> SyncReport:
        """Pull a span of time once more; the checkpoints stay where they are."""
        return self.recorded(lambda: self._backfill(window), looks=False)

    def recorded(self, work: Callable[[], None], *, looks: bool = True) -> SyncReport:
        """Do `work` with the connection held, and record the run if it had an effect.

        looks: whether it asks the far side for all that is new there.
        """
        try:
            with self.hub.alone(self.name), collecting_seldom:
                self._guarded(work, looks)
        except HubError as error:
            self.report.error = error
        return self.report

    def _guarded(self, work: Callable[[], None], looks: bool) -> None:
        try:
            work()
        except HubError as error:
            self.report.error = error
            self.hub.release(self.name)  # a broken session must not meet the next run
            _log.warning("%s: %s", self.name, error.message)
            self._finish("paused" if isinstance(error, ConfigError) else "failed", error.message)
        except BaseException:
            self._finish("failed", "the hub failed; the log has the traceback")
            raise
        else:
            if looks and not self.hub.stopping():
                self.hub.looked(self.name, self.kind)
            self._finish("done", "")

    def _finish(self, state: str, message: str) -> None:
        if not self._run_id and state == "done":
            return
        with self.hub.store.write() as db:
            self.in_run(db)
            counts = {k: v for k, v in self.report.counts.items() if v}
            Machinery(db).end_run(self._run_id, self.now_us(), state, redact(message), counts)

    def progress(self, info: StreamInfo) -> None:
        """Show how far a stream is."""
        self._progress(self.name, info.name, self.report.counts)

    @contextmanager
    def transaction(self) -> Iterator[Db]:
        """A write transaction of this run: where it fails, the run is as unrecorded as before."""
        run_id = self._run_id
        try:
            with self.hub.store.write() as db:
                yield db
        except BaseException:
            self._run_id = run_id
            raise

    def in_run(self, db: Any) -> int:
        """Return the number of this run, recording it with the first transaction that needs it."""
        if not self._run_id:
            self._run_id = Machinery(db).start_run(self.kind, self.name, self.now_us())
        return self._run_id

    def now_us(self) -> int:
        """Return the present instant."""
        return to_us(self.hub.now())

    def moment(self, db: Any, late_before_us: int | None = None) -> Moment:
        """Return this run's instant, as walking takes it."""
        return Moment(self.in_run(db), self.now_us(), late_before_us)

    # the steps ----------------------------------------------------------------------------

    def _sync(self) -> None:
        connector, streams, sections = self._opened()
        self.walk_due(sections)
        questions: list[MassDelete] = []
        failures: list[HubError] = []
        is_shaky = False
        for info in streams:
            if self.hub.stopping():
                return
            if info.caps.read == "none":
                continue
            try:
                self._pull(connector, info, sections[info.name])
                is_shaky = False
            except MassDelete as question:
                questions.append(question)  # the other streams go on
            except (ConfigError, TransientError) as error:
                # A list that is forbidden or broken starves no other; a far side that is down is
                # not asked for each of them.
                failures.append(error)
                is_down = is_shaky and isinstance(error, TransientError)
                if is_down or isinstance(error, Throttled):
                    break
                is_shaky = isinstance(error, TransientError)
                connector = self._again(info, error)
        hooks.drain(self, connector, {info.name: info for info in streams}, sections)
        if failures:
            # Its wish for a rest has to reach the lane.
            told = failures[-1] if isinstance(failures[-1], Throttled) else failures[0]
            others = [one for one in (*questions, *failures) if one is not told]
            self.report.notes += [one.message for one in others]
            raise told
        accepted = self._accept_deletes
        questions += deletes.streams_gone(self, connector, streams, accepted=accepted)
        deletes.ask(questions)

    def _again(self, info: StreamInfo, error: HubError) -> Connector[Any]:
        """Return a connector with a new session for the other streams after one has failed."""
        _log.warning("%s: %s is left out this time: %s", self.name, info.name, error.message)
        self.hub.release(self.name)
        return self.hub.connector(self.name)

    def _opened(
        self,
    ) -> tuple[Connector[Any], list[StreamInfo], dict[str, SectionPlan | None]]:
        connector = self.hub.connector(self.name)
        streams = connector.discover()
        return connector, streams, {s.name: self.hub.section(self.name, s) for s in streams}

    def drain_due(self) -> None:
        """Walk what has landed and what waits in the inbox, without pulling anything."""
        connector, streams, sections = self._opened()
        self.walk_due(sections)
        hooks.drain(self, connector, {info.name: info for info in streams}, sections)

    def _pull(
        self, connector: Connector[Any], info: StreamInfo, section: SectionPlan | None
    ) -> None:
        if section is None:
            self._unmapped(info)
            return
        stream = self._stream(info)
        self._mapped_again(stream)
        try:
            pull(self, connector, info, section, stream)
        except CheckpointExpired:
            self.report.notes.append(f"{info.name}: the checkpoint had expired; read in full")
            # Read again, not reused: its first pages may have created the stream.
            whole = self._stream(info)._replace(checkpoint=None)
            pull(self, connector, info, section, whole)

    def _unmapped(self, info: StreamInfo) -> None:
        """Say that a stream is not read; one that was read until now is set aside as well."""
        why = info.guess or f"{info.name}: no mapping for the shape {info.shape}"
        remedy = (
            "write a mapping in mappings/ or set `mapping` (crm-hub mapping lint shows its fields)"
        )
        self.report.notes.append(f"{why}; it is not read: {remedy}")
        stream = self._stream(info)
        if stream.id == 0:
            return
        reason = f"no mapping reads it any more; what was read is kept: {why}"
        fix = f"Give it its columns or fields back, or {remedy}; then sync again."
        with self.hub.store.read() as db:
            known = Machinery(db).dead_keys(self.name, stream.name, PULL_STEP)
        if _WHOLE not in known:
            with self.transaction() as db:
                self.in_run(db)
                bury_rejects(db, stream, [Reject("", _WHOLE, reason, fix)], self.now_us())
            self.report.counts["dead"] += 1

    def _mapped_again(self, stream: StreamRow) -> None:
        with self.hub.store.read() as db:
            dead = Machinery(db).dead_keys(self.name, stream.name, PULL_STEP)
        if _WHOLE in dead:
            with self.transaction() as db:
                Machinery(db).revive([dead[_WHOLE]])

    def _stream(self, info: StreamInfo) -> StreamRow:
        with self.hub.store.read() as db:
            found = Landings(db).stream(self.name, info.name)
        if found is None:
            return StreamRow(0, self.name, info.name, info.shape, None, None, 0, None, None)
        return found._replace(shape=info.shape)

    def _backfill(self, window: Window) -> None:
        connector = self.hub.connector(self.name)
        for info in connector.discover():
            section = self.hub.section(self.name, info)
            if info.caps.read == "none" or section is None:
                continue
            stream = self._stream(info)
            for page in connector.pull(info, None, window):
                unmoved = Page(page.changes, None, False, page.rejects)
                with self.hub.store.write() as db:
                    stream, landed, rejects = self.land(db, stream, section, unmoved, None)
                self.count_page(Snapshot(), landed, unmoved, rejects)
                self.walk_landed(stream, section, landed, None)
                self.progress(info)

    # T1 -----------------------------------------------------------------------------------

    def land(
        self,
        db: Db,
        stream: StreamRow,
        section: SectionPlan,
        page: Page,
        late_before_us: int | None,
        ready: Mapping[int, Ready] = MappingProxyType({}),
    ) -> tuple[StreamRow, LandedPage, list[Reject]]:
        """Store a page. The checkpoint of a complete page waits for the sweep that follows it.

        ready: as for `flow.land.land`.
        """
        repo = Landings(db)
        if stream.id == 0:
            stream = repo.add_stream(self.name, stream.name, stream.shape)
        if stream.plan_digest is None:
            stream = stream._replace(plan_digest=section.digest)
            repo.save_stream(stream)
        landed = land(db, stream, page.changes, self.now_us(), late_before_us, ready=ready)
        rejects = [*page.rejects, *landed.result.rejects]
        bury_rejects(db, stream, rejects, self.now_us())
        cure(db, stream, landed.keys, rejects)
        stream = grown(stream, landed, page.source_count)
        if not page.complete:
            stream = self.moved(repo, stream, page.checkpoint, page.source_count)
        if landed.landing_id or rejects:
            self.in_run(db)
        return stream, landed, rejects

    def count_page(
        self, snapshot: Snapshot, landed: LandedPage, page: Page, rejects: Sequence[Reject]
    ) -> None:
        """Note which records a page showed, and count them."""
        snapshot.saw(landed, page, rejects)
        self.count(landed, page, len(rejects))

    def moved(
        self,
        repo: Landings,
        stream: StreamRow,
        checkpoint: dict[str, Any] | None,
        source_count: int | None,
        repeats: int | None = None,
    ) -> StreamRow:
        """Store the stream's checkpoint if it moved, and return the stream as stored.

        source_count: how many objects the source holds. repeats: how many of them share the id of
        another. None leaves what is known.
        """
        if checkpoint is None or checkpoint == stream.checkpoint:
            return stream
        moved = stream._replace(
            checkpoint=checkpoint,
            source_count=stream.source_count if source_count is None else source_count,
            repeats=stream.repeats if repeats is None else repeats,
            updated_at_us=self.now_us(),
        )
        repo.save_stream(moved)
        return moved

    def count(self, landed: LandedPage, page: Page, rejected: int) -> None:
        """Add what a landed page amounts to, to the report."""
        found, counts = landed.result, self.report.counts
        counts["pulled"] += len(page.changes) + len(page.rejects)
        counts["new"] += len(found.new)
        counts["changed"] += sum(not one.deleted for one in found.changed)
        counts["deleted"] += sum(one.deleted for one in found.changed)
        counts["unchanged"] += found.unchanged + found.stale + found.repeats
        counts["dead"] += rejected
        self.report.notes.extend(page.notes)

    # T2 -----------------------------------------------------------------------------------

    def walk_landed(
        self,
        stream: StreamRow,
        section: SectionPlan,
        landed: LandedPage | None,
        late_before_us: int | None,
        batch: MappedBatch | None = None,
    ) -> None:
        """Walk what a page landed; nothing when it held no news. batch: as for `flow.walk.walk`."""
        if landed is not None and landed.landing_id:
            number, records = landed.landing_id, landed.landed
            self.walk_landing(stream, section, number, records, late_before_us, batch)

    def walk_landing(
        self,
        stream: StreamRow,
        section: SectionPlan,
        landing_id: int,
        landed: Sequence[Landed],
        late_before_us: int | None,
        batch: MappedBatch | None = None,
    ) -> None:
        """Walk one landing and take it out of the queue, in one transaction."""
        page = LandedPage(landing_id, list(landed), Landing())
        with self.hub.store.write() as db:
            walked = self.walk_in(db, stream, section, page, late_before_us, batch)
        self.report.counts.update(walked)

    def walk_in(
        self,
        db: Db,
        stream: StreamRow,
        section: SectionPlan,
        landed: LandedPage | None,
        late_before_us: int | None,
        batch: MappedBatch | None = None,
    ) -> Counter[str]:
        """Walk what a page landed, as part of a transaction. batch: as for `flow.walk.walk`."""
        if landed is None or not landed.landing_id:
            return Counter()
        moment = self.moment(db, late_before_us)
        walked = walk(db, self.hub.tools, stream, section, landed.landed, moment, batch)
        repo = Landings(db)
        repo.walked(landed.landing_id)
        if stream.plan_digest is None:
            current = repo.stream(stream.connection, stream.name)
            if current is not None and current.plan_digest is None:
                repo.save_stream(current._replace(plan_digest=section.digest))
        return walked.counts

    def walk_due(self, sections: dict[str, SectionPlan | None]) -> None:
        """Walk what an earlier run landed and could not walk any more."""
        with self.hub.store.read() as db:
            due = Landings(db).due(self.name)
            streams = {s.id: s for s in Landings(db).streams(self.name)} if due else {}
        for one in due:
            stream = streams[one.stream_id]
            section = sections.get(stream.name) or self.hub.plan(self.name).sections.get(
                stream.shape
            )
            if section is None:
                self.report.notes.append(f"{stream.name}: landed records wait for a mapping")
                continue
            with self.hub.store.read() as db:
                repo = Landings(db)
                found = reload(repo, one.record_ids, is_new=False).get(one.stream_id, [])
            self.walk_landing(stream, section, one.id, found, one.late_before_us)

    # deletes ------------------------------------------------------------------------------

    def brake(self, stream: StreamRow, gone: int, live: int) -> None:
        """Stop when the source suddenly lists nothing or less than half: likely a lost right.

        Raises: MassDelete.
        """
        if self._accept_deletes or gone == 0 or gone * 2 <= live:
            return
        raise MassDelete(
            f"{stream.connection}: {stream.name} lists {live - gone} of {live} records that were "
            f"there at the last sync ({_when(stream)}). Nothing was deleted; new and changed "
            "records are in.",
            remedy="If the records are really gone, run: "
            f"crm-hub sync {stream.connection} --accept-deletes",
        )


def _when(stream: StreamRow) -> str:
    if stream.updated_at_us is None:
        return "never completed"
    return from_us(stream.updated_at_us).strftime("%Y-%m-%d %H:%M UTC")
