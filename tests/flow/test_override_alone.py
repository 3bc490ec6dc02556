"""One occurrence of a series without the series, as an invited guest has it, on real servers."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crm_hub.config import add_connection, create
from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.radicale import radicale
from crm_hub.sdk.testing.servers.xandikos import xandikos
from crm_hub.store import Machinery

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANN = "ann.lee@acme.example"
_HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//desktop//EN\r\n"
_COMMON = (
    "UID:weekly@clearwater.example\r\nDTSTAMP:20260301T000000Z\r\n"
    "ORGANIZER:mailto:bob@clearwater.example\r\n"
    f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ANN}\r\n"
)


def alone(start: str = "20260317T100000Z", subject: str = "Call later") -> str:
    return (
        f"BEGIN:VEVENT\r\n{_COMMON}RECURRENCE-ID:20260317T090000Z\r\nDTSTART:{start}\r\n"
        f"DURATION:PT30M\r\nSUMMARY:{subject}\r\nEND:VEVENT\r\n"
    )


SERIES = (
    f"BEGIN:VEVENT\r\n{_COMMON}DTSTART:20260310T090000Z\r\nDURATION:PT30M\r\n"
    "RRULE:FREQ=WEEKLY;COUNT=3\r\nSUMMARY:Call\r\nEND:VEVENT\r\n"
)


class Server(NamedTuple):
    """A calendar on a real server. settings: how the hub gets there."""

    settings: dict[str, str]
    call: Callable[[str, str], int]

    def put(self, *entries: str) -> None:
        text = f"{_HEAD}{''.join(entries)}END:VCALENDAR\r\n"
        status = self.call("PUT", text)
        if status == 400 and text.count("RECURRENCE-ID") > 1:
            pytest.skip("Radicale 3.9 refuses two occurrences without their series")
        assert status < 300, "the server takes such an object"


def _called(url: str, path: str, credential: str) -> Callable[[str, str], int]:
    def call(method: str, text: str) -> int:
        link = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=30)
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        if credential:
            headers["Authorization"] = f"Basic {base64.b64encode(credential.encode()).decode()}"
        link.request(method, f"{path}one.ics", text.encode(), headers)
        answer = link.getresponse()
        answer.read()
        link.close()
        return answer.status

    return call


@pytest.fixture(scope="module", params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    try:
        if request.param == "radicale":
            with radicale() as one:
                path = one.collection("work").path
                login = {"url": one.url, "username": one.user, "calendars": "work"}
                yield Server(login, _called(one.url, path, f"{one.user}:{one.password}"))
        else:
            with xandikos() as other:
                login = {"url": other.url, "username": "ann", "calendars": "calendar"}
                yield Server(login, _called(other.url, other.calendar, ""))
    except Unobtainable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def hub(tmp_path: Path, server: Server) -> Iterator[Hub]:
    secret = tmp_path / "password"
    secret.write_text("radicale-secret", "utf-8")
    secret.chmod(0o600)
    mail = tmp_path / "mail"
    mail.mkdir()
    (mail / "1.eml").write_text(
        f"From: Ann Lee <{ANN}>\nTo: bob@clearwater.example\nSubject: Hello\n"
        "Date: Mon, 2 Mar 2026 09:00:00 +0000\nMessage-ID: <1@acme.example>\n\nHello\n",
        "utf-8",
    )
    create(tmp_path / "hub", own=["clearwater.example"])
    settings = {**server.settings, "password": f"file:{secret}"}
    add_connection(tmp_path / "hub", "mail", "files", {"path": str(mail)})
    add_connection(tmp_path / "hub", "cal", "caldav", settings)
    opened = Hub(tmp_path / "hub", now=lambda: NOW)
    _good(opened, "mail")
    yield opened
    opened.close()
    server.call("DELETE", "")


def _good(hub: Hub, name: str = "cal", **options: Any) -> SyncReport:
    (report,) = sync(hub, [name], **options)
    assert report.error is None, report.error
    with hub.store.read() as db:
        assert Machinery(db).dead(name) == []
    return report


def _meetings(hub: Hub) -> list[tuple[str, str]]:
    lines = reading.timeline(hub, ANN, 100)[1]
    found = [(f"{m.occurred_at:%d %H:%M}", m.subject) for m in lines if m.type != "email.received"]
    return sorted(found)


def test_it_is_a_meeting_and_becomes_one_of_the_series_when_that_comes(
    hub: Hub, server: Server
) -> None:
    server.put(alone())
    assert _good(hub).counts["new"] == 1
    assert _meetings(hub) == [("17 10:00", "Call later")]
    assert _good(hub).counts["pulled"] == 0, "what has not changed is not read again"
    server.put(alone("20260317T113000Z"))
    _good(hub)
    assert _meetings(hub) == [("17 11:30", "Call later")], "a moved one is the same meeting"
    server.put(SERIES, alone("20260317T113000Z"))
    _good(hub)
    assert _meetings(hub) == [
        ("10 09:00", "Call"),
        ("17 11:30", "Call later"),
        ("24 09:00", "Call"),
    ]
    server.put(alone("20260317T113000Z"))
    _good(hub)
    assert _meetings(hub) == [("17 11:30", "Call later")], "the series was taken away again"
    server.call("DELETE", "")
    _good(hub, accept_deletes=True)
    assert _meetings(hub) == []


def test_two_of_one_series_without_it_are_two_meetings_of_one_record(
    hub: Hub, server: Server
) -> None:
    other = alone("20260324T100000Z", "And again").replace("ID:20260317T", "ID:20260324T")
    server.put(alone(), other)
    assert _good(hub).counts["new"] == 1
    assert _meetings(hub) == [("17 10:00", "Call later"), ("24 10:00", "And again")]
