"""Somebody's timeline as text; used by timeline, demo and try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_hub.cli import output

if TYPE_CHECKING:
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.reading import Line, Suggestion

_MOST_PARTICIPANTS = 4


@dataclass(frozen=True, slots=True)
class Story:
    """A page of somebody's timeline. next: the cursor of the older page, where there is one."""

    id: str
    entity: str
    name: str
    values: dict[str, Any]
    lines: list[Line]
    next: str | None
    suggestions: list[Suggestion]


def read(hub: Hub, who: str, limit: int, before: str | None = None) -> Story:
    """Return a page of the timeline of `who`. Raises: ConfigError, also when several answer."""
    from crm_hub.flow import reading
    from crm_hub.merge.golden import load
    from crm_hub.model.ids import public_id

    row, lines = reading.timeline(hub, who, limit + 1, before)
    page = lines[:limit]
    return Story(
        public_id(row.entity, row.id),
        row.entity,
        row.display_name,
        load(row.golden).values,
        page,
        page[-1].cursor if len(lines) > limit else None,
        reading.suggestions(hub, row.id) if row.entity == "person" else [],
    )


def as_data(story: Story) -> dict[str, Any]:
    """Return a page of a timeline as plain data."""
    return {
        "id": story.id,
        "entity": story.entity,
        "name": story.name,
        "events": [line._asdict() for line in story.lines],
        "next": story.next,
        "suggestions": [one._asdict() for one in story.suggestions],
    }


def show(story: Story, zone: str) -> None:
    """Write a page of a timeline, on the clock of `zone`, and who else it may be."""
    output.say(" · ".join(output.plain(part) for part in _head(story)))
    if not story.lines:
        output.say("Nothing on record.")
    shown = [(output.moment(line.occurred_at, zone), line) for line in story.lines]
    wide = max((output.width(line.type) for _, line in shown), default=0)
    for when, line in shown:
        _show_line(when, line, wide)
    for one in story.suggestions:
        why = ", ".join(one.evidence)
        output.say(f"Possibly the same {story.entity}: {one.id} {output.plain(one.name)} ({why})")


def _head(story: Story) -> list[str]:
    values = story.values
    single = [values.get("title"), values.get("company")]
    many = [*values.get("email", [])[:2], *values.get("phone", [])[:2]]
    return [f"{story.id} {story.name}", *(str(part) for part in [*single, *many] if part)]


def _show_line(when: str, line: Line, wide: int) -> None:
    late = "  (came late)" if line.late else ""
    connections = dict.fromkeys(source.partition("/")[0] for source in line.sources)
    told = f"  [{', '.join(connections)}]"
    told += f"  {line.conversation}" if line.conversation else ""
    text = output.plain(line.subject or line.snippet)
    start = f"{when:<16}  {line.type:<{wide}}  "
    room = output.columns()
    if room is not None:
        text = output.cut(text, max(20, room - len(start) - len(told) - len(late)))
    output.say(f"{start}{text}{told}{late}".rstrip())
    indent = " " * len(start)
    second = [line.snippet] if line.subject and line.snippet else []
    for part in [*second, _participants(line)]:
        shown = output.plain(part)
        if room is not None:
            shown = output.cut(shown, max(20, room - len(indent)))
        if shown:
            output.say(indent + shown)


def _participants(line: Line) -> str:
    named = line.participants[:_MOST_PARTICIPANTS]
    more = len(line.participants) - len(named)
    return ", ".join([*named, *([f"and {more} more"] if more else [])])
