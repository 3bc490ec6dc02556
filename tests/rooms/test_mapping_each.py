"""An event entry with `each`: one event for each item of a list."""

from __future__ import annotations

from typing import Any

import pytest

from crm_hub.mapping import SectionPlan, compile_section
from crm_hub.mapping.language import Section, all_paths
from crm_hub.model.errors import ConfigError, RecordError

MEETING: dict[str, Any] = {
    "each": "occurrences",
    "type": "meeting.booked",
    "occurred_at": {"at": "start", "as": "time"},
    "key": ["meeting", {"at": "meeting_id"}],
    "scope": "hub",
    "subject": {"at": "summary"},
    "participants": [{"role": "attendee", "match": "email", "each": "people", "at": "address"}],
}


def plan(**more: Any) -> SectionPlan:
    section = {"events": {"meeting": {**MEETING, **more}}}
    return compile_section(section, name="things", connection="c", region="US", zone="UTC")


def occurrence(day: int, **more: Any) -> dict[str, Any]:
    return {"meeting_id": f"u#{day}", "start": f"2026-03-{day:02d}T10:00:00Z", **more}


def test_each_item_becomes_an_event_with_a_name_of_its_own() -> None:
    found = plan().map({"summary": "Weekly", "occurrences": [occurrence(2), occurrence(9)]})
    assert [(e.entry, e.key) for e in found.events] == [
        ("meeting[0]", "meeting|u#2"),
        ("meeting[1]", "meeting|u#9"),
    ]
    assert {e.subject for e in found.events} == {"Weekly"}


def test_what_an_item_says_lies_over_the_payload_and_a_blank_says_nothing_more() -> None:
    people = [{"address": "ann@acme.example"}]
    moved = occurrence(9, summary="Moved", people=[])
    found = plan().map(
        {"summary": "Weekly", "people": people, "occurrences": [occurrence(2), moved]}
    )
    assert [e.subject for e in found.events] == ["Weekly", "Moved"]
    assert [len(e.participants) for e in found.events] == [1, 0]


def test_without_items_there_is_no_event_and_nothing_is_wrong() -> None:
    for payload in ({}, {"occurrences": []}, {"occurrences": None}, {"occurrences": ["x", 3]}):
        found = plan().map(payload)
        assert (found.events, found.drifts) == ([], [])


def test_a_bad_item_is_left_out_and_the_others_come() -> None:
    found = plan().map({"occurrences": [occurrence(2), {"meeting_id": "u", "start": "soon"}]})
    assert [e.entry for e in found.events] == ["meeting[0]"]
    assert [d.field for d in found.drifts] == ["events.meeting.occurred_at"]
    with pytest.raises(RecordError):
        plan().map({"occurrences": [{"start": "soon"}]})


def test_an_object_in_place_of_a_list_is_one_item() -> None:
    assert len(plan().map({"occurrences": occurrence(2)}).events) == 1


def test_lint_knows_that_a_path_may_stand_in_the_item_or_beside_the_list() -> None:
    section = Section.model_validate({"events": {"meeting": MEETING}})
    assert {"occurrences", "summary", "occurrences.start", "people.address"} <= set(
        all_paths(section)
    )


def test_a_path_that_cannot_be_read_is_an_error_at_its_place() -> None:
    with pytest.raises(ConfigError, match="each"):
        plan(each="occurrences.[")
