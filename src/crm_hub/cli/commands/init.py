"""crm-hub init: a new hub."""

from __future__ import annotations

import os
from pathlib import Path

import click

from crm_hub.cli import output
from crm_hub.cli.command import HUB_VARIABLE, hub_command


@hub_command(
    "crm-hub init --hub ./hub --name Clearwater --region US --zone America/New_York "
    "--own clearwater.example",
    "crm-hub init --store postgresql://hub@db.example/hub",
)
@click.option("--name", default="", help="The company's name.")
@click.option(
    "--region",
    default="US",
    show_default=True,
    help="Country of phone numbers without a country code, ISO 3166.",
)
@click.option(
    "--zone", default="UTC", show_default=True, help="Time zone of times without one, IANA name."
)
@click.option("--own", default="", help="Your own mail domains and addresses, comma separated.")
@click.option(
    "--store", default="sqlite:///hub.db", show_default=True, help="Where everything is kept."
)
def init(
    hub_dir: str | None, as_json: bool, name: str, region: str, zone: str, own: str, store: str
) -> None:
    """Create a hub in a folder: hub.yaml, its key, and folders for mappings and connectors.

    Without --hub it is made in the current folder. The key in hub.key opens the secrets of the
    connections: keep a copy of it in another place.
    """
    from crm_hub.flow.setup import create_hub

    folder = Path(hub_dir or os.environ.get(HUB_VARIABLE) or ".").expanduser().absolute()
    owned = [part.strip() for part in own.split(",") if part.strip()]
    path = create_hub(folder, name=name, region=region, zone=zone, own=owned, store=store)
    if as_json:
        return output.emit({"hub": str(folder), "file": str(path)})
    output.say(f"Created {path}")
    if folder != Path.cwd():
        output.say(f"Go there: cd {folder}")
    output.say("Then connect what you have, for example a folder of exports or a mailbox:")
    output.say("  crm-hub connect files mail --set path=./mail")
    return None


command = init
