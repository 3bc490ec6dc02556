"""init, connect, check: from an empty folder to a source system that answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crm_hub.cli.common import clean, hub_option, json_option, opened, print_json
from crm_hub.cli.main import hub_folder
from crm_hub.config import add_connection, check_name, create
from crm_hub.flow.hub import Hub
from crm_hub.model.errors import ConfigError, HubError
from crm_hub.observe import redact
from crm_hub.secrets import SealedStore, seal_settings, secret_fields


@click.command()
@hub_option
@click.option("--name", default="", help="The company's name.")
@click.option("--region", default="US", help="ISO 3166 code for phone numbers without a country.")
@click.option("--zone", default="UTC", help="IANA time zone, such as America/New_York.")
@click.option("--own", default="", help="The company's own domains and addresses, comma separated.")
@click.option("--store", default="sqlite:///hub.db", help="sqlite:///FILE or postgresql://…")
def init(hub_dir: str | None, name: str, region: str, zone: str, own: str, store: str) -> None:
    """Create a hub in a folder.

    \b
    Example:
      crm-hub init --hub ./hub --region US --zone America/New_York --own acme.example
    """
    folder = Path(hub_dir or ".")
    path = new_hub(folder, name=name, region=region, zone=zone, own=own, store=store)
    click.echo(f"The hub is in {path.parent}.")
    click.echo(f"Next: crm-hub connect files mail --hub {folder} --set path=PATH")


def new_hub(folder: Path, *, own: str = "", **values: str) -> Path:
    """Create a hub's folder, configuration and key; return the path of hub.yaml."""
    path = create(folder, own=[o.strip() for o in own.split(",") if o.strip()], **values)
    SealedStore(folder).create_key()
    for name in ("mappings", "connectors"):
        (folder / name).mkdir(exist_ok=True)
    return path


@click.command()
@click.argument("kind")
@click.argument("name")
@hub_option
@json_option
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting; repeatable. "
              "Secrets are sealed. VALUE may be env:NAME, file:PATH or - (read from stdin).")  # fmt: skip
@click.option("--no-check", is_flag=True, help="Do not ask the source system now.")
@click.option("--replace", is_flag=True, help="Change a connection that is there already.")
def connect(
    kind: str,
    name: str,
    hub_dir: str | None,
    as_json: bool,
    pairs: tuple[str, ...],
    no_check: bool,
    replace: bool,
) -> None:
    """Connect a source system of KIND under NAME.

    \b
    Example:
      crm-hub connect files crm --set path=exports/contacts.csv
    """
    with opened(hub_dir) as hub:
        add(hub, kind, name, _pairs(pairs), replace=replace)
    with opened(hub_dir) as hub:
        found = {} if no_check else examine(hub, name)
    if as_json:
        print_json({"connection": name, "kind": kind, **found})
        return
    click.echo(f"{name} is connected.")
    _print_check(found)
    click.echo(f"Next: crm-hub sync {name}")


def add(hub: Hub, kind: str, name: str, values: dict[str, Any], *, replace: bool = False) -> None:
    """Write a connection into hub.yaml, its secrets into the sealed store."""
    check_name(name)
    if name in hub.config.connections and not replace:
        raise ConfigError(
            f"there is a connection named {name} already", remedy="Add --replace to change it."
        )
    entry = hub.registry.get(kind)
    if entry.connector is None:
        raise ConfigError(
            f"the connector {kind} cannot be used: {entry.error}",
            remedy="Run: crm-hub connectors list",
        )
    model = entry.connector.manifest.settings
    required = [f for f, info in model.model_fields.items() if info.is_required()]
    missing = [f for f in required if f not in values]
    if missing:
        told = "\n".join(
            f"  {f}{' (secret)' if f in secret_fields(model) else ''}: "
            f"{model.model_fields[f].description}"
            for f in missing
        )
        raise ConfigError(
            f"{kind} needs more settings:\n{told}",
            remedy=f"crm-hub connect {kind} {name} " + " ".join(f"--set {f}=…" for f in required),
        )
    settings = seal_settings(model, name, values, hub.secrets, kind=kind)
    add_connection(hub.folder, name, kind, settings, replace=replace)


def _pairs(pairs: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ConfigError("a setting is not KEY=VALUE", remedy="Write it as --set key=value.")
        values[key.strip()] = sys.stdin.readline().rstrip("\n") if value == "-" else value
    return values


def examine(hub: Hub, name: str) -> dict[str, Any]:
    """Return what a check finds: the account, remarks, and the streams."""
    connector = hub.connector(name)
    report = connector.check()
    streams = connector.discover()
    return {
        "account": report.account,
        "lines": list(report.lines),
        "streams": [
            {
                "name": s.name,
                "shape": s.shape,
                "guess": s.guess,
                "mapped": hub.section(name, s) is not None,
            }
            for s in streams
        ],
    }


def _print_check(found: dict[str, Any]) -> None:
    if not found:
        return
    click.echo(clean(found["account"]))
    for line in found["lines"]:
        click.echo(f"  {clean(line)}")
    for stream in found["streams"]:
        mark = "" if stream["mapped"] else "  (no mapping yet)"
        click.echo(f"  stream {clean(stream['name'])} as {stream['shape']}{mark}")
        if stream["guess"]:
            click.echo(f"    {clean(stream['guess'])}")


@click.command()
@click.argument("name", required=False)
@hub_option
@json_option
def check(name: str | None, hub_dir: str | None, as_json: bool) -> int:
    """Ask the source systems whether they can be read.

    \b
    Example:
      crm-hub check crm
    """
    results: dict[str, Any] = {}
    with opened(hub_folder(hub_dir)) as hub:
        for one in hub.names([name] if name else []):
            try:
                results[one] = examine(hub, one)
            except HubError as error:
                results[one] = {"error": redact(error.message), "remedy": redact(error.remedy)}
    if as_json:
        print_json(results)
    for one, found in results.items():
        if "error" in found:
            click.echo(f"{one}: {found['error']}\n{found['remedy']}", err=True)
        elif not as_json:
            click.echo(f"{one}: ", nl=False)
            _print_check(found)
    return int(any("error" in found for found in results.values()))


COMMANDS = {"init": init, "connect": connect, "check": check}
