"""crm-hub push: what the hub has to write goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, STOPPED, hub_command, opened
from crm_hub.cli.reports import WRITE_COUNTS, as_data, show
from crm_hub.cli.stopping import stoppable

if TYPE_CHECKING:
    from crm_hub.flow.inbound import SyncReport


@hub_command("crm-hub push", "crm-hub push crm --yes")
@click.argument("names", nargs=-1)
@click.option("--yes", is_flag=True, help="Approve the first plan of a connection unseen.")
@click.option("--many", is_flag=True, help="Go on above the caps of creates and deletes.")
def push(hub_dir: str | None, as_json: bool, names: tuple[str, ...], yes: bool, many: bool) -> int:
    """Send what is due to the connections that may be written to, or to NAMES alone.

    A sync does the same after it has read. Before the first writes to a connection somebody
    approves the plan: crm-hub preview NAME, then crm-hub apply; or --yes.
    """
    from crm_hub.flow.outbound import push as push_to

    with opened(hub_dir) as hub, stoppable(hub) as asked:
        found = [
            push_to(hub, name, yes=yes, many=many)
            for name in hub.names(names)
            if not hub.stopping()
        ]
        reports = [report for report in found if report is not None]
        stopped = asked.is_set()
    if as_json:
        output.emit(
            {"connections": [as_data(r, WRITE_COUNTS) for r in reports], "stopped": stopped}
        )
    elif reports:
        show(reports, WRITE_COUNTS)
    else:
        output.say("The hub writes nowhere. To let it: `direction: both` or `push` in hub.yaml.")
    return STOPPED if stopped else failed(reports)


def failed(reports: Sequence[SyncReport]) -> int:
    """Return the exit status of these runs."""
    return FAILED if any(report.error for report in reports) else 0


command = push
