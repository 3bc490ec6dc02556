"""How often Python looks for garbage while a run is on."""

from __future__ import annotations

import gc
import threading


class CollectingSeldom:
    """Lets the cyclic collector run once a page or so while any run is on.

    Records are trees, and looking through them for cycles costs a sixth of a run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._usual = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            if self._runs == 0:
                self._usual = gc.get_threshold()
                gc.set_threshold(200_000, 10, 10)
            self._runs += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs == 0:
                gc.set_threshold(*self._usual)


collecting_seldom = CollectingSeldom()
