"""crm-hub disconnect: a connection is taken out of hub.yaml."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened


@hub_command("crm-hub disconnect mail", as_json=False)
@click.argument("name")
def disconnect(hub_dir: str | None, name: str) -> None:
    """Take the connection NAME and its secrets out; what was read from it stays in the hub."""
    from crm_hub.flow.setup import disconnect as take_out

    with opened(hub_dir) as hub:
        take_out(hub, name)
    output.say(f"Disconnected {name}. What was read from it is still there.")


command = disconnect
