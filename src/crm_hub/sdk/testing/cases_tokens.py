"""Case 10: access tokens that expire in mid-pull, refresh tokens that are used once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from crm_hub.model.errors import TransientError
from crm_hub.sdk.contract import Connector
from crm_hub.sdk.testing.bench import Bench, bench, must, need_reading
from crm_hub.sdk.testing.harness import Harness, MiniHub

_THREADS = 8


def token_expires(harness: Harness) -> list[str]:
    """10: a 401 in mid-pull: exactly one refresh under 8 threads, the new token saved before use.

    A rotated refresh token that is lost locks the account out, so it is stored first.
    """
    with bench(harness, 3 * harness.page_size) as b:
        need_reading(b)
        _in_mid_pull(b)
        _under_threads(b)
        _saved_before_use(b)
    return []


def _in_mid_pull(b: Bench) -> None:
    hub = MiniHub()
    flow = b.connect().pull(b.stream, None)
    hub.commit(next(flow))
    before = _expired(b)
    for page in flow:
        hub.commit(page)
    b.same_ids(hub, "a token that expired in mid-pull")
    _once(b, before, "a token that expired in mid-pull")


def _under_threads(b: Bench) -> None:
    connector = b.connect()
    connector.check()
    before = _expired(b)
    start = threading.Barrier(_THREADS)

    def ask(_number: int) -> None:
        start.wait()
        connector.check()

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(ask, range(_THREADS)))
    _once(b, before, f"a token that expired under {_THREADS} threads")


def _saved_before_use(b: Bench) -> None:
    """A grant that cannot be saved is not used; a restarted hub goes on with the saved one."""
    count = b.source.refreshes()
    b.connect().check()
    must(b.source.refreshes() == count, "after a restart the token was renewed without need")
    connector = b.connect()
    before = _expired(b)
    b.grants.fails = True
    must(_fails(connector), "a new token was used although it could not be saved")
    b.grants.fails = False
    connector.check()
    _once(b, before, "a token that could not be saved at first")
    b.connect().check()
    _once(b, before, "a restart after that")


def _fails(connector: Connector[Any]) -> bool:
    try:
        connector.check()
    except TransientError:
        return True
    return False


def _expired(b: Bench) -> int:
    before = b.source.refreshes()
    b.source.expire_token()
    return before


def _once(b: Bench, before: int, after: str) -> None:
    count = b.source.refreshes() - before
    must(count == 1, f"after {after} the token was renewed {count} times")
