"""crm-hub dedupe: who is who in one table, without a hub."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, hub_command
from crm_hub.cli.progress import Steps
from crm_hub.model.errors import ConfigError

if TYPE_CHECKING:
    from crm_hub.flow.dedupe import Deduped


@hub_command(
    "crm-hub dedupe contacts.csv -o clusters.csv",
    "crm-hub dedupe contacts.csv -o clusters.csv --review pairs.csv --map Handy=phone",
    "crm-hub dedupe firms.csv -o clusters.csv --entity organization --region DE",
    hub=False,
)
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="CLUSTERS.csv",
    help="Where record_id, cluster_id, score and why are written, a line for each record.",
)
@click.option(
    "--review",
    type=click.Path(path_type=Path),
    metavar="PAIRS.csv",
    help="Where the pairs go that a person should look at.",
)
@click.option(
    "--entity",
    type=click.Choice(["person", "organization"]),
    default="person",
    show_default=True,
    help="What a row is.",
)
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="Say what a column holds; FIELD - leaves it out. Repeat it for more columns.",
)
@click.option(
    "--id",
    "id_column",
    default="",
    metavar="COLUMN",
    help="The column that names a record. [default: record_id, else the first unique one]",
)
@click.option(
    "--region",
    default="",
    metavar="CC",
    help="Country of local phone numbers. [default: that of most rows]",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="ROWS.csv",
    help="Where rows go that cannot be used. [default: beside the output, as NAME.rejects.csv]",
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="A folder with an identity.yaml of your own, which changes lists and thresholds.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="MODEL.json",
    help="Weights of your own, from crm-hub identity train.",
)
def dedupe(
    as_json: bool,
    table: Path,
    target: Path,
    review: Path | None,
    entity: str,
    mapped: tuple[str, ...],
    id_column: str,
    region: str,
    rejects: Path | None,
    rules: Path | None,
    model: Path | None,
) -> int:
    """Find the records of one person, or of one firm, in a table.

    TABLE is a CSV, TSV or other delimited file with a header; its columns are recognised by their
    usual names. It is only read. A row that cannot be used is set aside in a file of its own, and
    the exit status is then 1.
    """
    from crm_hub.flow import dedupe as flow
    from crm_hub.flow import dedupe_files as files

    table, target = table.expanduser(), target.expanduser()
    rejects = rejects or target.with_name(f"{target.stem}.rejects.csv")
    _refuse_same_file(table, target, review, rejects)
    for path in (target, review, rejects):
        if path:
            files.refuse_unwritable(path)
    began_s = time.monotonic()
    with Steps() as progress:
        found = flow.dedupe(
            table,
            entity=entity,
            told=column_fields(mapped),
            id_column=id_column,
            region=region,
            folders=[rules] if rules else [],
            model=model,
            progress=progress,
        )
    files.write_clusters(target, found)
    if review:
        files.write_questions(review, found)
    if found.table.aside:
        files.write_rejects(rejects, found.table.aside)
    told = _summary(found, time.monotonic() - began_s)
    told |= {"clusters_file": str(target), "review_file": str(review) if review else None}
    told["rejects_file"] = str(rejects) if found.table.aside else None
    if as_json:
        output.emit(told)
    else:
        _show(found, told)
    return FAILED if found.table.aside else 0


def column_fields(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return column → field of the options --map. Raises: ConfigError."""
    told = {}
    for pair in pairs:
        column, sign, name = pair.rpartition("=")
        if not sign or not column or not name:
            raise ConfigError(
                f"--map {pair!r} says nothing.", remedy="Write it as --map COLUMN=FIELD."
            )
        told[column.strip()] = name.strip()
    return told


def _refuse_same_file(table: Path, *targets: Path | None) -> None:
    given = [path.resolve() for path in targets if path]
    is_table = any(p.exists() and table.exists() and p.samefile(table) for p in given)
    if is_table or table.resolve() in given or len(set(given)) < len(given):
        raise ConfigError(
            "Two of the files are the same one.",
            remedy="Give each its own name; nothing was written.",
        )


def _summary(found: Deduped, seconds: float) -> dict[str, Any]:
    groups = found.resolved.clusters.groups
    return {
        "entity": found.kind.entity,
        "records": len(found.profiles),
        "clusters": len(groups),
        "duplicates": len(found.profiles) - len(groups),
        "largest_cluster": max(map(len, groups), default=0),
        "pairs_compared": found.resolved.pairs,
        "to_review": len(found.resolved.questions),
        "set_aside": len(found.table.aside),
        "empty_rows": found.table.empty,
        "seconds": round(seconds, 1),
        "id_column": found.table.id_column,
        "fields": {field: list(columns) for field, columns in found.table.fields.items()},
    }


def _show(found: Deduped, told: dict[str, Any]) -> None:
    used = {column for columns in told["fields"].values() for column in columns}
    names = ", ".join(f"{'+'.join(columns)} as {name}" for name, columns in told["fields"].items())
    output.say(f"Columns: {output.plain(names)}; {output.plain(told['id_column'])} is the id.")
    unused = [c for c in found.table.columns if c not in used and c != told["id_column"]]
    if unused:
        output.say(f"Not used: {output.plain(', '.join(unused[:40]))}")
    what = "people" if told["entity"] == "person" else "organizations"
    output.say(
        f"{told['records']:,} records are {told['clusters']:,} {what}; "
        f"the largest has {told['largest_cluster']} records. {told['seconds']} s."
    )
    if told["to_review"]:
        where = told["review_file"] or "--review PAIRS.csv writes them"
        output.say(f"{told['to_review']:,} pairs are worth a look: {where}")
    if told["empty_rows"]:
        output.say(f"{told['empty_rows']:,} rows are empty and were left out.")
    if told["set_aside"]:
        output.say(f"{told['set_aside']:,} rows were set aside: {told['rejects_file']}", err=True)
    output.say(f"Written: {told['clusters_file']}")


command = dedupe
