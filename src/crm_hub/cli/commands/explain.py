"""crm-hub explain: why a value is what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.flow.houses import Relative
    from crm_hub.flow.reading import Explained
    from crm_hub.merge.explain import Candidate, FieldStory


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
    wide = max((len(story.field) for story in found.stories), default=0)
    for story in found.stories:
        output.say(f"{story.field:<{wide}}  {_text(story.value)}")
        for line in _evidence(found, story, zone):
            output.say(f"{'':<{wide}}    {line}")
    for one in found.conflicts:
        lost = one.doc.get("lost", one.doc.get("values"))
        output.say(f"conflict {one.id}, {one.state}: {one.field}; {one.doc['why']}: {_text(lost)}")
    output.say()
    output.table(["joined by", "source record"], [[how, key] for key, how in found.links])
    relatives = [("parent", found.house.parent)] if found.house.parent else []
    relatives += [("branch", one) for one in found.house.branches]
    if relatives:
        output.say()
        rows = [[side, one.id, one.name, "; ".join(one.how)] for side, one in relatives]
        output.table(["house", "id", "name", "known by"], rows)
    if found.memberships:
        output.say()
        _show_memberships(found, zone)


def _show_memberships(found: Explained, zone: str) -> None:
    """Write where a person works, or who works at a firm; since and until when, where told."""
    side = "people" if found.id.startswith("O") else "works at"
    dated = any(m.from_us is not None or m.to_us is not None for m in found.memberships)
    rows = []
    for m in found.memberships:
        times = [m.first_seen_us, m.last_seen_us, *([m.from_us, m.to_us] if dated else [])]
        seen = [_seen(at, zone) for at in times]
        rows.append([m.id, m.name, m.title, "; ".join(m.how), *seen, "yes" if m.primary else ""])
    headers = [side, "name", "title", "known by", "first seen", "last seen"]
    output.table([*headers, *(["from", "to"] if dated else []), "primary"], rows)


def _evidence(found: Explained, story: FieldStory, zone: str) -> Iterator[str]:
    """Yield where a value comes from: its record and rule, who agrees, what lost."""
    first, *rest = story.candidates
    when = _when(first.changed_at_us, zone)
    yield f"from {_record(found, first)}, {when}; rule {story.rule}"
    agree = [one for one in rest if _agrees(one.value, story.value)]
    if agree:
        yield f"also {', '.join(_record(found, one) for one in agree)}"
    for one in rest:
        if one not in agree:
            when = _when(one.changed_at_us, zone)
            yield f"lost {_text(one.value)}, from {_record(found, one)}, {when}"


def _record(found: Explained, one: Candidate) -> str:
    return output.plain(found.sources.get(one.record_id, f"record {one.record_id}"))


def _agrees(value: Any, golden: Any) -> bool:
    """Whether a further value is the golden one, or part of it; capitals do not matter."""
    parts = value if isinstance(value, list) else [value]
    whole = golden if isinstance(golden, list) else [golden]
    known = {_text(part).casefold() for part in whole}
    return all(_text(part).casefold() in known for part in parts)


def _text(value: Any) -> str:
    """Return a value as a person writes it; an address in one line."""
    if isinstance(value, list):
        return "; ".join(_text(part) for part in value)
    if isinstance(value, dict) and "minor_units" not in value:
        return ", ".join(_text(part) for part in value.values())
    return output.plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _when(at_us: int | None, zone: str) -> str:
    from crm_hub.model.values import from_us

    return "no date" if at_us is None else output.moment(from_us(at_us), zone)


def _seen(at_us: int | None, zone: str) -> str:
    return "" if at_us is None else _when(at_us, zone)


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
        "memberships": [
            {
                "id": m.id,
                "name": m.name,
                "title": m.title,
                "known_by": m.how,
                "first_seen": None if m.first_seen_us is None else from_us(m.first_seen_us),
                "last_seen": None if m.last_seen_us is None else from_us(m.last_seen_us),
                "from": None if m.from_us is None else from_us(m.from_us),
                "to": None if m.to_us is None else from_us(m.to_us),
                "primary": m.primary,
            }
            for m in found.memberships
        ],
        "parent": None if found.house.parent is None else _relative(found.house.parent),
        "branches": [_relative(one) for one in found.house.branches],
        "conflicts": [
            {"number": c.id, "field": c.field, "state": c.state, **c.doc} for c in found.conflicts
        ],
    }


def _relative(one: Relative) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "known_by": one.how}


command = explain
