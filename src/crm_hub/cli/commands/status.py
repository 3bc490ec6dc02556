"""crm-hub status: what is covered and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.reports import named
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.status import OutboxStatus, StreamStatus, Written

_HEADERS = (
    "connection", "stream", "source", "hub", "covered", "last event", "looked", "dead", "waiting",
    "state",
)  # fmt: skip
_RIGHT = ("source", "hub", "covered", "looked", "dead", "waiting")
_COLOURS = {
    "ok": "green",
    "never synced": "yellow",
    "paused": "yellow",
    "waiting": "yellow",
    "not approved": "yellow",
}


@hub_command("crm-hub status", "crm-hub status --json")
def status(hub_dir: str | None, as_json: bool) -> None:
    """Show for each stream how much of the source is in the hub, and what is wrong.

    A stream is ok only when every record of the source is in the hub and none was set aside. Below
    stands what waits for a person: writes, conflicts, questions about who is who.
    """
    from crm_hub.flow.status import status as state_of
    from crm_hub.flow.status import who_is_who
    from crm_hub.flow.status import written as writes_of

    with opened(hub_dir) as hub:
        rows, writes, people = state_of(hub), writes_of(hub), who_is_who(hub)
        if as_json:
            outbox = {
                "connections": [_outbox_data(row) for row in writes.connections],
                "open_conflicts": writes.conflicts,
            }
            streams = [_as_data(row) for row in rows]
            return output.emit({"streams": streams, "outbox": outbox, "identity": people._asdict()})
        show(hub, rows)
        show_writes(writes)
        if people.questions:
            noun = "question" if people.questions == 1 else "questions"
            output.say(f"{people.questions:,} {noun} about who is who: crm-hub review list")
        if people.rebuild:
            output.say(f"A rebuild is due, {people.rebuild}: crm-hub identity rebuild")
    return None


def _outbox_data(row: OutboxStatus) -> dict[str, Any]:
    return {**row._asdict(), "problems": [redact(text) for text in row.problems]}


def show_writes(writes: Written) -> None:
    """Write what waits in the outbox; nothing for a hub that writes nowhere."""
    if not writes.connections:
        return
    output.say()
    output.table(
        ["written to", "waiting", "unknown", "dead", "oldest", "state"],
        [
            [r.connection, f"{r.waiting:,}", f"{r.unknown:,}", f"{r.dead:,}",
             output.age(r.oldest_s), r.state]
            for r in writes.connections
        ],
        right=("waiting", "unknown", "dead", "oldest"),
        colours=[_COLOURS.get(row.state, "red") for row in writes.connections],
    )  # fmt: skip
    for row in writes.connections:
        for problem in row.problems:
            output.say(f"{row.connection}: {output.plain(redact(problem))}")
    if writes.conflicts:
        output.say(f"{writes.conflicts:,} conflicts are open: crm-hub conflicts list")


def _as_data(row: StreamStatus) -> dict[str, Any]:
    from crm_hub.model.values import from_us

    data = row._asdict()
    last_us = data.pop("last_event_us")
    data["last_event"] = None if last_us is None else from_us(last_us)
    data["problems"] = [redact(text) for text in row.problems]
    return data


def show(hub: Hub, rows: Sequence[StreamStatus]) -> None:
    """Write the table, the problems, and the sum of it in one line."""
    if not rows:
        return output.say("Nothing is connected yet. Connect a source: crm-hub connect KIND NAME")
    zone = hub.config.company.zone
    output.table(
        _HEADERS,
        [_cells(row, zone) for row in rows],
        right=_RIGHT,
        colours=[_COLOURS.get(row.state, "red") for row in rows],
    )
    for line in dict.fromkeys(line for row in rows for line in problem_lines(row)):
        output.say(line)
    good = sum(row.state == "ok" for row in rows)
    if good == len(rows):
        return output.say(f"All {len(rows)} streams are complete.")
    return output.say(f"{len(rows) - good} of {len(rows)} streams are not complete.")


def problem_lines(row: StreamStatus) -> list[str]:
    """Return a line for each problem; one that names its connection is about all its streams."""
    lines = []
    for problem in row.problems:
        whole = not row.stream or problem.startswith(f"{row.connection}: ")
        text = problem if whole else f"{row.stream}: {problem}"
        lines.append(output.plain(redact(named(row.connection, text))))
    return lines


def _cells(row: StreamStatus, zone: str) -> list[str]:
    from crm_hub.model.values import from_us

    last = "-" if row.last_event_us is None else output.moment(from_us(row.last_event_us), zone)
    return [
        row.connection,
        row.stream or "-",
        "-" if row.source_count is None else f"{row.source_count:,}",
        f"{row.hub_count:,}",
        "-" if row.coverage is None else f"{row.coverage:g} %",
        last,
        output.age(row.lag_s),
        f"{row.dead:,}",
        f"{row.waiting:,}",
        row.state,
    ]


command = status
