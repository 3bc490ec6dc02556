"""mapping and connectors: for those who describe systems to the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crm_hub.cli.common import clean, hub_option, json_option, opened, print_json, table
from crm_hub.cli.main import hub_folder
from crm_hub.mapping import accept as accept_file
from crm_hub.mapping import lint as lint_file
from crm_hub.mapping import read_survivorship, run_tests
from crm_hub.registry import Registry
from crm_hub.scaffold import new_connector
from crm_hub.secrets import secret_fields


@click.group()
def mapping() -> None:
    """Check mapping files: lint, test, accept.

    \b
    Example:
      crm-hub mapping lint crm
    """


@mapping.command("lint")
@click.argument("name", required=False)
@hub_option
@json_option
def mapping_lint(name: str | None, hub_dir: str | None, as_json: bool) -> int:
    """Say what a connection's mapping misses, loses or misspells.

    \b
    Example:
      crm-hub mapping lint crm
    """
    found: list[dict[str, Any]] = []
    with opened(hub_dir) as hub:
        rules = read_survivorship(hub.mapping_folders)
        for one in hub.names([name] if name else []):
            streams = hub.connector(one).discover()
            for finding in lint_file(hub.mapping(one), streams, rules):
                found.append({"connection": one, **finding._asdict()})
    if as_json:
        print_json(found)
        return 0
    for row in found:
        click.echo("  ".join(clean(str(v)) for v in row.values() if v not in (None, "")))
    if not found:
        click.echo("nothing to remark")
    return 0


@mapping.command("test")
@click.argument("name", required=False)
@hub_option
@json_option
def mapping_test(name: str | None, hub_dir: str | None, as_json: bool) -> int:
    """Run the tests that stand inside mapping files.

    \b
    Example:
      crm-hub mapping test crm
    """
    with opened(hub_dir) as hub:
        results = [
            {"connection": one, **_asdict(r)}
            for one in hub.names([name] if name else [])
            for r in run_tests(hub.mapping(one))
        ]
    failed = [r for r in results if not r["passed"]]
    if as_json:
        print_json(results)
    else:
        for row in failed:
            click.echo(clean(str(row)))
        click.echo(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return int(bool(failed))


def _asdict(result: Any) -> dict[str, Any]:
    found = result._asdict() if hasattr(result, "_asdict") else dict(vars(result))
    return {**found, "passed": result.passed}


@mapping.command("accept")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def mapping_accept(file: Path) -> None:
    """Take what FILE's tests give now as what they expect; comments stay.

    \b
    Example:
      crm-hub mapping accept mappings/files.yaml
    """
    click.echo(f"{accept_file(file)} expectations changed in {file}")


@click.group()
def connectors() -> None:
    """Connectors: list, show, new.

    \b
    Example:
      crm-hub connectors list
    """


def _registry(hub_dir: str | None) -> Registry:
    return Registry([hub_folder(hub_dir) / "connectors"])


@connectors.command("list")
@hub_option
@json_option
def connectors_list(hub_dir: str | None, as_json: bool) -> None:
    """List connectors, the unusable ones with the reason.

    \b
    Example:
      crm-hub connectors list
    """
    rows = [
        {
            "name": e.name,
            "title": e.connector.manifest.title if e.connector else "",
            "origin": e.origin,
            "state": f"unusable: {e.error}" if e.error else "ok",
        }
        for e in _registry(hub_dir).list()
    ]
    if as_json:
        print_json(rows)
    else:
        table(["name", "title", "origin", "state"], [list(r.values()) for r in rows])


@connectors.command("show")
@click.argument("kind")
@hub_option
@json_option
def connectors_show(kind: str, hub_dir: str | None, as_json: bool) -> None:
    """Show a connector's settings.

    \b
    Example:
      crm-hub connectors show files
    """
    entry = _registry(hub_dir).get(kind)
    if entry.connector is None:
        print_json({"name": kind, "error": entry.error}) if as_json else click.echo(entry.error)
        return
    manifest = entry.connector.manifest
    secret = secret_fields(manifest.settings)
    if as_json:
        print_json(
            {"name": kind, "title": manifest.title, "origin": entry.origin, "docs": manifest.docs,
             "settings": manifest.settings.model_json_schema()}
        )  # fmt: skip
        return
    click.echo(f"{manifest.title}: {manifest.summary}")
    for name, field in manifest.settings.model_fields.items():
        marks = [
            m for m, yes in (("required", field.is_required()), ("secret", name in secret)) if yes
        ]
        click.echo(f"  {name}{' (' + ', '.join(marks) + ')' if marks else ''}: {field.description}")


@connectors.command("new")
@click.argument("name")
@hub_option
def connectors_new(name: str, hub_dir: str | None) -> None:
    """Copy the template into the hub's connectors/ folder; it works at once.

    \b
    Example:
      crm-hub connectors new deskbook
    """
    target = hub_folder(hub_dir) / "connectors"
    for path in new_connector(name, target):
        click.echo(path)
    click.echo(f"Next: edit {target / name / 'connector.py'}, then crm-hub connectors list")


COMMANDS = {"mapping": mapping, "connectors": connectors}
