"""Deletes that a source tells one by one: few are done, many are asked about first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import deletes
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.model.errors import MassDelete, Unavailable
from crm_hub.model.records import Change, Checkpoint, Page, Reject, Window
from crm_hub.sdk import Caps, StreamInfo
from crm_hub.store import Landings, Machinery
from tests.flow.hubs import ids, make_hub, records, write_rows


class Teller:
    """A source that tells the pages a test gives it, stream by stream, again and again."""

    def __init__(self, manifest: Any) -> None:
        self.manifest = manifest
        self.pages: dict[str, list[Page]] = {"contacts": []}
        self.asked: list[Checkpoint | None] = []
        self.breaks_off = False

    def discover(self) -> list[StreamInfo]:
        return [StreamInfo(n, "contacts", Caps("delta", "tombstone")) for n in sorted(self.pages)]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        self.asked.append(checkpoint)
        yield from self.pages[stream.name]
        if self.breaks_off:
            raise Unavailable("the line broke")

    def close(self) -> None: ...


class Scene:
    def __init__(self, folder: Path) -> None:
        write_rows(folder / "src", {"contacts": []})
        self.hub: Hub = make_hub(folder / "hub", {"crm": folder / "src"})
        manifest = replace(self.hub.connector("crm").manifest, asks_when_gone=True)
        self.source = Teller(manifest)
        self.hub.connector = lambda _name: self.source  # type: ignore[method-assign,assignment,return-value]

    def tell(self, *pages: Page, stream: str = "contacts", **options: Any) -> SyncReport:
        self.source.pages[stream] = list(pages)
        (report,) = sync(self.hub, **options)
        return report

    def keys(self) -> set[str]:
        return {key.partition("#")[2] for key in records(self.hub)}

    def checkpoint(self, stream: str = "contacts") -> Checkpoint | None:
        with self.hub.store.read() as db:
            found = Landings(db).stream("crm", stream)
        return found.checkpoint if found else None


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def new(*numbers: int) -> list[Change]:
    return [
        Change(f"a{i}", {"id": f"a{i}", "first": "Ann", "email": f"ann{i}@firm.example"})
        for i in numbers
    ]


def gone(*numbers: int) -> list[Change]:
    return [Change(f"a{i}", None) for i in numbers]


def at(step: int, *changes: list[Change], **more: Any) -> Page:
    return Page([one for part in changes for one in part], {"step": step}, **more)


def test_a_few_deletes_are_done_and_move_the_checkpoint(scene):
    scene.tell(at(1, new(*range(10))))
    report = scene.tell(at(2, gone(1, 2), new(11)))
    assert report.error is None
    assert report.counts["deleted"] == 2
    assert scene.keys() == {"a0", *(f"a{i}" for i in range(3, 10)), "a11"}
    assert scene.checkpoint() == {"step": 2}


def test_more_than_half_deletes_nothing_lets_news_in_and_keeps_the_checkpoint(scene):
    scene.tell(at(1, new(*range(10))))
    people = ids(scene.hub)
    pages = [
        at(2, gone(0, 1)), at(3, new(20)), at(4, gone(2, 3, 4, 5)), at(5, new(21), gone(6)),
    ]  # fmt: skip
    for _ in range(2):
        report = scene.tell(*pages)
        assert isinstance(report.error, MassDelete)
        assert "5 of 12" in report.error.message
        assert report.error.remedy.endswith("crm-hub sync crm --accept-deletes")
        assert scene.keys() == {*(f"a{i}" for i in range(10)), "a20", "a21"}
        assert ids(scene.hub).items() >= people.items()
        assert scene.checkpoint() == {"step": 1}
    assert scene.source.asked[-1] == {"step": 1}
    report = scene.tell(*pages, accept_deletes=True)
    assert report.error is None
    assert scene.keys() == {"a7", "a8", "a9", "a20", "a21"}
    assert scene.checkpoint() == {"step": 5}


def test_an_emptied_stream_asks_however_small_it_is(scene):
    scene.tell(at(1, new(1)))
    assert isinstance(scene.tell(at(2, gone(1))).error, MassDelete)
    assert scene.keys() == {"a1"}


def test_a_record_that_comes_back_in_the_same_pull_stays(scene):
    scene.tell(at(1, new(*range(6))))
    report = scene.tell(at(2, gone(1, 2)), at(3, new(1)))
    assert report.error is None
    assert scene.keys() == {"a0", "a1", "a3", "a4", "a5"}


def test_a_record_that_comes_and_goes_in_one_page_is_gone(scene):
    scene.tell(at(1, new(*range(6))))
    assert scene.tell(at(2, new(9), gone(9), gone(5), new(5))).error is None
    assert scene.keys() == {f"a{i}" for i in range(6)}


def test_a_delete_of_what_nobody_knows_holds_nothing_up(scene):
    report = scene.tell(at(1, new(1), gone(7, 8, 9)), at(2, gone(7)))
    assert report.error is None
    assert scene.checkpoint() == {"step": 2}


def test_a_pull_that_breaks_off_deletes_nothing_and_is_told_again(scene):
    scene.tell(at(1, new(*range(10))))
    scene.source.breaks_off = True
    report = scene.tell(at(2, gone(1)), at(3, new(11)))
    assert isinstance(report.error, Unavailable)
    assert scene.checkpoint() == {"step": 1}
    assert {"a1", "a11"} <= scene.keys()
    scene.source.breaks_off = False
    assert scene.tell(at(2, gone(1)), at(3, new(11))).error is None
    assert scene.keys().isdisjoint({"a1"})
    assert scene.checkpoint() == {"step": 3}


def test_a_crash_between_batches_of_deletes_tells_the_rest_again(scene, monkeypatch):
    monkeypatch.setattr(deletes, "BATCH", 2)
    scene.tell(at(1, new(*range(12))))
    land, calls = deletes.land, []

    def failing(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise Unavailable("the disk is full")
        return land(*args, **more)

    monkeypatch.setattr(deletes, "land", failing)
    assert scene.tell(at(2, gone(0, 1, 2, 3))).error is not None
    assert scene.keys() == {f"a{i}" for i in range(2, 12)}
    assert scene.checkpoint() == {"step": 1}
    assert scene.tell(at(2, gone(0, 1, 2, 3))).error is None
    assert scene.keys() == {f"a{i}" for i in range(4, 12)}
    assert scene.checkpoint() == {"step": 2}


def test_told_deletes_before_a_whole_snapshot_are_done_with_it(scene):
    scene.tell(at(1, new(*range(6))))
    assert scene.tell(at(2, gone(0)), at(3, new(*range(1, 6)), complete=True)).error is None
    assert scene.keys() == {f"a{i}" for i in range(1, 6)}
    assert scene.checkpoint() == {"step": 3}


def test_one_stream_that_asks_does_not_hold_up_the_next(scene):
    scene.source.pages["more"] = []
    scene.tell(at(1, new(1)))
    scene.source.pages["more"] = [at(1, new(50))]
    assert isinstance(scene.tell(at(2, gone(1))).error, MassDelete)
    assert scene.keys() == {"a1", "a50"}


# streams that are no longer there ---------------------------------------------------------


def test_a_stream_that_is_gone_asks_and_is_read_anew_when_it_returns(scene):
    scene.source.pages["more"] = [at(1, new(50, 51))]
    scene.tell(at(1, new(1)))
    del scene.source.pages["more"]
    for _ in range(2):
        report = scene.tell(at(2, new(2)))
        assert isinstance(report.error, MassDelete)
        assert "more is no longer there" in report.error.message
        assert "2 records" in report.error.message
        assert scene.keys() == {"a1", "a2", "a50", "a51"}
    report = scene.tell(accept_deletes=True)
    assert report.error is None
    assert report.counts["deleted"] == 2
    assert scene.keys() == {"a1", "a2"}
    assert scene.tell().error is None, "asked and answered"
    scene.tell(at(1, new(50, 51)), stream="more")
    assert scene.source.asked[-1] is None
    assert scene.keys() == {"a1", "a2", "a50", "a51"}


def test_a_connector_that_does_not_ask_keeps_what_is_no_longer_listed(scene):
    scene.source.manifest = replace(scene.source.manifest, asks_when_gone=False)
    scene.source.pages["more"] = [at(1, new(50))]
    scene.tell(at(1, new(1)))
    del scene.source.pages["more"]
    assert scene.tell(accept_deletes=True).error is None
    assert scene.keys() == {"a1", "a50"}


# dead letters -----------------------------------------------------------------------------


def test_a_dead_letter_ends_when_its_record_comes_in_order_or_goes(scene):
    bad = [Reject(f"a{i}", "line", "it is broken", "Repair it.") for i in (1, 2, 3)]
    scene.tell(at(1, new(1, *range(4, 12)), rejects=bad))
    scene.tell(at(2, new(2)))
    with scene.hub.store.read() as db:
        assert [one.record_key for one in Machinery(db).dead()] == ["a1", "a3"]
    scene.tell(at(3, gone(1, 3)))
    with scene.hub.store.read() as db:
        assert Machinery(db).dead() == []
