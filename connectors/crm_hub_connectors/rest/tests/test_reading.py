"""Where a read begins and ends: changes, deletes, spans of time, links, pages ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from crm_hub_connectors.rest import walk
from crm_hub_connectors.rest.settings import ListSettings
from crm_hub_connectors.rest.stamps import read_stamp, write_stamp
from crm_hub_connectors.rest.tests.apis import NOW, SINCE, URL, calls, connector, read, rows

from crm_hub.sdk import Checkpoint, NotSupported, Window

# where a read begins


def test_a_read_begins_a_second_before_the_newest_change_seen_and_never_at_the_hubs_clock() -> None:
    seen: list[dict[str, str]] = []
    answer = calls({"": rows("2026-03-01T10:00:00.900Z", "2026-02-01T10:00:00Z")}, seen)
    one = connector(answer, **SINCE)
    _, checkpoint = read(one)
    again, after = read(one, checkpoint)
    assert checkpoint is not None
    assert datetime.fromisoformat(checkpoint["since"]) == datetime(
        2026, 3, 1, 10, 0, 0, 900_000, UTC
    )
    assert seen[-1]["since"] == "2026-03-01T09:59:59Z"
    assert after == checkpoint
    assert [c.id for page in again for c in page.changes] == ["1", "2"]  # the hub knows them


def test_a_quiet_source_is_asked_once_and_nothing_is_to_be_stored() -> None:
    seen: list[dict[str, str]] = []
    pages = {"": rows("2026-03-01T10:00:00Z")}
    one = connector(calls(pages, seen), **SINCE)
    _, checkpoint = read(one)
    pages[""] = []
    seen.clear()
    (stream,) = one.discover()
    assert list(one.pull(stream, checkpoint)) == []
    assert len(seen) == 1


def test_a_stamp_from_the_far_future_hides_no_later_change() -> None:
    answer = calls({"": rows("2099-01-01T00:00:00Z", "2026-03-01T10:00:00Z")}, [])
    (page,), checkpoint = read(connector(answer, **SINCE))
    assert checkpoint is not None
    assert len(page.changes) == 2
    assert checkpoint["since"].startswith("2026-03-01")


@pytest.mark.parametrize(
    ("format", "text"),
    [("iso", "2026-03-01T09:00:00Z"), ("epoch_s", "1772355600"), ("epoch_ms", "1772355600000")],
)
def test_the_filter_is_written_as_the_api_wants_it(format: str, text: str) -> None:
    seen: list[dict[str, str]] = []
    answer = calls({"": rows("2026-03-01T10:00:00Z")}, seen)
    one = connector(answer, since_format=format, overlap_s=3_600, **SINCE)
    _, checkpoint = read(one)
    read(one, checkpoint)
    assert seen[-1]["since"] == text


def test_other_settings_make_the_list_be_read_whole_again() -> None:
    seen: list[dict[str, str]] = []
    answer = calls({"": rows("2026-03-01T10:00:00Z")}, seen)
    _, checkpoint = read(connector(answer, **SINCE))
    read(connector(answer, **SINCE, params="archived=true"), checkpoint)
    assert "since" not in seen[-1]


def test_a_cursor_that_was_kept_too_long_makes_the_same_read_start_over() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            return httpx.Response(410)
        return httpx.Response(200, json={"items": rows("2026-03-01T10:00:00Z")})

    given = {**SINCE, "records": "items", "paging": "cursor", "next": "next"}
    one = connector(answer, **given)
    rules = walk.rules_of(URL, one.settings.lists[0])
    stopped = {"rules": rules, "since": "2026-02-01T00:00:00+00:00", "next": {"cursor": "old"}}
    pages, checkpoint = read(one, stopped)
    assert [c.id for page in pages for c in page.changes] == ["1"]
    assert checkpoint is not None
    assert "next" not in checkpoint


def test_a_record_passed_over_when_an_offset_slides_is_found_by_the_second_read() -> None:
    listed = rows(*(f"2026-03-01T10:00:{n:02}Z" for n in range(20)))
    removed: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("offset", "0"))
        found = [row for row in listed if row["at"] >= request.url.params.get("since", "")]
        if start == 5 and not removed:
            removed.append(listed.pop(0))  # somebody deletes a record: the rest moves up by one
        return httpx.Response(200, json=found[start : start + 5])

    one = connector(answer, paging="offset", **SINCE)
    (stream,) = one.discover()
    first = list(one.pull(stream, None))
    seen = {c.id for page in first for c in page.changes}
    assert seen == {str(n) for n in range(1, 21)} - {"11"}
    again, checkpoint = read(one, first[-1].checkpoint)
    assert "11" in {c.id for page in again for c in page.changes}
    assert checkpoint is not None
    assert checkpoint["since"] == "2026-03-01T10:00:19+00:00"
    quiet, after = read(one, checkpoint)
    assert after == checkpoint
    assert [c.id for page in quiet for c in page.changes] == ["19", "20"]
    assert [page.checkpoint for page in quiet] == [None, checkpoint]  # nothing to be stored


def test_the_last_page_of_a_read_leaves_no_place_of_a_page_before_it() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("cursor"):
            return httpx.Response(200, json={"items": []})
        return httpx.Response(200, json={"items": rows("2026-03-01T10:00:00Z"), "next": "c1"})

    one = connector(answer, records="items", paging="cursor", next="next", **SINCE)
    _, checkpoint = read(one)
    pages, after = read(one, checkpoint)
    assert len(pages) == 2
    assert after == checkpoint
    assert after is not None
    assert "next" not in after


# deletes


def reconcile(now: datetime, checkpoint: Checkpoint | None) -> tuple[bool, Checkpoint | None]:
    """Return whether a pull at `now` saw the whole list, and its checkpoint."""
    answer = calls({"": rows("2026-03-01T10:00:00Z")}, [])
    one = connector(answer, reconcile=True, **SINCE)
    object.__setattr__(one.context, "now", lambda: now)
    pages, after = read(one, checkpoint)
    return any(page.complete for page in pages), after


def test_with_reconcile_the_whole_list_is_read_once_a_day_for_its_deletes() -> None:
    whole, checkpoint = reconcile(NOW, None)
    assert whole
    whole, checkpoint = reconcile(NOW + timedelta(hours=23), checkpoint)
    assert not whole
    whole, checkpoint = reconcile(NOW + timedelta(hours=25), checkpoint)
    assert whole
    whole, _ = reconcile(NOW + timedelta(hours=47), checkpoint)
    assert not whole


def test_without_reconcile_a_read_of_changes_never_says_that_it_saw_all() -> None:
    pages, checkpoint = read(connector(calls({"": rows("2026-03-01T10:00:00Z")}, []), **SINCE))
    assert not any(page.complete for page in pages)
    assert connector(calls({}, []), **SINCE).discover()[0].caps.deletes == "none"
    assert checkpoint is not None


def test_a_whole_list_read_again_keeps_no_checkpoint_on_the_way() -> None:
    pages = {"1": [{"id": 1}], "2": [{"id": 2}]}
    one = connector(calls(pages, []), paging="page")
    first, checkpoint = read(one)
    again, after = read(one, checkpoint)
    assert [page.checkpoint is None for page in first] == [False, False, False]
    assert [page.checkpoint is None for page in again] == [True, True, False]
    assert after == checkpoint
    assert again[-1].complete


class Sliding:
    """A list paged by number of which a record goes while it is read, so that the rest moves up."""

    def __init__(self, count: int) -> None:
        self.listed = [{"id": str(n), "at": "2026-03-01T10:00:00Z"} for n in range(1, count + 1)]
        self.goes: str | None = None
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        start = 5 * (int(request.url.params["page"]) - 1)
        if start == 5 and self.goes is not None:
            self.listed = [row for row in self.listed if row["id"] != self.goes]
            self.goes = None
        return httpx.Response(200, json=self.listed[start : start + 5])


@pytest.mark.parametrize("given", [{}, {**SINCE, "reconcile": True}])
def test_a_record_passed_over_when_a_page_slides_is_not_called_gone(given: dict[str, Any]) -> None:
    api = Sliding(12)
    one = connector(api, paging="page", **given)
    _, checkpoint = read(one)
    api.goes = "2"
    object.__setattr__(one.context, "now", lambda: NOW + timedelta(days=2))
    pages, after = read(one, checkpoint)
    assert pages[-1].complete
    assert {c.id for page in pages for c in page.changes} == {str(n) for n in range(1, 13)}
    quiet, _ = read(one, after)
    assert "6" in {c.id for page in quiet for c in page.changes}


def test_a_list_paged_by_number_is_looked_through_twice_only_where_something_may_be_gone() -> None:
    api = Sliding(12)
    one = connector(api, paging="page")
    checkpoint: Checkpoint | None = None
    for change, looks in ((0, 1), (0, 1), (-1, 2), (0, 1)):
        api.listed = api.listed[: len(api.listed) + change]
        (stream,) = one.discover()
        api.asked = 0
        pages = list(one.pull(stream, checkpoint))
        checkpoint = pages[-1].checkpoint
        assert pages[-1].complete
        assert api.asked == 4 * looks


# spans of time


def test_a_span_is_asked_for_and_cut_to_size() -> None:
    seen: list[dict[str, str]] = []
    stamps = ("2026-03-01T09:59:59Z", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", "no time")
    one = connector(calls({"": rows(*stamps)}, seen), until_param="until", **SINCE)
    hour = Window(datetime(2026, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 11, tzinfo=UTC))
    pages = list(one.pull(one.discover()[0], None, hour))
    assert [c.id for page in pages for c in page.changes] == ["2"]
    assert seen[-1]["since"] == "2026-03-01T09:59:59Z"
    assert seen[-1]["until"] == "2026-03-01T11:00:01Z"


def test_records_without_a_time_have_no_spans() -> None:
    one = connector(calls({"": [{"id": 1}]}, []))
    with pytest.raises(NotSupported, match="no time of change"):
        list(one.pull(one.discover()[0], None, Window(NOW, NOW)))


# times and places


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-03-08T02:30:00-05:00", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        ("2026-03-10 09:00:00", datetime(2026, 3, 10, 13, 0, tzinfo=UTC)),
        ("2026-03-10", datetime(2026, 3, 10, 4, 0, tzinfo=UTC)),
        (1_773_144_000, NOW),
        ("1773144000", NOW),
        (1_773_144_000_000, NOW),
        (1_773_144_000_000_000, NOW),
        (1_773_144_000.5, NOW + timedelta(seconds=0.5)),
        ("", None), ("soon", None), (None, None), (True, None), ([], None), (1e300, None),
        ("9" * 18, None),
    ],
)  # fmt: skip
def test_times_are_read_as_sources_write_them(value: Any, moment: datetime | None) -> None:
    assert read_stamp(value, ZoneInfo("America/New_York")) == moment


def test_the_end_of_a_span_is_rounded_up() -> None:
    moment = datetime(2026, 3, 1, 10, 0, 0, 1, UTC)
    assert write_stamp(moment, "iso") == "2026-03-01T10:00:00Z"
    assert write_stamp(moment, "iso", up=True) == "2026-03-01T10:00:01Z"


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"path": "/api/v1/contacts/"}, "contacts"), ({}, "records"), ({"path": "/a", "name": "x"}, "x"),
     ({"path": "/odata/People('x')"}, "People-x")],
)  # fmt: skip
def test_a_list_is_named_by_its_path(settings: dict[str, Any], name: str) -> None:
    assert ListSettings.model_validate(settings).stream == name


@pytest.mark.parametrize("inside", [True, False])
def test_links_are_followed_from_the_body_or_the_header(inside: bool) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("p", "1"))
        link = f"?p={number + 1}" if number < 3 else ""
        if inside:
            return httpx.Response(200, json={"d": [{"id": number}], "links": {"next": link}})
        head = {"link": f'<?p=1>; rel="first", <{link}>; title="a, b"; rel="last next"'}
        return httpx.Response(200, json=[{"id": number}], headers=head if link else {})

    given = {"records": "d", "next": "links.next"} if inside else {}
    pages, _ = read(connector(answer, paging="link", **given))
    assert [c.id for page in pages for c in page.changes] == ["1", "2", "3"]


def test_the_next_page_is_fetched_while_the_hub_stores_this_one() -> None:
    asked = threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        if page == 2:
            asked.set()
        return httpx.Response(200, json=[{"id": page}] if page < 3 else [])

    one = connector(answer, paging="page")
    flow = one.pull(one.discover()[0], None)
    assert next(flow).changes[0].id == "1"
    assert asked.wait(5)
    assert [c.id for page in flow for c in page.changes] == ["2"]


def test_a_pull_that_is_left_in_the_middle_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    one = connector(lambda r: httpx.Response(200, json=[{"id": r.url.params["page"]}]),
                    paging="page")  # fmt: skip
    flow = one.pull(one.discover()[0], None)
    next(flow)
    close: Callable[[], None] = flow.close  # type: ignore[attr-defined]
    close()
    assert threading.active_count() == before


@pytest.mark.parametrize("padding", [0, 2_000_000])
def test_two_small_pages_wait_for_a_hub_that_had_to_wait_and_one_large_one(padding: int) -> None:
    waits, asked = threading.Event(), [threading.Event() for _ in range(7)]

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        asked[page].set()
        if page == 2:
            waits.wait(5)  # the hub is done with the first page before this one is there
        return httpx.Response(200, json=[{"id": page, "text": "x" * padding}] if page < 6 else [])

    one = connector(answer, paging="page")
    flow = one.pull(one.discover()[0], None)
    next(flow)
    threading.Timer(1.0, waits.set).start()
    assert next(flow).changes[0].id == "2"
    assert asked[3].wait(5)
    assert asked[4].wait(0.5 if padding else 5) is not bool(padding)
    assert [c.id for page in flow for c in page.changes] == ["3", "4", "5"]
