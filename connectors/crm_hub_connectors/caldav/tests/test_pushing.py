"""What is written to calendars, on real servers: nobody is mailed, and nothing else changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from crm_hub_connectors.caldav.tests.rigs import connect
from crm_hub_connectors.caldav.tests.sources import entry

from crm_hub.sdk import Outcome, Write
from crm_hub.sdk.http import HttpClient
from crm_hub.sdk.testing.contract import CANARY
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.cyrus import Cyrus, cyrus
from crm_hub.sdk.testing.servers.radicale import radicale
from crm_hub.sdk.testing.servers.xandikos import Xandikos, xandikos

MEETING = {
    "kind": "event", "summary": "Visit", "start": "2027-03-12T09:00:00+00:00",
    "end": "2027-03-12T10:00:00+00:00", "organizer.address": "ann@clearwater.example",
    "attendees.address": ["guest@visitors.example"],
}  # fmt: skip
GUESTS = (
    "ORGANIZER:mailto:ann@clearwater.example",
    "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:guest@visitors.example",
)


@pytest.fixture(scope="module")
def scheduling() -> Iterator[Cyrus]:
    try:
        with cyrus(password=CANARY) as server:
            yield server
    except Unobtainable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def plain() -> Iterator[Xandikos]:
    try:
        with xandikos() as server:
            yield server
    except Unobtainable as reason:
        pytest.skip(str(reason))


def push(
    url: str, stream: str, fields: dict[str, Any], *, id: str | None = None, key: str,
    operation: Any = "upsert", guard: str | None = None, **settings: Any,
) -> Outcome:  # fmt: skip
    write = Write(operation, stream, id, fields, {}, guard, key)
    return connect(url, **settings).push([write])[0]


def mails(server: Cyrus) -> list[str]:
    """Return what was sent; a mail leaves while the answer to its PUT is made."""
    time.sleep(0.3)
    return server.sent()


ANSWERED = "guest@visitors.example; accepted; chair; Guest"


@pytest.mark.parametrize("guests_from_the_start", [True, False])
def test_guests_and_answers_of_another_calendar_mail_nobody(
    scheduling: Cyrus, guests_from_the_start: bool
) -> None:
    before, key = len(mails(scheduling)), f"answers-{guests_from_the_start}"
    plain = {
        k: v for k, v in MEETING.items() if k not in ("attendees.address", "organizer.address")
    }
    first = {"attendance": [ANSWERED], "organizer.address": "ann@clearwater.example"}
    made = push(
        scheduling.url, "Default", plain | (first if guests_from_the_start else {}), key=f"{key}-1"
    )
    assert made.result == "applied"
    told = {
        "joined": [*first["attendance"], "other@visitors.example; needs-action; req-participant"],
        "declined": [ANSWERED.replace("accepted", "declined")],
    }
    for word, attendance in told.items():
        fields = {"attendance": attendance, "organizer.address": "ann@clearwater.example"}
        made = push(
            scheduling.url, "Default", fields, id=made.id, key=f"{key}-{word}", guard=made.version
        )
        assert made.result == "applied", made
    over = push(
        scheduling.url, "Default", {}, id=made.id, key=f"{key}-over", operation="delete",
        guard=made.version,
    )  # fmt: skip
    assert over.result == "applied"
    assert len(mails(scheduling)) == before


def test_a_pushed_meeting_with_guests_mails_nobody(scheduling: Cyrus) -> None:
    before = len(mails(scheduling))
    made = push(scheduling.url, "Default", MEETING, key="key-1")
    assert made.result == "applied"
    moved = push(
        scheduling.url, "Default", {"start": "2027-03-12T09:30:00+00:00"}, id=made.id, key="key-2",
        guard=made.version,
    )  # fmt: skip
    assert moved.result == "applied"
    cancelled = push(
        scheduling.url, "Default", {"status": "cancelled"}, id=made.id, key="key-3",
        guard=moved.version,
    )  # fmt: skip
    assert cancelled.result == "applied"
    over = push(
        scheduling.url, "Default", {}, id=made.id, key="key-4", operation="delete",
        guard=cancelled.version,
    )  # fmt: skip
    assert over.result == "applied"
    assert mails(scheduling)[before:] == []


def test_a_meeting_whose_guests_the_server_informs_waits_for_the_setting(scheduling: Cyrus) -> None:
    path = scheduling.calendar + "theirs.ics"
    text = entry(1, "Visit", *GUESTS, uid="theirs@clearwater.example").replace("202603", "202703")
    before = len(mails(scheduling))
    scheduling.put(path, text)
    assert "guest@visitors.example" in mails(scheduling)[before], "this server mails, if it may"
    count, held = len(mails(scheduling)), scheduling.get(path)
    found = push(scheduling.url, "Default", {"summary": "Moved"}, id="theirs.ics", key="key-5")
    assert found.result == "rejected"
    assert "inform_guests" in found.reasons["summary"]
    gone = push(scheduling.url, "Default", {}, id="theirs.ics", key="key-6", operation="delete")
    assert gone.result == "rejected"
    assert (scheduling.get(path), len(mails(scheduling))) == (held, count)
    allowed = push(
        scheduling.url, "Default", {"start": "2027-03-02T02:00:00+00:00",
        "end": "2027-03-02T03:00:00+00:00"}, id="theirs.ics", key="key-7", inform_guests=True,
    )  # fmt: skip
    assert allowed.result == "applied"


def exchanged(name: str, text: str, fields: dict[str, Any]) -> tuple[str, str]:
    """Return what a Radicale, which does no scheduling, says of an entry, and is sent for it.

    It stores and gives an entry in an order of its own, so what it gives is what counts.
    """
    try:
        with radicale(password=CANARY) as behind, FaultServer() as between:
            forward(between, behind.url)
            calendar = behind.collection("work")
            calendar.write(name, text)
            with HttpClient(behind.url, auth=(behind.user, CANARY), allow_private=True) as http:
                given = http.get(calendar.path + name).body.decode()
            found = push(between.url, "work", fields, id=name, key="key-8")
            assert found.result == "applied", found.reasons
            (put,) = [call for call in between.calls if call.method == "PUT"]
            assert put.headers["if-match"]
            return given, put.body.decode()
    except Unobtainable as reason:
        pytest.skip(str(reason))


def test_a_meeting_with_guests_is_changed_where_the_server_mails_nobody() -> None:
    text = entry(2, "Visit", *GUESTS, 'X-KEEP;X-P="a;b":kept', uid="slash/and blank@x.example")
    given, sent = exchanged("guests.ics", text, {"location": "Pier 7"})
    assert sent.replace("LOCATION:Pier 7\r\n", "") == given, "nothing else has changed"


def test_one_occurrence_is_changed_and_the_series_stays() -> None:
    text = entry(3, "Weekly", "RRULE:FREQ=WEEKLY;COUNT=5", uid="weekly@x.example")
    path = "occurrences.[recurrence_id=20260311T030000Z].summary"
    given, sent = exchanged("weekly.ics", text, {path: "Another day"})
    assert sent.startswith(given.removesuffix("END:VCALENDAR\r\n"))
    assert "RECURRENCE-ID:20260311T030000Z" in sent


def test_a_uid_that_is_there_under_another_name_is_rejected(plain: Xandikos) -> None:
    plain.put(plain.calendar + "first.ics", entry(4, uid="twice@x.example"))
    fields = {**MEETING, "uid": "twice@x.example"}
    found = push(plain.url, "calendar", fields, key="key-10")
    assert (found.result, set(found.reasons)) == ("rejected", {"uid"})
