"""crm-hub timeline: what happened with somebody."""

from __future__ import annotations

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.story import as_data, read, show


@hub_command(
    "crm-hub timeline P12",
    "crm-hub timeline dana.whitfield@marlowfinch.example --limit 20",
    'crm-hub timeline "Dana Whitfield"',
    "crm-hub timeline V3",
)
@click.argument("who")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="At most so many.",
)
@click.option("--before", metavar="CURSOR", help="What is older than the end of the page before.")
def timeline(hub_dir: str | None, as_json: bool, who: str, limit: int, before: str | None) -> None:
    """Show what happened with WHO, newest first, on the clock of the company's zone.

    WHO is an id (P12), an e-mail address, a phone number or a name. The id of a conversation,
    which stands at the end of a line (V3), shows that conversation alone.
    """
    with opened(hub_dir) as hub:
        story = read(hub, who, limit, before)
        if as_json:
            return output.emit(as_data(story))
        show(story, hub.config.company.zone)
        if story.next:
            output.say(f"Older: crm-hub timeline {story.id} --before {story.next}")
    return None


command = timeline
