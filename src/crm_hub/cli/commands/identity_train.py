"""crm-hub identity train: a model of one's own, fitted by Splink on a hub's records or a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.commands.dedupe import column_fields
from crm_hub.cli.progress import Steps

if TYPE_CHECKING:
    from crm_hub.flow.train import Trained


@hub_command(
    "crm-hub identity train",
    "crm-hub identity train contacts.csv -o model.json",
    "crm-hub identity train firms.csv -o model.json --entity organization",
    name="train",
)
@click.argument("table", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    metavar="MODEL.json",
    help="Where the model goes, as Splink settings. [default: the hub's folder mappings/]",
)
@click.option(
    "--entity",
    type=click.Choice(["person", "organization"]),
    default="person",
    show_default=True,
    help="What is compared.",
)
@click.option(
    "--map", "mapped", multiple=True, metavar="COLUMN=FIELD", help="As at crm-hub dedupe."
)
@click.option("--id", "id_column", default="", metavar="COLUMN", help="As at crm-hub dedupe.")
@click.option("--region", default="", metavar="CC", help="As at crm-hub dedupe.")
def train(
    hub_dir: str | None,
    as_json: bool,
    table: Path | None,
    target: Path | None,
    entity: str,
    mapped: tuple[str, ...],
    id_column: str,
    region: str,
) -> int:
    """Fit the weights of likeness on records of your own, with Splink.

    Without TABLE: on those of the hub, which takes them with its next crm-hub identity rebuild. To
    go back to the shipped weights, remove the file. With TABLE, read as by crm-hub dedupe and
    never written: crm-hub dedupe --model takes what comes out.

    Needs the extra bulk, and a thousand records at least. What they say nothing about keeps the
    shipped weight, and no weight moves by more than two bits.
    """
    if table is None and (mapped or id_column or region):
        raise click.UsageError("--map, --id and --region are of a TABLE; none is given.")
    if table is None:
        found, place = _of_hub(hub_dir, entity)
        target = target or place
    elif target is None:
        raise click.UsageError("Say where the model goes: -o MODEL.json")
    else:
        found = _of_table(table, entity, column_fields(mapped), id_column, region)
    target = target.expanduser()
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.settings, indent=1, ensure_ascii=False)
    part = target.with_name(f"{target.name}.part")
    part.write_text(text + "\n", "utf-8")
    part.replace(target)
    moved = [
        {"comparison": comparison, "level": level, "bits": round(bits, 2)}
        for (comparison, level), bits in found.moved.items()
    ]
    if as_json:
        output.emit({"records": found.records, "moved": moved, "model_file": str(target)})
        return 0
    for one in moved:
        output.say(f"{one['comparison']}: {one['level']}: {one['bits']:+.2f} bits")
    output.say(f"{found.records:,} records; {len(moved)} weights moved. Written: {target}")
    if table is None:
        output.say("What it would change: crm-hub identity rebuild")
    return 0


def _of_hub(hub_dir: str | None, entity: str) -> tuple[Trained, Path]:
    """Return a model of the hub's records, and where the hub looks for it."""
    from crm_hub.flow.train import train_hub
    from crm_hub.resolve.kinds import KINDS

    with opened(hub_dir) as hub, Steps() as progress:
        found = train_hub(hub, entity=entity, progress=progress)
        return found, hub.mapping_folders[-1] / KINDS[entity].model


def _of_table(
    table: Path, entity: str, told: dict[str, str], id_column: str, region: str
) -> Trained:
    from crm_hub.flow.train import train as flow

    with Steps() as progress:
        return flow(
            table.expanduser(),
            entity=entity,
            told=told,
            id_column=id_column,
            region=region,
            progress=progress,
        )
