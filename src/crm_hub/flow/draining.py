"""Walks what the doors have taken while the receiver runs, a moment after it came in."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound
from crm_hub.model.errors import HubError, TransientError
from crm_hub.observe import logger
from crm_hub.store import Landings, Machinery

_log = logger("draining")
LONGEST_WAIT_S = 60.0
LONGEST_WISH_S = 3600.0


class Drainer:
    """A thread that looks into the inbox of each connection every `every_s` seconds.

    A context manager; leaving it ends the thread after the batch under way. A connection that
    fails is asked again after twice the time, at most a minute, or when its source wishes.
    """

    def __init__(self, hub: Hub, names: Sequence[str], every_s: float = 1.0) -> None:
        self._hub = hub
        self._names = tuple(names)
        self._every_s = every_s
        self._stop = threading.Event()
        self._skip_s = dict.fromkeys(self._names, 0.0)
        self._failures = dict.fromkeys(self._names, 0)
        self._thread = threading.Thread(target=self._run, name="crm-hub-drainer")

    def __enter__(self) -> Drainer:
        self._before, self._hub.stopping = self._hub.stopping, self._stop.is_set
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._hub.stopping = self._before

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            for name in self._names:
                self._skip_s[name] -= self._every_s
                if self._skip_s[name] <= 0 and not self._stop.is_set():
                    self._look(name)

    def _look(self, name: str) -> None:
        try:
            error = drain(self._hub, name) if waits(self._hub, name) else None
        except HubError as failure:
            error = failure
        except Exception as bug:  # noqa: BLE001 - the next look may find it cured
            _log.exception("%s: the inbox could not be walked", name)
            error = HubError(f"{type(bug).__name__}")
        if error is None:
            self._failures[name] = 0
        else:
            self._put_off(name, error)

    def _put_off(self, name: str, error: HubError) -> None:
        if not self._failures[name]:
            _log.error("%s: %s %s", name, error.message, error.remedy)
        self._failures[name] += 1
        wait_s = min(LONGEST_WAIT_S, self._every_s * 2 ** self._failures[name])
        wished_s = error.retry_after_s if isinstance(error, TransientError) else None
        self._skip_s[name] = max(wait_s, min(wished_s or 0, LONGEST_WISH_S))


def waits(hub: Hub, name: str) -> bool:
    """Whether a connection has requests or landed records that wait to be walked."""
    with hub.store.read() as db:
        return bool(Machinery(db).due_requests(name, 0, 1) or Landings(db).due(name))


def drain(hub: Hub, name: str) -> HubError | None:
    """Walk what waits for a connection; return what went wrong."""
    inbound = Inbound(hub, name)
    return inbound.recorded(inbound.drain_due).error
