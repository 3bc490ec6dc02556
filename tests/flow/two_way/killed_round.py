"""Two-way rounds in a process of their own, to be killed: tells what was sent or waits, each."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push
from crm_hub.store import Outbox


def main(folder: str, told: Connection) -> None:
    """Say that the hub is open, then after each round how many writes it sent or left open.

    A sync that ends in an error ends the process, and so the test.
    """
    hub = Hub(Path(folder))
    with hub.store.read():
        pass
    told.send("ready")
    while True:
        reports = list(sync(hub, accept_deletes=True))
        pushed = [push(hub, name, yes=True, many=True) for name in hub.config.connections]
        made = [report for report in pushed if report is not None]
        for report in [*reports, *made]:
            if report.error:
                raise RuntimeError(report.error)
        sent = sum(sum(report.counts.values()) for report in made)
        with hub.store.read() as db:
            counts = Outbox(db).counts()
        told.send(sent + sum(n for (_, state), n in counts.items() if state != "dead"))
