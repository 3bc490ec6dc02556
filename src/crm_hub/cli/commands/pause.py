"""crm-hub pause: whether syncs take a connection in."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import find_hub, hub_command


@hub_command("crm-hub pause mail", as_json=False)
@click.argument("name")
def pause(hub_dir: str | None, name: str) -> None:
    """Leave the connection NAME out of the syncs until it is resumed.

    What is posted to it meanwhile is kept, and walked once it is resumed.
    """
    from crm_hub.config import set_paused

    set_paused(find_hub(hub_dir), name, True)
    output.say(f"Paused {name}: syncs leave it out until crm-hub resume {name}")


command = pause
