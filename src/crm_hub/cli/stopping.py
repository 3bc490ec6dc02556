"""Ctrl-C and SIGTERM end a run after the page under way, not in the middle of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from crm_hub.cli import output

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable(hub: Hub) -> Iterator[threading.Event]:
    """Let the first signal ask the hub to stop, and the second one stop it at once.

    Yields the event that is set once a stop was asked for. The handlers before are put back at
    the end. Outside the main thread no signal can be caught, and none is.
    """
    asked = threading.Event()
    hub.stopping = asked.is_set
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        output.say("Stopping after this page; once more to stop at once.", err=True)

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
