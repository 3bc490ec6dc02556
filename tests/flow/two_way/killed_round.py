"""Two-way rounds in a process of their own, to be killed: prints what was sent or waits, each."""

from __future__ import annotations

import sys
from pathlib import Path

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push
from crm_hub.store import Outbox


def main() -> None:
    hub = Hub(Path(sys.argv[1]))
    with hub.store.read():
        pass
    print("ready", flush=True)
    while True:
        list(sync(hub, accept_deletes=True))
        sent = 0
        for name in hub.config.connections:
            report = push(hub, name, yes=True, many=True)
            sent += 0 if report is None else sum(report.counts.values())
        with hub.store.read() as db:
            counts = Outbox(db).counts()
        sent += sum(n for (_, state), n in counts.items() if state != "dead")
        print(sent, flush=True)


if __name__ == "__main__":
    main()
