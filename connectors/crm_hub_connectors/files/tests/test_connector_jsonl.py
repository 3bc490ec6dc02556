"""JSON lines and short JSON documents: ids, times, bad lines, resuming."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crm_hub_connectors.files.jsonl import read_jsonl, sample_of

from crm_hub.sdk import Reject
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.guess import field_types, json_shape

NEW_YORK = ZoneInfo("America/New_York")
CONTACT = {"id": "5", "properties": {"email": "a@x.example"}, "updatedAt": "2026-03-10T08:00:00.5Z"}


def read(path: Path, start: int = 0) -> tuple[list[Item], list[Reject]]:
    found = list(read_jsonl(path, NEW_YORK, start))
    return (
        [i for i in found if isinstance(i, Item)],
        [r for r in found if isinstance(r, Reject)],
    )


def lines(tmp_path: Path, *records: Any, name: str = "a.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records))
    return path


def test_a_contact_comes_as_it_stands_with_an_aware_time(tmp_path: Path) -> None:
    ((item,), rejects) = read(lines(tmp_path, CONTACT))
    assert (item.id, item.payload, rejects) == ("5", CONTACT, [])
    assert item.changed_at == datetime(2026, 3, 10, 8, 0, 0, 500_000, UTC)


def test_a_time_without_a_zone_is_in_the_connections_zone(tmp_path: Path) -> None:
    ((item,), _) = read(lines(tmp_path, {"id": 1, "updated_at": "2026-03-10 08:00"}))
    assert item.changed_at == datetime(2026, 3, 10, 8, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("record", "id"),
    [
        ({"id": "a", "email": "e@x.example"}, "a"),
        ({"id": 12}, "12"),
        ({"key": "k"}, "k"),
        ({"_id": "m"}, "m"),
        ({"id": "", "email": "e@x.example"}, "e@x.example"),
        ({"id": True, "key": "k"}, "k"),
    ],
)
def test_the_id_is_the_records_own(tmp_path: Path, record: dict[str, Any], id: str) -> None:
    ((item,), _) = read(lines(tmp_path, record))
    assert item.id == id


def test_without_an_id_the_content_names_the_record(tmp_path: Path) -> None:
    items, _ = read(lines(tmp_path, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}))
    assert items[0].id == items[1].id != items[2].id
    assert all(i.id.startswith("h:") for i in items)


def test_bad_lines_are_set_aside_with_their_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = lines(tmp_path, {"id": 1}, "{oops\n", "\n", "[1]\n", {"id": 2})
    items, rejects = read(path)
    assert [i.id for i in items] == ["1", "2"]
    assert [(r.place, bool(r.remedy)) for r in rejects] == [("line 2", True), ("line 4", True)]


def test_reading_goes_on_after_any_offset_and_line_numbers_stay(tmp_path: Path) -> None:
    path = lines(tmp_path, *[{"id": i, "text": "é" * i} for i in range(9)], "{oops\n")
    items, _ = read(path)
    for at, item in enumerate(items):
        rest, rejects = read(path, item.offset)
        assert rest == items[at + 1 :]
        assert [r.place for r in rejects] == ["line 10"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": 1}\n{"id": 2}')
    items, rejects = read(path)
    assert [i.id for i in items] == ["1", "2"]
    assert not rejects
    assert [i.id for i in read(path, items[0].offset)[0]] == ["2"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": 1}, {"id": 2}]',
        '[\n  {"id": 1},\n  {"id": 2}\n]',
        '{"results": [{"id": 1}, {"id": 2}], "paging": {}}',
        '{\n "results": [\n {"id": 1}, {"id": 2}]}',
    ],
)
def test_a_document_of_objects_is_read_like_lines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    items, rejects = read(path)
    assert [i.id for i in items] == ["1", "2"]
    assert not rejects
    assert [i.id for i in read(path, items[0].offset)[0]] == ["2"]


def test_a_document_that_is_too_long_or_cut_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text in ('[{"id": "' + "x" * 8_100_000 + '"}]', '[{"id": 1}, {'):
        path.write_text(text)
        (reject,) = read_jsonl(path, NEW_YORK)
        assert isinstance(reject, Reject)
        assert "jsonl" in reject.remedy


def test_hubspot_contacts_are_recognised_and_other_objects_are_not(tmp_path: Path) -> None:
    assert json_shape(sample_of(lines(tmp_path, CONTACT), NEW_YORK, 9)) == "hubspot_contacts_json"
    assert json_shape([{"id": "1", "properties": {"dealname": "x", "email": "a"}}]) == ""
    assert json_shape([{"id": "1", "email": "a@x.example"}]) == ""
    assert json_shape([]) == ""


def test_field_types_are_told_by_path_and_a_type_beats_null() -> None:
    sample = [{"a": None, "b": {"c": 1}}, {"a": "x", "b": {"c": "y"}, "d": [1]}]
    assert field_types(sample) == {"a": "string", "b.c": "integer", "d": "array"}
