"""The reference of the command line as Markdown, made from the commands themselves.

`python -m crm_hub.cli.reference` prints docs/reference/cli.md; a test compares the two.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import click

from crm_hub.cli.main import cli

_HEAD = """\
# Commands

This page is made from the commands themselves: `python -m crm_hub.cli.reference`.

Every command takes `--help`. `--hub DIR` names the hub's folder; without it the environment
variable `CRM_HUB_DIR` does, else the current folder or the nearest one above that holds hub.yaml.
With `--json` a command prints one JSON document on stdout, an object with `error` and `remedy`
when it fails; progress and messages go to stderr.

| exit status | meaning |
| --- | --- |
| 0 | fine |
| 1 | something failed: a connection, a check, a golden test |
| 2 | the command line, hub.yaml or a setting must be changed |
| 130 | stopped by Ctrl-C or SIGTERM after the page under way; the next run goes on from there |
"""


def reference() -> str:
    """Return docs/reference/cli.md."""
    parts = [_HEAD]
    root = click.Context(cli, info_name="crm-hub")
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is not None:
            parts += _described(command, click.Context(command, root, info_name=name))
    return "\n".join(parts)


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"    {context.command_path} {pieces}\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n"
    given = [one for one in command.params if isinstance(one, click.Option)]
    rows = [row for row in (_option(one, context) for one in given) if row]
    if rows:
        yield "| option | meaning |\n| --- | --- |\n" + "\n".join(rows) + "\n"
    if command.epilog:
        yield _example(command.epilog)
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            yield from _described(sub, click.Context(sub, context, info_name=name))


def _option(option: click.Option, context: click.Context) -> str:
    record: Any = option.get_help_record(context)
    if record is None:
        return ""
    names, meaning = (" ".join(part.split()).replace("|", "\\|") for part in record)
    return f"| `{names}` | {meaning} |"


def _example(epilog: str) -> str:
    lines = inspect.cleandoc(epilog.replace("\b\n", "")).splitlines()
    title, examples = lines[0], lines[1:]
    return "\n".join([title, "", *(f"    {line.strip()}" for line in examples), ""])


if __name__ == "__main__":
    print(reference(), end="")
