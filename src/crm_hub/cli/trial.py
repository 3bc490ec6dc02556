"""try: one customer's timeline out of one's own exports, in a minute, without credentials."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from crm_hub.cli.common import Progress, clean, hub_option, opened, print_reports
from crm_hub.cli.reading import show_status, show_timeline
from crm_hub.cli.setup import add, examine, new_hub
from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.model.errors import ConfigError


@click.command("try")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@hub_option
@click.option("--own", default="", help="Your own domains and addresses, comma separated.")
@click.option("--region", default="US", help="Country of phone numbers without a country code.")
@click.option("--zone", default="UTC", help="IANA zone of times without one.")
@click.option("--keep", is_flag=True, help="Keep the throw-away hub.")
def try_(
    paths: tuple[Path, ...], hub_dir: str | None, own: str, region: str, zone: str, keep: bool
) -> int:
    """Look at your own exports: mbox, Maildir, .eml, .ics, .vcf, .csv, .xlsx, .jsonl.

    \b
    Example:
      crm-hub try ~/Downloads/contacts.csv ~/Mail/archive.mbox --own acme.example
    """
    missing = [p for p in paths if not p.exists()]
    if missing:
        raise ConfigError(f"{missing[0]} is not there", remedy="Give files or folders that exist.")
    folder = Path(hub_dir) if hub_dir else Path(tempfile.mkdtemp(prefix="crm-hub-try-"))
    keep = keep or hub_dir is not None
    try:
        return _look(folder, paths, own, region, zone, keep)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _look(
    folder: Path, paths: tuple[Path, ...], own: str, region: str, zone: str, keep: bool
) -> int:
    new_hub(folder, own=own, region=region, zone=zone)
    for number, path in enumerate(paths, 1):
        with opened(folder) as hub:
            settings = {"path": str(path.resolve())} | ({"own": own} if own else {})
            add(hub, "files", f"source{number}", settings)
    with opened(folder) as hub:
        _guesses(hub)
        code = print_reports(list(sync(hub, progress=Progress())), as_json=False)
        click.echo()
        show_status(hub)
        _busiest(hub)
    click.echo()
    if keep:
        click.echo(f"The hub is in {folder}. Look around: crm-hub people --hub {folder}")
    else:
        click.echo("The hub is thrown away now; --keep keeps it.")
    click.echo("For a lasting one: crm-hub init --hub ./hub, then crm-hub connect files …")
    return code


def _guesses(hub: Hub) -> None:
    for name in hub.config.connections:
        found = examine(hub, name)
        for line in found["lines"]:
            click.echo(f"{name}: {clean(line)}")
        for stream in found["streams"]:
            if stream["guess"]:
                click.echo(f"{name}: {clean(stream['guess'])}")
            if not stream["mapped"]:
                click.echo(f"{name}: {clean(stream['name'])} was not understood; see `mapping`")


def _busiest(hub: Hub) -> None:
    found = [p for p in reading.people(hub, limit=100_000) if p.entity == "person"]
    if not found:
        click.echo("Nobody was found in these files.")
        return
    best = max(found, key=lambda p: (p.events, p.records, p.id))
    click.echo()
    show_timeline(hub, best.id, 20)


COMMANDS = {"try": try_}
