"""crm-hub people: who is in the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.flow.reading import Party


@hub_command("crm-hub people", "crm-hub people whitfield --limit 10")
@click.argument("query", default="")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="At most so many.",
)
def people(hub_dir: str | None, as_json: bool, query: str, limit: int) -> None:
    """List people and organizations whose name or values contain QUERY, by name."""
    from crm_hub.flow.reading import people as found_by

    with opened(hub_dir) as hub:
        rows = found_by(hub, query, limit)
    if as_json:
        return output.emit({"people": [row._asdict() for row in rows]})
    if not rows:
        return output.say("Nobody." if query else "Nobody yet. Read the sources: crm-hub sync")
    headers = ["id", "name", "what", "e-mail", "phone", "records", "events"]
    output.table(headers, [_cells(row) for row in rows], right=["records", "events"])
    if len(rows) == limit:
        output.say(f"Only the first {limit}; ask for more with --limit, or for fewer with QUERY.")
    return None


def _cells(row: Party) -> list[Any]:
    values = row.values
    what = values.get("company") or values.get("industry") or ""
    if row.entity == "organization":
        what = "organization"
    return [
        row.id,
        row.name,
        what,
        next(iter(values.get("email", [])), ""),
        next(iter(values.get("phone", [])), ""),
        row.records,
        row.events,
    ]


command = people
