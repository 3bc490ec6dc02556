"""A hub's folder that cannot be written to: said in words, not as a bug of the hub."""

from __future__ import annotations

from pathlib import Path

from crm_hub.flow.inbound import sync
from crm_hub.model.errors import Unavailable
from tests.flow.hubs import make_hub, write_rows


def test_a_run_that_finds_no_room_for_its_lock_says_so(tmp_path: Path) -> None:
    write_rows(tmp_path / "crm", {"contacts": []})
    hub = make_hub(tmp_path / "hub", {"crm": tmp_path / "crm"})
    (tmp_path / "hub" / "run").write_text("")  # as on a disk that is mounted read-only
    (report,) = sync(hub)
    assert isinstance(report.error, Unavailable)
    assert "run cannot be written to" in report.error.message
    assert "owner and mode" in report.error.remedy
    hub.close()
