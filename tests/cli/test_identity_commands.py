"""link, unlink and identity as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def keys(crm, people_hub: Path) -> list[str]:
    """The source keys of the hub's records, Ann's two first."""
    found = crm.fine("explain", "ann@lindqvist.example", "--json").data["records"]
    first = found[0]["source"]
    stem = first.rpartition("#")[0]
    return [f"{stem}#{number}" for number in (1, 3, 2)]


def test_a_link_stands_is_listed_and_is_taken_back(crm, keys: list[str]) -> None:
    done = crm.fine("link", keys[0], keys[1], "--by", "kim", "--reason", "told us", "--json").data
    (ann,) = done["identities"]
    assert ann["records"] == keys[:2]
    assert "Ruling 1 stands." not in crm.fine("identity", "rulings").out
    (row,) = crm.fine("identity", "rulings", "--json").data["rulings"]
    assert (row["kind"], row["state"], row["by"], row["reason"]) == (
        "same", "standing", "kim", "told us",
    )  # fmt: skip
    assert row["records"] == [[keys[0]], [keys[1]]]
    again = crm("link", keys[0], keys[1])
    assert again.status == 2
    assert "one already" in again.err
    out = crm.fine("unlink", keys[1]).out
    assert "Ruling 1 no longer does." in out
    assert len(crm.fine("people", "lindqvist", "--json").data["people"]) == 2


def test_merge_split_and_never_by_id(crm, keys: list[str]) -> None:
    one, other = (p["id"] for p in crm.fine("people", "lindqvist", "--json").data["people"])
    crm.fine("identity", "merge", one, other)
    assert len(crm.fine("people", "lindqvist", "--json").data["people"]) == 1
    parted = crm.fine("identity", "split", one, other, "--json").data
    assert sorted(p["id"] for p in parted["identities"]) == sorted([one, other])
    crm.fine("identity", "never", one, other, "--reason", "namesakes")
    rows = crm.fine("identity", "rulings", "--json").data["rulings"]
    assert [(r["kind"], r["state"]) for r in rows] == [
        ("same", "withdrawn"), ("different", "standing"), ("different", "standing"),
    ]  # fmt: skip
    assert crm("identity", "split", one).status == 2


def test_questions_are_listed_shown_and_answered(crm, keys: list[str]) -> None:
    found = crm.fine("review", "list", "--json").data
    assert found["open"] == 1
    (asked,) = found["questions"]
    assert sorted(asked["records"]) == sorted(keys[:2])
    number = asked["number"]
    shown = crm.fine("review", "show", number).out
    assert "same last name" in shown
    assert "lindqvist" in shown
    assert crm.fine("review", "show", number, "--json").data["waterfall"] == asked["waterfall"]
    crm.fine("review", "reject", number, "--by", "kim", "--reason", "mother and daughter")
    assert crm.fine("review", "list").out.strip() == "No question is open."
    crm.fine("replay")
    crm.fine("identity", "rebuild", "--yes", "--full")
    assert crm.fine("review", "list", "--json").data["open"] == 0
    refused = crm("review", "accept", number)
    assert refused.status == 2
    assert "crm-hub review list" in refused.err


def test_a_rebuild_shows_first_and_writes_on_demand(crm, keys: list[str]) -> None:
    shown = crm.fine("identity", "rebuild", "--json").data
    assert (shown["applied"], shown["records"], shown["compared"]) == (False, 3, 3)
    done = crm.fine("identity", "rebuild", "--yes", "--json").data
    assert done["moves"] == shown["moves"]
    again = crm.fine("identity", "rebuild", "--yes", "--json").data
    assert (again["compared"], again["moves"]) == (0, [])


def test_status_says_what_is_asked_and_when_a_rebuild_is_due(
    crm, keys: list[str], people_hub: Path
) -> None:
    assert len(keys) == 3
    out = crm.fine("status").out
    assert "1 question about who is who: crm-hub review list" in out
    assert "A rebuild is due, likeness joins nobody before the first rebuild" in out
    crm.fine("identity", "rebuild", "--yes")
    found = crm.fine("status", "--json").data["identity"]
    assert found["rebuild"] == ""
    rules = people_hub / "mappings" / "identity.yaml"
    rules.parent.mkdir(exist_ok=True)
    rules.write_text("version: 1\nthresholds: {link: 4}\n")
    assert "identity.yaml" in crm.fine("status", "--json").data["identity"]["rebuild"]
    crm.fine("identity", "rebuild", "--yes")
    assert "rebuild" not in crm.fine("status").out


@pytest.mark.parametrize(
    "given", [["--region", "DE"], ["--map", "a=email"], ["people.csv"], ["people.csv", "--id", "a"]]
)
def test_training_options_of_a_table_need_one_and_a_table_needs_a_target(
    crm, given: list[str]
) -> None:
    assert crm("identity", "train", *given).status == 2
