"""What changed: tokens old and new, cut lists, no sync-collection, series as days pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from crm_hub_connectors.caldav.tests.fake_dav import FakeDav
from crm_hub_connectors.caldav.tests.rigs import NOW, after, connect, pull, told
from crm_hub_connectors.caldav.tests.sources import (
    PutSource,
    RadicaleSource,
    entry,
    radicale_source,
)

from crm_hub.sdk import CheckpointExpired, Window
from crm_hub.sdk.dav.state import MAX_SERIES, State
from crm_hub.sdk.testing.contract import CANARY
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.cyrus import cyrus
from crm_hub.sdk.testing.servers.xandikos import xandikos


@pytest.fixture
def dav() -> Iterator[FakeDav]:
    with FaultServer() as server:
        fake = FakeDav(server)
        yield fake
        assert server.failures == []


@pytest.fixture(scope="module")
def source() -> Iterator[RadicaleSource]:
    try:
        with radicale_source(12) as source:
            yield source
    except Unobtainable as reason:
        pytest.skip(str(reason))


def series(rule: str = "FREQ=WEEKLY", uid: str = "weekly@clearwater.example") -> str:
    text = entry(1, "Weekly", f"RRULE:{rule}", uid=uid)
    return text.replace("T010000Z", "T090000Z").replace("T013000Z", "T100000Z")


def asked(server: FaultServer) -> list[str]:
    kinds = ("sync-collection", "multiget", "calendar-query")
    return [
        next((k for k in kinds if k.encode() in call.body), call.method) for call in server.calls
    ]


# Radicale ---------------------------------------------------------------------------------


def test_a_quiet_calendar_gives_no_page_and_costs_one_report(source: RadicaleSource) -> None:
    assert source.server is not None
    connector = connect(source.server.url)
    connector.discover()
    known = after(pull(connector))
    source.server.calls.clear()
    connector.discover()
    assert pull(connector, known) == []
    assert asked(source.server) == ["PROPFIND", "sync-collection"]


def test_only_what_changed_is_fetched_and_what_is_gone_is_told(source: RadicaleSource) -> None:
    assert source.server is not None
    known = after(pull(connect(source.server.url)))
    (new,) = source.add(1)
    changed, gone = sorted(source.ids())[:2]
    source.change(changed)
    source.delete(gone)
    pages = pull(connect(source.server.url), known)
    found = told(pages)
    assert found.keys() == {new, changed, gone}
    assert found[gone] is None
    assert (found[changed] or {})["summary"].startswith("Moved")
    assert not any(page.complete for page in pages)
    assert pull(connect(source.server.url), after(pages)) == []


def test_nothing_is_ever_written_and_entries_come_in_batches(source: RadicaleSource) -> None:
    assert source.server is not None
    source.server.calls.clear()
    connector = connect(source.server.url)
    connector.check()
    connector.discover()
    pull(connector)
    pull(connector, window=Window(NOW, NOW + timedelta(days=9)))
    assert {call.method for call in source.server.calls} == {"PROPFIND", "REPORT"}
    assert asked(source.server).count("multiget") == 2


def test_radicale_says_403_to_an_old_token(source: RadicaleSource) -> None:
    assert source.server is not None
    known = after(pull(connect(source.server.url)))
    source.radicale.forget_tokens()
    source.add(1)
    connector = connect(source.server.url)
    with pytest.raises(CheckpointExpired):
        pull(connector, known)
    pages = pull(connector)
    assert pages[-1].complete
    assert told(pages).keys() == source.ids()


def test_a_record_keeps_the_raw_text_the_address_and_the_etag(source: RadicaleSource) -> None:
    assert source.server is not None
    text = entry(5, "Kept", "X-SECRET-SAUCE;X-P=1:yes", "BEGIN:VALARM", "ACTION:DISPLAY",
                 "TRIGGER:-PT5M", "DESCRIPTION:x", "END:VALARM")  # fmt: skip
    source.calendar.write("kept.ics", text)
    (page,) = pull(connect(source.server.url))
    change = next(one for one in page.changes if one.id == "kept.ics")
    assert change.payload is not None
    assert change.payload["href"] == "/ann/work/kept.ics"
    assert change.version == change.payload["etag"] != ""
    for line in ("X-SECRET-SAUCE;X-P=1:yes", "TRIGGER:-PT5M", "BEGIN:VALARM"):
        assert line in change.payload["ical"]
    source.delete("kept.ics")


def test_a_window_gives_what_happens_in_it_and_reads_like_the_live_pull(
    source: RadicaleSource,
) -> None:
    assert source.server is not None
    source.calendar.write("series.ics", series("FREQ=WEEKLY;COUNT=4"))
    live = told(pull(connect(source.server.url)))
    window = Window(datetime(2026, 3, 15, tzinfo=UTC), datetime(2026, 3, 17, tzinfo=UTC))
    pages = pull(connect(source.server.url), window=window)
    found = told(pages)
    inside = {
        name for name, payload in live.items() if payload and any(
            "2026-03-15" <= one["start"][:10] <= "2026-03-16" for one in payload["occurrences"]
        )
    }  # fmt: skip
    assert found.keys() == inside
    assert "series.ics" in inside
    assert all(found[name] == live[name] for name in found)
    assert all(page.checkpoint is None and not page.complete for page in pages)
    source.delete("series.ics")


def test_xandikos_says_412_to_an_old_token() -> None:
    try:
        with xandikos() as behind, FaultServer() as server:
            forward(server, behind.url)
            source = PutSource(behind, server)
            source.add(2)
            known = after(pull(connect(server.url), stream="calendar"))
            connector = connect(server.url)
            with pytest.raises(CheckpointExpired):
                pull(connector, {**known, "token": "0" * 40}, stream="calendar")
            pages = pull(connector, stream="calendar")
            assert pages[-1].complete
            assert told(pages).keys() == source.ids()
    except Unobtainable as reason:
        pytest.skip(str(reason))


def test_cyrus_says_403_to_an_old_token() -> None:
    try:
        with cyrus(password=CANARY) as behind, FaultServer() as server:
            forward(server, behind.url)
            source = PutSource(behind, server)
            source.add(2)
            known = after(pull(connect(server.url), stream="Default"))
            connector = connect(server.url)
            with pytest.raises(CheckpointExpired, match="403"):
                pull(connector, {**known, "token": "data:,1-1"}, stream="Default")
            pages = pull(connector, stream="Default")
            assert pages[-1].complete
            assert told(pages).keys() == source.ids()
    except Unobtainable as reason:
        pytest.skip(str(reason))


# other servers' tokens --------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 409, 410, 412])
def test_every_server_s_way_to_refuse_a_token_is_an_expired_checkpoint(
    dav: FakeDav, status: int
) -> None:
    dav.put("a.ics", entry(1))
    known = after(pull(connect(dav.server.url)))
    dav.expired_status = status
    with pytest.raises(CheckpointExpired, match=str(status)):
        pull(connect(dav.server.url), known)


def test_a_read_after_an_expired_token_never_goes_on_in_the_middle(dav: FakeDav) -> None:
    for number in range(6):
        dav.put(f"{number}.ics", entry(number))
    connector = connect(dav.server.url, page_items=2)
    known = after(pull(connector))
    dav.expired_status = 410
    with pytest.raises(CheckpointExpired):
        pull(connector, known)
    pages = pull(connector)
    assert [page.checkpoint is None for page in pages] == [True, True, False]
    assert pages[-1].complete


def test_a_cut_list_of_changes_is_followed_to_its_end(dav: FakeDav) -> None:
    for number in range(7):
        dav.put(f"{number}.ics", entry(number))
    dav.most_at_once = 3
    pages = pull(connect(dav.server.url))
    assert told(pages).keys() == {f"{n}.ics" for n in range(7)}
    known = after(pages)
    for number in range(4):
        dav.put(f"{number}.ics", entry(number, "Moved"))
    dav.delete("5.ics")
    pages = pull(connect(dav.server.url), known)
    assert told(pages).keys() == {"0.ics", "1.ics", "2.ics", "3.ics", "5.ics"}
    assert told(pages)["5.ics"] is None
    assert pull(connect(dav.server.url), after(pages)) == []


def test_a_resource_that_goes_between_list_and_fetch_is_gone(dav: FakeDav) -> None:
    dav.put("a.ics", entry(1))
    known = after(pull(connect(dav.server.url)))
    dav.put("b.ics", entry(2))
    text = dav.texts.pop("b.ics")
    dav.texts["b.ics"] = text
    original = dav._multiget

    def late(body: str) -> Any:
        dav.texts.pop("b.ics", None)
        return original(body)

    dav._multiget = late  # type: ignore[method-assign]
    pages = pull(connect(dav.server.url), known)
    assert told(pages) == {"b.ics": None}


def test_a_first_read_goes_on_with_the_token_it_began_with(dav: FakeDav) -> None:
    for number in range(6):
        dav.put(f"{number}.ics", entry(number))
    connector = connect(dav.server.url, page_items=2)
    pages = connector.pull(connector.discover()[0], None)
    first = next(iter(pages))
    dav.put("0.ics", entry(0, "Moved"))
    dav.delete("5.ics")
    rest = pull(connect(dav.server.url, page_items=2), first.checkpoint)
    assert told(rest).keys() == {"2.ics", "3.ics", "4.ics"}
    assert not any(page.complete for page in rest)
    # What went meanwhile is found by one whole read.
    again = pull(connect(dav.server.url, page_items=2), after(rest))
    assert told(again).keys() == dav.texts.keys()
    assert again[-1].complete
    assert pull(connect(dav.server.url), after(again)) == []


# without sync-collection ------------------------------------------------------------------


@pytest.mark.parametrize("says_so", [True, False])
def test_without_sync_collection_the_etags_tell(dav: FakeDav, says_so: bool) -> None:
    dav.sync = False
    if not says_so:
        about = dav._propfind
        dav.server.route("PROPFIND", "/", lambda call: _claiming(about(call)))
    for number in range(5):
        dav.put(f"{number}.ics", entry(number))
    pages = pull(connect(dav.server.url, page_items=2))
    assert pages[-1].complete
    known = after(pages)
    dav.server.calls.clear()
    assert pull(connect(dav.server.url), known) == []
    assert "multiget" not in asked(dav.server)
    dav.put("1.ics", entry(1, "Moved"))
    dav.put("7.ics", entry(7))
    dav.delete("3.ics")
    pages = pull(connect(dav.server.url, page_items=1), known)
    found = told(pages)
    assert found.keys() == {"1.ics", "7.ics", "3.ics"}
    assert found["3.ics"] is None
    assert [page.checkpoint is None for page in pages] == [True, False]
    assert pull(connect(dav.server.url), after(pages)) == []


def _claiming(reply: Any) -> Any:
    body = reply.body.replace(b"<C:calendar-multiget/>", b"<sync-collection/>")
    return type(reply)(reply.status, body, reply.content_type)


def test_without_a_ctag_all_etags_are_compared_each_time(dav: FakeDav) -> None:
    dav.sync = dav.ctag = False
    dav.put("a.ics", entry(1))
    known = after(pull(connect(dav.server.url)))
    assert pull(connect(dav.server.url), known) == []
    dav.put("a.ics", entry(1, "Moved"))
    assert told(pull(connect(dav.server.url), known)).keys() == {"a.ics"}


def test_without_etags_everything_is_fetched_again_when_the_ctag_moves(dav: FakeDav) -> None:
    dav.sync = dav.etags = False
    dav.put("a.ics", entry(1))
    dav.put("b.ics", entry(2))
    known = after(pull(connect(dav.server.url)))
    assert pull(connect(dav.server.url), known) == []
    dav.put("b.ics", entry(2, "Moved"))
    pages = pull(connect(dav.server.url), known)
    assert told(pages).keys() == {"a.ics", "b.ics"}
    assert {change.version for page in pages for change in page.changes} == {None}


def test_too_many_etags_to_keep_mean_a_whole_read(
    dav: FakeDav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_hub.sdk.dav.walk.MAX_ETAGS", 2)
    dav.sync = False
    for number in range(3):
        dav.put(f"{number}.ics", entry(number))
    known = after(pull(connect(dav.server.url)))
    assert "etags" not in known
    assert pull(connect(dav.server.url), known) == []
    dav.delete("1.ics")
    with pytest.raises(CheckpointExpired):
        pull(connect(dav.server.url), known)


def test_a_token_is_left_for_etags_when_the_server_stops_offering_it(dav: FakeDav) -> None:
    dav.put("a.ics", entry(1))
    connector = connect(dav.server.url)
    known = after(pull(connector))
    dav.sync = False
    with pytest.raises(CheckpointExpired):
        pull(connector, known)
    assert after(pull(connector))["by_token"] is False


def test_a_window_without_calendar_query_is_cut_out_here(dav: FakeDav) -> None:
    dav.queries = False
    dav.put("a.ics", entry(1))
    dav.put("b.ics", entry(9))
    window = Window(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC))
    assert told(pull(connect(dav.server.url), window=window)).keys() == {"b.ics"}


# days pass --------------------------------------------------------------------------------


def starts(payload: dict[str, Any] | None) -> list[str]:
    return [one["start"][:10] for one in (payload or {})["occurrences"]]


def test_a_series_gets_its_new_occurrences_as_days_pass_and_keeps_the_old(dav: FakeDav) -> None:
    dav.put("weekly.ics", series())
    dav.put("ends.ics", series("FREQ=WEEKLY;COUNT=3", uid="ends@clearwater.example"))
    dav.put("once.ics", entry(3))
    pages = pull(connect(dav.server.url))
    assert after(pages)["series"] == ["weekly.ics"]
    assert starts(told(pages)["weekly.ics"])[-1] == "2026-05-04"
    assert pull(connect(dav.server.url, now=NOW + timedelta(hours=11)), after(pages)) == []
    for days in (7, 400, 3_000):
        later = pull(connect(dav.server.url, now=NOW + timedelta(days=days)), after(pages))
        assert told(later).keys() == {"weekly.ics"}
        dates = starts(told(later)["weekly.ics"])
        assert dates[0] == "2026-03-02"
        assert date.fromisoformat(dates[-1]) > NOW.date() + timedelta(days=days + 53)
        assert after(later)["day"] == (NOW + timedelta(days=days)).date().isoformat()


def test_a_series_that_ends_is_not_looked_at_again(dav: FakeDav) -> None:
    dav.put("ends.ics", series("FREQ=WEEKLY;UNTIL=20260601T090000Z"))
    known = after(pull(connect(dav.server.url)))
    assert known["series"] == ["ends.ics"]
    soon = pull(connect(dav.server.url, now=NOW + timedelta(days=40)), known)
    assert starts(told(soon)["ends.ics"])[-1] == "2026-06-01"
    assert after(soon)["series"] == []
    assert pull(connect(dav.server.url, now=NOW + timedelta(days=90)), after(soon)) == []


def test_a_deleted_series_is_forgotten(dav: FakeDav) -> None:
    dav.put("weekly.ics", series())
    dav.put("a.ics", entry(1))
    known = after(pull(connect(dav.server.url)))
    dav.delete("weekly.ics")
    pages = pull(connect(dav.server.url, now=NOW + timedelta(days=3)), known)
    assert told(pages) == {"weekly.ics": None}
    assert after(pages)["series"] == []


def test_series_roll_on_without_sync_collection_too(dav: FakeDav) -> None:
    dav.sync = False
    dav.put("weekly.ics", series())
    dav.put("once.ics", entry(1))
    known = after(pull(connect(dav.server.url)))
    pages = pull(connect(dav.server.url, now=NOW + timedelta(days=7)), known)
    assert told(pages).keys() == {"weekly.ics"}
    assert pull(connect(dav.server.url, now=NOW + timedelta(days=7)), after(pages)) == []


def test_more_series_than_a_checkpoint_should_list_are_read_in_full_once_a_day() -> None:
    state = State("r", "2026-03-10")
    for number in range(MAX_SERIES + 1):
        state.note_series(f"{number}.ics", goes_on=True)
    assert state.series is None
    kept = State.load(state.dump(), "r")
    assert kept is not None
    assert kept.series is None


def test_too_many_series_expire_the_checkpoint_on_a_new_day(dav: FakeDav) -> None:
    dav.put("weekly.ics", series())
    known = {**after(pull(connect(dav.server.url))), "series": None}
    assert pull(connect(dav.server.url), known) == []
    with pytest.raises(CheckpointExpired, match="once a day"):
        pull(connect(dav.server.url, now=NOW + timedelta(days=1)), known)


# settings that decide what is read --------------------------------------------------------


def test_what_was_over_before_since_is_not_taken_and_a_series_is_taken_from_then_on(
    dav: FakeDav,
) -> None:
    dav.put("old.ics", entry(1))
    dav.put("new.ics", entry(20))
    dav.put("weekly.ics", series())
    pages = pull(connect(dav.server.url, since="2026-03-15"))
    assert told(pages).keys() == {"new.ics", "weekly.ics"}
    assert starts(told(pages)["weekly.ics"])[0] == "2026-03-16"
    dav.put("new.ics", entry(1, "Now long ago"))
    later = pull(connect(dav.server.url, since="2026-03-15"), after(pages))
    assert told(later) == {"new.ics": None}


def test_other_settings_mean_a_whole_read(dav: FakeDav) -> None:
    dav.put("a.ics", entry(1))
    known = after(pull(connect(dav.server.url)))
    for more in ({"since": "2020-01-01"}, {"zone": "Europe/Berlin"}, {"own": "acme.example"}):
        pages = pull(connect(dav.server.url, **more), known)
        assert pages[-1].complete
    assert CANARY not in str(known)
