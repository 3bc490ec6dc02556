"""crm-hub unlink: a source record does not belong where it is."""

from __future__ import annotations

import click

from crm_hub.cli.command import hub_command, opened
from crm_hub.cli.commands.link import show, told


@hub_command("crm-hub unlink crm/contacts#17")
@click.argument("record")
@told
def unlink(hub_dir: str | None, as_json: bool, record: str, who: str, reason: str) -> None:
    """Rule that the source record RECORD does not belong where it is.

    Where a link or merge by hand brought it there, that is undone: ids, values and events are as
    they were. Else the record alone leaves. What the hub had written because of it is repaired
    with the next push, except where somebody has edited it since.
    """
    from crm_hub.flow.rulings import unlink as take_out

    with opened(hub_dir) as hub:
        show(take_out(hub, record, who=who, reason=reason), as_json)


command = unlink
