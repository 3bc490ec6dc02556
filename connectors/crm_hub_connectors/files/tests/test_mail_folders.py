"""Archives of mail without a suffix: a file each, or a mailbox a month."""

from __future__ import annotations

from pathlib import Path

import pytest
from crm_hub_connectors.files.tests.test_connector import LETTER, connect, ids, stream

from crm_hub.sdk import Page

FROM = "From ann@acme.example Tue Mar 10 08:00:00 2026\n"
HASH = "7c53336b37003a9286aba55d2945844c"


def pulled(folder: Path, name: str) -> list[Page]:
    it = connect(folder)
    return list(it.pull(stream(it, name), None))


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("1", "2", "10"), ""), (("1.", "2.", "10."), ""), ((f"00001.{HASH}", f"00002.{HASH}"), ""),
        ((f"00001.{HASH}", f"00002.{HASH}"), FROM), (("1", "a.eml"), ""),
    ],
)  # fmt: skip
def test_numbered_mails_are_one_stream(tmp_path: Path, names: tuple[str, ...], first: str) -> None:
    (tmp_path / "inbox").mkdir()
    for number, name in enumerate(names):
        (tmp_path / "inbox" / name).write_text(first + LETTER.format(id=number))
    assert [s.name for s in connect(tmp_path).discover() if s.shape == "mail"] == ["inbox/"]
    pages = pulled(tmp_path, "inbox/")
    assert len(set(ids(pages))) == len(names)
    assert pages[-1].complete


def test_a_numbered_file_is_one_mail(tmp_path: Path) -> None:
    (tmp_path / "1.").write_text(LETTER.format(id=1))
    it = connect(tmp_path, path="1.")
    assert ids(list(it.pull(stream(it, "1."), None))) == ["1@acme 20260310T130000"]


@pytest.mark.parametrize("name", ["2026", "2026-03", "list.2026-03", "2026-March.txt", "inbox.1"])
def test_an_archive_of_a_list_is_a_mailbox(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("".join(f"{FROM}{LETTER.format(id=n)}\n" for n in range(3)))
    assert len(ids(pulled(tmp_path, name))) == 3


def test_numbered_files_that_are_no_mail_are_left_out(tmp_path: Path) -> None:
    for name, text in (("1", "hello\nthere\n"), ("2.", "\x00\x01"), ("3", "Subject to change\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "a.csv").write_text("id,Email\n1,a@x.example\n")
    assert [s.name for s in connect(tmp_path).discover()] == ["a.csv"]
