"""Keeping a hub in sync for months: a lane of its own for each connection, and what it does next.

A lane syncs, then rests: until its interval is over, or until a live source says that there is
news. A source that cannot be reached is asked again later and later; a connection whose
settings are refused rests until somebody changes something or syncs it by hand.
Before: `crm-hub run`. After: inbound, once a lane's turn.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, SyncReport
from crm_hub.flow.outbound import push
from crm_hub.model.errors import ConfigError, HubError, MassDelete, TransientError
from crm_hub.observe import logger

_log = logger("flow")
LONGEST_BACKOFF_S = 900.0
LONGEST_WISH_S = 86_400.0
_LOOK_S = 1.0
_LISTEN_S = 5.0
_FIRST_BACKOFF_S = 5.0

Tell = Callable[[SyncReport], None]


class Running:
    """All lanes of a hub, from `with` to its end; then each has ended its page and stopped.

    tell: gets the report of every run, from the lanes' threads, one at a time.
    """

    def __init__(self, hub: Hub, names: Sequence[str], every_s: float, tell: Tell) -> None:
        self._hub, self._every_s, self._tell = hub, every_s, tell
        self._names = tuple(names)
        self._stop = threading.Event()
        self._telling = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Running:
        _ = self._hub.store, self._hub.tools  # made once, before many threads ask
        set_aside_what_stays()
        self._before, self._hub.stopping = self._hub.stopping, self._should_stop
        for name in self._names:
            lane = _Lane(self._hub, name, self._every_s, self._told)
            thread = threading.Thread(target=lane.run, name=f"crm-hub-{name}")
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._hub.stopping = self._before

    def _should_stop(self) -> bool:
        return self._stop.is_set() or self._before()

    def _told(self, report: SyncReport) -> None:
        with self._telling:
            self._tell(report)


class _Lane:
    """One connection: sync, rest, again."""

    def __init__(self, hub: Hub, name: str, every_s: float, tell: Tell) -> None:
        self._hub, self._name, self._every_s, self._tell = hub, name, every_s, tell
        self._failures = 0
        self._is_live: bool | None = None

    def run(self) -> None:
        while not self._hub.stopping():
            report = self._sync()
            self._tell(report)
            if report.error is None:
                self._failures = 0
                self._rest(self._every_s)
            elif isinstance(report.error, ConfigError) and not isinstance(report.error, MassDelete):
                self._rest_until_synced_by_hand()
            else:
                self._failures += 1
                self._sleep(self.backoff_s(report.error))

    def _sync(self) -> SyncReport:
        try:
            return self._both_ways()
        except Exception as bug:  # noqa: BLE001 - one lane's bug must not stop the others
            _log.exception("%s: the run failed", self._name)
            report = SyncReport(self._name)
            report.error = HubError(
                f"{self._name}: the hub itself failed ({type(bug).__name__}); nothing is lost",
                remedy="Report this; the log has the traceback.",
            )
            return report

    def _both_ways(self) -> SyncReport:
        """Read, then send what is due; the report counts both, with the first error."""
        report = Inbound(self._hub, self._name).run()
        written = None if report.error is not None else push(self._hub, self._name)
        if written is not None:
            report.counts.update({f"{k} there": n for k, n in written.counts.items()})
            report.notes += written.notes
            report.error = written.error
        return report

    def backoff_s(self, error: HubError) -> float:
        """Return how long to wait after `error`: twice as long each time, or as the source asks."""
        doubled: float = _FIRST_BACKOFF_S * 2 ** min(self._failures - 1, 20)
        wait_s = min(LONGEST_BACKOFF_S, doubled)
        if isinstance(error, MassDelete):
            wait_s = self._every_s
        wished_s = error.retry_after_s if isinstance(error, TransientError) else None
        return max(wait_s, min(wished_s or 0.0, LONGEST_WISH_S))

    def _rest(self, wait_s: float) -> None:
        """Wait for the next turn, or for news where the source tells of it."""
        until = time.monotonic() + wait_s
        try:
            if self._listens() and self._hears(until):
                return
        except HubError as error:
            _log.warning("%s: %s It is polled this once.", self._name, error.message)
        except Exception:  # noqa: BLE001 - a bug in hearing of news must not end the lane
            _log.exception("%s: waiting for news failed. It is polled this once.", self._name)
        self._sleep(until - time.monotonic())

    def _listens(self) -> bool:
        if self._is_live is None:
            streams = self._hub.connector(self._name).discover()
            self._is_live = any(stream.caps.live for stream in streams)
        return self._is_live

    def _hears(self, until: float) -> bool:
        """Tell whether the source has news before then."""
        while not self._hub.stopping() and (left_s := until - time.monotonic()) > 0:
            if self._hub.connector(self._name).wait(min(left_s, _LISTEN_S)):
                return True
        return False

    def _rest_until_synced_by_hand(self) -> None:
        """Wait for a sync that went well; a changed setting begins the whole run anew."""
        looked_us = self._hub.last_looked_us(self._name)
        while not self._hub.stopping() and self._hub.last_looked_us(self._name) == looked_us:
            time.sleep(_LOOK_S)

    def _sleep(self, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while not self._hub.stopping() and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_S))


def set_aside_what_stays() -> None:
    """Spare modules, settings and caches the walks of the garbage collector, which else hold up a
    record now and then for as long as thirty others take. What an earlier start left goes."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def settings_mark(folder: Path) -> tuple[tuple[str, int], ...]:
    """Return a mark of a hub's settings, mappings and secrets; it changes when they do.

    The mapping file of a single connection lies beside hub.yaml.
    """
    found = [*folder.glob("*.yaml"), folder / "secrets.sealed", *folder.glob("mappings/*")]
    return tuple((f.name, f.stat().st_mtime_ns) for f in sorted(found) if f.is_file())
