"""crm-hub undo: what a run wrote is taken back."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.commands.push import failed
from crm_hub.cli.reports import WRITE_COUNTS, as_data, show


@hub_command("crm-hub undo", "crm-hub undo 17")
@click.argument("run", type=int, required=False)
def undo(hub_dir: str | None, as_json: bool, run: int | None) -> int:
    """Take back what RUN wrote, where the far side still holds it; without RUN, list the runs.

    What somebody has changed since stays, and is listed. What was taken back is not written again
    until its value changes where it comes from.
    """
    if run is None:
        return _list(hub_dir, as_json)
    from crm_hub.flow.undo import undo as take_back

    with opened(hub_dir) as hub:
        found = take_back(hub, run)
    left = [{"record": record, "why": why} for record, why in found.left]
    if as_json:
        output.emit(
            {
                "run": run,
                "writes": found.writes,
                "left": left,
                "connections": [as_data(r, WRITE_COUNTS) for r in found.reports],
            }
        )
    else:
        show(found.reports, WRITE_COUNTS) if found.reports else output.say("Nothing is taken back.")
        output.table(["stays as it is", "why"], [[o["record"], o["why"]] for o in left])
    return failed(found.reports)


def _list(hub_dir: str | None, as_json: bool) -> int:
    from crm_hub.model.values import from_us
    from crm_hub.store import Outbox

    with opened(hub_dir) as hub:
        with hub.store.read() as db:
            rows = Outbox(db).runs()
        zone = hub.config.company.zone
    if as_json:
        names = ("run", "connection", "writes", "ended_at")
        runs = [dict(zip(names, (*r[:3], from_us(r[3])), strict=True)) for r in rows]
        output.emit({"runs": runs})
    elif rows:
        output.table(
            ["run", "connection", "writes", "ended"],
            [[*row[:3], output.moment(from_us(row[3]), zone)] for row in rows],
            right=["run", "writes"],
        )
    else:
        output.say("No run has written anything yet.")
    return 0


command = undo
