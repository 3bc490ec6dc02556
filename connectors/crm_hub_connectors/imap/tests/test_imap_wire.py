"""The layer of our own on imapclient's connection, and the traps of the library it is there for."""

from __future__ import annotations

import io
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from crm_hub_connectors.imap.cycle import open_folder, search
from crm_hub_connectors.imap.folders import Seen, look
from crm_hub_connectors.imap.session import connect
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from crm_hub_connectors.imap.wire import (
    Lost,
    Refused,
    Wire,
    joined,
    read_fetch,
    read_uid_set,
    runs_of,
    uid_set,
)
from hypothesis import given
from hypothesis import strategies as st
from imapclient import IMAPClient


class Line:
    """What a server said, as imaplib's connection gives it."""

    def __init__(self, said: bytes) -> None:
        self.file = io.BufferedReader(io.BytesIO(said))  # type: ignore[arg-type]
        self.sent = b""

    def send(self, data: bytes) -> None:
        self.sent += data

    def _new_tag(self) -> bytes:
        return b"A1"


def said(text: bytes) -> Wire:
    return Wire(Line(text))


@pytest.fixture
def client(box: Mailbox) -> Iterator[IMAPClient]:
    box.deliver("INBOX", *map(mail, range(3)))
    with box.user_session() as found:
        yield found


# the library ----------------------------------------------------------------------------------


def test_imapclient_still_cannot_fetch_a_range(client: IMAPClient) -> None:
    """When this fails, the layer of our own may have become superfluous: look again."""
    with pytest.raises(ValueError, match="invalid literal"):
        client.fetch("1:*", ["UID"])


def test_imapclient_still_cannot_select_with_qresync() -> None:
    import inspect

    assert "qresync" not in inspect.getsource(IMAPClient.select_folder).lower()


def test_imapclient_still_has_what_the_layer_stands_on(client: IMAPClient) -> None:
    imap: Any = client._imap
    assert imap._new_tag()
    assert hasattr(imap.file, "readline")
    assert hasattr(imap.file, "peek")
    assert isinstance(imap.socket(), socket.socket)


def test_a_plain_search_of_more_than_a_megabyte_is_read() -> None:
    uids = range(1, 200_001)
    line = b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids) + b"\r\n"
    assert len(line) > 1_000_000
    wire = said(line + b"A1 OK done\r\n")

    class Session:
        def can(self, _name: str) -> bool:
            return False

    session: Any = Session()
    session.wire = wire
    assert search(session, "ALL") == list(uids)


# answers --------------------------------------------------------------------------------------


def test_answers_come_as_text_and_literals_in_turn() -> None:
    wire = said(
        b"* 1 FETCH (UID 7 BODY[] {5}\r\na}\r\nb FLAGS (\\Seen))\r\nA1 OK\r\nA1 OK done\r\n"
    )
    (answer,) = wire.run(b"X")
    assert answer == [b"* 1 FETCH (UID 7 BODY[] ", b"a}\r\nb", b" FLAGS (\\Seen))\r\n"]


@pytest.mark.parametrize(
    ("line", "uid", "flags", "date", "body"),
    [
        (b"* 1 FETCH (UID 7 FLAGS (\\Seen X) INTERNALDATE \"17-Jul-2026 02:44:25 -0700\" BODY[]<0> {3}\r\nabc)",
         7, ("\\Seen", "X"), "17-Jul-2026 02:44:25 -0700", b"abc"),
        (b"* 1 FETCH (BODY[]<0> {3}\r\nabc UID 7 FLAGS ())", 7, (), "", b"abc"),
        (b"* 1 FETCH (BODY[]<0> {10}\r\nUID 9 FLAG UID 7)", 7, (), "", b"UID 9 FLAG"),
        (b"* 1 FETCH (UID 7 BODY[]<0> \"a\\\"b\" FLAGS (A))", 7, ("A",), "", b'a"b'),
        (b"* 1 FETCH (UID 7 BODY[]<0> \"UID 8\")", 7, (), "", b"UID 8"),
        (b"* 1 FETCH (UID 7 BODY[] NIL)", 7, (), "", b""),
        (b"* 1 FETCH (UID 7 BODY[]<0> NIL FLAGS ())", 7, (), "", b""),
        (b"* 1 FETCH (UID 7 MODSEQ (12) FLAGS (\\Draft))", 7, ("\\Draft",), "", None),
        (b"* 1 FETCH (UID 7 BODY[] ~{2}\r\nab)", 7, (), "", b"ab"),
    ],
)  # fmt: skip
def test_a_fetch_answer_is_read_in_any_order_of_its_items(
    line: bytes, uid: int, flags: tuple[str, ...], date: str, body: bytes | None
) -> None:
    (answer,) = said(line + b"\r\nA1 OK done\r\n").run(b"X")
    found = read_fetch(answer)
    assert found is not None
    assert (found.uid, found.flags, found.date, found.body) == (uid, flags, date, body)


@pytest.mark.parametrize(
    ("item", "thread"),
    [(b"X-GM-THRID 1278455344230334865", "1278455344230334865"), (b"THREADID (T5-a)", "T5-a"),
     (b"THREADID NIL", "")],
)  # fmt: skip
def test_the_thread_id_of_the_provider_is_read(item: bytes, thread: str) -> None:
    (answer,) = said(
        b"* 1 FETCH (UID 7 " + item + b" BODY[] {1}\r\na)\r\nA1 OK\r\nA1 OK x\r\n"
    ).run(b"")
    found = read_fetch(answer)
    assert found is not None
    assert found.thread == thread


@pytest.mark.parametrize(
    "line", [b"* 3 EXISTS\r\n", b"* VANISHED 1:4\r\n", b"* 1 FETCH (FLAGS ())\r\n", b"* OK hi\r\n"]
)
def test_what_is_no_fetch_answer_is_none(line: bytes) -> None:
    assert read_fetch([line]) is None


def test_a_literal_in_a_list_answer_becomes_a_quoted_string() -> None:
    (answer,) = said(b'* LIST () "/" {5}\r\na"b\\c\r\nA1 OK\r\nA1 OK x\r\n').run(b"")
    assert joined(answer) == b'* LIST () "/" "a\\"b\\\\c"'


def test_a_refusal_leaves_the_connection_usable_and_says_what_the_server_said() -> None:
    wire = said(b"A1 NO [NOPERM] not yours\r\n")
    with pytest.raises(Refused, match="not yours"):
        list(wire.run(b"X"))
    assert not wire.busy


@pytest.mark.parametrize(
    "text",
    [
        b"", b"* 1 FETCH (UID 7", b"* 1 FETCH (UID 7 BODY[] {900}\r\nabc", b"* BYE gone\r\n",
        b"* 1 FETCH (BODY[] {99999999999}\r\nabc",
    ],
)  # fmt: skip
def test_half_an_answer_is_a_lost_connection(text: bytes) -> None:
    wire = said(text)
    with pytest.raises(Lost):
        list(wire.run(b"X"))
    assert wire.busy


def test_an_endless_line_and_endless_literals_end_in_time() -> None:
    started = time.process_time()
    with pytest.raises(Lost, match=r"endless|without end"):
        list(said(b"* " + b"x" * 33_000_000).run(b"X"))
    with pytest.raises(Lost, match="without end"):
        list(said(b"* LIST " + b"{1}\r\na" * 20_000 + b"\r\n").run(b"X"))
    assert time.process_time() - started < 2


def test_a_search_that_finds_every_uid_there_can_be_costs_nothing() -> None:
    session: Any = SimpleNamespace(wire=said(b"* ESEARCH ALL 1:4294967295\r\nA1 OK x\r\n"))
    session.can = lambda name: True
    with pytest.raises(Lost, match="more than 5,000,000 messages"):
        search(session, "ALL")


def test_more_than_was_asked_for_is_not_kept() -> None:
    body = b"x" * 9_000_000
    wire = said(b"* 1 FETCH (UID 7 BODY[] {%d}\r\n" % len(body) + body + b")\r\nA1 OK x\r\n")
    (answer,) = wire.run(b"X")
    assert len(answer[1]) == 4_000_000
    assert answer[2] == b")\r\n"


class Replayed:
    """A session that gets the answers of a recorded one, command by command."""

    def __init__(self, recorded: bytes) -> None:
        self.answers = {
            command.partition(b" ")[2]: said
            for command, said in re.findall(rb"C: (.*)\r\n((?:(?!C: )(?s:.))*)", recorded)
        }
        self.qresync = self.condstore = True
        self.selected = b""
        self.wire: Any = self

    def can(self, _name: str) -> bool:
        return True

    def run(self, command: bytes) -> Iterator[list[bytes]]:
        text = self.answers[command].replace(b"S: ", b"")
        tag = re.findall(rb"^(A\d+) (?:OK|NO)", text, re.M)[-1]
        return said(text.replace(b"\r\n" + tag + b" ", b"\r\nA1 ")).run(command)

    def lines(self, command: bytes) -> list[bytes]:
        return [joined(answer) for answer in self.run(command)]


def test_a_recorded_session_is_read_as_it_was() -> None:
    recorded = (Path(__file__).parents[1] / "fixtures" / "dovecot.txt").read_bytes()
    session: Any = Replayed(recorded)
    found = look(session)
    assert [(one.name, one.role, one.messages) for one in found] == [
        ("Sent", "sent", 0), ("INBOX", "inbox", 4), ("Drafts", "drafts", 0), ("Entwürfe", "drafts", 0),
        ('Quote"d', "", 0), ("Work/Pumps", "", 1),
    ]  # fmt: skip
    opened = open_folder(session, found[1], (found[1].validity, 2))
    assert (opened.exists, opened.next_uid, opened.modseq) == (2, 5, 6)
    assert opened.vanished == [(2, 3)]
    assert [(one.uid, one.flags) for one in opened.flagged] == [(4, ("\\Flagged", "Later"))]
    assert search(session, "UID 1:*") == [1, 4]
    (fetched,) = map(
        read_fetch, session.run(b"UID FETCH 4 (UID FLAGS INTERNALDATE BODY.PEEK[]<0.256000>)")
    )
    assert fetched is not None
    assert (fetched.uid, fetched.date) == (4, "25-Nov-2026 18:08:35 +0000")
    assert (fetched.body or b"").endswith(b"We take 4 filters.\r\n")


# sets of UIDs ---------------------------------------------------------------------------------


@given(st.sets(st.integers(1, 300)))
def test_uids_come_back_from_their_set(uids: set[int]) -> None:
    assert list(read_uid_set(uid_set(sorted(uids)))) == sorted(uids)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("1:4,7", [(1, 4), (7, 7)]), ("4:1", [(1, 4)]), ("", []), ("a,1:b,:,3", [(3, 3)]),
        ("1:99999999999", [(1, 0xFFFF_FFFF)]), ("²,5", [(5, 5)]),
    ],
)  # fmt: skip
def test_odd_sets_are_read_as_far_as_they_go(text: str, runs: list[tuple[int, int]]) -> None:
    assert list(runs_of(text)) == runs


def test_a_set_that_names_all_uids_there_can_be_costs_nothing(box: Mailbox) -> None:
    from crm_hub_connectors.imap.uids import Folder

    folder = Folder()
    for uid in (3, 5, 9):
        folder.put(uid, uid + 100)
    assert folder.among(runs_of("1:4294967295")) == [3, 5, 9]
    assert folder.among(runs_of("4:8")) == [5]
    assert sum(1 for _ in read_uid_set("1:4294967295", most=1_000)) == 1_000


# a real server --------------------------------------------------------------------------------


def test_vanished_and_changed_flags_come_with_the_opening_of_a_folder(box: Mailbox) -> None:
    box.deliver("INBOX", *map(mail, range(6)))
    session = connect(box.connector.settings, box.connector.context)
    (inbox,) = look(session)
    first = open_folder(session, inbox)
    with box.user_session() as user:
        user.delete_messages([2, 3])
        user.expunge()
        user.add_flags([5], [b"\\Flagged"])
    again = open_folder(session, inbox, (first.validity, first.modseq or 0))
    assert [uid for low, high in again.vanished for uid in range(low, high + 1)] == [2, 3]
    assert [(one.uid, one.flags) for one in again.flagged if "\\Flagged" in one.flags]
    assert again.exists == 4
    session.close()


@pytest.mark.parametrize("name", ["Plain", 'Quote"d', "Back\\slash", "Ünï & Co", "日本語", "a*b%c"])
def test_folders_with_odd_names_are_listed_and_opened(either: Mailbox, name: str) -> None:
    either.deliver("INBOX", mail(1))
    with either.user_session() as user:
        user.create_folder(name)
        user.append(name, mail(2))
    either.pull()
    assert either.subjects()["Order 2"] == [name]


def test_a_folder_that_cannot_be_opened_keeps_what_is_known(box: Mailbox) -> None:
    box.deliver("INBOX", mail(1))
    box.deliver("Closed", mail(2))
    box.pull()
    real = look

    def closed(session: Any) -> list[Seen]:
        return [
            Seen(one.name, one.raw, one.role, is_open=False) if one.name == "Closed" else one
            for one in real(session)
        ]

    from crm_hub_connectors.imap import folders

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "look", closed)
        assert box.pull() == []
        box.deliver("INBOX", mail(3))
        pages = box.pull()
    assert set(box.subjects()) == {"Order 1", "Order 2", "Order 3"}
    assert pages[-1].source_count == 3
