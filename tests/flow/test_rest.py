"""A JSON API described by settings, all the way to people, deletes and dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.setup import connect, create_hub
from crm_hub.model.errors import AuthRefused, ConfigError
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply

TOKEN = "t0ken-of-clearwater"
CURSOR = {
    "path": "/crm/v3/objects/contacts",
    "records": "results",
    "changed_at": "updatedAt",
    "paging": "cursor",
    "page_param": "after",
    "next": "paging.next.after",
    "size_param": "limit",
    "page_size": "2",
    "since_param": "updated_after",
    "token": TOKEN,
}


def contact(number: int, first: str = "Ann", at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    name = {"firstname": first, "lastname": "Lee", "lifecyclestage": "lead"}
    details = {"email": f"ann{number}@acme.example", "phone": f"+1 212-555-01{number:02}"}
    return {"id": str(number), "properties": {**name, **details}, "updatedAt": at}


class Tool:
    """An in-house tool with two lists: contacts behind a token, and rows without one."""

    def __init__(self, server: FaultServer) -> None:
        self.url = server.url
        self.server = server
        self.contacts: list[Any] = []
        self.rows: list[Any] = []
        server.route("GET", CURSOR["path"], self._contacts)
        server.route("GET", "/rows", lambda _: Reply.json(self.rows))

    def _contacts(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply.json({}, 401)
        since = call.query.get("updated_after", "")
        found = [c for c in self.contacts if str(c.get("updatedAt", "9")) >= since]
        start = int(call.query.get("after", "0"))
        stop = start + int(call.query["limit"])
        following = {"next": {"after": str(stop)}} if stop < len(found) else {}
        return Reply.json({"results": found[start:stop], "paging": following})


@pytest.fixture
def tool() -> Iterator[Tool]:
    with FaultServer() as server:
        yield Tool(server)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    create_hub(tmp_path / "hub", own=["clearwater.example"])
    opened = Hub(tmp_path / "hub")
    yield opened
    opened.close()


def counts(hub: Hub) -> dict[str, int]:
    """Sync, and return what came."""
    (report,) = sync(hub, ["tool"])
    assert report.error is None, report.error
    return {k: v for k, v in report.counts.items() if v and k in ("new", "changed", "deleted",
                                                                   "unchanged", "dead")}  # fmt: skip


def test_contacts_shaped_as_hubspots_are_people_at_once(hub: Hub, tool: Tool) -> None:
    tool.contacts = [contact(n) for n in range(1, 6)]
    found = connect(hub, "rest", "tool", {"base_url": tool.url, **CURSOR})
    assert found is not None
    assert [s.mapped for s in found.streams] == [True]
    assert counts(hub) == {"new": 5}
    (person,) = reading.people(hub, "ann3@acme.example")
    assert person.name == "Ann Lee"
    assert person.values["phone"] == ["+12125550103"]
    assert person.values["stage"] == "lead"


def test_after_the_first_time_only_what_changed_is_asked_for_and_nothing_is_written(
    hub: Hub, tool: Tool
) -> None:
    tool.contacts = [contact(n, at=f"2026-03-01T10:{n:02}:00Z") for n in range(1, 6)]
    connect(hub, "rest", "tool", {"base_url": tool.url, **CURSOR})
    counts(hub)
    written, asked = hub.store.rows_changed(), len(tool.server.calls)
    assert counts(hub) == {"unchanged": 1}
    assert hub.store.rows_changed() == written
    assert len(tool.server.calls) == asked + 1
    tool.contacts[1] = contact(2, first="Anna", at="2026-03-02T10:00:00Z")
    assert counts(hub) == {"changed": 1, "unchanged": 1}
    assert reading.people(hub, "ann2@")[0].name == "Anna Lee"


def test_a_list_without_a_filter_is_compared_whole_and_what_is_gone_is_deleted(
    hub: Hub, tool: Tool
) -> None:
    tool.rows = [{"id": n, "full_name": f"Bo Lind {n}", "mail": f"bo{n}@acme.example"}
                 for n in range(1, 6)]  # fmt: skip
    found = connect(hub, "rest", "tool", {"base_url": tool.url, "path": "/rows"})
    assert found is not None
    assert "full_name, mail" in found.streams[0].guess
    assert counts(hub) == {"new": 5}
    written = hub.store.rows_changed()
    assert counts(hub) == {"unchanged": 5}
    assert hub.store.rows_changed() == written
    del tool.rows[2]
    assert counts(hub) == {"unchanged": 4, "deleted": 1}
    assert not reading.people(hub, "bo3@")


def test_a_record_without_an_id_is_a_dead_letter_and_deletes_nothing(hub: Hub, tool: Tool) -> None:
    tool.rows = [{"id": n, "mail": f"bo{n}@acme.example"} for n in range(1, 4)]
    connect(hub, "rest", "tool", {"base_url": tool.url, "path": "/rows"})
    counts(hub)
    tool.rows[1] = {"mail": "bo2@acme.example"}
    assert counts(hub) == {"unchanged": 2, "dead": 1}
    assert reading.people(hub, "bo2@")
    tool.rows[1] = {"id": 2, "mail": "bo2@acme.example"}
    assert counts(hub) == {"unchanged": 3}


def test_several_lists_and_a_mapping_of_ones_own(hub: Hub, tool: Tool) -> None:
    tool.contacts = [contact(1)]
    tool.rows = [{"nr": "A-1", "wer": {"post": "bo@acme.example"}}]
    (hub.folder / "mappings" / "tool.yaml").write_text(
        "version: 1\nconnector: rest\nstreams:\n"
        "  people:\n    entity: person\n    identity: [{match: email}]\n"
        "    fields: {given_name: properties.firstname, email: properties.email}\n"
        "  rows:\n    entity: person\n    identity: [{strong: tool_nr, at: nr}, {match: email}]\n"
        "    fields: {email: wer.post}\n"
    )
    streams = [{"name": "people", **{k: v for k, v in CURSOR.items() if k != "token"}},
               {"path": "/rows", "id": "nr"}]  # fmt: skip
    streams[0]["page_size"] = 2  # type: ignore[assignment]
    given = {"base_url": tool.url, "token": TOKEN, "mapping": "mappings/tool.yaml"}
    found = connect(hub, "rest", "tool", {**given, "streams": json.dumps(streams)})
    assert found is not None
    assert [(s.name, s.shape, s.mapped) for s in found.streams] == [
        ("people", "people", True), ("rows", "rows", True),
    ]  # fmt: skip
    assert counts(hub) == {"new": 2}
    assert {p.values["email"][0] for p in reading.people(hub)} == {
        "ann1@acme.example", "bo@acme.example",
    }  # fmt: skip


def test_nothing_is_connected_when_the_api_refuses_or_the_settings_do_not_fit(
    hub: Hub, tool: Tool
) -> None:
    tool.contacts = [contact(1)]
    with pytest.raises(AuthRefused):
        connect(hub, "rest", "tool", {"base_url": tool.url, **CURSOR, "token": "another-t0ken"})
    with pytest.raises(ConfigError, match="There are lists at: results"):
        connect(hub, "rest", "other", {"base_url": tool.url, **CURSOR, "records": "items"})
    assert "token" not in (hub.folder / "hub.yaml").read_text()
