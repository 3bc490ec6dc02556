"""crm-hub preview: what would be written to a connection, before anything is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from pathlib import Path

    from crm_hub.flow.preview import Line, Preview

_KINDS = (
    "create", "update", "merge", "restore", "archive", "delete", "skip", "conflict",
)  # fmt: skip


@hub_command("crm-hub preview crm", "crm-hub preview crm --rows 100")
@click.argument("name")
@click.option("--rows", type=int, default=20, show_default=True, help="How many rows to show.")
def preview(hub_dir: str | None, as_json: bool, name: str, rows: int) -> None:
    """Show what would be written to the connection NAME now, and save it as a plan.

    Nothing is written. crm-hub apply carries out the plan while nothing has changed since.
    """
    from crm_hub.flow.preview import preview as look
    from crm_hub.flow.preview import save_plan

    with opened(hub_dir) as hub:
        found = look(hub, name)
        path = save_plan(hub, found)
    if as_json:
        return output.emit(_as_data(found, path))
    counts = ", ".join(f"{found.counts[k]:,} {k}" for k in _KINDS if found.counts[k])
    output.say(f"{name}: {counts or 'nothing to write'}; {found.calls:,} calls")
    for line in found.lines[:rows]:
        show(line)
    if len(found.lines) > rows:
        output.say(f"… and {len(found.lines) - rows:,} more; all of them are in the plan.")
    for problem in found.problems[:rows]:
        output.say(f"cannot be written: {output.plain(problem)}")
    if found.lines:
        output.say(f"To do exactly this: crm-hub apply {path}")
    return None


def show(line: Line) -> None:
    """Write one row with its fields, old and new."""
    output.say(f"{line.kind:<7} {output.plain(line.name)}  {output.plain(line.record)}".rstrip())
    if line.joins:
        output.say(f"        is the same as {output.plain(', '.join(line.joins))}")
    for field, (was, to) in line.fields.items():
        change = _text(to) if was is None else f"{_text(was)} → {_text(to)}"
        output.say(f"        {field}: {output.plain(change)}")


def _text(value: Any) -> str:
    if value is None:
        return "(blank)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_data(found: Preview, path: Path) -> dict[str, Any]:
    return {
        "connection": found.connection,
        "counts": {kind: found.counts[kind] for kind in _KINDS},
        "calls": found.calls,
        "rows": [line._asdict() for line in found.lines],
        "problems": found.problems,
        "plan": str(path),
    }


command = preview
