"""crm-hub resume: whether syncs take a connection in."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import find_hub, hub_command
from crm_hub.cli.commands.pause import one_or_all


@hub_command("crm-hub resume mail", "crm-hub resume --all", as_json=False)
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Resume every connection.")
def resume(hub_dir: str | None, name: str | None, everything: bool) -> None:
    """Take the paused connection NAME into the syncs again; it goes on where it stopped."""
    from crm_hub.config import set_paused

    found = set_paused(find_hub(hub_dir), one_or_all(name, everything), False)
    for each in found:
        output.say(f"Resumed {each}: the next sync reads it again; crm-hub sync {each}")


command = resume
