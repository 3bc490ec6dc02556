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
    (row,) = crm.fine("identity", "rulings", "--json").data
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
    rows = crm.fine("identity", "rulings", "--json").data
    assert [(r["kind"], r["state"]) for r in rows] == [
        ("same", "withdrawn"), ("different", "standing"), ("different", "standing"),
    ]  # fmt: skip
    assert crm("identity", "split", one).status == 2
