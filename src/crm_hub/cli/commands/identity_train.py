"""crm-hub identity train: a model of one's own, fitted on a table by Splink."""

from __future__ import annotations

import json
from pathlib import Path

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command
from crm_hub.cli.commands.dedupe import column_fields
from crm_hub.cli.progress import Steps


@hub_command(
    "crm-hub identity train contacts.csv -o model.json",
    "crm-hub identity train firms.csv -o model.json --entity organization",
    name="train",
    hub=False,
)
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="MODEL.json",
    help="Where the model goes, as Splink settings.",
)
@click.option(
    "--entity",
    type=click.Choice(["person", "organization"]),
    default="person",
    show_default=True,
    help="What a row is.",
)
@click.option(
    "--map", "mapped", multiple=True, metavar="COLUMN=FIELD", help="As at crm-hub dedupe."
)
@click.option("--id", "id_column", default="", metavar="COLUMN", help="As at crm-hub dedupe.")
@click.option("--region", default="", metavar="CC", help="As at crm-hub dedupe.")
def train(
    as_json: bool,
    table: Path,
    target: Path,
    entity: str,
    mapped: tuple[str, ...],
    id_column: str,
    region: str,
) -> int:
    """Fit the weights of likeness on a table of your own, with Splink.

    Needs the extra bulk; crm-hub dedupe --model takes what comes out. TABLE is read as by
    crm-hub dedupe, and never written; a thousand rows are the fewest. What it says nothing about
    keeps the shipped weight, and no weight moves by more than two bits.
    """
    from crm_hub.flow.train import train as flow

    with Steps() as progress:
        found = flow(
            table.expanduser(),
            entity=entity,
            told=column_fields(mapped),
            id_column=id_column,
            region=region,
            progress=progress,
        )
    target = target.expanduser()
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
    return 0
