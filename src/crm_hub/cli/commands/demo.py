"""crm-hub demo: nine tools of a sample firm become one timeline."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm_hub.cli import book_story, output, reports, story
from crm_hub.cli.command import FAILED, STOPPED, hub_command
from crm_hub.cli.commands import explain
from crm_hub.cli.commands import status as status_command
from crm_hub.cli.progress import Shown
from crm_hub.cli.stopping import stoppable

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import SyncReport

_LINES = 25
_SAID = {
    "lead": "a lead",
    "repeat": "sent a second time",
    "test": "a test lead",
    "ignored": "nobody's lead",
}


@hub_command("crm-hub demo", "crm-hub demo --dir ./somewhere --no-serve", hub=False, as_json=False)
@click.option(
    "--dir",
    "folder",
    default="demo-hub",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the hub is made.",
)
@click.option("--no-serve", is_flag=True, help="End after showing it, instead of receiving on.")
def demo(folder: Path, no_serve: bool) -> int:
    """See a sample firm's nine tools become one timeline.

    Reads the files of Clearwater, a water delivery that does not exist, posts its leads through
    the real receiver, keeps two address books equal, and shows one customer whole. It needs no
    account and no internet. The hub stays in a folder to look around in; a second run on it finds
    nothing new.
    """
    from crm_hub.flow import demo as sample
    from crm_hub.flow.hub import Hub

    folder = folder.expanduser().absolute()
    made = sample.prepare(folder)
    output.say(f"{'Made' if made else 'Using'} the sample firm's hub in {folder}")
    token = sample.graph_token(folder)
    with ExitStack() as stack:
        sample.connect_all(folder, stack.enter_context(sample.graph(token)), token)
        hub = Hub(folder)
        stack.callback(hub.close)
        asked = stack.enter_context(stoppable(hub))
        done = _read_and_post(hub)
        if asked.is_set():
            return STOPPED
        done += book_story.tell(hub)
        _show(hub)
        _say_next(folder)
        if not no_serve and sys.stdin.isatty():
            _serve(hub)
    return FAILED if any(report.error for report in done) else 0


def _read_and_post(hub: Hub) -> list[SyncReport]:
    """Read the history, post the leads, walk them; say what was new and what was written."""
    from crm_hub.flow.demo import FILES
    from crm_hub.flow.demo_books import BOOKS

    before = hub.store.rows_changed()
    output.say("\nFirst the history: what the files of six tools hold")
    done = _synced(hub, list(FILES))
    _post(hub)
    output.say("\nThen what came through the doors")
    doors = [name for name in hub.names() if name not in (*FILES, *BOOKS)]
    again = _synced(hub, doors)
    new = sum(one.counts["new"] + one.counts["changed"] for one in [*done, *again])
    written = hub.store.rows_changed()
    if before is not None and written is not None:
        output.say(f"{new:,} new, {written - before:,} rows written")
    return [*done, *again]


def _synced(hub: Hub, names: list[str]) -> list[SyncReport]:
    from crm_hub.flow.inbound import sync

    done = []
    with Shown() as progress:
        for report in sync(hub, names, progress=progress):
            done.append(report)
            if hub.stopping():
                break
    reports.show(done)
    return done


def _post(hub: Hub) -> None:
    from crm_hub.flow.demo import posts_due, send
    from crm_hub.flow.hooks import Door
    from crm_hub.service.receiver import ReceiverThread

    due = posts_due(hub.folder)
    if not due or hub.stopping():
        return
    hour = [due[0].at]  # the receiver's clock stands where the story is
    with ReceiverThread(Door(hub), now=lambda: hour[0]) as receiver:
        output.say(f"\nThe morning of 10 March: {len(due)} posts to {receiver.url}")
        for post in due:
            hour[0] = post.at
            status = send(hub, receiver.url, post)
            door = f"/in/{post.connection}/{post.path}".rstrip("/")
            output.say(f"  {door:<16}  {status}  {Path(post.file).name}, {_SAID[post.expect]}")


def _show(hub: Hub) -> None:
    from crm_hub.flow.demo import DANA
    from crm_hub.flow.reading import explain_fields
    from crm_hub.flow.status import status, written

    zone = hub.config.company.zone
    output.say("\nWhat is covered (crm-hub status)")
    status_command.show(hub, status(hub))
    status_command.show_writes(written(hub))
    output.say(f"\nOne customer whole (crm-hub timeline {DANA})")
    story.show(story.read(hub, DANA, _LINES), zone)
    output.say(f"\nWhy her name is spelt so (crm-hub explain {DANA} family_name)")
    explain.show(explain_fields(hub, DANA, "family_name"), zone)


def _say_next(folder: Path) -> None:
    output.say("\nLook around")
    output.say(f"  cd {folder}")
    output.say("  crm-hub people garcia")
    output.say("  crm-hub timeline info@harborviewdental.example")
    output.say("  Edit a card in books/vans, then: crm-hub sync; it is in books/office")
    output.say("Meta's side was a stand-in that ran only for the demo: crm-hub check misses it now")
    output.say("Try it on exports of your own; nothing is kept, and they are only read")
    output.say("  crm-hub try PATH…")


def _serve(hub: Hub) -> None:
    """Keep the door open, so that a person can post to it and see what becomes of it."""
    from crm_hub.cli.commands.receive import serve_hub
    from crm_hub.flow.setup import receiving

    output.say("\nThe door stays open until Ctrl-C.")
    form = "name=Ada Lund&email=ada@lund.example&message=Hello"
    hint = f"Post a form to it, from another terminal:\n  curl -d '{form}' {{url}}/in/form/contact"
    serve_hub(hub, receiving(hub), "127.0.0.1", 0, drained=True, hint=hint)


command = demo
