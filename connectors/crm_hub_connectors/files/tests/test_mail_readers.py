"""mbox, Maildir and .eml files: every message once, at the right place, and no further."""

from __future__ import annotations

import mailbox
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crm_hub_connectors.files.mail import Own, read_eml, read_maildir, read_mbox
from crm_hub_connectors.files.tests.nasty import mail
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.model.records import Reject
from crm_hub.sdk.formats.items import Item

FIXTURES = Path(__file__).parent.parent / "fixtures" / "mail"
FROM = b"From ann@acme.example Mon Mar  9 10:00:00 2026\n"


def _texts(path: Path, start: int = 0) -> list[str]:
    return [i.payload["text"] for i in read_mbox(path, start) if isinstance(i, Item)]


def _written(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "a.mbox"
    path.write_bytes(raw)
    return path


def test_each_message_of_the_sample_mailbox_is_there() -> None:
    items = [i for i in read_mbox(FIXTURES / "inbox.mbox") if isinstance(i, Item)]
    assert [i.id for i in items] == [
        "m0@clearwater.example 20260309T140000",
        "m1@acme.example 20260310T124000",
        "d1@mail.clearwater.example 20260311T090000",
    ]
    assert "From Monday on" in items[0].payload["text"]
    assert items[0].payload["received_at"] == "2026-03-09T14:00:00+00:00"
    assert items[-1].offset == (FIXTURES / "inbox.mbox").stat().st_size


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_line_ends_do_not_matter(tmp_path: Path, end: bytes) -> None:
    raw = (FIXTURES / "inbox.mbox").read_bytes().replace(b"\n", end)
    path = _written(tmp_path, raw)
    assert _texts(path) == _texts(FIXTURES / "inbox.mbox")


def test_a_sentence_that_begins_with_from_does_not_part_a_message(tmp_path: Path) -> None:
    raw = FROM + mail(body=b"Hello\n\nFrom here on it is text.\nFrom: me\n") + b"\n" + FROM + mail()
    assert _texts(_written(tmp_path, raw)) == [
        "Hello\n\nFrom here on it is text.\nFrom: me", "hello"
    ]  # fmt: skip


def test_a_missing_blank_line_before_the_separator_loses_nothing(tmp_path: Path) -> None:
    assert _texts(_written(tmp_path, FROM + mail() + FROM + mail())) == ["hello", "hello"]


def test_a_mailbox_without_its_first_separator_is_read(tmp_path: Path) -> None:
    assert _texts(_written(tmp_path, mail() + b"\n" + FROM + mail())) == ["hello", "hello"]


@pytest.mark.parametrize(
    "line",
    [
        b"From - Mon Mar 09 10:00:00 2026\n",
        b"From 1234567890@xxx Mon Mar 09 10:00:00 +0000 2026\n",
        b"From ann@acme.example Mon Mar  9 10:00:00 UTC 2026\n",
        b"From ann@acme.example Mon, 9 Mar 2026 10:00:00 +0000\n",
        b'From "a b"@acme.example Mon Mar  9 10:00 2026\n',
    ],
)
def test_separators_of_all_programs_are_understood(tmp_path: Path, line: bytes) -> None:
    path = _written(tmp_path, line + mail() + b"\n" + line + mail())
    items = [i for i in read_mbox(path) if isinstance(i, Item)]
    assert len(items) == 2
    assert items[0].payload["received_at"] == "2026-03-09T10:00:00+00:00"


def test_text_that_is_no_mail_is_set_aside_and_the_rest_read(tmp_path: Path) -> None:
    path = _written(tmp_path, b"just some notes\n\n" + FROM + mail())
    reject, item = read_mbox(path)
    assert isinstance(reject, Reject)
    assert (reject.place, reject.excerpt[:9]) == ("message at byte 0", "\njust som")
    assert isinstance(item, Item)


bodies = st.lists(
    st.sampled_from([
        "hello", "", "From me to you", ">From Monday", "From: x",
        "From a@b.example Mon Mar  9 10:00:00 2026", ">>From", "> quoted", "x" * 300,
    ]),
    max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(bodies, min_size=1, max_size=6))
def test_what_another_program_wrote_is_read_from_every_offset(
    tmp_path_factory: pytest.TempPathFactory, messages: list[list[str]]
) -> None:
    # mboxrd as RFC 4155's successors describe it: one more ">" before each ">*From ".
    raw = b""
    wanted = []
    for number, lines in enumerate(messages):
        quoted = [">" + line if line.lstrip(">").startswith("From ") else line for line in lines]
        body = "\n".join(quoted) + "\n"
        raw += FROM + f"Message-ID: <{number}@a.example>\n\n{body}\n".encode()
        wanted.append("\n".join(lines).strip())
    path = _written(tmp_path_factory.mktemp("mbox"), raw)
    items = [i for i in read_mbox(path) if isinstance(i, Item)]
    assert [i.payload["text"] for i in items] == wanted
    for index, item in enumerate(items, 1):
        rest = [i for i in read_mbox(path, item.offset) if isinstance(i, Item)]
        assert rest == items[index:]


def test_it_finds_what_the_standard_library_finds(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "std.mbox")
    for number in range(300):
        box.add(f"From: a@acme.example\nSubject: n{number}\n\n" + "From x\nbody\n" * number)
    box.close()
    items = [i for i in read_mbox(tmp_path / "std.mbox") if isinstance(i, Item)]
    assert [i.payload["subject"] for i in items] == [f"n{n}" for n in range(300)]


def test_a_maildir_gives_new_and_read_mail_of_all_its_folders(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "Maildir")
    seen = mailbox.MaildirMessage(mail(b"Subject: in"))
    seen.set_subdir("cur")
    seen.set_flags("RS")
    box.add(seen)
    box.add(mailbox.MaildirMessage(mail(b"Subject: new")))
    box.add_folder("Sent").add(mailbox.MaildirMessage(mail(b"Subject: out")))
    box.add_folder("Entw&APw-rfe").add(mailbox.MaildirMessage(mail(b"Subject: draft")))
    (tmp_path / "Maildir" / "tmp" / "half").write_bytes(mail(b"Subject: half"))
    box.close()
    found = {
        i.payload["subject"]: i.payload
        for i in read_maildir(tmp_path / "Maildir")
        if isinstance(i, Item)
    }
    assert set(found) == {"in", "new", "out", "draft"}
    assert found["in"]["flags"] == ["replied", "seen"]
    assert (found["out"]["folder"], found["out"]["direction"]) == ("Sent", "out")
    assert (found["draft"]["folder"], found["draft"]["state"]) == ("Entwürfe", "draft")
    received = datetime.fromisoformat(found["in"]["received_at"])
    assert abs((datetime.now(UTC) - received).total_seconds()) < 600


def test_reading_a_maildir_goes_on_at_any_offset(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "M")
    for number in range(5):
        box.add(f"Message-ID: <{number}@a.example>\n\nx\n")
    box.close()
    whole = [i for i in read_maildir(tmp_path / "M") if isinstance(i, Item)]
    for index, item in enumerate(whole, 1):
        assert list(read_maildir(tmp_path / "M", item.offset)) == whole[index:]


def test_an_eml_file_that_is_gone_is_set_aside(tmp_path: Path) -> None:
    (reject,) = read_eml(tmp_path / "gone.eml")
    assert isinstance(reject, Reject)
    assert "cannot be read" in reject.reason


def test_a_message_without_id_keeps_its_key(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(b"From: a@acme.example\n\nhello\n")
    (first,), (second,) = read_eml(path), read_eml(path, own=Own.parse("acme.example"))
    assert isinstance(first, Item)
    assert isinstance(second, Item)
    assert first.id == second.id
    assert first.id.startswith("sha:")
