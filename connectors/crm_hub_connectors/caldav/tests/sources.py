"""Calendar servers as sources of the contract suite: real ones, behind the fault server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import icalendar

from crm_hub.sdk.testing.contract import CANARY, WRONG, Alteration, Exempt, Source
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.testing.servers.cyrus import Cyrus
from crm_hub.sdk.testing.servers.radicale import Radicale, radicale
from crm_hub.sdk.testing.servers.xandikos import Xandikos

_NAMED = ("SUMMARY", "DTSTART")


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

    # what is written to it ----------------------------------------------------------------

    def new_fields(self) -> Mapping[str, Any]:
        return {
            "kind": "event", "summary": "New", "location": "Pier 7",
            "start": "2026-03-12T09:00:00+00:00", "end": "2026-03-12T10:00:00+00:00",
        }  # fmt: skip

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"summary": f"Changed {id}", "start": "2026-03-01T02:00:00+00:00"}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"start": "soon"}

    def raw(self, id: str) -> bytes | None:
        path = self.calendar.folder / id
        return path.read_bytes() if path.exists() else None

    def held(self, id: str) -> Mapping[str, Any] | None:
        """Return each property of the entry, and the two times under the names of the payload."""
        raw = self.raw(id)
        if raw is None:
            return None
        event = icalendar.Calendar.from_ical(raw).walk("VEVENT")[0]
        said = {name: value.to_ical() for name, value in event.items() if name not in _NAMED}
        start = event["DTSTART"].dt.astimezone(UTC).isoformat()
        return {**said, "summary": str(event["SUMMARY"]), "start": start}

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
            behind.index(source.calendar.path)
        yield source


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
        """Return the names put here, and those that the hub has made."""
        listed = self.behind.names(self.behind.calendar)
        return listed if listed else set(self._ids)

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

    def raw(self, id: str) -> bytes | None:
        return self.behind.get(self.behind.calendar + id)

    def change(self, id: str) -> None:
        number = int(id[6:12])
        text = entry(number, f"Moved {next(self._numbers)}")
        self.behind.put(self.behind.calendar + id, text)

    def delete(self, id: str) -> None:
        self.behind.delete(self.behind.calendar + id)
        self._ids.discard(id)
