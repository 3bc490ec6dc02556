"""crm-hub conflicts: edits that had to give way, and values nobody can decide between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.store import ConflictRow


@click.group(epilog="\b\nExample:\n  crm-hub conflicts list")
def conflicts() -> None:
    """Look at edits that had to give way, and decide what nobody else can."""


@hub_command("crm-hub conflicts list", "crm-hub conflicts list --all", name="list")
@click.option("--all", "everything", is_flag=True, help="Show decided and resolved ones too.")
def listed(hub_dir: str | None, as_json: bool, everything: bool) -> None:
    """List the open conflicts: different values, and no rule can tell which is right."""
    from crm_hub.store import Outbox

    with opened(hub_dir) as hub, hub.store.read() as db:
        rows = Outbox(db).conflicts(None if everything else "open")
        shown = [_as_data(hub, db, row) for row in rows]
    if as_json:
        return output.emit({"conflicts": shown})
    if not shown:
        output.say("No conflict is open.")
        return None
    output.table(
        ["number", "state", "who", "field", "values", "why"],
        [[c["number"], c["state"], c["who"], c["field"], _values(c), c["why"]] for c in shown],
        right=["number"],
    )
    return None


@hub_command("crm-hub conflicts show 3", name="show")
@click.argument("number", type=int)
def shown(hub_dir: str | None, as_json: bool, number: int) -> None:
    """Show one conflict: each value, where it stands, and why it gave way or is undecided."""
    from crm_hub.flow.resolving import conflict
    from crm_hub.model.values import from_us

    with opened(hub_dir) as hub:
        row = conflict(hub, number)
        with hub.store.read() as db:
            data = _as_data(hub, db, row)
        zone = hub.config.company.zone
    data["at"] = from_us(row.at_us)
    if as_json:
        return output.emit(data)
    output.say(f"Conflict {number}, {data['state']}: {data['field']} of {data['who']}")
    output.say(f"why   {output.plain(data['why'])}")
    output.say(f"since {output.moment(from_us(row.at_us), zone)}, run {row.run_id}")
    for where, value in data["values"].items():
        output.say(f"  {where}: {output.plain(_text(value))}")
    if not data["values"]:
        output.say(f"  kept {output.plain(_text(data['kept']))}")
        output.say(f"  lost {output.plain(_text(data['lost']))} ({data['lost_in'] or 'unknown'})")
    if data["state"] == "open":
        where = next(iter(data["values"]), "RECORD")
        output.say(f"To decide: crm-hub conflicts resolve {number} --keep {where}")
    return None


@hub_command("crm-hub conflicts resolve 3 --keep crm/contacts#17", name="resolve")
@click.argument("number", type=int)
@click.option("--keep", required=True, help="The source record whose value shall stand.")
def resolved(hub_dir: str | None, as_json: bool, number: int, keep: str) -> None:
    """Let one of the values of an open conflict stand; the next push writes it everywhere."""
    from crm_hub.flow.resolving import resolve

    with opened(hub_dir) as hub:
        row = resolve(hub, number, keep)
    if as_json:
        output.emit({"number": number, "field": row.field, "kept": keep})
    else:
        output.say(f"Conflict {number} is resolved: {row.field} of {keep} stands.")


def _values(data: dict[str, Any]) -> str:
    if data["values"]:
        return "; ".join(f"{where}: {_text(value)}" for where, value in data["values"].items())
    return f"kept {_text(data['kept'])}, lost {_text(data['lost'])}"


def _text(value: Any) -> str:
    if value is None:
        return "(blank)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_data(hub: Hub, db: Any, row: ConflictRow) -> dict[str, Any]:
    from crm_hub.model.ids import public_id
    from crm_hub.store import Identities, Outbox

    repo = Identities(db)
    identity = repo.identities([repo.follow(row.identity_id)]).get(repo.follow(row.identity_id))
    numbers = [int(number) for number in row.doc.get("values", {})]
    known = Outbox(db).sent([*numbers, row.doc.get("lost_record") or 0])
    names = {n: f"{s.connection}/{s.stream}#{s.key}" for n, s in known.items()}
    who = "" if identity is None else public_id(identity.entity, identity.id)
    return {
        "number": row.id,
        "state": row.state,
        "who": who,
        "field": row.field,
        "why": row.doc["why"],
        "kept": row.doc.get("kept"),
        "lost": row.doc.get("lost"),
        "lost_in": names.get(row.doc.get("lost_record") or 0),
        "values": {names.get(int(n), n): v for n, v in row.doc.get("values", {}).items()},
    }


for _each in (listed, shown, resolved):
    conflicts.add_command(_each)

command = conflicts
