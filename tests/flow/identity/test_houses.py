"""Parents and branches: by id before name, never by a name that two firms bear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_hub.flow.hub import Hub
from crm_hub.flow.reading import explain_fields
from crm_hub.flow.rulings import same, unlink
from tests.flow.hubs import ids, make_hub, sync_all, write_rows

GROUP = {"id": "g", "name": "Oak Group AG", "domain": "oak.example", "country": "DE"}
LEASING = {"id": "l", "name": "Oak Leasing GmbH", "domain": "leasing.example", "parent_id": "g"}
TOOLS = {"id": "t", "name": "Elm Tools", "domain": "elm.example", "parent": "OAK Group"}


def _hub(folder: Path, *companies: dict[str, Any], store: str = "sqlite:///hub.db") -> Hub:
    write_rows(folder / "src" / "crm", {"companies": companies})
    hub = make_hub(folder / "hub", {"crm": folder / "src" / "crm"}, store=store)
    sync_all(hub)
    return hub


def _id(hub: Hub, key: str) -> str:
    return f"O{ids(hub)[f'crm/companies#{key}']}"


def _parent(hub: Hub, key: str) -> tuple[str, list[str]] | None:
    found = explain_fields(hub, _id(hub, key)).house.parent
    return None if found is None else (found.name, found.how)


def _branches(hub: Hub, key: str) -> list[str]:
    return [one.name for one in explain_fields(hub, _id(hub, key)).house.branches]


def test_a_parent_is_known_by_id_or_by_its_one_name(tmp_path: Path, store: str) -> None:
    hub = _hub(tmp_path, TOOLS, LEASING, GROUP, store=store)
    assert _parent(hub, "l") == ("Oak Group AG", ["crm/companies#l"])
    assert _parent(hub, "t") == ("Oak Group AG", ["crm/companies#t"])
    assert _parent(hub, "g") is None
    assert _branches(hub, "g") == ["Elm Tools", "Oak Leasing GmbH"]
    assert _branches(hub, "l") == _branches(hub, "t") == []
    with hub.store.read() as db:
        assert db.conn.execute(text("SELECT count(*) FROM membership")).scalar() == 0
    hub.close()


@pytest.mark.parametrize(
    ("told", "parent"),
    [
        ({}, None),
        ({"country": "Germany"}, "g"),
        ({"country": "France"}, None),
        ({"vat": "AT 123"}, "h"),
        ({"vat": "AT123", "country": "DE"}, "h"),
    ],
)
def test_of_two_firms_of_one_name_only_a_sign_tells_the_parent(
    tmp_path: Path, told: dict[str, str], parent: str | None
) -> None:
    other = {"id": "h", "name": "Oak Group", "domain": "oak.at", "country": "AT", "vat": "AT 123"}
    child = {"id": "t", "name": "Elm Tools", "parent": "Oak Group"}
    hub = _hub(tmp_path, {**child, **told}, GROUP, other)
    assert _id(hub, "g") != _id(hub, "h"), "homonymous firms stay two"
    found = explain_fields(hub, _id(hub, "t")).house.parent
    assert (found.id if found else None) == (_id(hub, parent) if parent else None)
    for key in ("g", "h"):
        assert _branches(hub, key) == (["Elm Tools"] if key == parent else [])


def test_two_ids_that_lead_to_two_firms_tell_no_parent(tmp_path: Path) -> None:
    other = {"id": "h", "name": "Ash Group", "domain": "ash.example"}
    twin = {**LEASING, "id": "l2", "parent_id": "h"}
    hub = _hub(tmp_path, LEASING, twin, GROUP, other)
    assert _id(hub, "l") == _id(hub, "l2")
    assert _parent(hub, "l") is None


def test_a_parent_comes_late_and_goes_and_nobody_is_his_own(tmp_path: Path) -> None:
    own = {"id": "s", "name": "Self Works", "parent": "Self Works", "parent_id": "s"}
    hub = _hub(tmp_path, TOOLS, own)
    assert _parent(hub, "t") is None
    assert _parent(hub, "s") is None
    assert _branches(hub, "s") == []
    write_rows(tmp_path / "src" / "crm", {"companies": [TOOLS, own, GROUP]})
    sync_all(hub)
    assert _parent(hub, "t") == ("Oak Group AG", ["crm/companies#t"])
    write_rows(tmp_path / "src" / "crm", {"companies": [TOOLS, own]})
    sync_all(hub, accept_deletes=True)
    assert _parent(hub, "t") is None


def test_merging_and_parting_parents_gives_back_what_was_there(tmp_path: Path) -> None:
    other = {"id": "h", "name": "Ash Group", "domain": "ash.example"}
    hub = _hub(tmp_path, TOOLS, LEASING, GROUP, other)
    same(hub, "crm/companies#g", "crm/companies#h")
    assert _id(hub, "g") == _id(hub, "h")
    assert _branches(hub, "h") == ["Elm Tools", "Oak Leasing GmbH"]
    unlink(hub, "crm/companies#h")
    assert _branches(hub, "g") == ["Elm Tools", "Oak Leasing GmbH"]
    assert _branches(hub, "h") == []
