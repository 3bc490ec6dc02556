"""The disk of a hub fills up in the midst of a long read, and is made larger later."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.model.errors import Unavailable
from crm_hub.store import Identities
from tests.flow.hubs import make_hub, write_rows

RECORDS = 9_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 5 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() or mount is None or not _mounted(mount, place, "5m"):
        pytest.skip("needs root on Linux, to mount a small disk: mount -t tmpfs")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _mounted(mount: str, place: Path, size: str, *more: str) -> bool:
    options = ",".join((f"size={size}", *more))
    command = [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_what_came_before_the_disk_was_full_stays_and_the_rest_comes_later(
    tmp_path: Path, disk: Path
) -> None:
    people = [
        {"id": str(n), "first": f"Ann{n}", "last": f"Lee{n}", "email": f"ann{n}@firm.example"}
        for n in range(RECORDS)
    ]
    write_rows(tmp_path / "crm", {"contacts": people})
    hub = make_hub(disk / "hub", {"crm": tmp_path / "crm"}, page_size=500)
    (report,) = sync(hub)
    assert isinstance(report.error, Unavailable)
    assert "is full" in report.error.message
    assert "full disk" in report.error.remedy
    assert 0 < _people(hub) < RECORDS
    before = _people(hub)
    (report,) = sync(hub)
    assert isinstance(report.error, Unavailable)
    assert before <= _people(hub) < RECORDS  # what has landed may still be walked
    hub.close()
    assert _mounted(shutil.which("mount") or "", disk, "80m", "remount")
    hub = Hub(disk / "hub")
    (report,) = sync(hub)
    assert report.error is None
    assert _people(hub) == RECORDS
    hub.close()


def _people(hub: Hub) -> int:
    with hub.store.read() as db:
        return Identities(db).count_mapped("person")
