"""A hub with a mailbox and a real Radicale: what an admin sees of calendars."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.caldav import CaldavConnector
from crm_hub_connectors.caldav.tests.sources import entry
from sqlalchemy import text as sql

from crm_hub.config import add_connection, create
from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, SyncReport, sync
from crm_hub.flow.status import status
from crm_hub.model.errors import MassDelete
from crm_hub.model.records import Window
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.radicale import Collection, Radicale, radicale
from crm_hub.store import Machinery

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANN = "ann.lee@acme.example"
GUESTS = (
    "ORGANIZER;CN=Bob:mailto:bob@clearwater.example",
    f"ATTENDEE;CN=Ann Lee;PARTSTAT=ACCEPTED:mailto:{ANN}",
)
INVITATION = """From: Ann Lee <{ann}>
To: bob@clearwater.example
Subject: Site visit
Date: Mon, 2 Mar 2026 09:00:00 +0000
Message-ID: <invite-1@acme.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

Shall we?
--b
Content-Type: text/calendar; method=REQUEST; charset=utf-8

{calendar}
--b--
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Radicale]:
    try:
        with radicale() as server:
            yield server
    except Unobtainable as reason:
        pytest.skip(str(reason))


class Scene:
    """A hub on one calendar of its own, with a clock that a test sets."""

    def __init__(self, folder: Path, server: Radicale) -> None:
        self.server = server
        self.now = NOW
        self.name = folder.name
        self.calendar: Collection = server.collection(folder.name)
        (folder / "mail").mkdir()
        self.mail = folder / "mail"
        secret = folder / "password"
        secret.write_text(server.password, "utf-8")
        secret.chmod(0o600)
        create(folder / "hub", own=["clearwater.example"])
        add_connection(folder / "hub", "mail", "files", {"path": str(self.mail)})
        settings = {
            "url": server.url, "username": server.user, "password": f"file:{secret}",
            "calendars": folder.name,
        }  # fmt: skip
        add_connection(folder / "hub", "cal", "caldav", settings)
        self.hub = Hub(folder / "hub", now=lambda: self.now)

    def invite(self, calendar: str) -> None:
        (self.mail / "1.eml").write_text(INVITATION.format(ann=ANN, calendar=calendar), "utf-8")

    def sync(self, name: str = "cal", **options: Any) -> SyncReport:
        (report,) = sync(self.hub, [name], **options)
        return report

    def good(self) -> SyncReport:
        report = self.sync()
        assert report.error is None, report.error
        return report

    def meetings(self) -> list[Any]:
        lines = reading.timeline(self.hub, ANN, 1_000)[1]
        return [line for line in lines if line.type.startswith(("meeting", "task"))]

    def counts(self) -> tuple[int | None, int, float | None]:
        (row,) = (one for one in status(self.hub) if one.connection == "cal")
        return row.source_count, row.hub_count, row.coverage

    def letters(self) -> list[Any]:
        with self.hub.store.read() as db:
            return Machinery(db).dead("cal")


@pytest.fixture
def scene(tmp_path: Path, server: Radicale) -> Iterator[Scene]:
    made = Scene(tmp_path, server)
    made.invite(entry(1, "Site visit", *GUESTS, uid="visit-7@clearwater.example"))
    assert made.sync("mail").error is None
    yield made
    made.hub.close()
    shutil.rmtree(made.calendar.folder, ignore_errors=True)


def test_what_comes_and_goes_later_counts_in_the_coverage(scene: Scene) -> None:
    for number in (1, 2, 3):
        scene.calendar.write(f"{number}.ics", entry(number, f"Visit {number}", uid=f"u{number}"))
    scene.good()
    scene.calendar.write("4.ics", entry(4, "Visit 4", uid="u4"))
    scene.good()
    assert scene.counts() == (4, 4, 100.0)
    scene.calendar.remove("1.ics")
    scene.good()
    assert scene.counts() == (3, 3, 100.0)


def test_a_meeting_from_mail_and_from_the_calendar_is_one_event(scene: Scene) -> None:
    assert [line.subject for line in scene.meetings()] == ["Site visit 1"]
    text = entry(1, "Site visit", *GUESTS, "DESCRIPTION:Bring boots.",
                 uid="visit-7@clearwater.example")  # fmt: skip
    scene.calendar.write("v.ics", text)
    scene.good()
    (line,) = scene.meetings()
    assert (line.type, line.subject) == ("meeting.booked", "Site visit 1")
    with scene.hub.store.read() as db:
        told = (
            "SELECT count(*) FROM event_source s JOIN event e ON e.id = s.event_id WHERE e.key = :k"
        )
        count = db.conn.execute(sql(told), {"k": "meeting|visit-7@clearwater.example"}).scalar()
    assert count == 2
    scene.calendar.write("v.ics", text.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DECLINED"))
    scene.good()
    assert [line.type for line in scene.meetings()] == ["meeting.declined"]


def test_occurrences_of_a_series_are_the_same_meetings_from_mail_and_calendar(
    scene: Scene,
) -> None:
    series = entry(2, "Weekly", *GUESTS, "RRULE:FREQ=WEEKLY;COUNT=3", uid="w@clearwater.example")
    scene.invite(series)
    assert scene.sync("mail").error is None
    before = [line.subject for line in scene.meetings()].count("Weekly 2")
    assert before == 1, "a mail tells the first occurrence"
    scene.calendar.write("w.ics", series)
    scene.good()
    assert [line.subject for line in scene.meetings()].count("Weekly 2") == 3


def test_a_private_meeting_shows_no_more_than_that_it_is(scene: Scene) -> None:
    scene.calendar.write("p.ics", entry(9, "Doctor", *GUESTS, "CLASS:PRIVATE", uid="p@x.example"))
    scene.good()
    with scene.hub.store.read() as db:
        found = db.conn.execute(
            sql("SELECT visibility FROM event WHERE key = 'meeting|p@x.example'")
        ).scalar()
    assert found == "metadata"
    assert "Doctor 9" not in [line.subject for line in scene.meetings()]


def test_a_task_is_on_the_timeline_and_done_when_it_is(scene: Scene) -> None:
    task = entry(4, "Call Ann", *GUESTS, uid="t@x.example").replace("VEVENT", "VTODO")
    task = task.replace("DTEND", "DUE")
    scene.calendar.write("t.ics", task)
    scene.good()
    assert "task.created" in [line.type for line in scene.meetings()]
    scene.calendar.write("t.ics", task.replace("SUMMARY", "STATUS:COMPLETED\r\nSUMMARY"))
    scene.good()
    assert "task.done" in [line.type for line in scene.meetings()]


def test_a_series_rolls_on_and_its_past_stays_on_the_timeline(scene: Scene) -> None:
    scene.calendar.write("w.ics", entry(2, "Weekly", *GUESTS, "RRULE:FREQ=WEEKLY"))
    scene.calendar.write("x.ics", entry(3, "Once", *GUESTS))
    scene.good()
    first = {line.occurred_at for line in scene.meetings() if line.subject == "Weekly 2"}
    assert len(first) == 10
    assert scene.good().counts["pulled"] == 0
    scene.now = NOW + timedelta(days=700)
    report = scene.good()
    assert (report.counts["pulled"], report.counts["changed"]) == (1, 1)
    then = {line.occurred_at for line in scene.meetings() if line.subject == "Weekly 2"}
    assert first < then
    assert len(then) == 110


def test_an_expired_token_finds_what_was_deleted_meanwhile(scene: Scene) -> None:
    for number in range(6):
        scene.calendar.write(f"{number}.ics", entry(number, "Visit", *GUESTS))
    scene.good()
    scene.calendar.remove("3.ics")
    scene.calendar.write("9.ics", entry(9, "Visit", *GUESTS))
    scene.server.forget_tokens()
    report = scene.good()
    assert "expired" in " ".join(report.notes)
    assert report.counts["deleted"] == 1
    subjects = {line.subject for line in scene.meetings()}
    assert "Visit 3" not in subjects
    assert "Visit 9" in subjects


def test_an_emptied_calendar_asks_and_deletes_nothing(scene: Scene) -> None:
    for number in range(4):
        scene.calendar.write(f"{number}.ics", entry(number, "Visit", *GUESTS))
    scene.good()
    for number in range(4):
        scene.calendar.remove(f"{number}.ics")
    scene.calendar.write("new.ics", entry(9, "Visit", *GUESTS))
    for _ in range(2):
        assert isinstance(scene.sync().error, MassDelete)
        assert {f"Visit {n}" for n in (0, 1, 2, 3, 9)} <= {m.subject for m in scene.meetings()}
    assert scene.sync(accept_deletes=True).error is None
    assert [m.subject for m in scene.meetings() if m.subject.startswith("Visit")] == ["Visit 9"]
    assert scene.good().counts["pulled"] == 0


def test_a_question_after_an_expired_token_stays_until_it_is_answered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CaldavConnector, "page_items", 2)
    for number in range(8):
        scene.calendar.write(f"{number}.ics", entry(number, "Visit", *GUESTS))
    scene.good()
    scene.server.forget_tokens()
    for number in range(5):
        scene.calendar.remove(f"{number}.ics")
    for _ in range(3):
        assert isinstance(scene.sync().error, MassDelete)
    report = scene.sync(accept_deletes=True)
    assert report.error is None
    assert report.counts["deleted"] == 5
    assert scene.good().counts["pulled"] == 0


def test_a_calendar_that_is_gone_asks(scene: Scene) -> None:
    other = scene.server.collection(f"{scene.name}-2")
    scene.hub.override("cal", calendars="")
    scene.calendar.write("a.ics", entry(1, "Kept", *GUESTS))
    other.write("b.ics", entry(2, "Other", *GUESTS))
    scene.good()
    shutil.rmtree(other.folder)
    report = scene.sync()
    assert isinstance(report.error, MassDelete)
    assert f"{scene.name}-2 is no longer there" in report.error.message
    assert "Other 2" in [m.subject for m in scene.meetings()]
    assert scene.sync(accept_deletes=True).error is None
    assert "Other 2" not in [m.subject for m in scene.meetings()]
    assert "Kept 1" in [m.subject for m in scene.meetings()]


def test_an_entry_that_cannot_be_read_is_a_dead_letter_until_it_can(scene: Scene) -> None:
    scene.calendar.write("good.ics", entry(1, "Good", *GUESTS))
    scene.calendar.write("odd.ics", entry(2, "Odd", *GUESTS, "RRULE:FREQ=HOURLY"))
    scene.good()
    assert [one.record_key for one in scene.letters()] == ["odd.ics"]
    assert "HOURLY" in scene.letters()[0].reason
    assert "Good 1" in [m.subject for m in scene.meetings()]
    scene.calendar.write("odd.ics", entry(2, "Odd", *GUESTS))
    scene.good()
    assert scene.letters() == []
    assert "Odd 2" in [m.subject for m in scene.meetings()]


def test_a_backfill_moves_no_checkpoint(scene: Scene) -> None:
    scene.calendar.write("a.ics", entry(1, "First", *GUESTS))
    scene.good()
    scene.calendar.write("b.ics", entry(5, "Second", *GUESTS))
    window = Window(datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC))
    report = Inbound(scene.hub, "cal").backfill(window)
    assert report.error is None
    assert "Second 5" in [m.subject for m in scene.meetings()]
    assert scene.good().counts["pulled"] == 1
