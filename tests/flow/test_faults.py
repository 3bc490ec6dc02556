"""The n-th commit or the n-th page fails, for every n of a sync: the next sync converges."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.model.errors import CheckpointExpired, Throttled, Unavailable
from crm_hub.sdk import Page
from tests.flow.hubs import content, make_hub, records, sync_all, world, write_rows

Fault = Callable[[], None]


class Died(BaseException):
    """The process is gone: nothing may catch this and write on."""


class Prepared(NamedTuple):
    """An empty hub on its source, what a sync makes of it, in how many commits and pages."""

    empty: Path
    expected: dict[str, Any]
    commits: int
    pages: int


class Countdown:
    """Counts calls; from the n-th on, or at the n-th alone, it fails."""

    def __init__(
        self, n: int = 0, error: Callable[[], BaseException] = Died, *, once: bool = False
    ):
        self.calls = 0
        self._n, self._error, self._once = n, error, once

    def __call__(self) -> None:
        self.calls += 1
        if self._n and (self.calls == self._n or (self.calls > self._n and not self._once)):
            raise self._error()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("faults")
    rows = world(14, 9, seed=3)
    for name, streams in rows.items():
        write_rows(folder / "src" / name, streams)
    hub = make_hub(folder / "empty", {n: folder / "src" / n for n in rows}, page_size=7)
    with hub.store.read():  # builds the tables
        pass
    hub.close()
    hub = _copy(folder / "empty", folder / "whole")
    commits, pages = Countdown(), Countdown()
    hub.store.before_commit = commits
    _on_pages(hub, pages)
    sync_all(hub)
    hub.store.before_commit = None
    expected = _held(hub)
    hub.close()
    assert commits.calls > 20
    assert pages.calls >= 7
    return Prepared(folder / "empty", expected, commits.calls, pages.calls)


def _copy(empty: Path, folder: Path) -> Hub:
    shutil.copytree(empty, folder)
    return Hub(folder)


def _held(hub: Hub) -> dict[str, Any]:
    return {**content(hub), "records": records(hub)}


def _on_pages(hub: Hub, fault: Fault, *, cut: bool = False) -> None:
    """Call `fault` before each page of each connector; `cut` ends the pull there, in silence."""
    make = hub.connector

    def connector(name: str) -> Any:
        found = make(name)
        pull = found.pull

        def pages(*args: Any) -> Iterator[Page]:
            for page in pull(*args):
                try:
                    fault()
                except Died:
                    if cut:
                        return
                    raise
                yield page

        found.pull = pages  # type: ignore[method-assign]
        return found

    hub.connector = connector  # type: ignore[method-assign]


def _dies_after_commit(hub: Hub, fault: Fault) -> None:
    write = hub.store.write

    @contextmanager
    def dying() -> Iterator[Any]:
        with write() as db:
            yield db
        fault()

    hub.store.write = dying  # type: ignore[method-assign]


def _converges(prepared: Prepared, folder: Path, why: str) -> None:
    hub = Hub(folder)
    sync_all(hub)
    found = _held(hub)
    hub.close()
    shutil.rmtree(folder)
    for part, value in prepared.expected.items():
        assert found[part] == value, f"{why}: {part}"


@pytest.mark.slow
def test_whichever_commit_fails_the_next_sync_converges(prepared, tmp_path):
    for n in range(1, prepared.commits + 1):
        hub = _copy(prepared.empty, tmp_path / "hub")
        hub.store.before_commit = Countdown(n, lambda: OSError(28, "no space left"), once=True)
        with pytest.raises(OSError, match="no space left"):
            list(sync(hub))
        hub.close()
        _converges(prepared, tmp_path / "hub", f"commit {n} failed")


def test_a_busy_database_fails_one_connection_and_leaves_the_others(prepared, tmp_path):
    for n in range(1, prepared.commits + 1):
        hub = _copy(prepared.empty, tmp_path / "hub")
        hub.store.before_commit = Countdown(n, lambda: Unavailable("the disk is busy"), once=True)
        try:
            reports = list(sync(hub))
        except Unavailable:
            pass  # it was the commit that closes a run: there is no report to put it into
        else:
            assert sum(r.error is not None for r in reports) == 1
        hub.close()
        _converges(prepared, tmp_path / "hub", f"commit {n} unavailable")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
def test_dying_at_whichever_commit_the_next_sync_converges(prepared, tmp_path, moment):
    for n in range(1, prepared.commits + 1):
        hub = _copy(prepared.empty, tmp_path / "hub")
        died = Countdown(n)
        if moment == "before":
            hub.store.before_commit = died
        else:
            _dies_after_commit(hub, died)
        with pytest.raises(Died):
            list(sync(hub))
        hub.close()
        _converges(prepared, tmp_path / "hub", f"died {moment} commit {n}")


PULL_FAULTS = {
    "unavailable": lambda: Unavailable("the answer was cut"),
    "throttled": lambda: Throttled("too many calls", retry_after_s=3600),
    "expired": lambda: CheckpointExpired("the cursor is too old"),
    "cut short": Died,
}


@pytest.mark.parametrize("kind", PULL_FAULTS)
def test_whichever_page_fails_the_next_sync_converges(prepared, tmp_path, kind):
    for n in range(1, prepared.pages + 1):
        hub = _copy(prepared.empty, tmp_path / "hub")
        fault = Countdown(n, PULL_FAULTS[kind], once=True)
        _on_pages(hub, fault, cut=kind == "cut short")
        reports = list(sync(hub))
        failed = [r for r in reports if r.error is not None]
        assert len(failed) == (kind in ("unavailable", "throttled"))
        assert sum(len(r.notes) for r in reports) == (kind == "expired")
        hub.close()
        _converges(prepared, tmp_path / "hub", f"page {n} {kind}")
