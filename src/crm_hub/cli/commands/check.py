"""crm-hub check: does each source answer, and what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.checked import as_data, show
from crm_hub.cli.command import FAILED, hub_command, opened
from crm_hub.cli.reports import named
from crm_hub.model.errors import HubError
from crm_hub.observe import redact

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub


@hub_command("crm-hub check", "crm-hub check mail")
@click.argument("name", required=False)
def check(hub_dir: str | None, as_json: bool, name: str | None) -> int:
    """Ask each source, or NAME alone, whether it can be read, and show what is there.

    Nothing is read into the hub. The exit status is 1 when a source does not answer.
    """
    with opened(hub_dir) as hub:
        results = [_checked(hub, one, quiet=as_json) for one in hub.names([name] if name else ())]
    if as_json:
        output.emit({"connections": results})
    elif not results:
        output.say("Nothing is connected yet. Connect a source: crm-hub connect KIND NAME")
    return FAILED if any("error" in result for result in results) else 0


def _checked(hub: Hub, name: str, *, quiet: bool) -> dict[str, Any]:
    from crm_hub.flow.setup import check as ask

    try:
        found = ask(hub, name)
    except HubError as error:
        if not quiet:
            output.problem(named(name, error.message), error.remedy)
        return {
            "connection": name, "error": redact(error.message), "remedy": redact(error.remedy)
        }  # fmt: skip
    if not quiet:
        show(hub, found)
    return as_data(found)


command = check
