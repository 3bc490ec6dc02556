"""Calendar servers as sources of the contract suite: real ones, behind the fault server."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator, Set
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

from crm_hub_connectors.caldav import davxml

from crm_hub.sdk.testing.contract import CANARY, WRONG, Alteration, Exempt, Source
from crm_hub.sdk.testing.fault_server import Call, FaultServer, Reply
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.testing.servers.cyrus import Cyrus
from crm_hub.sdk.testing.servers.radicale import Radicale, radicale
from crm_hub.sdk.testing.servers.xandikos import Xandikos

METHODS = ("GET", "PROPFIND", "REPORT", "OPTIONS")
_NOT_PASSED_ON = ("host", "content-length", "connection", "accept-encoding")


def entry(number: int, title: str = "Visit", *more: str, uid: str = "") -> str:
    """Return a calendar object with one meeting."""
    return "\r\n".join([
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", "BEGIN:VEVENT",
        f"UID:{uid or f'visit-{number}@clearwater.example'}",
        f"DTSTART:202603{number % 28 + 1:02d}T{number % 24:02d}0000Z",
        f"DTEND:202603{number % 28 + 1:02d}T{number % 24:02d}3000Z",
        "DTSTAMP:20260101T000000Z", f"SUMMARY:{title} {number}", *more,
        "END:VEVENT", "END:VCALENDAR", "",
    ])  # fmt: skip


def forward(server: FaultServer, to: str) -> None:
    """Let the fault server hand every call on to a real server, and its answer back."""

    def answer(call: Call) -> Reply:
        link = http.client.HTTPConnection(to.removeprefix("http://"), timeout=60)
        headers = {k: v for k, v in call.headers.items() if k not in _NOT_PASSED_ON}
        try:
            link.request(call.method, call.path, call.body, headers)
            found = link.getresponse()
            body = found.read()
        finally:
            link.close()
        kept = {k: v for k, v in found.getheaders() if k.lower() in ("location", "etag")}
        return Reply(found.status, body, found.getheader("Content-Type", "text/plain"), kept)

    for method in METHODS:
        server.route(method, "/", answer)


class RadicaleSource(Source):
    """A calendar of a Radicale; its files are changed on disk, as its own PUT does."""

    def __init__(self, behind: Radicale, server: FaultServer) -> None:
        self.server = server
        self.radicale = behind
        self.calendar = behind.collection("work", title="Work")
        self._numbers = count(1)

    def settings(self) -> dict[str, Any]:
        url = self.server.url if self.server else ""
        return {"url": url, "username": self.radicale.user, "password": CANARY}

    def bad_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": WRONG}

    def dead_settings(self) -> dict[str, Any]:
        return {**self.settings(), "url": f"http://127.0.0.1:{free_port()}"}

    def ids(self) -> Set[str]:
        return self.calendar.names()

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        if at is not None:
            raise Exempt("a resource has an etag and no time of change")
        names = []
        for _ in range(count):
            number = next(self._numbers)
            names.append(f"visit-{number:06d}.ics")
            self.calendar.write(names[-1], entry(number))
        return names

    def change(self, id: str) -> None:
        self.calendar.write(id, entry(next(self._numbers), "Moved", uid=f"{id}@x.example"))

    def delete(self, id: str) -> None:
        self.calendar.remove(id)

    def alter(self, how: Alteration) -> None:
        lines = {
            "field added": "X-NEW-FIELD;X-PARAM=1:news",
            "field removed": "",
            "field retyped": "SEQUENCE:seven",
        }
        number = next(self._numbers)
        text = entry(number, "Visit", lines[how])
        if how == "field removed":
            text = text.replace(f"SUMMARY:Visit {number}\r\n", "")
        self.calendar.write(min(self.ids()), text)


@contextmanager
def radicale_source(records: int) -> Iterator[RadicaleSource]:
    """Yield a Radicale with a calendar of this many meetings."""
    with radicale(password=CANARY) as behind, FaultServer() as server:
        forward(server, behind.url)
        source = RadicaleSource(behind, server)
        source.add(records)
        if records > 1_000:
            index(behind, source.calendar.path)
        yield source


def index(server: Radicale, path: str) -> None:
    """Let Radicale index its objects, which no client of the suite has the patience for."""
    login = base64.b64encode(f"{server.user}:{server.password}".encode()).decode()
    link = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=600)
    headers = {"Authorization": f"Basic {login}", "Depth": "0"}
    link.request("REPORT", path, davxml.sync_collection(""), headers)
    link.getresponse().read()
    link.close()


class PutSource(RadicaleSource):
    """The calendar of a Xandikos or a Cyrus, changed by PUT and DELETE."""

    def __init__(self, behind: Xandikos | Cyrus, server: FaultServer) -> None:
        self.server = server
        self.behind = behind
        self._ids: set[str] = set()
        self._numbers = count(1)

    def settings(self) -> dict[str, Any]:
        url = self.server.url if self.server else ""
        return {"url": url, "username": "ann", "password": CANARY}

    def bad_settings(self) -> dict[str, Any]:
        if isinstance(self.behind, Xandikos):
            raise Exempt("this Xandikos asks for no password")
        return super().bad_settings()

    def ids(self) -> Set[str]:
        return set(self._ids)

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        names = []
        for _ in range(count):
            number = next(self._numbers)
            names.append(f"visit-{number:06d}.ics")
            self.behind.put(self.behind.calendar + names[-1], entry(number))
        self._ids.update(names)
        return names

    def change(self, id: str) -> None:
        number = int(id[6:12])
        text = entry(number, f"Moved {next(self._numbers)}")
        self.behind.put(self.behind.calendar + id, text)

    def delete(self, id: str) -> None:
        self.behind.delete(self.behind.calendar + id)
        self._ids.discard(id)
