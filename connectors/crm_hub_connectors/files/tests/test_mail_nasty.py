"""Nasty mail, calendars and address books end in time and memory, and never in an exception."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from crm_hub_connectors.files.tests.nasty import cases

MAX_S = 2.0
MAX_MB = 100

_CHILD = """
import json, sys, time
from datetime import UTC, datetime
from pathlib import Path
from crm_hub.model.values import clean_json
from crm_hub.model.records import Reject
from crm_hub.sdk.formats import charsets
from crm_hub_connectors.files import mail
from crm_hub_connectors.files.readers import read_ics, read_vcf
import charset_normalizer

charsets.decode(bytes(range(128, 256)))  # loads its tables before the count begins
now = datetime(2026, 3, 15, tzinfo=UTC)
readers = {
    ".eml": mail.read_eml,
    ".mbox": mail.read_mbox,
    ".ics": lambda path: read_ics(path, now=now),
    ".vcf": read_vcf,
}
def status_mb(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return int(line.split()[1]) / 1000
def forget_peak():
    # getrusage would also count what the parent held before exec.
    Path("/proc/self/clear_refs").write_text("5")
for path in sorted(Path(sys.argv[1]).iterdir()):
    forget_peak()
    base = status_mb("VmRSS:")
    begun = time.process_time()
    items = rejects = 0
    try:
        for found in readers[path.suffix](path):
            if isinstance(found, Reject):
                rejects += 1
                assert found.reason and found.remedy and len(found.excerpt) <= 2000, found
            else:
                items += 1
                assert found.id and len(found.id) <= 600, found.id
                clean_json(found.payload)
        error = ""
    except Exception as e:
        error = f"{type(e).__name__}: {e}"
    spent = time.process_time() - begun
    print(json.dumps([path.name, spent, status_mb("VmHWM:") - base, items, rejects, error]))
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    folder = tmp_path_factory.mktemp("nasty")
    titles = {}
    for number, case in enumerate(cases()):
        path = folder / f"{number:03d}.{case.kind}"
        titles[path.name] = f"{case.kind}: {case.name}"
        with path.open("wb") as stream:
            stream.writelines(case.pieces)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _CHILD, str(folder)],
        capture_output=True, text=True, timeout=200, check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    for path in folder.iterdir():
        path.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(titles)
    return {titles[row[0]]: row[1:] for row in rows}


def test_there_are_enough_of_them() -> None:
    assert len(list(cases())) >= 100


def test_none_of_them_ends_in_an_exception(measured: dict[str, list[object]]) -> None:
    assert {name: row[4] for name, row in measured.items() if row[4]} == {}


def test_each_ends_within_two_seconds(measured: dict[str, list[float]]) -> None:
    assert {name: row[0] for name, row in measured.items() if row[0] > MAX_S} == {}


def test_all_of_them_stay_within_100_mb(measured: dict[str, list[float]]) -> None:
    assert {name: row[1] for name, row in measured.items() if row[1] > MAX_MB} == {}


def test_the_memory_of_each_is_really_measured(measured: dict[str, list[float]]) -> None:
    assert max(row[1] for row in measured.values()) > 5
    assert measured["eml: a subject of 10 MB"][1] > 5


def test_each_says_what_became_of_it(measured: dict[str, list[int]]) -> None:
    silent = {name for name, row in measured.items() if row[2] + row[3] == 0}
    assert silent == set()
