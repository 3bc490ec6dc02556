"""The entry point of `crm-hub`: the table of commands, and what the process answers at its end.

Imports click and the standard library alone. A command's module is imported when the command is
called, so that `crm-hub --help` costs what Python and click cost.
"""

from __future__ import annotations

import difflib
import importlib
import json
import os
import sys
from collections.abc import Sequence

import click

# name → the line that --help shows; the command lives in the module of the same name.
COMMANDS = {
    "init": "Create a hub in a folder.",
    "connect": "Connect a source system, after checking that it answers.",
    "disconnect": "Take a connection out; what was read stays.",
    "pause": "Leave a connection out of the syncs.",
    "resume": "Take a paused connection into the syncs again.",
    "check": "Ask each source whether it can be read, and show what is there.",
    "sync": "Read what is new in the sources.",
    "preview": "Show what would be written to a connection.",
    "apply": "Carry out a plan that was looked at.",
    "push": "Send what is due to the connections.",
    "conflicts": "Look at edits that had to give way, and decide.",
    "outbox": "Look at the writes that wait, and try again what was set aside.",
    "runs": "List what the hub did lately.",
    "undo": "Take back what a run wrote.",
    "run": "Keep every connection in sync until stopped.",
    "status": "Show what is covered, and what is not.",
    "people": "List people and organizations.",
    "timeline": "Show what happened with somebody, newest first.",
    "figures": "Show what somebody ordered, owes and owes too long.",
    "explain": "Show why a value is what it is, and what it won against.",
    "review": "Look at pairs that may be one person, and decide.",
    "link": "Rule that two records are one person.",
    "unlink": "Rule that a record does not belong where it is, or undo a link.",
    "identity": "Decide who is who: merge, split, never.",
    "dead": "Look at records that were set aside, and try them again.",
    "replay": "Walk the stored records again, after a change of the mapping.",
    "mapping": "Check mapping files: lint, test, accept.",
    "connectors": "List the connectors, or begin one of your own.",
    "receive": "Receive webhooks and forms over HTTP.",
    "dedupe": "Find who is who in one table, without a hub.",
    "demo": "See a sample firm's nine tools become one timeline.",
    "try": "Look at your own exports in a hub that is thrown away.",
}
_MODULES = {"try": "trial"}  # where the command's name is a word of Python's
USAGE, FAILED, STOPPED = 2, 1, 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table, which is the order of a first day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, imported now; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        name = _MODULES.get(cmd_name, cmd_name)
        module = importlib.import_module(f"crm_hub.cli.commands.{name}")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed, or name the nearest one."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else " See: crm-hub --help"
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without importing what it names."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from crm_hub import __version__

        click.echo(f"crm-hub {__version__}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Example, with your own files and nothing to set up:
  crm-hub try ~/exports/contacts.csv ~/mail/archive.mbox
Example, to keep:
  crm-hub init --hub ./hub --own yourfirm.example
  cd ./hub && crm-hub connect files mail --set path=~/mail/archive.mbox
  crm-hub sync && crm-hub status""",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """One customer model and one timeline out of the tools a company already has.

    A hub is a folder with hub.yaml in it: --hub names it, else CRM_HUB_DIR, else it is the
    current folder or the nearest one above that holds a hub.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status of the process.

    0 fine, 1 something failed, 2 the command line or a setting must be changed, 130 stopped.
    """
    try:
        result = cli.main(list(arguments), prog_name="crm-hub", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        if "--json" in arguments:
            remedy = "See: crm-hub --help"
            click.echo(json.dumps({"error": error.format_message(), "remedy": remedy}))
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return STOPPED


def main() -> None:
    """Run the command line of this process."""
    os.umask(0o077)  # whatever a hub writes holds customers: it is its owner's alone
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a name the terminal cannot show stops nothing
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
