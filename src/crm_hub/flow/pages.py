"""One pull of one stream: its pages land, are walked, and what is gone at the end is swept.

T2 of one page and T1 of a later one share a transaction: one commit a page, and still no page is
walked before it is durable. In a long read pages that come fast go together, a helper process
prepares the next one, and the commit goes on while that is fetched. docs/adr/0025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crm_hub.flow import deletes, unshown
from crm_hub.flow.ahead import Ahead
from crm_hub.flow.land import PULL_STEP
from crm_hub.flow.land import Page as LandedPage
from crm_hub.flow.snapshot import Snapshot
from crm_hub.flow.together import ENOUGH, ENOUGH_FOR_SERVER, together
from crm_hub.flow.walk_mapping import MappedBatch, map_landed
from crm_hub.landing import Ready
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import HubError
from crm_hub.model.records import Page
from crm_hub.sdk import Connector, StreamInfo
from crm_hub.store import Behind, Db, Identities, Landings, Machinery, StreamRow

if TYPE_CHECKING:
    from crm_hub.flow.inbound import Inbound

SHARED = "several records have the same, and the last one counts"


def pull(
    run: Inbound,
    connector: Connector[Any],
    info: StreamInfo,
    section: SectionPlan,
    stream: StreamRow,
) -> None:
    """Pull a stream from its checkpoint on, and walk what comes."""
    tools = run.hub.tools
    rules = tools.rules if tools.two_way is None else None
    with Behind() as behind, Ahead(section, rules) as ahead:
        _Pull(run, info, section, stream, ahead, behind).pages(connector)


class _Pull:
    """A pull in progress.

    told: the page that the helper prepares, which has not landed. due: the page that has landed
    and not been walked. mapped: what mapping made of it.
    """

    def __init__(
        self,
        run: Inbound,
        info: StreamInfo,
        section: SectionPlan,
        stream: StreamRow,
        ahead: Ahead,
        behind: Behind,
    ) -> None:
        self._run, self._info, self._section = run, info, section
        self._stream, self._ahead, self._behind = stream, ahead, behind
        self._snapshot, self._held, self._swept = Snapshot(), deletes.Held(), False
        self._told: Page | None = None
        self._due: LandedPage | None = None
        self._mapped: MappedBatch | None = None
        self._written = unshown.written(run.hub, stream, info)
        # Late is what occurred before the last look that ended well, and came only now.
        looked_us = run.hub.last_looked_us(run.name)
        self._late_before_us = looked_us if stream.checkpoint is not None else None

    def pages(self, connector: Connector[Any]) -> None:
        """Take page after page until there are no more, or the hub is to stop."""
        try:
            told = connector.pull(self._info, self._stream.checkpoint, None)
            enough = ENOUGH if self._run.hub.store.is_sqlite else ENOUGH_FOR_SERVER
            for page in together(told, lambda: self._ahead.is_long, enough):
                self._step(page)
                self._run.progress(self._info)
                if self._run.hub.stopping():
                    self._held.changes.clear()  # the next pull tells of them again
                    break
        except HubError:
            self._walk_rest()
            raise
        self._walk_rest()
        self._settle()
        if self._snapshot.shared and not self._swept and self._info.caps.read == "full":
            with self._run.transaction() as db:  # nothing was swept: some could not be read
                self._say_shared(db)
        if not self._run.hub.stopping():
            unshown.look_at(self._run.hub, self._stream, self._written)

    def _step(self, page: Page) -> None:
        """Give a page to the helper, if there is one, and store the one before it."""
        if self._held.changes or any(one.deleted for one in page.changes):
            self._land_rest()  # what may be deleted is judged by what is stored
            self._settled()
            page = self._held.hold(self._run, self._stream, page)
        before = self._told
        self._told = page if self._ahead.offer(page.changes) else None
        if before is not None:
            self._store(before, self._ahead.take())
        if self._told is None:
            self._store(page, {})
        if page.complete:
            self._walk_rest()
            self._settle()
            self._sweep(page)

    def _store(self, page: Page, ready: Mapping[int, Ready]) -> None:
        """Walk the page that is due, if any, and land this one."""
        run, due, late_us = self._run, self._due, self._late_before_us
        # Given away: when this fails its nodes may have got identities that are not stored.
        mapped, self._mapped = self._mapped, None
        try:
            with self._transaction() as db:
                walked = run.walk_in(db, self._stream, self._section, due, late_us, mapped)
                mapped = None  # the next page needs its room
                stream, landed, rejects = run.land(
                    db, self._stream, self._section, page, late_us, ready
                )
        except BaseException:
            self._told = None  # its checkpoint must not stand without this page
            raise
        self._stream, self._due = stream, landed  # only now: the transaction may have failed
        self._mapped = map_landed(stream, self._section, landed.landed)
        run.report.counts.update(walked)
        run.count_page(self._snapshot, landed, page, rejects)
        self._ahead.saw(len(landed.result.new))

    @contextmanager
    def _transaction(self) -> Iterator[Db]:
        store = self._run.hub.store
        if not self._ahead.is_long:
            with store.write() as db:
                yield db
            return
        self._settled()
        with store.write_behind(self._behind) as db:
            yield db

    def _settled(self) -> None:
        """Wait until what was stored last is durable. What is not is not walked."""
        try:
            self._run.hub.store.settled(self._behind)
        except BaseException:
            self._told = self._due = None
            raise

    def _land_rest(self) -> None:
        """Land the page that the helper has."""
        page, self._told = self._told, None
        if page is not None:
            self._store(page, self._ahead.take())

    def _walk_rest(self) -> None:
        """Land and walk what was told so far; all is durable then."""
        self._land_rest()
        self._settled()
        page, self._due = self._due, None
        self._run.walk_landed(self._stream, self._section, page, self._late_before_us, self._mapped)

    def _settle(self) -> None:
        late_us = self._late_before_us
        self._stream = deletes.settle(self._run, self._stream, self._section, self._held, late_us)

    def _sweep(self, page: Page) -> None:
        """After a whole snapshot: what it did not hold is gone. Then the checkpoint moves."""
        run, stream, snapshot = self._run, self._stream, self._snapshot
        with run.hub.store.read() as db:
            repo = Landings(db)
            dead = Machinery(db).dead_keys(stream.connection, stream.name, PULL_STEP)
            # A record that could not be read this time is still there, so it is not gone.
            there = {n for n, _, _ in repo.known(stream.id, snapshot.rejected).values()}
            count = repo.live_count(stream.id)
            is_whole = snapshot.holds_all(count) and not self._held.any_told
            live = () if is_whole else repo.live_numbers(stream.id)
            gone = [n for n in live if not snapshot.holds(n) and n not in there]
        run.brake(stream, len(gone), count)
        deletes.sweep_all(run, stream, self._section, gone, self._late_before_us)
        cured = [number for key, number in dead.items() if key not in snapshot.rejected]
        with run.hub.store.write() as db:
            Machinery(db).revive(cured)
            self._say_shared(db)
            self._swept = True
            told, repeats = page.source_count, snapshot.repeats
            self._stream = run.moved(Landings(db), stream, page.checkpoint, told, repeats)

    def _say_shared(self, db: Db) -> None:
        """Say which records came under the key of another one: that one is not in the hub."""
        keys = sorted(self._snapshot.shared) if self._section.names_its_records else []
        known = Landings(db).known(self._stream.id, keys[:1])
        record_id = next((number for number, _, _ in known.values()), 0)
        Identities(db).set_drift(self._stream.id, "id", SHARED, len(keys), record_id)
        if keys:
            self._run.report.notes.append(
                f"{self._stream.name}: {len(keys)} × id: {SHARED}, such as {keys[0]}; give each "
                "record an id of its own in the source"
            )
