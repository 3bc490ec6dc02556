"""status, people, timeline, explain: what people ask a hub."""

from __future__ import annotations

from typing import Any

import click

from crm_hub.cli.common import clean, hub_option, json_option, local, opened, print_json, table
from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.flow.status import status as status_of
from crm_hub.model.ids import public_id
from crm_hub.model.values import from_us


@click.command()
@hub_option
@json_option
def status(hub_dir: str | None, as_json: bool) -> None:
    """Show how much of each source is covered; `ok` only when nothing is missing.

    \b
    Example:
      crm-hub status --hub ./hub
    """
    with opened(hub_dir) as hub:
        show_status(hub, as_json)


def show_status(hub: Hub, as_json: bool = False) -> None:
    """Print a row per stream, and below it what an admin should look at."""
    rows = status_of(hub)
    if as_json:
        print_json([_status_json(row) for row in rows])
        return
    table(
        ["connection", "stream", "source", "hub", "coverage", "last event", "lag", "dead",
         "waiting", "state"],
        [
            [
                r.connection, r.stream, r.source_count, r.hub_count,
                None if r.coverage is None else f"{r.coverage:g} %",
                None if r.last_event_us is None else local(hub, from_us(r.last_event_us)),
                None if r.lag_s is None else _span(r.lag_s), r.dead, r.waiting, r.state,
            ]
            for r in rows
        ],
    )  # fmt: skip
    for row in rows:
        for problem in row.problems:
            click.echo(f"{row.connection}/{clean(row.stream)}: {clean(problem)}")


def _status_json(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = row._asdict()
    last = found.pop("last_event_us")
    found["last_event"] = None if last is None else from_us(last).isoformat()
    return found


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@click.command()
@click.argument("query", default="")
@hub_option
@json_option
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="At most this many.")
def people(query: str, hub_dir: str | None, as_json: bool, limit: int) -> None:
    """List people and organizations; QUERY is part of a name, address or number.

    \b
    Example:
      crm-hub people dana
    """
    with opened(hub_dir) as hub:
        found = reading.people(hub, query, limit)
    if as_json:
        print_json([p._asdict() for p in found])
        return
    table(
        ["id", "name", "e-mail", "phone", "records", "events"],
        [
            [
                p.id, p.name, (p.values.get("email") or [""])[0], (p.values.get("phone") or [""])[0],
                p.records, p.events,
            ]
            for p in found
        ],
    )  # fmt: skip


@click.command()
@click.argument("who")
@hub_option
@json_option
@click.option("--limit", default=50, type=click.IntRange(1, 10_000), help="Events a page.")
@click.option("--before", metavar="CURSOR", help="Go on where the page before ended.")
def timeline(who: str, hub_dir: str | None, as_json: bool, limit: int, before: str | None) -> None:
    """Show everything that happened with WHO: an id, e-mail address, phone number or name.

    \b
    Example:
      crm-hub timeline dana.whitfield@marlowfinch.example --limit 20
    """
    with opened(hub_dir) as hub:
        show_timeline(hub, who, limit, before, as_json)


def show_timeline(
    hub: Hub, who: str, limit: int = 50, before: str | None = None, as_json: bool = False
) -> None:
    """Print a page of a timeline, newest first, and who may be the same person."""
    row, lines = reading.timeline(hub, who, limit, before)
    maybe = reading.suggestions(hub, row.id)
    cursor = lines[-1].cursor if len(lines) == limit else None
    if as_json:
        print_json(
            {
                "id": public_id(row.entity, row.id),
                "name": row.display_name,
                "events": [line._asdict() for line in lines],
                "next": cursor,
                "suggestions": [s._asdict() for s in maybe],
            }
        )
        return
    click.echo(f"{clean(row.display_name)} ({public_id(row.entity, row.id)})")
    for line in lines:
        late = "  (came late)" if line.late else ""
        text = line.subject or line.snippet
        click.echo(f"{local(hub, line.occurred_at)}  {line.type:18} {clean(text)[:70]}{late}")
        click.echo(
            f"{'':18}{clean(', '.join(line.participants))[:80]}  [{', '.join(line.sources)}]"
        )
    if not lines:
        click.echo("nothing has happened yet")
    for one in maybe:
        click.echo(
            f"Possibly the same person: {one.id} {clean(one.name)} ({', '.join(one.evidence)})"
        )
    if cursor:
        click.echo(f"Older: crm-hub timeline {public_id(row.entity, row.id)} --before {cursor}")


@click.command()
@click.argument("who")
@click.argument("field", required=False)
@hub_option
@json_option
def explain(who: str, field: str | None, hub_dir: str | None, as_json: bool) -> None:
    """Show why the values of WHO are what they are: source, rule, time, and what lost.

    \b
    Example:
      crm-hub explain dana.whitfield@marlowfinch.example title
    """
    with opened(hub_dir) as hub:
        show_explained(hub, who, field, as_json)


def show_explained(hub: Hub, who: str, field: str | None, as_json: bool = False) -> None:
    """Print each value's winner, rule and losers, and how each record got in."""
    found = reading.explain_fields(hub, who, field)
    if as_json:
        print_json(_explained_json(found))
        return
    click.echo(f"{clean(found.name)} ({found.id})")
    for story in found.stories:
        click.echo(f"{story.field}: {clean(_text(story.value))}   (rule: {story.rule})")
        for i, c in enumerate(story.candidates):
            mark = "won " if i == 0 else "kept" if story.rule.startswith("union") else "lost"
            when = "no time" if c.changed_at_us is None else local(hub, from_us(c.changed_at_us))
            click.echo(f"  {mark}  {clean(_text(c.value))}  {found.sources[c.record_id]}  {when}")
    if field is None:
        click.echo("records:")
        for source, method in found.links:
            click.echo(f"  {clean(source)}  joined by {method}")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_text(v) for v in value)
    if isinstance(value, dict) and set(value) == {"minor_units", "currency"}:
        return f"{value['minor_units']} {value['currency']} (minor units)"
    if isinstance(value, dict):
        return ", ".join(str(v) for v in value.values() if v)
    return str(value)


def _explained_json(found: reading.Explained) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "fields": [
            {
                "field": s.field,
                "value": s.value,
                "rule": s.rule,
                "candidates": [
                    {
                        "value": c.value,
                        "source": found.sources[c.record_id],
                        "changed_at": None
                        if c.changed_at_us is None
                        else from_us(c.changed_at_us).isoformat(),
                    }
                    for c in s.candidates
                ],
            }
            for s in found.stories
        ],
        "records": [{"source": source, "joined_by": method} for source, method in found.links],
    }


COMMANDS = {"status": status, "people": people, "timeline": timeline, "explain": explain}
