"""Settings of every kind, and what check and discover make of a list."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from crm_hub_connectors.rest.settings import RestSettings
from crm_hub_connectors.rest.tests.apis import SINCE, URL, calls, connector, read, rows
from pydantic import ValidationError

from crm_hub.sdk import ConfigError

FIXTURES = Path(__file__).parents[1] / "fixtures"
CONTACT = {"id": "7", "properties": {"firstname": "Ann", "email": "ann@acme.example"}}

# settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"paging": "cursor"}, "paging cursor needs `next`"),
        ({"next": "links.next"}, "`next` is for paging cursor or link"),
        ({"since_param": "since"}, "since_param needs `changed_at`"),
        ({"changed_at": "at", "until_param": "to"}, "until_param needs since_param"),
        ({"path": "https://elsewhere.example/list"}, "must be a path"),
        ({"path": "/list?all=1"}, "parameters go into `params`"),
        ({"records": "data..items"}, "names joined by dots"),
        ({"base_url": "ftp://acme.example"}, "must begin with https://"),
        ({"base_url": "https://ann:secret-word@acme.example"}, "no user, password"),
        ({"auth_header": "Bad Header"}, "name of an HTTP header"),
        ({"streams": [{"path": "/a/list"}, {"path": "/b/list"}]}, "the same name"),
        ({"streams": [{"path": "/a", "paging": "cursor"}]}, "a: paging cursor needs `next`"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RestSettings.model_validate({"base_url": URL, **given})
    assert words in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_several_lists_take_from_the_connection_what_they_leave_out() -> None:
    settings = RestSettings.model_validate(
        {
            "base_url": URL, "paging": "page", "changed_at": "updated", "name": "all",
            "streams": [{"path": "/people"}, {"path": "/firms", "paging": "none", "name": "f"}],
        }
    )  # fmt: skip
    people, firms = settings.lists
    assert (people.stream, people.paging, people.changed_at) == ("people", "page", "updated")
    assert (firms.stream, firms.paging, firms.changed_at) == ("f", "none", "updated")


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({}, ("authorization", "Bearer t0ken-of-acme")),
        ({"auth_scheme": "Token"}, ("authorization", "Token t0ken-of-acme")),
        ({"auth_header": "X-Api-Key", "auth_scheme": "-"}, ("x-api-key", "t0ken-of-acme")),
    ],
)
def test_the_token_goes_into_the_header_the_settings_name(
    given: dict[str, Any], header: tuple[str, str]
) -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json=[{"id": 1}])

    connector(answer, token="t0ken-of-acme", **given).check()
    assert seen[0][header[0]] == header[1]


def test_fixed_parameters_and_the_page_size_go_with_every_call() -> None:
    seen: list[dict[str, str]] = []
    one = connector(
        calls({"1": [{"id": 1}], "2": [{"id": 2}]}, seen), paging="page",
        params="archived=false&fields=a%2Cb", size_param="limit", page_size=7,
    )  # fmt: skip
    read(one)
    fixed = {"archived": "false", "fields": "a,b", "limit": "7"}
    assert [call | fixed for call in seen] == seen
    assert [call["page"] for call in seen] == ["1", "1", "2", "3"]  # a sample, then the list


# check and discover


def test_a_check_says_how_each_list_is_read() -> None:
    one = connector(lambda _: httpx.Response(200, json=rows("2026-03-01T00:00:00Z")), **SINCE)
    report = one.check()
    assert report.account == "api.acme.example"
    assert report.lines == (
        "list: 1 records on a first page; only changes are read after the first time;"
        " deletes are not seen",
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"id": "uid"}, "has an id at uid\nSet `id` to one of: at, id"),
        ({"changed_at": "id"}, "has a readable time at id"),
        ({"changed_at": "touched"}, "has a readable time at touched"),
    ],
)
def test_a_check_refuses_a_path_that_no_record_bears_out(given: dict[str, Any], words: str) -> None:
    records = [{"id": "x1", "at": "2026-03-01T00:00:00Z"}]
    with pytest.raises(ConfigError) as caught:
        connector(lambda _: httpx.Response(200, json=records), **given).check()
    assert words in str(caught.value)


def test_a_check_warns_of_a_token_sent_in_the_clear() -> None:
    def report(base_url: str) -> str:
        answer = lambda _: httpx.Response(200, json=[{"id": 1}])  # noqa: E731
        return " ".join(connector(answer, base_url=base_url, token="t0ken-x").check().lines)

    assert "unencrypted" in report("http://10.1.2.3/api")
    assert "unencrypted" not in report("http://127.0.0.1:8000")
    assert "unencrypted" not in report("https://10.1.2.3/api")


@pytest.mark.parametrize(
    ("record", "given", "shape", "guessed"),
    [
        (CONTACT, {}, "hubspot_contacts_json", False),
        (CONTACT, {"mapping": "mine.yaml"}, "list", False),
        (CONTACT, {"mapping": "mine.yaml", "section": "people"}, "people", False),
        ({"id": 1, "first_name": "Ann", "mail": "ann@acme.example"}, {}, "list", True),
        ({"id": 1, "color": "blue"}, {}, "list", False),
    ],
)
def test_a_list_is_recognised_mapped_by_name_or_guessed(
    record: dict[str, Any], given: dict[str, Any], shape: str, guessed: bool
) -> None:
    (stream,) = connector(lambda _: httpx.Response(200, json=[record]), **given).discover()
    assert stream.shape == shape
    assert (stream.section is not None) == guessed
    assert stream.fields


def test_a_guess_names_what_it_reads_and_what_it_leaves() -> None:
    record = {"id": 1, "first_name": "Ann", "mail": "ann@acme.example", "shoe_size": 39}
    (stream,) = connector(lambda _: httpx.Response(200, json=[record])).discover()
    assert "person" in stream.guess
    assert "first_name, mail" in stream.guess
    assert "not used: shoe_size" in stream.guess


# captured answers


def test_a_captured_page_of_hubspots_contacts_is_read() -> None:
    raw = (FIXTURES / "hubspot-contacts.json").read_bytes()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"{}" if "after" in request.url.params else raw)

    one = connector(answer, records="results", changed_at="updatedAt", paging="cursor",
                    page_param="after", next="paging.next.after")  # fmt: skip
    (stream,) = one.discover()
    flow = one.pull(stream, None)
    (change,) = next(flow).changes
    assert stream.shape == "hubspot_contacts_json"
    assert change.id == "512"
    assert change.changed_at == datetime(2025, 11, 6, 14, 41, 2, 1_000, UTC)
    with pytest.raises(ConfigError, match="has nothing at results"):
        next(flow)


def test_a_captured_list_of_an_in_house_tool_is_read_and_guessed() -> None:
    raw = (FIXTURES / "tool-people.json").read_bytes()
    one = connector(lambda _: httpx.Response(200, content=raw), id="nr", changed_at="updated")
    (page,), _ = read(one)
    assert [(c.id, c.changed_at) for c in page.changes] == [
        ("1001", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("1002", datetime(2026, 3, 1, 10, 1, tzinfo=UTC)),
    ]
    section = one.discover()[0].section
    assert section is not None
    assert {"display_name", "email", "phone"} <= section["fields"].keys()
