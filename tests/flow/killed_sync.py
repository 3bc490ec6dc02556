"""A sync in a process of its own, to be killed: prints "ready", then syncs the hub folder given.

With "ahead" after the folder a helper process maps from the first record on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from crm_hub.flow import ahead
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync


def sync_hub(folder: Path, tell: Callable[[], object]) -> int:
    """Sync a hub, telling when it is about to start; return the exit code."""
    hub = Hub(folder)
    with hub.store.read():  # the file is open and its tables are there before the clock starts
        pass
    tell()
    failed = [report.error for report in sync(hub) if report.error is not None]
    for error in failed:
        print(error, file=sys.stderr)
    return 1 if failed else 0


def main() -> int:
    if "ahead" in sys.argv[2:]:
        ahead.LONG, ahead._START_S = 0, 60.0
    return sync_hub(Path(sys.argv[1]), lambda: print("ready", flush=True))


if __name__ == "__main__":
    raise SystemExit(main())
