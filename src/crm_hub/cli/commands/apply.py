"""crm-hub apply: a plan that was looked at is carried out."""

from __future__ import annotations

from pathlib import Path

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, hub_command, opened
from crm_hub.cli.reports import WRITE_COUNTS, as_data, show
from crm_hub.cli.stopping import stoppable


@hub_command("crm-hub apply plans/crm-20260301-101500-1f2e3d4c.json")
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(hub_dir: str | None, as_json: bool, plan: Path) -> int:
    """Carry out the PLAN that crm-hub preview saved, and approve writes to its connection.

    It does exactly what the plan says, and nothing when anything has changed since.
    """
    from crm_hub.flow.preview import apply as carry_out

    with opened(hub_dir) as hub, stoppable(hub):
        report = carry_out(hub, plan)
    if as_json:
        output.emit(as_data(report, WRITE_COUNTS))
    else:
        show([report], WRITE_COUNTS)
    return FAILED if report.error else 0


command = apply
