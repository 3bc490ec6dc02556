"""Answers no API should give end in time and memory, in a page, a Reject or an error that helps."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from crm_hub_connectors.rest.tests import nasty
from crm_hub_connectors.rest.tests.apis import URL, connector
from crm_hub_connectors.rest.tests.nasty import CURSOR, pull

from crm_hub.sdk import AuthRefused, CheckpointExpired, ConfigError, HubError, Unavailable
from crm_hub.sdk.testing.corpus import report, run

MODULE = "crm_hub_connectors.rest.tests.nasty"


@pytest.mark.parametrize(
    ("reader", "cases"),
    [
        ("by_cursor", nasty.BODIES),
        ("by_page", nasty.BODIES),
        ("as_list", {**nasty.BODIES, **nasty.LISTS}),
        ("by_link", nasty.LINKS),
        ("by_growing_cursor", nasty.ENDLESS),
    ],
)
def test_no_answer_takes_long_or_much_memory_or_breaks_the_reader(
    reader: str, cases: dict[str, bytes]
) -> None:
    bad = [f for f in run(f"{MODULE}:{reader}", cases) if f.is_bad]
    assert not bad, report(bad)


@pytest.mark.parametrize(
    ("reader", "case", "error", "words"),
    [
        (nasty.by_cursor, "an HTML page", Unavailable, "an HTML page"),
        (nasty.by_cursor, "truncated JSON", Unavailable, "without whole JSON"),
        (nasty.by_cursor, "nothing", Unavailable, "an empty body"),
        (nasty.by_cursor, "records elsewhere", ConfigError, "There are lists at: data.items"),
        (nasty.by_cursor, "records that are an object", ConfigError, "is an object at items"),
        (nasty.as_list, "a key written twice", ConfigError, "There are lists at: items"),
        (nasty.by_cursor, "null", ConfigError, "No list was found"),
        (nasty.by_cursor, "a cursor that never moves", ConfigError, "the same page again"),
        (nasty.by_cursor, "a cursor that is an object", ConfigError, "setting `next`"),
        (nasty.by_cursor, "a cursor of 1 MB", ConfigError, "setting `next`"),
        (nasty.by_page, "a thousand times the same id", ConfigError, "the same page again"),
        (nasty.by_cursor, "two million empty objects", ConfigError, "smaller pages"),
        (nasty.by_cursor, "three million texts", ConfigError, "smaller pages"),
        (nasty.by_cursor, "a record of 30 MB", ConfigError, "smaller pages"),
    ],
)
def test_an_answer_that_cannot_be_used_is_said_with_what_to_do(
    reader: Callable[[bytes], Any], case: str, error: type[HubError], words: str
) -> None:
    with pytest.raises(error) as caught:
        reader(nasty.BODIES[case])
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("case", ["another host", "another port", "no longer encrypted",
                                  "a host in the path", "a user in front", "another scheme"])  # fmt: skip
def test_a_next_link_to_another_host_is_never_called(case: str) -> None:
    called: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        return httpx.Response(200, json=[{"id": 1}], headers={"link": nasty.LINKS[case].decode()})

    with pytest.raises(ConfigError, match="on another host, which was not called"):
        pull(answer, paging="link", token="t0ken-of-acme")
    assert set(called) == {f"{URL}/list"}


def test_a_whole_list_in_one_answer_may_be_twice_as_large_as_a_page() -> None:
    body = b"[" + b'{"id":1,"a":"b"},' * 100_000 + b'{"id":2}]'
    (finding,) = run(f"{MODULE}:as_list", {"a large list": body})
    assert finding.outcome == "read", report([finding])
    with pytest.raises(ConfigError, match="more than 75,000 objects"):
        nasty.by_page(b'{"items": ' + body + b"}")


def test_a_cursor_given_twice_ends_the_reading() -> None:
    numbers = itertools.count()

    def answer(request: httpx.Request) -> httpx.Response:
        after = {None: "a", "a": "b", "b": "a"}[request.url.params.get("cursor")]
        return httpx.Response(200, json={"items": [{"id": next(numbers)}], "next": after})

    with pytest.raises(ConfigError, match="a next page that was read already"):
        pull(answer, **CURSOR)


def test_endless_empty_pages_end_with_an_error() -> None:
    with pytest.raises(Unavailable, match="1,000 pages without a record"):
        nasty.by_growing_cursor(b"[]")


def test_what_is_no_record_is_set_aside_and_the_page_goes_on() -> None:
    items = [{"id": "1"}, {"id": None}, {}, 7, None, {"id": True}, {"id": 2}, {"id": "x" * 600}]
    one = connector(lambda _: httpx.Response(200, json={"items": items}), records="items")
    (page,) = one.pull(one.discover()[0], None)
    assert [c.id for c in page.changes] == ["1", "2"]
    assert [r.place.partition(" of ")[0] for r in page.rejects] == [
        "record 2", "record 3", "record 4", "record 5", "record 6", "record 8",
    ]  # fmt: skip
    assert len({r.id for r in page.rejects}) == 6
    assert all(r.reason and r.remedy for r in page.rejects)
    assert not page.complete  # what could not be read is not gone


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_cursor_refused_in_mid_list_asks_for_a_whole_read(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            return httpx.Response(status, json={"error": "unknown cursor"})
        return httpx.Response(200, json={"items": [{"id": 1}], "next": "c1"})

    with pytest.raises(CheckpointExpired):
        pull(answer, **CURSOR)


def test_an_offset_the_api_does_not_allow_is_a_setting_to_change() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("offset", "0"))
        if start >= 20:
            return httpx.Response(400, json={"error": "offset too large"})
        return httpx.Response(200, json=[{"id": start + n} for n in range(10)])

    with pytest.raises(ConfigError, match="page only so far"):
        pull(answer, paging="offset")


def test_the_page_after_the_last_may_be_not_found() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return httpx.Response(200, json=[{"id": page}]) if page < 3 else httpx.Response(404)

    assert pull(answer, paging="page") == (4, 0)


def test_a_path_that_is_not_there_is_a_setting_to_correct() -> None:
    with pytest.raises(ConfigError, match="status 404"):
        connector(lambda _: httpx.Response(404)).check()


def test_a_token_that_is_refused_in_mid_list_pauses_the_connection() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            return httpx.Response(401)
        return httpx.Response(200, json={"items": [{"id": 1}], "next": "c1"})

    with pytest.raises(AuthRefused):
        pull(answer, token="t0ken-of-acme", **CURSOR)


def test_a_next_address_that_repeats_the_token_is_not_kept() -> None:
    link = {"link": '</list?page=2&key=t0ken-of-acme>; rel="next"'}
    with pytest.raises(ConfigError, match="repeats the token") as caught:
        pull(lambda _: httpx.Response(200, json=[{"id": 1}], headers=link), paging="link",
             token="t0ken-of-acme")  # fmt: skip
    assert "t0ken-of-acme" not in str(caught.value)
