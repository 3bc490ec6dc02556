"""try: a look at one's own exports that leaves nothing behind."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from tests.cli.test_reading_commands import MAIL

CONTACTS = "Name,E-mail,Shoe size\nAnn Lindqvist,ann@lindqvist.example,39\nBo,bad-address,44\n"


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of exports, and a temporary folder of their own for throw-away hubs."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "Contacts (2).csv").write_text(CONTACTS)
    (tmp_path / "2026.mbox").write_text("".join(MAIL.format(day=f"{d:02}") for d in (9, 10)))
    return tmp_path


def test_it_shows_totals_guesses_and_the_longest_timeline_and_removes_the_hub(
    crm, exports: Path
) -> None:
    files = (exports / "Contacts (2).csv", exports / "2026.mbox")
    before = [file.read_bytes() for file in files]
    shown = crm.fine("try", *files, "--own", "clearwater.example").out
    assert "Shoe size" in shown
    assert re.search(r"^2 people, \d organizations, 2 events$", shown, re.M)
    assert "P" in shown.partition("The longest timeline\n")[2][:1]
    assert shown.count("email.received") == 2
    assert "not an e-mail address" in shown
    assert "crm-hub try --keep" in shown
    assert list((exports / "temp").iterdir()) == []
    assert [file.read_bytes() for file in files] == before


def test_kept_on_request_it_is_a_hub_like_any_other(crm, exports: Path) -> None:
    shown = crm.fine("try", exports / "2026.mbox", "--keep").out
    folder = re.search(r"kept in (\S+)", shown)
    assert folder is not None
    assert crm.fine("status", "--hub", folder[1], "--json").data["streams"]


def test_what_was_set_aside_is_told_here_as_the_hub_does_not_stay(crm, exports: Path) -> None:
    (exports / "wide.csv").write_text(
        "Name,E-mail,City\nBo,bo@x.example,Bonn,1,2\nAl,al@x.example,\n"
    )
    shown = crm.fine("try", exports / "wide.csv").out
    assert "the row has 5 cells and the header 3 (line 2). Put cells" in shown
    assert "crm-hub dead list" not in shown
    (letter,) = crm.fine("try", exports / "wide.csv", "--json").data["dead"]
    assert letter["remedy"]


def test_its_data_is_one_document(crm, exports: Path) -> None:
    data = crm.fine("try", exports / "2026.mbox", "--json").data
    assert data["totals"]["events"] == 2
    assert len(data["timeline"]["events"]) == 2
    assert data["connections"][0]["connection"] == "files-2026"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nowhere.csv",),
        ("Contacts (2).csv", "--zone", "Mars/Base"),
        ("2026.mbox", "--own", "@"),
    ],
)
def test_what_cannot_be_tried_is_a_message_and_leaves_nothing(
    crm, exports: Path, arguments
) -> None:
    done = crm("try", *arguments)
    assert done.status == 2
    assert done.err
    assert list((exports / "temp").iterdir()) == []


def test_a_file_nobody_understands_is_named_and_fails_nothing(crm, exports: Path) -> None:
    (exports / "strange.csv").write_text("x,y\n1,2\n3,4\n")
    shown = crm.fine("try", exports / "strange.csv").out
    assert "strange.csv" in shown
    assert "mapping" in shown
