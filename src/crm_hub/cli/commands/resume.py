"""crm-hub resume: whether syncs take a connection in."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import find_hub, hub_command


@hub_command("crm-hub resume mail", as_json=False)
@click.argument("name")
def resume(hub_dir: str | None, name: str) -> None:
    """Take the paused connection NAME into the syncs again; it goes on where it stopped."""
    from crm_hub.config import set_paused

    set_paused(find_hub(hub_dir), name, False)
    output.say(f"Resumed {name}: the next sync reads it again; crm-hub sync {name}")


command = resume
