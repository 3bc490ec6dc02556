"""A hub that keeps itself in sync: lanes, live sources, failures, and what ends a pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow import running
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.flow.running import Running, settings_mark
from crm_hub.model.errors import AuthRefused, ConfigError, HubError, Throttled, Unavailable
from crm_hub.sdk import Caps, StreamInfo
from tests.flow.hubs import make_hub, write_rows

GUARD_S = 20


class Scene:
    """A hub of scripted sources whose connectors a test may bend; `reports` is what was told."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        for name in names:
            self.show(name, 1)
        self.hub = make_hub(folder / "hub", {name: folder / name for name in names})
        self.names = names
        self.reports: list[SyncReport] = []
        self._news = threading.Condition()

    def show(self, name: str, count: int) -> None:
        rows = [{"id": str(n), "email": f"{name}{n}@firm.example"} for n in range(count)]
        write_rows(self.folder / name, {"contacts": rows})

    def tell(self, report: SyncReport) -> None:
        with self._news:
            self.reports.append(report)
            self._news.notify_all()

    def wait_for(self, done: Callable[[list[SyncReport]], bool]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: done(self.reports), GUARD_S), self.reports

    def of(self, name: str) -> list[SyncReport]:
        return [report for report in self.reports if report.connection == name]

    def running(self, every_s: float = 0.05) -> Running:
        return Running(self.hub, self.names, every_s, self.tell)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_LOOK_S", 0.01), ("_LISTEN_S", 0.2), ("_FIRST_BACKOFF_S", 0.01)):
        monkeypatch.setattr(running, name, value)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = Scene(tmp_path, "crm", "erp")
    yield found
    found.hub.close()


def failing(scene: Scene, name: str, errors: list[HubError]) -> None:
    """Let the next pulls of a connection fail."""
    make = scene.hub.make

    def made(connection: str, *rest: Any) -> Any:
        found = make(connection, *rest)
        pull = found.pull

        def pages(*arguments: Any) -> Any:
            if connection == name and errors:
                raise errors.pop(0)
            return pull(*arguments)

        found.pull = pages
        return found

    scene.hub.make = made  # type: ignore[method-assign]


def test_every_connection_is_synced_again_and_again_and_news_arrive(scene: Scene) -> None:
    with scene.running():
        scene.wait_for(lambda told: len(scene.of("crm")) > 1 and len(scene.of("erp")) > 1)
        scene.show("erp", 3)
        scene.wait_for(lambda told: sum(r.counts["new"] for r in scene.of("erp")) == 3)
    assert sum(r.counts["new"] for r in scene.of("crm")) == 1
    assert all(report.error is None for report in scene.reports)


def test_at_the_end_no_lane_goes_on(scene: Scene) -> None:
    with scene.running():
        scene.wait_for(lambda told: len(told) > 2)
    told = len(scene.reports)
    time.sleep(0.2)
    assert len(scene.reports) == told
    assert not [t for t in threading.enumerate() if t.name.startswith("crm-hub-")]
    assert scene.hub.stopping() is False


def test_a_source_that_fails_is_asked_again_and_holds_up_no_other(scene: Scene) -> None:
    failing(scene, "crm", [Unavailable("the host is down")] * 3)
    with scene.running():
        scene.wait_for(lambda told: any(r.error is None for r in scene.of("crm")))
        scene.wait_for(lambda told: len(scene.of("erp")) > 2)
    assert [r.error is None for r in scene.of("crm")][:4] == [False, False, False, True]
    assert all(r.error is None for r in scene.of("erp"))


def test_a_refused_credential_is_tried_once_and_again_after_a_sync_by_hand(scene: Scene) -> None:
    failing(scene, "crm", [AuthRefused("the password was refused")])
    with scene.running():
        scene.wait_for(lambda told: len(scene.of("crm")) == 1 and len(scene.of("erp")) > 5)
        assert len(scene.of("crm")) == 1
        (by_hand,) = sync(scene.hub, ["crm"])
        assert by_hand.error is None
        scene.wait_for(lambda told: any(r.error is None for r in scene.of("crm")))
    # It may have met the sync by hand while that still held the connection.
    assert not [r for r in scene.of("crm")[1:] if isinstance(r.error, ConfigError)]


def test_a_source_that_tells_of_news_is_read_at_once(scene: Scene) -> None:
    news = threading.Event()
    make = scene.hub.make

    def made(connection: str, *rest: Any) -> Any:
        found = make(connection, *rest)
        found.discover = lambda: [StreamInfo("contacts", caps=Caps(live=connection == "crm"))]

        def wait(timeout_s: float) -> bool:
            heard = news.wait(timeout_s)
            news.clear()
            return heard

        found.wait = wait
        return found

    scene.hub.make = made  # type: ignore[method-assign]
    with scene.running(every_s=3600):
        scene.wait_for(lambda told: len(told) == 2)
        scene.show("crm", 2)
        news.set()
        scene.wait_for(lambda told: len(scene.of("crm")) == 2)
    assert scene.of("crm")[1].counts["new"] == 1
    assert len(scene.of("erp")) == 1


@pytest.mark.parametrize("problem", [Unavailable("the session is gone"), IndexError("a bug")])
def test_a_source_that_cannot_be_heard_for_once_is_polled_and_heard_again(
    scene: Scene, problem: Exception
) -> None:
    heard: list[str] = []
    make = scene.hub.make

    def made(connection: str, *rest: Any) -> Any:
        found = make(connection, *rest)
        found.discover = lambda: [StreamInfo("contacts", caps=Caps(live=True))]

        def wait(timeout_s: float) -> bool:
            heard.append(connection)
            if heard.count(connection) == 1:
                raise problem
            time.sleep(0.01)
            return False

        found.wait = wait
        return found

    scene.hub.make = made  # type: ignore[method-assign]
    with scene.running(every_s=0.3):
        scene.wait_for(lambda told: len(scene.of("crm")) > 2)
    assert heard.count("crm") > 2


def test_a_bug_in_one_lane_is_told_and_stops_no_other(scene: Scene) -> None:
    failing(scene, "crm", [KeyError("a bug")])  # type: ignore[list-item]
    with scene.running():
        scene.wait_for(lambda told: len(scene.of("crm")) > 1 and len(scene.of("erp")) > 1)
    assert "itself failed (KeyError)" in str(scene.of("crm")[0].error)
    assert scene.of("crm")[1].error is None


def test_the_wait_doubles_up_to_a_quarter_of_an_hour_and_heeds_the_source(scene: Scene) -> None:
    lane = running._Lane(scene.hub, "crm", 300.0, scene.tell)
    waits = []
    for failures in (1, 2, 3, 50):
        lane._failures = failures
        waits.append(lane.backoff_s(Unavailable("down")))
    assert waits[1] == 2 * waits[0]
    assert waits[2] == 4 * waits[0]
    assert waits[3] == running.LONGEST_BACKOFF_S
    assert lane.backoff_s(Throttled("quota", retry_after_s=5000)) == 5000
    assert lane.backoff_s(Throttled("quota", retry_after_s=1e9)) == running.LONGEST_WISH_S


def test_a_changed_setting_mapping_or_secret_changes_the_mark(scene: Scene) -> None:
    folder = scene.hub.folder
    marks = [settings_mark(folder)]
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "scripted.yaml").write_text("version: 1\n")
    marks.append(settings_mark(folder))
    (folder / "secrets.sealed").write_text("{}")
    marks.append(settings_mark(folder))
    (folder / "own.yaml").write_text("version: 1\n")
    marks.append(settings_mark(folder))
    assert len(set(marks)) == 4
    assert settings_mark(folder) == marks[-1]
