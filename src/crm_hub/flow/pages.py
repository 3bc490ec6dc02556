"""One pull of one stream: its pages land, are walked, and what is gone at the end is swept.

T2 of one page and T1 of a later one share a transaction: one commit a page, and still no page is
walked before it is durable. While the helper process maps a page, the pages before it are stored.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from crm_hub.flow import deletes, unshown
from crm_hub.flow.ahead import Ahead
from crm_hub.flow.land import PULL_STEP
from crm_hub.flow.land import Page as LandedPage
from crm_hub.flow.snapshot import Snapshot
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import HubError
from crm_hub.model.records import Page
from crm_hub.sdk import Connector, StreamInfo
from crm_hub.store import Landings, Machinery, StreamRow

if TYPE_CHECKING:
    from crm_hub.flow.inbound import Inbound


def pull(
    run: Inbound,
    connector: Connector[Any],
    info: StreamInfo,
    section: SectionPlan,
    stream: StreamRow,
) -> None:
    """Pull a stream from its checkpoint on, and walk what comes."""
    tools = run.hub.tools
    with Ahead(section, tools.rules if tools.two_way is None else None) as ahead:
        _Pull(run, info, section, stream, ahead).pages(connector)


class _Pull:
    """A pull in progress. due: the pages that have landed and not been walked, oldest first."""

    def __init__(
        self,
        run: Inbound,
        info: StreamInfo,
        section: SectionPlan,
        stream: StreamRow,
        ahead: Ahead,
    ) -> None:
        self._run, self._info, self._section = run, info, section
        self._stream, self._ahead = stream, ahead
        self._snapshot, self._held = Snapshot(), deletes.Held()
        self._due: deque[LandedPage] = deque()
        self._written = unshown.written(run.hub, stream, info)
        # Late is what occurred before the last look that ended well, and came only now.
        looked_us = run.hub.last_looked_us(run.name)
        self._late_before_us = looked_us if stream.checkpoint is not None else None

    def pages(self, connector: Connector[Any]) -> None:
        """Take page after page until there are no more, or the hub is to stop."""
        try:
            for told in connector.pull(self._info, self._stream.checkpoint, None):
                page = self._held.hold(self._run, self._stream, told)
                self._step(page)
                if page.complete:
                    self._walk_rest()
                    self._settle()
                    self._sweep(page)
                self._run.progress(self._info)
                if self._run.hub.stopping():
                    self._held.changes.clear()  # the next pull tells of them again
                    break
        except HubError:
            self._walk_rest()
            raise
        self._walk_rest()
        self._settle()
        if not self._run.hub.stopping():
            unshown.look_at(self._run.hub, self._stream, self._written)

    def _step(self, page: Page) -> None:
        """Walk the oldest page that is ready, if any, and land this one."""
        run, late_us = self._run, self._late_before_us
        ready = self._due[0] if self._due and not self._is_mapped_while_this_lands() else None
        made = self._ahead.take(ready) if ready else []
        for waiting in self._due:
            if waiting is not ready:
                self._ahead.offer(waiting)
        with run.hub.store.write() as db:
            walked = run.walk_in(db, self._stream, self._section, ready, late_us, made)
            stream, landed, rejects = run.land(db, self._stream, self._section, page, late_us)
        self._stream = stream  # only now: the transaction may have failed
        if ready:
            self._due.popleft()
        self._due.append(landed)
        run.report.counts.update(walked)
        run.count_page(self._snapshot, landed, page, rejects)
        self._ahead.saw(landed)

    def _is_mapped_while_this_lands(self) -> bool:
        """Give the only page that waits to the helper; tell whether that is where it is."""
        if len(self._due) > 1:
            return False
        self._ahead.offer(self._due[0])
        return self._ahead.is_at(self._due[0])

    def _walk_rest(self) -> None:
        """Walk what has landed, each page in a transaction of its own."""
        while self._due:
            page = self._due.popleft()
            made = self._ahead.take(page)
            for waiting in self._due:
                self._ahead.offer(waiting)
            self._run.walk_landed(self._stream, self._section, page, self._late_before_us, made)

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
            told, repeats = page.source_count, snapshot.repeats
            self._stream = run.moved(Landings(db), stream, page.checkpoint, told, repeats)
