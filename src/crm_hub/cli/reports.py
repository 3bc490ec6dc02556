"""What a run did, as a table with notes below, and as data; used by all commands that run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crm_hub.cli import output
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.flow.inbound import SyncReport

# heading → the name of the count
COUNTS = {
    "pulled": "pulled",
    "new": "new",
    "changed": "changed",
    "unchanged": "unchanged",
    "deleted": "deleted",
    "dead": "dead",
    "people": "person",
    "organizations": "organization",
    "events": "events",
}
WRITE_COUNTS = {
    name: name for name in ("created", "updated", "deleted", "conflicts", "unknown", "dead")
}
REPLAY_COUNTS = {"walked": "walked", **{k: COUNTS[k] for k in list(COUNTS)[5:]}}


def as_data(report: SyncReport, counts: dict[str, str] = COUNTS) -> dict[str, Any]:
    """Return a run's report as plain data."""
    error = report.error
    return {
        "connection": report.connection,
        **{heading: report.counts[name] for heading, name in counts.items()},
        "error": None if error is None else redact(error.message),
        "remedy": None if error is None else redact(error.remedy),
        "notes": [redact(note) for note in report.notes],
    }


def show(
    reports: Sequence[SyncReport], counts: dict[str, str] = COUNTS, *, stays: bool = True
) -> None:
    """Write the table of the runs; errors go to stderr, notes below the table.

    stays: whether the hub can be looked at afterwards.
    """
    rows = [
        [r.connection, *(f"{r.counts[name]:,}" for name in counts.values()), _result(r)]
        for r in reports
    ]
    output.table(
        ["connection", *counts, "result"],
        rows,
        right=list(counts),
        colours=["red" if r.error else "green" for r in reports],
    )
    for report in reports:
        for note in report.notes:
            output.say(f"{report.connection}: {output.plain(redact(note))}")
    if stays and any(report.counts["dead"] for report in reports):
        output.say("Set aside, with reason and remedy: crm-hub dead list")
    for report in reports:
        if report.error is not None:
            output.problem(named(report.connection, report.error.message), report.error.remedy)


def _result(report: SyncReport) -> str:
    return "failed" if report.error else "ok"


def named(connection: str, message: str) -> str:
    """Return a message that begins with the connection it is about, and says it once."""
    prefix = f"{connection}: "
    return message if message.startswith(prefix) else prefix + message


__all__ = ["COUNTS", "REPLAY_COUNTS", "WRITE_COUNTS", "as_data", "named", "show"]
