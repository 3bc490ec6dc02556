"""crm-hub identity: what people decide about who is who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.commands.link import show, told

if TYPE_CHECKING:
    from crm_hub.store import RulingRow


@click.group(epilog="\b\nExample:\n  crm-hub identity merge P12 P40")
def identity() -> None:
    """Decide who is who: merge, split, never; a ruling holds for ever, and can be taken back."""


@hub_command("crm-hub identity merge P12 P40 --reason 'told us on the phone'", name="merge")
@click.argument("a")
@click.argument("b")
@told
def merge(hub_dir: str | None, as_json: bool, a: str, b: str, who: str, reason: str) -> None:
    """Rule that A and B are one; the older id stays, the other leads to it.

    A and B are ids, source records, e-mail addresses, phone numbers or names.
    crm-hub identity split takes it back.
    """
    from crm_hub.flow.rulings import same

    with opened(hub_dir) as hub:
        show(same(hub, a, b, who=who, reason=reason), as_json)


@hub_command(
    "crm-hub identity split P12",
    "crm-hub identity split P12 P40",
    "crm-hub identity split P12 crm/contacts#17 erp/parties#4",
    name="split",
)
@click.argument("whom")
@click.argument("parts", nargs=-1)
@told
def split(
    hub_dir: str | None,
    as_json: bool,
    whom: str,
    parts: tuple[str, ...],
    who: str,
    reason: str,
) -> None:
    """Take the last merge of WHOM back, or part PARTS from it.

    PARTS are source records, or an id that was merged into WHOM: they leave together. Both ids
    live again, every event returns to its own person, and writes that repair the connected
    systems are due.
    """
    from crm_hub.flow.rulings import split as part

    with opened(hub_dir) as hub:
        show(part(hub, whom, parts, who=who, reason=reason), as_json)


@hub_command("crm-hub identity never P12 P40 --reason 'father and son'", name="never")
@click.argument("a")
@click.argument("b")
@told
def never(hub_dir: str | None, as_json: bool, a: str, b: str, who: str, reason: str) -> None:
    """Rule that A and B are two, whatever else will speak for it."""
    from crm_hub.flow.rulings import never as keep_apart

    with opened(hub_dir) as hub:
        show(keep_apart(hub, a, b, who=who, reason=reason), as_json)


@hub_command("crm-hub identity rulings", name="rulings")
def rulings(hub_dir: str | None, as_json: bool) -> None:
    """List what was decided, by whom, when and why."""
    from crm_hub.model.values import from_us
    from crm_hub.store import Rulings

    with opened(hub_dir) as hub:
        with hub.store.read() as db:
            repo = Rulings(db)
            rows = repo.all()
            names = repo.names({r for row in rows for side in row.sides for r in side})
        zone = hub.config.company.zone
    if as_json:
        return output.emit([_as_data(row, names) for row in rows])
    if not rows:
        return output.say("Nobody has decided anything yet.")
    output.table(
        ["number", "state", "what", "records", "by", "when", "why"],
        [
            [
                row.id, row.state, row.kind, _sides(row, names), row.who,
                output.moment(from_us(row.at_us), zone), row.reason,
            ]
            for row in rows
        ],
        right=["number"],
    )  # fmt: skip
    return None


def _sides(row: RulingRow, names: dict[int, str]) -> str:
    mark = " = " if row.kind == "same" else " / "
    return mark.join(", ".join(names.get(r, "(gone)") for r in side) for side in row.sides)


def _as_data(row: RulingRow, names: dict[int, str]) -> dict[str, Any]:
    from crm_hub.model.values import from_us

    return {
        "number": row.id,
        "kind": row.kind,
        "state": row.state,
        "records": [[names.get(r) for r in side] for side in row.sides],
        "by": row.who,
        "at": from_us(row.at_us),
        "reason": row.reason,
    }


for _each in (merge, split, never, rulings):
    identity.add_command(_each)

command = identity
