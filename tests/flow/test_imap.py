"""A mailbox on a real Dovecot through the whole house: timeline, people, status, deletes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from sqlalchemy import text

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.flow.reading import Line, people, timeline
from crm_hub.flow.status import StreamStatus, status
from crm_hub.model.errors import MassDelete
from crm_hub.sdk.testing.servers.dovecot import Dovecot, dovecot
from crm_hub.sdk.testing.servers.process import Unobtainable

PASSWORD = "CRM_HUB_TEST_IMAP_PASSWORD"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    try:
        with dovecot() as found:
            yield found
    except Unobtainable as why:
        pytest.skip(str(why))


def letter(number: int, *, out: bool = False, answers: int = 0, signed: str = "") -> bytes:
    us, them = "Ann <ann@clearwater.example>", "Cleo Park <cleo@marlow.example>"
    return "\r\n".join(
        [
            f"From: {us if out else them}",
            f"To: {them if out else us}",
            f"Subject: Order {number}",
            f"Date: Tue, 10 Mar 2026 12:{number:02}:00 +0000",
            f"Message-ID: <m{number}@x.example>",
            *([f"In-Reply-To: <m{answers}@x.example>"] if answers else []),
            "",
            f"We take {number}.",
            signed,
        ]
    ).encode()


class Scene:
    """A hub, and mailboxes on the server."""

    def __init__(self, folder: Path, server: Dovecot) -> None:
        self.folder, self.server = folder, server
        self.users: dict[str, str] = {}
        create(folder, own=["clearwater.example"])
        self.hub = Hub(folder)

    def connect(self, name: str, **settings: Any) -> None:
        """Connect a mailbox, or change its settings; the hub is then opened anew."""
        self.users[name] = f"{self.folder.parent.name}-{name}@clearwater.example"
        given = {
            "host": self.server.host, "port": self.server.port, "tls": "none",
            "username": self.users[name], "password": f"env:{PASSWORD}", **settings,
        }  # fmt: skip
        add_connection(self.folder, name, "imap", given, replace=True)
        self.hub.close()
        self.hub = Hub(self.folder)

    def deliver(self, name: str, folder: str, *letters: bytes) -> None:
        self.server.deliver(folder, letters, self.users[name])

    def user(self, name: str, folder: str = "INBOX") -> IMAPClient:
        client = IMAPClient(self.server.host, self.server.port, ssl=False)
        client.login(self.users[name], self.server.password)
        client.select_folder(folder)
        return client

    def sync(self, **options: Any) -> list[SyncReport]:
        return list(sync(self.hub, **options))

    def lines(self) -> list[Line]:
        return timeline(self.hub, "cleo@marlow.example")[1]

    def stream(self, connection: str, name: str = "mail") -> StreamStatus:
        return next(s for s in status(self.hub) if (s.connection, s.stream) == (connection, name))


@pytest.fixture
def scene(tmp_path: Path, server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv(PASSWORD, server.password)
    found = Scene(tmp_path / "hub", server)
    yield found
    found.hub.close()


def test_mail_and_people_reach_the_timeline_and_the_status_is_honest(scene: Scene) -> None:
    scene.connect("ann")
    scene.deliver("ann", "Sent", letter(1, out=True))
    scene.deliver("ann", "INBOX", letter(2, answers=1), letter(3))
    (report,) = scene.sync()
    assert report.error is None
    assert [line.subject for line in scene.lines()] == ["Order 3", "Order 2", "Order 1"]
    assert [one.name for one in people(scene.hub)] == ["Cleo Park"]
    shown = scene.stream("ann")
    assert (shown.source_count, shown.hub_count, shown.state) == (3, 3, "ok")


def test_a_sync_without_news_writes_no_row(scene: Scene) -> None:
    scene.connect("ann")
    scene.deliver("ann", "INBOX", letter(1))
    scene.sync()
    before = scene.hub.store.rows_changed()
    scene.sync()
    assert scene.hub.store.rows_changed() == before


def test_a_moved_mail_is_the_same_line_with_another_folder(scene: Scene) -> None:
    scene.connect("ann")
    scene.deliver("ann", "Sent", letter(1, out=True))
    scene.sync()
    (before,) = scene.lines()
    with scene.user("ann", "Sent") as user:
        user.create_folder("Done")
        user.move([1], "Done")
    (report,) = scene.sync()
    (after,) = scene.lines()
    assert report.counts["deleted"] == 0
    assert after.cursor == before.cursor
    assert (before.attributes["folders"], after.attributes["folders"]) == (["Sent"], ["Done"])


def test_one_mail_in_two_mailboxes_is_one_line_and_the_stricter_visibility_wins(
    scene: Scene,
) -> None:
    scene.connect("ann")
    scene.connect("boss", visibility="subject")
    scene.deliver("ann", "Sent", letter(1, out=True))
    scene.sync()
    assert scene.lines()[0].snippet
    scene.deliver("boss", "INBOX", letter(1, out=True))
    scene.sync()
    (line,) = scene.lines()
    assert (line.subject, line.snippet) == ("Order 1", "")
    assert len(line.sources) == 2


def test_a_never_log_list_takes_what_is_stored_off_the_timeline(scene: Scene) -> None:
    scene.connect("ann")
    scene.deliver("ann", "Sent", letter(1, out=True))
    scene.deliver("ann", "INBOX", letter(2))
    scene.sync()
    assert len(scene.lines()) == 2
    scene.connect("ann", never_log="marlow.example")
    (report,) = scene.sync()
    assert report.error is None
    assert people(scene.hub) == []
    shown = scene.stream("ann")
    assert (shown.source_count, shown.hub_count, shown.state) == (0, 0, "ok")


def test_a_signature_is_kept_only_of_mail_that_may_be_logged_and_shown(scene: Scene) -> None:
    signed = "Kind regards,\r\nCleo Park\r\nBuyer\r\nMarlow Works Ltd\r\n"

    def kept() -> int:
        with scene.hub.store.read() as db:
            return int(db.conn.execute(text("SELECT count(*) FROM signature")).scalar_one())

    scene.connect("ann")
    scene.deliver("ann", "INBOX", letter(1, signed=signed), letter(2))
    scene.sync()
    assert kept() == 1
    scene.connect("ann", visibility="subject")
    scene.sync()
    assert kept() == 0
    scene.connect("ann")
    scene.sync()
    assert kept() == 1
    scene.connect("ann", never_log="marlow.example")
    scene.sync()
    assert kept() == 0


def test_an_emptied_mailbox_asks_again_and_again_until_a_person_answers(scene: Scene) -> None:
    scene.connect("ann")
    scene.deliver("ann", "Sent", *(letter(number, out=True) for number in range(1, 31)))
    scene.sync()
    with scene.user("ann", "Sent") as user:
        user.delete_messages(user.search("ALL")[:28])
        user.expunge()
    for _ in range(2):
        (report,) = scene.sync()
        assert isinstance(report.error, MassDelete)
        assert len(scene.lines()) == 30
        # A restart of the hub answers no question either.
        scene.connect("ann")
    (report,) = scene.sync(accept_deletes=True)
    assert report.error is None
    assert len(scene.lines()) == 2
    assert scene.stream("ann").state == "ok"
    (report,) = scene.sync()
    assert report.error is None


def test_a_message_nobody_can_read_shows_in_the_coverage(scene: Scene) -> None:
    scene.connect("ann")
    scene.deliver("ann", "INBOX", letter(1), b"no header at all\n")
    scene.sync()
    shown = scene.stream("ann")
    assert (shown.source_count, shown.hub_count, shown.dead) == (2, 1, 1)
    assert shown.state == "incomplete"
