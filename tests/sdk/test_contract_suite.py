"""The suite is green on honest connectors and catches each broken one."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from crm_hub.model.errors import ConfigError
from crm_hub.model.records import Change, Page
from crm_hub.registry import Registry
from crm_hub.sdk.contract import Caps, CheckReport, Connector, HookRequest, Manifest, StreamInfo
from crm_hub.sdk.quality import read_quality, untrue
from crm_hub.sdk.testing.contract import (
    CASES,
    ContractSuite,
    Exempt,
    Harness,
    Result,
    Source,
    SuiteReport,
    run,
    run_case,
    tier,
    title,
)
from crm_hub.sdk.testing.example import LedgerConnector, LedgerHarness
from crm_hub.sdk.testing.example_oauth import OAuthLedgerHarness
from crm_hub.sdk.testing.example_push import WritableLedgerHarness
from tests.sdk.broken import BROKEN, harness_of
from tests.sdk.broken_pull import Snapshots


class TestLedger(ContractSuite):
    harness = LedgerHarness()


class TestWritableLedger(ContractSuite):
    harness = WritableLedgerHarness()


class TestOAuthLedger(ContractSuite):
    harness = OAuthLedgerHarness()


class SnapshotsHarness(LedgerHarness):
    connector = Snapshots
    memory_records = 2_000
    exempt: Mapping[int, str] = {
        10: "its token never expires",
        22: "a snapshot does not tell of merges",
    }


class TestSnapshots(ContractSuite):
    harness = SnapshotsHarness()


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_the_suite_catches_a_broken_connector(broken: type[LedgerConnector]) -> None:
    result = run_case(harness_of(broken), BROKEN[broken])
    assert result.status == "fail", f"{broken.__name__}: {result}"
    assert result.reason


def test_every_case_that_runs_has_a_broken_connector_that_it_catches() -> None:
    assert set(BROKEN.values()) == set(CASES)


# a connector that reads files, and one that only receives


class FolderSettings(BaseModel):
    path: Path = Field(title="Folder", description="One JSON file for each record")


class FolderConnector(Connector[FolderSettings]):
    manifest = Manifest(id="folder", version="1", title="Folder", settings=FolderSettings)

    def _files(self) -> list[Path]:
        if not self.settings.path.is_dir():
            raise ConfigError("the folder is not there", remedy="Set path.")
        return sorted(self.settings.path.glob("*.json"))

    def check(self) -> CheckReport:
        return CheckReport(account=f"{len(self._files())} files")

    def discover(self) -> list[StreamInfo]:
        return [StreamInfo("files", caps=Caps(read="full", deletes="reconcile"))]

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Iterator[Page]:
        start = checkpoint["after"] if checkpoint else ""
        if window is not None:
            return
        files = [path for path in self._files() if path.stem > start]
        for first in range(0, len(files), 10):
            if self.context.stopping():
                return
            some = files[first : first + 10]
            ended = first + 10 >= len(files)
            changes = [Change(path.stem, json.loads(path.read_text())) for path in some]
            mark = {"after": "" if ended else some[-1].stem}
            yield Page(changes, mark, complete=ended and not start)


class FolderSource(Source):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0

    def settings(self) -> dict[str, Any]:
        return {"path": self._folder}

    def bad_settings(self) -> dict[str, Any]:
        raise Exempt("a folder has no credential")

    def dead_settings(self) -> dict[str, Any]:
        return {"path": self._folder / "elsewhere"}

    def ids(self) -> Set[str]:
        return {path.stem for path in self._folder.glob("*.json")}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        ids = [f"f{number:06}" for number in range(self._next, self._next + count)]
        self._next += count
        for id in ids:
            self._write(id, {"n": 1})
        return ids

    def _write(self, id: str, value: dict[str, Any]) -> None:
        (self._folder / f"{id}.json").write_text(json.dumps(value))

    def change(self, id: str) -> None:
        self._write(id, {"n": 2})

    def delete(self, id: str) -> None:
        (self._folder / f"{id}.json").unlink()

    def alter(self, how: str) -> None:
        self._write(min(self.ids()), {"other": how})


class FolderHarness(Harness):
    connector = FolderConnector
    memory_records = 500
    exempt: Mapping[int, str] = {10: "no token", 22: "files are not merged"}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        folder = Path(tempfile.mkdtemp())
        try:
            source = FolderSource(folder)
            source.add(records)
            yield source
        finally:
            shutil.rmtree(folder)


def test_a_connector_of_files_passes_and_its_exemptions_say_why() -> None:
    report = run(FolderHarness())
    assert report.failed == [], str(report)
    reasons = {case: r.reason for case, r in report.results.items() if r.status == "exempt"}
    assert set(reasons) == {6, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 22}
    assert all(reasons.values())
    assert report.results[2] == Result("pass", "without bad credential: a folder has no credential")


class Inbox(LedgerConnector):
    """Receives the ledger's webhooks and reads nothing."""

    def discover(self) -> list[StreamInfo]:
        return [StreamInfo("entries", caps=Caps(read="none", webhooks=True))]


def test_a_connector_that_only_receives_runs_the_webhook_and_secret_cases() -> None:
    report = run(harness_of(Inbox))
    assert report.failed == [], str(report)
    passed = {case for case, r in report.results.items() if r.status == "pass"}
    assert passed == {1, 2, 3, 16, 17}
    assert "only receives" in report.results[5].reason


def test_a_harness_that_forgets_a_method_fails_rather_than_passes() -> None:
    class Forgetful(FolderHarness):
        @contextmanager
        def source(self, records: int, page_size: int) -> Iterator[Source]:
            with super().source(records, page_size) as source:
                source.change = Source.change.__get__(source)  # type: ignore[method-assign]
                yield source

    result = run_case(Forgetful(), 7)
    assert result.status == "fail"
    assert "no change()" in result.reason


# the quality tier


def _report(**changed: str) -> SuiteReport:
    results = {case: Result("pass") for case in CASES}
    results |= {int(case[1:]): Result(status) for case, status in changed.items()}  # type: ignore[arg-type]
    return SuiteReport("x", results)


def test_the_tier_is_the_highest_whose_cases_all_hold() -> None:
    assert tier(_report(), freshness_s=2.0) == "platinum"
    assert tier(_report()) == "gold"
    assert tier(_report(c22="todo"), freshness_s=2.0) == "silver"
    assert tier(_report(c6="exempt", c12="fail")) == "silver"
    assert tier(_report(c21="fail")) == "bronze"
    assert tier(_report(c9="fail")) == "none"
    assert tier(SuiteReport("x", {})) == "none"


def test_the_tier_is_in_the_report() -> None:
    quick = {case: Result("pass") for case in CASES}
    report = SuiteReport("ledger", {**quick, **run(LedgerHarness(), [10, 22]).results})
    assert report.results[10] == Result("exempt", "its token never expires")
    assert report.results[22] == Result("pass")
    assert tier(report) == "gold"
    assert "ledger: gold" in str(report)


# the quality file


def test_a_quality_file_gives_the_tier_and_what_the_next_one_asks_for() -> None:
    lines = [f"{case}: done" for case in CASES if case not in (10, 12)]
    text = "\n".join(["# cases", *lines, '10: {exempt: "no token"}', "12: todo  # soon"])
    found = read_quality(text)
    assert found.tier == "silver"
    assert found.missing() == ("gold", [12])
    assert found.reasons == {10: "no token"}
    whole = read_quality(text.replace("12: todo", "12: done"))
    assert (whole.tier, whole.missing()) == ("gold", ("platinum", []))
    assert (
        read_quality(text.replace("12: todo", "12: done") + "\nfreshness_s: 2.5").tier == "platinum"
    )
    assert read_quality("").tier == "none"


@pytest.mark.parametrize(
    "line", ["3: perhaps", "x: done", "3: {exempt: }", "3 done", "freshness_s: x"]
)
def test_a_line_of_a_quality_file_that_says_nothing_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_quality(f"1: done\n{line}")


def test_a_quality_file_that_claims_too_much_is_caught() -> None:
    said = read_quality('1: done\n2: done\n3: {exempt: "no"}\n4: todo')
    found = {1: "pass", 2: "fail", 3: "fail", 4: "fail", 5: "pass"}
    assert untrue(said, found) == [
        "case 2 is said to be done, and the suite says fail",
        "case 3 is said to be exempt, and the suite says fail",
        "case 5 is not named",
    ]


def test_every_built_in_connector_has_a_quality_file_of_all_cases() -> None:
    entries = Registry().list()
    assert len(entries) >= 8
    for entry in entries:
        assert entry.quality_text is not None, entry.name
        assert set(read_quality(entry.quality_text).cases) == set(CASES), entry.name


def test_every_case_has_a_title() -> None:
    assert all(title(case) for case in CASES)


def test_a_hook_source_signs_what_it_sends() -> None:
    with LedgerHarness().source(1, 10) as source:
        post = source.hook(datetime.fromisoformat("2026-03-10T12:00:00+00:00"), "s")
        assert isinstance(post, HookRequest)
        assert dataclasses.replace(post, body=b"").headers == post.headers
