"""crm-hub outbox: the writes that wait, and those that cannot go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.flow.waiting import Waiting

_STATES = ("due", "sent", "unknown", "dead", "confirmed", "conflict")


@click.group(epilog="\b\nExample:\n  crm-hub outbox list")
def outbox() -> None:
    """Look at the writes that are not over, and try again what was set aside."""


@hub_command("crm-hub outbox list", "crm-hub outbox list crm --state dead", name="list")
@click.argument("name", required=False)
@click.option("--state", type=click.Choice(_STATES), help="Those in this state alone.")
@click.option(
    "--rows", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="At most."
)
def listed(
    hub_dir: str | None, as_json: bool, name: str | None, state: str | None, rows: int
) -> None:
    """List the writes that are not over, of all connections or of NAME, oldest first.

    due: goes out with the next push, or at its time. sent: under way. unknown: no answer came; it
    is looked up, never sent blindly. dead: set aside, with the reason.
    """
    from crm_hub.flow.waiting import waiting

    with opened(hub_dir) as hub:
        wanted = None if name is None else hub.connection(name).name
        found = waiting(hub, wanted, state, rows)
        zone = hub.config.company.zone
    if as_json:
        return output.emit({"writes": [_as_data(one) for one in found]})
    if not found:
        return output.say("Nothing waits.")
    return output.table(
        ["number", "connection", "record", "kind", "fields", "state", "tries", "since", "reason"],
        [_cells(one, zone) for one in found],
        right=["number", "tries"],
    )


@hub_command("crm-hub outbox show 17", name="show")
@click.argument("number", type=int)
def shown(hub_dir: str | None, as_json: bool, number: int) -> None:
    """Show one write: each field's old and new value, and what became of it."""
    from crm_hub.cli.commands.preview import show
    from crm_hub.flow.preview import Line
    from crm_hub.flow.waiting import one as look_up

    with opened(hub_dir) as hub:
        found = look_up(hub, number)
        zone = hub.config.company.zone
    if as_json:
        return output.emit(_as_data(found))
    row = found.row
    output.say(f"{row.connection}/{row.stream}, write {row.id}: {row.state}, {row.tries} tries")
    show(Line(row.stream, row.kind, found.record, row.doc["name"], found.fields))
    output.say(f"planned  {_moment(row.made_at_us, zone)}")
    output.say(f"due      {_moment(row.due_at_us, zone)}")
    if row.settled_at_us is not None:
        output.say(f"over     {_moment(row.settled_at_us, zone)}, run {row.run_id or '-'}")
    if row.reason:
        output.say(f"reason   {output.plain(redact(row.reason))}")
    return None


@hub_command("crm-hub outbox retry", "crm-hub outbox retry 17 18", name="retry")
@click.argument("numbers", nargs=-1, type=int)
def retried(hub_dir: str | None, as_json: bool, numbers: tuple[int, ...]) -> None:
    """Let all dead writes, or NUMBERS, go out with the next push.

    After a change of the mapping this happens by itself.
    """
    from crm_hub.flow.waiting import retry

    with opened(hub_dir) as hub:
        rows = retry(hub, numbers)
    if as_json:
        return output.emit({"retried": [row.id for row in rows]})
    names = " ".join(sorted({row.connection for row in rows}))
    if rows:
        output.say(f"{len(rows)} writes are due. To send them now: crm-hub push {names}")
    else:
        output.say("No write is dead.")
    return None


def _moment(at_us: int, zone: str) -> str:
    from crm_hub.model.values import from_us

    return output.moment(from_us(at_us), zone)


def _cells(one: Waiting, zone: str) -> list[Any]:
    row = one.row
    record = f"{row.stream}#{one.record}" if one.record else f"new: {row.doc['name']}"
    fields = ", ".join(sorted(one.fields))
    since = _moment(row.made_at_us, zone)
    return [
        row.id, row.connection, record, row.kind, fields, row.state, row.tries, since,
        redact(row.reason),
    ]  # fmt: skip


def _as_data(one: Waiting) -> dict[str, Any]:
    from crm_hub.model.values import from_us

    row = one.row
    settled_us = row.settled_at_us
    return {
        "number": row.id,
        "connection": row.connection,
        "stream": row.stream,
        "record": one.record or None,
        "name": row.doc["name"],
        "kind": row.kind,
        "fields": {name: {"was": was, "to": to} for name, (was, to) in one.fields.items()},
        "state": row.state,
        "tries": row.tries,
        "planned_at": from_us(row.made_at_us),
        "due_at": from_us(row.due_at_us),
        "over_at": None if settled_us is None else from_us(settled_us),
        "run": row.run_id,
        "reason": redact(row.reason),
    }


for _each in (listed, shown, retried):
    outbox.add_command(_each)

command = outbox
