"""crm-hub connect: a source system becomes a connection, once it has answered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crm_hub.cli import output
from crm_hub.cli.checked import as_data, door, show
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub


@hub_command(
    "crm-hub connect files mail --set path=./mail",
    "crm-hub connect carddav phones --set url=https://dav.example.com/ --direction both",
    "crm-hub connect carddav bob --set url=https://dav.example.com/bob/ --direction both --brief "
    "--only owner=Bob",
    "crm-hub connect google_ads google --set google_key=-",
    "crm-hub connect meta_ads meta --set app_secret=env:META_SECRET "
    "--set verify_token=file:verify.txt --set access_token=-",
)
@click.argument("kind")
@click.argument("name")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting. KEY=- reads it from the terminal or as one line of stdin; a secret may also "
    "be KEY=env:NAME or KEY=file:PATH.",
)
@click.option(
    "--direction",
    type=click.Choice(["pull", "push", "both"]),
    help="Whether the hub may write there; the mapping says which fields. [default: pull]",
)
@click.option(
    "--brief/--no-brief",
    default=None,
    help="Whether the hub writes on each card there who it is, the last touch and what is open.",
)
@click.option(
    "--only",
    "only",
    multiple=True,
    metavar="FIELD=VALUE",
    help="For whom the hub makes records there, such as owner=Bob; several values of a field are "
    "one or the other.",
)
@click.option("--no-check", is_flag=True, help="Write it down without asking the source.")
@click.option("--replace", is_flag=True, help="Change the connection of this name.")
def connect(
    hub_dir: str | None,
    as_json: bool,
    kind: str,
    name: str,
    pairs: tuple[str, ...],
    direction: str | None,
    brief: bool | None,
    only: tuple[str, ...],
    no_check: bool,
    replace: bool,
) -> None:
    """Connect a source system of a KIND under a NAME of your choice.

    The source is asked first; nothing is written when it refuses. Secrets are kept sealed, never
    in hub.yaml. A direction of push writes only: what stands there counts for nothing, and is
    written over. With --replace the settings that are not given stay as they are, and KEY= takes
    one out. Kinds and their settings: crm-hub connectors list, crm-hub connectors show KIND.
    """
    from crm_hub.flow.setup import connect as connect_source

    with opened(hub_dir) as hub:
        given = read_pairs(pairs)
        found = connect_source(
            hub, kind, name, given, checked=not no_check, replace=replace,
            direction=direction, brief=brief, only=_values(only) or None,
        )  # fmt: skip
        if as_json:
            checked = None if found is None else as_data(found)
            return output.emit({"connection": name, "kind": kind, "checked": checked})
        output.say(f"Connected {name} ({kind}).")
        if found is not None:
            show(hub, found)
        _say_next(hub, name, receives=found is not None and found.receives)
        if direction in ("push", "both"):
            output.say(f"Before anything is written there: crm-hub preview {name}")
    return None


def _say_next(hub: Hub, name: str, *, receives: bool) -> None:
    if receives:
        output.say(f"Next: crm-hub receive; it takes posts at {door(hub, name)}")
    else:
        output.say(f"Next: crm-hub sync {name}")


def read_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Return setting → text; a value of `-` is asked for, so that no shell history keeps it."""
    given = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter("write KEY=VALUE", param_hint="--set")
        given[key] = _asked(key) if value == "-" else value
    return given


def _values(pairs: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals or not field or not value.strip():
            raise click.BadParameter("write FIELD=VALUE", param_hint="--only")
        found.setdefault(field, []).append(value.strip())
    return found


def _asked(key: str) -> str:
    if sys.stdin.isatty():
        text: str = click.prompt(key, hide_input=True, err=True)
        return text
    line = sys.stdin.readline()
    if not line:
        raise click.BadParameter(f"{key}=- expects a line on stdin", param_hint="--set")
    return line.rstrip("\r\n")


command = connect
