"""crm-hub try: a look at one's own exports, in a hub that is thrown away."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output, reports, story
from crm_hub.cli.checked import as_data as checked_data
from crm_hub.cli.command import FAILED, STOPPED, hub_command
from crm_hub.cli.commands.dead import letter_data as dead_data
from crm_hub.cli.progress import Shown
from crm_hub.cli.stopping import stoppable
from crm_hub.model.errors import HubError
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import SyncReport
    from crm_hub.store import DeadLetter

_LINES = 20


@hub_command(
    "crm-hub try ~/exports/contacts.csv ~/mail/archive.mbox --own yourfirm.example",
    hub=False,
    name="try",
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--own", default="", help="Your own mail domains and addresses, comma separated.")
@click.option("--region", default="US", show_default=True, help="Country of local phone numbers.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of times without one.")
@click.option("--keep", is_flag=True, help="Keep the hub instead of removing it at the end.")
def trial(
    as_json: bool, paths: tuple[Path, ...], own: str, region: str, zone: str, keep: bool
) -> int:
    """Read files or folders of yours into a throw-away hub, and show what came of them.

    PATHS are mailboxes (mbox, Maildir, eml), calendars, address books, CSV, Excel or JSON. They
    are only read; the hub lies in a temporary folder and is removed at the end.
    """
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.setup import create_hub
    from crm_hub.flow.trial import connect_paths

    folder = Path(tempfile.mkdtemp(prefix="crm-hub-try-"))
    kept = False
    try:
        owned = [part.strip() for part in own.split(",") if part.strip()]
        create_hub(folder, region=region, zone=zone, own=owned)
        named = connect_paths(folder, [path.expanduser() for path in paths])
        hub = Hub(folder)
        try:
            status = _look(hub, named, as_json=as_json)
        finally:
            hub.close()
        kept = keep
        if not as_json:
            _say_next(folder, paths, keep=keep)
        return status
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _look(hub: Hub, named: dict[str, Path], *, as_json: bool) -> int:
    from crm_hub.flow.inbound import sync
    from crm_hub.flow.trial import busiest, totals

    with stoppable(hub) as asked, Shown() as progress:
        done = []
        for report in sync(hub, list(named), progress=progress):
            done.append(report)
            if asked.is_set():
                return STOPPED
    who = busiest(hub)
    told = story.read(hub, who, _LINES) if who else None
    understood = [_understood(hub, name) for name in named]
    if as_json:
        output.emit(
            {
                "totals": totals(hub),
                "connections": [reports.as_data(one) for one in done],
                "understood": understood,
                "dead": [dead_data(letter) for letter in _set_aside(hub)],
                "timeline": story.as_data(told) if told else None,
            }
        )
    else:
        _show(hub, done, understood, told)
    return FAILED if any(report.error for report in done) else 0


def _understood(hub: Hub, name: str) -> dict[str, Any]:
    """Return what the hub took the files for, or why it cannot say."""
    from crm_hub.flow.setup import check

    try:
        return checked_data(check(hub, name))
    except HubError as error:
        return {"connection": name, "lines": [redact(error.message)], "streams": []}


def _set_aside(hub: Hub) -> list[DeadLetter]:
    from crm_hub.store import Machinery

    with hub.store.read() as db:
        return Machinery(db).dead(None)


def _show(
    hub: Hub,
    done: list[SyncReport],
    understood: list[dict[str, Any]],
    told: story.Story | None,
) -> None:
    from crm_hub.flow.status import status
    from crm_hub.flow.trial import totals

    output.say("What the files were taken for")
    for one in understood:
        for line in one["lines"]:
            output.say(f"  {one['connection']}: {output.plain(line)}")
    output.say()
    reports.show(done, stays=False)
    if letters := _set_aside(hub):
        output.say()
        output.say("Set aside, each with what can be done")
    for letter in letters[:_LINES]:
        output.say(
            f"  {letter.connection}: {output.plain(redact(letter.stream))}: "
            f"{output.plain(redact(letter.reason))}. {output.plain(redact(letter.remedy))}"
        )
    if len(letters) > _LINES:
        output.say(f"  and {len(letters) - _LINES:,} more")
    strange = [(row, problem) for row in status(hub) for problem in row.problems]
    if strange:
        output.say()
        output.say("Values that were not understood; the records went on without them")
        for row, problem in strange:
            output.say(f"  {row.connection}: {output.plain(redact(f'{row.stream}: {problem}'))}")
    output.say()
    output.say(", ".join(f"{number:,} {what}" for what, number in totals(hub).items()))
    if told is not None:
        output.say()
        output.say("The longest timeline")
        story.show(told, hub.config.company.zone)


def _say_next(folder: Path, paths: tuple[Path, ...], *, keep: bool) -> None:
    output.say()
    if keep:
        output.say(f"This hub is kept in {folder}")
        output.say(f"  crm-hub people --hub {folder}")
        output.say(f"  crm-hub status --hub {folder}")
        return
    output.say("Nothing of this is kept; your files are as they were. To look around in it:")
    output.say(f"  crm-hub try --keep {' '.join(str(path) for path in paths)}")
    output.say("To begin a hub that stays:")
    output.say("  crm-hub init --hub ./hub")


command = trial
