"""crm-hub connectors: which there are, what they need, and how to begin one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import find_hub, hub_command
from crm_hub.model.errors import ConfigError

if TYPE_CHECKING:
    from crm_hub.registry import Entry, Registry


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  crm-hub connectors show files")
@click.pass_context
def connectors(ctx: click.Context) -> None:
    """List the connectors, show what one needs, or begin one of your own."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(listed, hub_dir=None, as_json=False)


@hub_command("crm-hub connectors list", name="list")
def listed(hub_dir: str | None, as_json: bool) -> None:
    """List all connectors: built in, installed, and dropped into the hub's folder connectors/.

    The tier says what the contract suite found: bronze reads without loss, silver sees changes and
    deletes and survives whatever comes, gold also writes, platinum is also told of news. A case
    that cannot apply holds no tier back.
    """
    entries = _registry(hub_dir).list()
    if as_json:
        return output.emit({"connectors": [_summary(entry) for entry in entries]})
    rows = [[e.name, _title(e), e.origin, _tier(e), _state(e)] for e in entries]
    output.table(["kind", "what", "from", "tier", "state"], rows)
    return output.say("What one needs: crm-hub connectors show KIND")


@hub_command("crm-hub connectors show files", name="show")
@click.argument("kind")
def shown(hub_dir: str | None, as_json: bool, kind: str) -> None:
    """Show what connections of a KIND can be told."""
    from crm_hub.flow.setup import settings_line

    entry = _registry(hub_dir).get(kind)
    if entry.connector is None:
        raise ConfigError(f"{kind} cannot be used: {entry.error}")
    manifest = entry.connector.manifest
    model = manifest.settings
    if as_json:
        schema = model.model_json_schema()
        return output.emit({**_summary(entry), "docs": list(manifest.docs), "settings": schema})
    output.say(f"{entry.name}: {manifest.title} ({entry.origin}, version {manifest.version})")
    if manifest.summary:
        output.say(manifest.summary)
    output.say(_tier_line(entry))
    rows = [
        [key, "required" if field.is_required() else "", settings_line(model, key)]
        for key, field in model.model_fields.items()
    ]
    output.table(["setting", "", "what it is"], rows)
    for page in manifest.docs:
        output.say(f"See {page}")
    return output.say(f"Connect it: crm-hub connect {kind} NAME --set key=value")


@hub_command("crm-hub connectors new acme_crm", name="new")
@click.argument("name")
def begun(hub_dir: str | None, as_json: bool, name: str) -> None:
    """Begin a connector NAME in the hub's folder connectors/: a small one that works."""
    from crm_hub.scaffold import new_connector

    folder = find_hub(hub_dir) / "connectors"
    files = new_connector(name, folder)
    if as_json:
        return output.emit({"folder": str(folder / name), "files": [str(file) for file in files]})
    for file in files:
        output.say(str(file))
    return output.say(f"Read {folder / name / 'README.md'}, then: crm-hub connectors show {name}")


def _registry(hub_dir: str | None) -> Registry:
    """Return the connectors there are; outside of a hub, without anybody's own."""
    from crm_hub.registry import Registry

    try:
        return Registry([find_hub(hub_dir) / "connectors"])
    except ConfigError:
        return Registry()


def _title(entry: Entry) -> str:
    return entry.connector.manifest.title if entry.connector else ""


def _state(entry: Entry) -> str:
    return f"unusable: {entry.error}" if entry.error else "ok"


def _quality(entry: Entry) -> dict[str, Any]:
    """Return the tier that a connector has reached and what the next one asks for."""
    from crm_hub.sdk.quality import read_quality

    nothing: dict[str, Any] = {
        "tier": None,
        "writes": False,
        "next_tier": None,
        "missing_cases": [],
        "exempt": {},
    }
    if entry.quality_text is None:
        return nothing
    try:
        found = read_quality(entry.quality_text)
    except ValueError:
        return nothing
    following, missing = found.missing()
    return {
        "tier": found.tier,
        "writes": found.writes,
        "next_tier": following or None,
        "missing_cases": missing,
        "exempt": {str(case): why for case, why in found.reasons.items()},
    }


def _tier(entry: Entry) -> str:
    found = _quality(entry)
    if found["tier"] is None:
        return "-"
    return str(found["tier"]) if found["writes"] else f"{found['tier']}, reads only"


def _tier_line(entry: Entry) -> str:
    found = _quality(entry)
    if found["tier"] is None:
        return "Tier: unknown; it has no quality file."
    if found["next_tier"] is None:
        return f"Tier: {found['tier']}."
    asked = ", ".join(map(str, found["missing_cases"])) or "a measured freshness"
    return f"Tier: {found['tier']}. For {found['next_tier']} it lacks: {asked}."


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.name,
        "title": _title(entry),
        "origin": entry.origin,
        "error": entry.error or None,
        **_quality(entry),
    }


for _each in (listed, shown, begun):
    connectors.add_command(_each)

command = connectors
