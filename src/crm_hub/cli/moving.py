"""sync, replay, dead: everything that walks records."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from crm_hub.cli.common import (
    Progress,
    clean,
    hub_option,
    json_option,
    opened,
    print_json,
    print_reports,
    table,
)
from crm_hub.flow.inbound import Inbound
from crm_hub.flow.inbound import sync as sync_flow
from crm_hub.flow.replay import replay as replay_flow
from crm_hub.flow.replay import retry
from crm_hub.model.errors import ConfigError
from crm_hub.model.records import Window
from crm_hub.store import Machinery


@click.command()
@click.argument("names", nargs=-1)
@hub_option
@json_option
@click.option("--accept-deletes", is_flag=True, help="Go on though the source lists far less.")
@click.option("--since", metavar="DATE", help="Backfill: read this span of time once more …")
@click.option("--until", metavar="DATE", help="… up to here. The checkpoint stays where it is.")
def sync(
    names: tuple[str, ...],
    hub_dir: str | None,
    as_json: bool,
    accept_deletes: bool,
    since: str | None,
    until: str | None,
) -> int:
    """Pull what is new, and bring people and timelines up to date.

    \b
    Example:
      crm-hub sync mail crm
    """
    with opened(hub_dir) as hub:
        if since or until:
            window = Window(_date(since, "--since"), _date(until, "--until"))
            reports = [Inbound(hub, n, Progress()).backfill(window) for n in hub.names(names)]
        else:
            reports = list(
                sync_flow(hub, names, progress=Progress(), accept_deletes=accept_deletes)
            )
        if not reports and not as_json:
            click.echo("nothing is connected yet; see: crm-hub connectors list")
        return print_reports(reports, as_json) if reports or as_json else 0


def _date(text: str | None, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        raise ConfigError(
            f"{option} is not a date", remedy="Give both, as --since 2026-01-01 --until 2026-02-01."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.command()
@click.argument("names", nargs=-1)
@hub_option
@json_option
def replay(names: tuple[str, ...], hub_dir: str | None, as_json: bool) -> int:
    """Walk stored records again after a changed mapping; nothing is pulled.

    \b
    Example:
      crm-hub replay crm
    """
    with opened(hub_dir) as hub:
        return print_reports(replay_flow(hub, names, progress=Progress()), as_json)


@click.group()
def dead() -> None:
    """Records that could not go on, with reason and remedy.

    \b
    Example:
      crm-hub dead list
    """


@dead.command("list")
@hub_option
@json_option
def dead_list(hub_dir: str | None, as_json: bool) -> None:
    """List dead letters.

    \b
    Example:
      crm-hub dead list --json
    """
    with opened(hub_dir) as hub, hub.store.read() as db:
        letters = Machinery(db).dead()
    if as_json:
        print_json([one._asdict() for one in letters])
    elif not letters:
        click.echo("no dead letters")
    else:
        table(
            ["id", "connection", "stream", "record", "step", "reason"],
            [[d.id, d.connection, d.stream, d.record_key[:40], d.step, d.reason] for d in letters],
        )


@dead.command("show")
@click.argument("number", type=int)
@hub_option
@json_option
def dead_show(number: int, hub_dir: str | None, as_json: bool) -> None:
    """Show one dead letter with what was read of it.

    \b
    Example:
      crm-hub dead show 3
    """
    with opened(hub_dir) as hub, hub.store.read() as db:
        letter = Machinery(db).dead_letter(number)
    if letter is None:
        raise ConfigError(f"there is no dead letter {number}", remedy="See: crm-hub dead list")
    if as_json:
        print_json(letter._asdict())
        return
    for key, value in letter._asdict().items():
        if value not in (None, ""):
            click.echo(f"{key:12} {clean(str(value))}")


@dead.command("retry")
@click.argument("numbers", nargs=-1, type=int)
@hub_option
@json_option
def dead_retry(numbers: tuple[int, ...], hub_dir: str | None, as_json: bool) -> int:
    """Try dead letters again, all of them or some.

    \b
    Example:
      crm-hub dead retry 3
    """
    with opened(hub_dir) as hub:
        return print_reports(retry(hub, numbers), as_json)


COMMANDS = {"sync": sync, "replay": replay, "dead": dead}
