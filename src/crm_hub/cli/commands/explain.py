"""crm-hub explain: why a value is what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.flow.reading import Explained


@hub_command("crm-hub explain P12", "crm-hub explain dana.whitfield@marlowfinch.example phone")
@click.argument("who")
@click.argument("field", required=False)
def explain(hub_dir: str | None, as_json: bool, who: str, field: str | None) -> None:
    """Show where each value of WHO comes from, which rule chose it, and what it won against.

    WHO is an id (P12), an e-mail address, a phone number or a name. FIELD shows one value alone.
    """
    from crm_hub.flow.reading import explain_fields

    with opened(hub_dir) as hub:
        found = explain_fields(hub, who, field)
        if as_json:
            return output.emit(_as_data(found))
        show(found, hub.config.company.zone)
    return None


def show(found: Explained, zone: str) -> None:
    """Write each value with its record, rule and time, what lost below it, then the records."""
    output.say(f"{found.id} {output.plain(found.name)}")
    rows = []
    for story in found.stories:
        for place, one in enumerate(story.candidates):
            first = place == 0
            rows.append(
                [
                    story.field if first else "",
                    _text(story.value if first else one.value),
                    story.rule if first else "(also)" if _told(one, story) else "(lost)",
                    _when(one.changed_at_us, zone),
                    found.sources.get(one.record_id, ""),
                ]
            )
    output.table(["field", "value", "rule", "changed", "source record"], rows)
    output.say()
    output.table(["joined by", "source record"], [[how, key] for key, how in found.links])


def _told(one: Any, story: Any) -> bool:
    """Whether a further candidate agrees with the golden value, or is part of it."""
    if isinstance(story.value, list):
        parts = one.value if isinstance(one.value, list) else [one.value]
        return any(part in story.value for part in parts)
    return bool(one.value == story.value)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _when(at_us: int | None, zone: str) -> str:
    from crm_hub.model.values import from_us

    return "-" if at_us is None else output.moment(from_us(at_us), zone)


def _as_data(found: Explained) -> dict[str, Any]:
    from crm_hub.model.values import from_us

    return {
        "id": found.id,
        "name": found.name,
        "fields": [
            {
                "field": story.field,
                "value": story.value,
                "rule": story.rule,
                "candidates": [
                    {
                        "value": one.value,
                        "source": found.sources.get(one.record_id),
                        "changed_at": None
                        if one.changed_at_us is None
                        else from_us(one.changed_at_us),
                    }
                    for one in story.candidates
                ],
            }
            for story in found.stories
        ],
        "records": [{"source": key, "joined_by": how} for key, how in found.links],
    }


command = explain
