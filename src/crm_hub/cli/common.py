"""What commands share: options, an opened hub, tables, times, JSON."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import click

from crm_hub.cli.main import hub_folder
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport
from crm_hub.observe import redact

Command = Callable[..., Any]


def hub_option(command: Command) -> Command:
    """Add --hub DIR."""
    return click.option(
        "--hub", "hub_dir", metavar="DIR", help="The hub's folder; default: here, or CRM_HUB_DIR."
    )(command)


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


@contextmanager
def opened(hub_dir: str | Path | None) -> Iterator[Hub]:
    """Open a hub; SIGINT and SIGTERM let it end after the page it is in."""
    hub = Hub(hub_folder(str(hub_dir) if hub_dir else None))
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)
        click.echo("stopping after this page …", err=True)

    hub.stopping = lambda: bool(stopped)
    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield hub
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        hub.close()
    if stopped:
        raise click.exceptions.Exit(130)


def print_json(value: Any) -> None:
    """Print one JSON document; times as ISO 8601, tuples as lists."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print aligned columns; numbers to the right. Control characters of data are blanked."""
    cells = [[_cell(v) for v in row] for row in rows]
    widths = [max(len(h), *(len(r[i]) for r in cells), 0) for i, h in enumerate(head)]
    click.echo("  ".join(h.ljust(w) for h, w in zip(head, widths, strict=True)).rstrip())
    for row, raw in zip(cells, rows, strict=True):
        click.echo(
            "  ".join(
                c.rjust(w) if isinstance(v, int | float) else c.ljust(w)
                for c, w, v in zip(row, widths, raw, strict=True)
            ).rstrip()
        )


def _cell(value: Any) -> str:
    return "-" if value is None else clean(str(value))


def clean(text: str) -> str:
    """Return text safe to print: one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def local(hub: Hub, moment: datetime) -> str:
    """Return a time in the company's zone, to the minute."""
    return moment.astimezone(ZoneInfo(hub.config.company.zone)).strftime("%Y-%m-%d %H:%M")


class Progress:
    """Progress on stderr: a line about every two seconds, and nothing for short work."""

    def __init__(self) -> None:
        self._last = monotonic()

    def __call__(self, connection: str, stream: str, counts: Counter[str]) -> None:
        if monotonic() - self._last < 2:
            return
        self._last = monotonic()
        done = counts["pulled"] or counts["walked"]
        click.echo(f"{connection}: {clean(stream)}: {done:,} records", err=True)


COLUMNS = (
    "pulled", "new", "changed", "unchanged", "deleted", "dead", "person", "organization", "events",
)  # fmt: skip


def report_json(report: SyncReport) -> dict[str, Any]:
    """Return a sync report as JSON values."""
    error = report.error
    return {
        "connection": report.connection,
        **{c: report.counts[c] for c in COLUMNS},
        "walked": report.counts["walked"],
        "notes": report.notes,
        "error": None if error is None else redact(error.message),
        "remedy": None if error is None else redact(error.remedy),
    }


def print_reports(reports: Sequence[SyncReport], as_json: bool) -> int:
    """Print what runs did; return 1 if one failed."""
    if as_json:
        print_json([report_json(r) for r in reports])
    else:
        head = [c.replace("person", "people").replace("zation", "zations") for c in COLUMNS]
        table(
            ["connection", *head],
            [[r.connection, *(r.counts[c] for c in COLUMNS)] for r in reports],
        )
        for report in reports:
            for note in report.notes:
                click.echo(f"note: {report.connection}: {clean(note)}")
    for report in reports:
        if report.error is not None:
            click.echo(f"{report.connection}: {redact(str(report.error))}", err=True)
    sys.stdout.flush()
    return int(any(r.error is not None for r in reports))
