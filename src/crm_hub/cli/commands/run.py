"""crm-hub run: keep every connection in sync until stopped."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm_hub.cli import output
from crm_hub.cli.command import find_hub, hub_command, opened
from crm_hub.cli.reports import as_data, named
from crm_hub.cli.stopping import stoppable
from crm_hub.model.errors import ConfigError
from crm_hub.observe import configure, redact

if TYPE_CHECKING:
    from crm_hub.flow.inbound import SyncReport

_LOOK_S = 1.0
_NEWS = ("new", "changed", "deleted", "dead")


@hub_command("crm-hub run", "crm-hub run mail calendar --every 60")
@click.argument("names", nargs=-1)
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Pause between two looks at a source.",
)
def run(hub_dir: str | None, as_json: bool, names: tuple[str, ...], every_s: float) -> None:
    """Keep all connections, or NAMES alone, in sync until Ctrl-C or SIGTERM.

    Each connection has a lane of its own. A source that tells of news by itself, such as a
    mailbox, is read at once; the others every five minutes. One that cannot be reached is asked
    again later and later. A line is printed for each run that found something or failed, and
    with --json as a JSON document a line. Changed settings and mappings are taken up by
    themselves.
    """
    configure("WARNING")
    folder = find_hub(hub_dir)
    teller = _Teller(as_json)
    while _run_until_changed(folder, names, every_s, teller):
        output.say("The settings have changed; going on with them.", err=True)
    output.say("Stopped; every page that was read is kept.", err=True)


def _run_until_changed(
    folder: Path, names: tuple[str, ...], every_s: float, teller: _Teller
) -> bool:
    """Run the lanes; return True when the settings changed, False when a stop was asked for."""
    from crm_hub.flow.running import Running, settings_mark

    mark = settings_mark(folder)
    with opened(str(folder)) as hub, stoppable(hub) as asked:
        wanted = [name for name in hub.names(names) if not hub.connection(name).paused]
        if not hub.config.connections:
            output.say("Nothing is connected yet. Connect a source: crm-hub connect KIND NAME")
        elif not wanted:
            output.say("Every connection is paused; waiting for crm-hub resume.", err=True)
        with Running(hub, wanted, every_s, teller):
            while not asked.wait(_LOOK_S):
                now = settings_mark(folder)
                if now != mark and _readable(folder):
                    return True
                mark = now
    return False


def _readable(folder: Path) -> bool:
    """Whether changed settings can be used; when not, the run goes on with those it has."""
    from crm_hub import config

    try:
        config.load(folder)
    except ConfigError as error:
        output.problem(error.message, f"{error.remedy} Until then the settings before are used.")
        return False
    return True


class _Teller:
    """Prints what a run found; the same failure of a connection is told once."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._failing: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, report: SyncReport) -> None:
        error = "" if report.error is None else redact(report.error.message)
        known = self._failing.get(report.connection, "")
        self._failing[report.connection] = error
        if not error and known:
            output.say(f"{report.connection}: reached again", err=True)
        if error == known and not any(report.counts[name] for name in _NEWS):
            return
        with self._lock:
            if self._as_json:
                output.emit_line(as_data(report))
            elif report.error is not None:
                output.problem(named(report.connection, error), report.error.remedy)
            else:
                output.say(f"{report.connection}: {_said(report.counts)}")


def _said(counts: Counter[str]) -> str:
    parts = [f"{counts[name]:,} {name}" for name in (*_NEWS, "events") if counts[name]]
    return ", ".join(parts) or "nothing new"


command = run
