"""crm-hub pause: whether syncs take a connection in."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import find_hub, hub_command


@hub_command("crm-hub pause mail", "crm-hub pause --all", as_json=False)
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Pause every connection.")
def pause(hub_dir: str | None, name: str | None, everything: bool) -> None:
    """Leave the connection NAME out of the syncs, and write nothing to it, until it is resumed.

    A hub that runs ends the page or the batch under way and goes on without it. What is posted to
    it meanwhile is kept, and what is due to it waits.
    """
    from crm_hub.config import set_paused

    found = set_paused(find_hub(hub_dir), one_or_all(name, everything), True)
    for each in found:
        output.say(f"Paused {each}: syncs leave it out until crm-hub resume {each}")


def one_or_all(name: str | None, everything: bool) -> str | None:
    """Return the connection that was named, None for all of them."""
    if (name is None) != everything:
        raise click.UsageError("Give the NAME of a connection, or --all.")
    return name


command = pause
