"""crm-hub runs: what the hub did lately, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.store import RunRow


@hub_command("crm-hub runs", "crm-hub runs crm --last 50")
@click.argument("name", required=False)
@click.option(
    "--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many."
)
def runs(hub_dir: str | None, as_json: bool, name: str | None, last: int) -> None:
    """List the latest runs that had an effect, of all connections or of NAME, newest first.

    What a run of the kind push wrote can be taken back: crm-hub undo RUN.
    """
    from crm_hub.store import Machinery

    with opened(hub_dir) as hub:
        wanted = None if name is None else hub.connection(name).name
        with hub.store.read() as db:
            found = Machinery(db).runs(wanted, last)
        zone = hub.config.company.zone
    if as_json:
        return output.emit({"runs": [_as_data(row) for row in found]})
    if not found:
        return output.say("No run has had an effect yet.")
    return output.table(
        ["run", "kind", "connection", "began", "took", "state", "what"],
        [_cells(row, zone) for row in found],
        right=["run", "took"],
    )


def _cells(row: RunRow, zone: str) -> list[Any]:
    from crm_hub.model.values import from_us

    took = "-"
    if row.ended_at_us is not None:
        took = output.age((row.ended_at_us - row.started_at_us) // 1_000_000)
    counts = ", ".join(f"{count:,} {name}" for name, count in row.counts.items() if count)
    what = redact(row.message) or counts
    began = output.moment(from_us(row.started_at_us), zone)
    return [row.id, row.kind, row.connection, began, took, row.state, what]


def _as_data(row: RunRow) -> dict[str, Any]:
    from crm_hub.model.values import from_us

    ended_us = row.ended_at_us
    return {
        "run": row.id,
        "kind": row.kind,
        "connection": row.connection,
        "started_at": from_us(row.started_at_us),
        "ended_at": None if ended_us is None else from_us(ended_us),
        "state": row.state,
        "message": redact(row.message),
        "counts": row.counts,
    }


command = runs
