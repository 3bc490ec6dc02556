"""crm-hub replay: stored records are walked again."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, STOPPED, hub_command, opened
from crm_hub.cli.progress import Shown
from crm_hub.cli.reports import REPLAY_COUNTS, as_data, show
from crm_hub.cli.stopping import stoppable


@hub_command("crm-hub replay", "crm-hub replay hubspot")
@click.argument("names", nargs=-1)
def replay(hub_dir: str | None, as_json: bool, names: tuple[str, ...]) -> int:
    """Walk the stored records of all connections, or of NAMES alone, with the mapping of today.

    Nothing is read from the sources. Ids stay, and only what comes out different is written.
    """
    from crm_hub.flow.replay import replay as walk_again

    with opened(hub_dir) as hub, stoppable(hub) as asked:
        with Shown() as progress:
            reports = walk_again(hub, names, progress=progress)
        stopped = asked.is_set()
    if as_json:
        rows = [as_data(report, REPLAY_COUNTS) for report in reports]
        output.emit({"connections": rows, "stopped": stopped})
    else:
        show(reports, REPLAY_COUNTS)
    if stopped:
        return STOPPED
    return FAILED if any(report.error for report in reports) else 0


command = replay
