"""crm-hub dead: the records that were set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import FAILED, hub_command, opened
from crm_hub.cli.reports import as_data, show
from crm_hub.model.errors import ConfigError
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.store import DeadLetter


@click.group(epilog="\b\nExample:\n  crm-hub dead list")
def dead() -> None:
    """Look at records that were set aside, each with reason and remedy, and try them again."""


@hub_command("crm-hub dead list", "crm-hub dead list mail", name="list")
@click.argument("name", required=False)
def listed(hub_dir: str | None, as_json: bool, name: str | None) -> None:
    """List what was set aside, of all connections or of NAME alone."""
    from crm_hub.store import Machinery

    with opened(hub_dir) as hub, hub.store.read() as db:
        letters = Machinery(db).dead(hub.connection(name).name if name else None)
    if as_json:
        return output.emit({"dead": [letter_data(letter) for letter in letters]})
    if not letters:
        return output.say("Nothing was set aside.")
    output.table(
        ["number", "connection", "stream", "record", "step", "tries", "reason"],
        [
            [d.id, d.connection, d.stream, d.record_key, d.step, d.tries, redact(d.reason)]
            for d in letters
        ],
        right=["number", "tries"],
    )
    return output.say("One of them in full: crm-hub dead show NUMBER")


@hub_command("crm-hub dead show 3", name="show")
@click.argument("number", type=int)
def shown(hub_dir: str | None, as_json: bool, number: int) -> None:
    """Show one record that was set aside: where it stands, why, and what can be done."""
    with opened(hub_dir) as hub:
        letter = _letter(hub, number)
        zone = hub.config.company.zone
    if as_json:
        return output.emit(letter_data(letter))
    output.say(f"{letter.connection}/{letter.stream} {output.plain(letter.record_key)}")
    tries = "1 try" if letter.tries == 1 else f"{letter.tries} tries"
    output.say(f"step    {letter.step}, {tries}, {_when(letter, zone)}")
    output.say(f"reason  {output.plain(redact(letter.reason))}")
    output.say(f"remedy  {output.plain(redact(letter.remedy))}")
    for line in letter.excerpt.splitlines()[:20]:
        output.say(f"  | {output.plain(redact(line))}")
    return None


@hub_command("crm-hub dead retry", "crm-hub dead retry 3 4", name="retry")
@click.argument("numbers", nargs=-1, type=int)
def retried(hub_dir: str | None, as_json: bool, numbers: tuple[int, ...]) -> int:
    """Try all that was set aside again, or NUMBERS alone.

    What could not be read in a source is read again by the next sync, not by this.
    """
    from crm_hub.flow.replay import retry

    with opened(hub_dir) as hub:
        for number in numbers:
            _letter(hub, number)
        reports = retry(hub, numbers)
        left = _count(hub)
    if as_json:
        output.emit({"connections": [as_data(report) for report in reports], "left": left})
    else:
        show(reports) if reports else output.say("Nothing was set aside.")
        output.say(f"{left} still set aside.")
    return FAILED if any(report.error for report in reports) else 0


def _letter(hub: Hub, number: int) -> DeadLetter:
    from crm_hub.store import Machinery

    with hub.store.read() as db:
        found = Machinery(db).dead_letter(number) if abs(number) < 2**63 else None
    if found is None:
        raise ConfigError(
            f"nothing with the number {number} was set aside", remedy="See: crm-hub dead list"
        )
    return found


def _count(hub: Hub) -> int:
    from crm_hub.store import Machinery

    with hub.store.read() as db:
        return sum(Machinery(db).dead_counts().values())


def _when(letter: DeadLetter, zone: str) -> str:
    from crm_hub.model.values import from_us

    return output.moment(from_us(letter.at_us), zone)


def letter_data(letter: DeadLetter) -> dict[str, Any]:
    from crm_hub.model.values import from_us

    data = letter._asdict()
    data["at"] = from_us(data.pop("at_us"))
    for name in ("reason", "remedy", "excerpt"):
        data[name] = redact(data[name])
    return data


for _each in (listed, shown, retried):
    dead.add_command(_each)

command = dead
