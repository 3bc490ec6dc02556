"""crm-hub replay: stored records are walked again."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, STOPPED, hub_command, opened
from crm_hub.cli.progress import Shown
from crm_hub.cli.reports import REPLAY_COUNTS, as_data, show
from crm_hub.cli.stopping import stoppable


@hub_command("crm-hub replay", "crm-hub replay hubspot", "crm-hub replay --preview")
@click.argument("names", nargs=-1)
@click.option("--preview", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--rows", type=int, default=20, show_default=True, help="How many to show of it.")
def replay(
    hub_dir: str | None, as_json: bool, names: tuple[str, ...], preview: bool, rows: int
) -> int:
    """Walk the stored records of all connections, or of NAMES alone, with the mapping of today.

    Nothing is read from the sources. Ids stay, and only what comes out different is written.
    """
    if preview:
        return _preview(hub_dir, as_json, names, rows)
    from crm_hub.flow.replay import replay as walk_again

    with opened(hub_dir) as hub, stoppable(hub) as asked:
        with Shown() as progress:
            reports = walk_again(hub, names, progress=progress)
        stopped = asked.is_set()
    if as_json:
        data = [as_data(report, REPLAY_COUNTS) for report in reports]
        output.emit({"connections": data, "stopped": stopped})
    else:
        show(reports, REPLAY_COUNTS)
    if stopped:
        return STOPPED
    return FAILED if any(report.error for report in reports) else 0


def _preview(hub_dir: str | None, as_json: bool, names: tuple[str, ...], rows: int) -> int:
    from crm_hub.cli.commands.preview import show as show_line
    from crm_hub.flow.preview import Line
    from crm_hub.flow.replay_preview import preview_replay

    with opened(hub_dir) as hub:
        found = preview_replay(hub, names)
    if as_json:
        output.emit(
            {
                "walked": found.walked,
                "counts": dict(found.counts),
                "identities": [one._asdict() for one in found.differing],
                "writes": [line._asdict() for line in found.writes],
            }
        )
        return 0
    counts = ", ".join(f"{n:,} {kind}" for kind, n in sorted(found.counts.items()) if n)
    output.say(f"{found.walked:,} records walked, nothing kept: {counts or 'no difference'}")
    for one in found.differing[:rows]:
        show_line(Line("", one.kind, one.id, one.name, one.fields))
    if found.writes:
        output.say(f"Then {len(found.writes):,} writes would be due:")
    for line in found.writes[:rows]:
        show_line(line)
    if found.differing:
        output.say("To do it: crm-hub replay")
    return 0


command = replay
