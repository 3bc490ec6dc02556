"""A folder with one calendar entry for each file: the contract suite on it, and what is its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import icalendar
from crm_hub_connectors.files.connector import FilesConnector, FilesSettings
from crm_hub_connectors.files.tests.test_vdir_contract import CardFolder, SmallPages

from crm_hub.sdk import Context, Outcome, Write
from crm_hub.sdk.testing.contract import ContractSuite, Exempt, Harness
from crm_hub.sdk.testing.harness import Alteration, Source

ENTRY = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//somebody//EN\r
BEGIN:VEVENT\r
UID:{id}\r
DTSTAMP:20260301T090000Z\r
DTSTART:20260310T140000Z\r
DTEND:20260310T150000Z\r
SUMMARY:{name}\r
X-UNKNOWN;P="a;b":kept\\, and a very long line that somebody's program folded somewh\r
 ere\r
BEGIN:VALARM\r
ACTION:DISPLAY\r
TRIGGER:-PT15M\r
DESCRIPTION:soon\r
END:VALARM\r
END:VEVENT\r
END:VCALENDAR\r
"""
KEY = "0123456789abcdef"


def connect(folder: Path, now: datetime) -> FilesConnector:
    settings = FilesSettings.model_validate({"path": str(folder), "format": "vdir-ics"})
    return FilesConnector(settings, Context("cal", folder, now=lambda: now))


def save(folder: Path, text: str, id: str = "visit") -> Path:
    path = folder / f"{id}.ics"
    path.write_bytes(text.encode())
    return path


def push(
    folder: Path, id: str | None, fields: dict[str, Any], operation: Any = "upsert"
) -> Outcome:
    one = Write(operation, ".", id, fields, {}, None, KEY)
    (outcome,) = connect(folder, datetime(2026, 3, 10, tzinfo=UTC)).push([one])
    return outcome


def test_a_moved_meeting_leaves_every_other_byte(tmp_path: Path) -> None:
    path = save(tmp_path, ENTRY.format(id="visit", name="Visit"))
    before = path.read_bytes()
    fields = {"start": "2026-03-11T14:00:00Z", "end": "2026-03-11T15:00:00Z"}
    assert push(tmp_path, "visit.ics", fields).result == "applied"
    assert path.read_bytes() == before.replace(b"20260310T1", b"20260311T1")


def test_a_new_meeting_has_the_uid_it_has_elsewhere(tmp_path: Path) -> None:
    fields = {"kind": "event", "uid": "visit-7@clearwater.example", "summary": "Visit",
              "start": "2026-03-11T14:00:00Z", "end": "2026-03-11T15:00:00Z"}  # fmt: skip
    first, again = push(tmp_path, None, fields), push(tmp_path, None, fields)
    assert (first.result, again.result) == ("applied", "duplicate")
    assert first.version == again.version
    (event,) = icalendar.Calendar.from_ical((tmp_path / f"{KEY}.ics").read_bytes()).walk("VEVENT")
    assert event["UID"] == "visit-7@clearwater.example"
    assert event["SUMMARY"] == "Visit"


def test_a_meeting_that_invites_guests_is_left_alone(tmp_path: Path) -> None:
    guests = "ORGANIZER:mailto:bob@clearwater.example\r\nATTENDEE:mailto:ann@acme.example\r\n"
    text = ENTRY.format(id="visit", name="Visit").replace("BEGIN:VALARM", guests + "BEGIN:VALARM")
    path = save(tmp_path, text)
    for operation in ("upsert", "delete"):
        outcome = push(tmp_path, "visit.ics", {"summary": "x"}, operation)
        assert outcome.result == "rejected"
        assert "guests" in next(iter(outcome.reasons.values()))
    assert path.read_bytes() == text.encode()


def test_a_series_is_read_anew_each_day_and_once_a_day(tmp_path: Path) -> None:
    text = ENTRY.format(id="daily", name="Daily")
    save(tmp_path, text.replace("SUMMARY", "RRULE:FREQ=DAILY\r\nSUMMARY"), "daily")
    save(tmp_path, ENTRY.format(id="once", name="Once"), "once")
    day, known, counts = datetime(2027, 3, 10, tzinfo=UTC), None, []
    for now in (day, day + timedelta(hours=5), day + timedelta(days=1)):
        connector = connect(tmp_path, now)
        pages = list(connector.pull(connector.discover()[0], known))
        known = pages[-1].checkpoint if pages else known
        counts.append([c.id for page in pages for c in page.changes])
    assert counts == [["daily.ics", "once.ics"], [], ["daily.ics"]]


class EntryFolder(CardFolder):
    suffix = ".ics"

    def settings(self) -> dict[str, Any]:
        return {"path": str(self.folder), "format": "vdir-ics"}

    def dead_settings(self) -> dict[str, Any]:
        return {"path": str(self.folder / "missing"), "format": "vdir-ics"}

    def text(self, id: str) -> str:
        return ENTRY.format(id=id.removesuffix(".ics"), name="Visit")

    def change(self, id: str) -> None:
        text = (self.folder / id).read_bytes().decode()
        self._save(id, text.replace("SUMMARY:", f"SUMMARY:New {next(self._moment)} ", 1))

    def alter(self, how: Alteration) -> None:
        id = min(self.ids())
        text = (self.folder / id).read_bytes().decode()
        if how == "field retyped":
            raise Exempt("every value of an entry is text")
        line = "LOCATION:Room 1\r\n" if how == "field added" else ""
        lines = [one for one in text.splitlines(True) if line or not one.startswith("SUMMARY")]
        lines.insert(5, line)
        self._save(id, "".join(lines))

    def new_fields(self) -> Mapping[str, Any]:
        number = next(self._moment)
        return {"kind": "event", "uid": f"new-{number}", "summary": f"New {number}",
                "start": "2026-03-12T09:00:00Z", "end": "2026-03-12T10:00:00Z"}  # fmt: skip

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"summary": f"Changed {id}", "location": "Room 2"}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"start": "some day"}

    def held(self, id: str) -> Mapping[str, Any] | None:
        path = self.folder / id
        if not path.exists():
            return None
        (event,) = icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT")
        named = {"summary": str(event["SUMMARY"]), "location": str(event.get("LOCATION", ""))}
        lines = path.read_bytes().decode().split("\r\n")
        rest = [one for one in lines if not one.startswith(("SUMMARY", "LOCATION"))]
        return {**named, "lines": rest}


class EntryHarness(Harness):
    connector = SmallPages
    page_size = SmallPages.page_items
    memory_records = 2_000
    exempt: Mapping[int, str] = {10: "no token", 22: "files do not merge records"}

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        with TemporaryDirectory() as folder:
            source = EntryFolder(Path(folder))
            source.add(records)
            yield source


class TestEntryFolderContract(ContractSuite):
    harness = EntryHarness()
