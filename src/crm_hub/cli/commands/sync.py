"""crm-hub sync: what is new in the sources comes into the hub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, STOPPED, hub_command, opened
from crm_hub.cli.progress import Shown
from crm_hub.cli.reports import WRITE_COUNTS, as_data, show
from crm_hub.cli.stopping import stoppable
from crm_hub.model.errors import ConfigError

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import SyncReport
    from crm_hub.model.records import Window


@hub_command(
    "crm-hub sync",
    "crm-hub sync mail calendar",
    "crm-hub sync mail --since 2026-01-01 --until 2026-02-01",
)
@click.argument("names", nargs=-1)
@click.option(
    "--accept-deletes",
    is_flag=True,
    help="Go on although a source lists less than half of what it held.",
)
@click.option("--yes", is_flag=True, help="Approve the first plan of writes unseen.")
@click.option("--since", metavar="DATE", help="Read a span of time once more, from this day on.")
@click.option("--until", metavar="DATE", help="End of that span, itself not in it. [default: now]")
def sync(
    hub_dir: str | None,
    as_json: bool,
    names: tuple[str, ...],
    accept_deletes: bool,
    yes: bool,
    since: str | None,
    until: str | None,
) -> int:
    """Read what is new in all connections, or in NAMES alone.

    A connection that fails does not stop the next one; the exit status is then 1. Ctrl-C ends
    the run after the page under way, and the next run goes on from there. With --since, a span
    of time is read once more without moving the place where the next sync goes on. Then what is
    due to the connections that may be written to goes out, as crm-hub push does it.
    """
    with opened(hub_dir) as hub, stoppable(hub) as asked:
        window = _window(hub, since, until)
        with Shown() as progress:
            reports = list(_reports(hub, names, progress, accept_deletes, window))
        written = [] if window is not None else _written(hub, names, yes)
        stopped = asked.is_set()
        if as_json:
            data = {"connections": [as_data(r) for r in reports], "stopped": stopped}
            if written:
                data["written"] = [as_data(r, WRITE_COUNTS) for r in written]
            output.emit(data)
        elif reports:
            show(reports)
            if written:
                output.say()
                show(written, WRITE_COUNTS)
        else:
            output.say("Nothing is connected yet. Connect a source: crm-hub connect KIND NAME")
    if stopped:
        return STOPPED
    return FAILED if any(report.error for report in [*reports, *written]) else 0


def _written(hub: Hub, names: tuple[str, ...], yes: bool) -> list[SyncReport]:
    """Send what is due, after everything has been read; nothing to show for quiet connections."""
    from crm_hub.flow.outbound import push

    found = []
    for name in hub.names(names):
        report = None if hub.stopping() else push(hub, name, yes=yes)
        if report is not None and (report.counts or report.error or report.notes):
            found.append(report)
    return found


def _reports(
    hub: Hub, names: tuple[str, ...], progress: Shown, accept_deletes: bool, window: Window | None
) -> Iterator[SyncReport]:
    from crm_hub.flow.inbound import Inbound

    for name in hub.names(names):
        if hub.stopping():
            return
        inbound = Inbound(hub, name, progress, accept_deletes)
        yield inbound.run() if window is None else inbound.backfill(window)


def _window(hub: Hub, since: str | None, until: str | None) -> Window | None:
    from crm_hub.model.records import Window

    if since is None and until is None:
        return None
    if since is None:
        raise click.UsageError("--until needs --since.")
    start = _instant(since, hub.config.company.zone, "--since")
    end = _instant(until, hub.config.company.zone, "--until") if until else hub.now()
    if start >= end:
        raise ConfigError(
            "the span ends before it begins", remedy="Give --since the earlier day of the two."
        )
    return Window(start, end)


def _instant(text: str, zone: str, option: str) -> datetime:
    """Return a day or time as typed; without an offset it is meant in the company's zone."""
    from zoneinfo import ZoneInfo

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            "write a day or time of ISO 8601, such as 2026-03-10 or 2026-03-10T09:00",
            param_hint=option,
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


command = sync
