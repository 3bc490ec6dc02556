"""crm-hub link: two records are one person, whatever the hub thinks."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.flow.rulings import Ruled


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every ruling: who decided, and why."""
    function = click.option("--reason", default="", help="Why; kept with the ruling.")(function)
    return click.option("--by", "who", default=_me, help="Who decided. [default: you]")(function)


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def show(found: Ruled, as_json: bool) -> None:
    """Write what a ruling did."""
    if as_json:
        return output.emit(
            {
                "ruling": found.number,
                "taken_back": found.taken_back,
                "overrules": found.overrules,
                "identities": [one._asdict() for one in found.outcome],
                "repairs": found.repairs,
                "left": [{"record": record, "why": why} for record, why in found.left],
            }
        )
    output.say(f"Ruling {found.number} stands.")
    for number in found.taken_back:
        output.say(f"Ruling {number} no longer does.")
    for number in found.overrules:
        output.say(f"It overrules ruling {number}.")
    if found.outcome:
        rows = [[one.id, one.name, ", ".join(one.records)] for one in found.outcome]
        output.table(["id", "name", "source records"], rows)
    if found.repairs:
        output.say(f"{found.repairs} writes are due because of it; crm-hub push sends them.")
    if found.left:
        output.table(["stays as it is", "why"], [list(one) for one in found.left])
    return None


@hub_command("crm-hub link crm/contacts#17 erp/parties#4", "crm-hub link P12 P40 --reason 'same'")
@click.argument("a")
@click.argument("b")
@told
def link(hub_dir: str | None, as_json: bool, a: str, b: str, who: str, reason: str) -> None:
    """Rule that A and B are one, for ever; each is a source record or somebody's id.

    crm-hub unlink takes it back.
    """
    from crm_hub.flow.rulings import same

    with opened(hub_dir) as hub:
        show(same(hub, a, b, who=who, reason=reason), as_json)


command = link
