"""crm-hub identity: what people decide about who is who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.commands.identity_train import train
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


@hub_command("crm-hub identity rebuild", "crm-hub identity rebuild --yes", name="rebuild")
@click.option("--yes", is_flag=True, help="Do it; without, show what would change.")
@click.option("--full", is_flag=True, help="Measure and compare all records, not what is due.")
def rebuild(hub_dir: str | None, as_json: bool, yes: bool, full: bool) -> None:
    """Measure how rare names, firms and places are here, and decide anew who everybody is.

    Shows what would change and writes nothing, unless --yes is given. Ids stay, rulings hold. Run
    it after the first sync, and when the hub has grown much; afterwards only what is due is
    compared again.
    """
    from crm_hub.cli.progress import Steps
    from crm_hub.flow import rebuilding

    with opened(hub_dir) as hub, Steps() as progress:
        work = rebuilding.rebuild if yes else rebuilding.preview
        found = work(hub, full=full, progress=progress)
    moves = sorted(found.moves, key=lambda pair: (int(pair[1][1:]), int(pair[0][1:])))
    if as_json:
        output.emit(
            {
                "applied": yes,
                "records": found.records,
                "compared": found.compared,
                "measured": found.measured,
                "moved_records": found.moved_records,
                "moves": [{"from": one, "to": other} for one, other in moves],
                "questions": found.questions,
            }
        )
        return
    output.say(
        f"{found.records:,} records, {found.compared:,} compared again; "
        f"{found.moved_records:,} {'moved' if yes else 'would move'}; "
        f"{found.questions:,} questions are open."
    )
    if moves:
        output.table(["records of", "belong to"], [list(pair) for pair in moves[:100]])
        if len(moves) > 100:
            output.say(f"and {len(moves) - 100:,} more; all with --json.")
    if not yes and moves:
        output.say("Nothing was written. To do it: crm-hub identity rebuild --yes")


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
        return output.emit({"rulings": [_as_data(row, names) for row in rows]})
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


for _each in (merge, split, never, rebuild, rulings, train):
    identity.add_command(_each)

command = identity
