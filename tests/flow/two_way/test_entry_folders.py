"""Two folders of calendar entries kept equal: by UID, in place, without a guest being mailed."""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import icalendar

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push

EDITS = int(os.environ.get("CRM_HUB_ENTRY_EDITS", "60"))
MAPPING = """\
version: 1
connector: files
streams:
  entries:
    create: {when: [uid, display_name]}
    delete: propagate
"""
KEPT = 'X-UNKNOWN;P="a;b":kept\\, folded some\r\n where\r\n'
ENTRY = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//somebody//EN\r\nBEGIN:VEVENT\r\nUID:e{n}\r\n"
    "DTSTAMP:20260301T090000Z\r\nDTSTART:2026{month:02}10T140000Z\r\nDTEND:2026{month:02}10T150000Z\r\n"
    "SUMMARY:Visit {n}\r\n" + KEPT + "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


class Calendars:
    """Two folders, `a` and `b`, in one hub; people edit both."""

    def __init__(self, folder: Path) -> None:
        self._rng, self._numbers = random.Random(5), itertools.count(1)
        self.written = Counter[str]()
        create(folder / "hub")
        self.books = {name: folder / name for name in "ab"}
        for name, place in self.books.items():
            place.mkdir()
            settings = {"path": str(place), "format": "vdir-ics"}
            add_connection(folder / "hub", name, "files", settings, direction="both")
        (folder / "hub" / "mappings").mkdir(exist_ok=True)
        (folder / "hub" / "mappings" / "files.yaml").write_text(MAPPING)
        self.hub = Hub(folder / "hub")

    def round(self) -> int:
        before = self.written.total()
        for _ in range(2):
            for report in sync(self.hub, accept_deletes=True):
                assert report.error is None, report.error
            for name in self.books:
                done = push(self.hub, name, yes=True, many=True)
                assert done is not None
                assert done.error is None, done.error
                assert not done.counts["dead"]
                self.written.update({k: done.counts[k] for k in ("created", "updated", "deleted")})
        return self.written.total() - before

    def held(self, name: str) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for path in self.books[name].glob("*.ics"):
            (event,) = icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT")
            words = [str(event.get(part, "")) for part in ("UID", "SUMMARY", "LOCATION")]
            found[(*words, event["DTSTART"].dt, event["DTEND"].dt)] += 1
        return found

    def people(self, count: int) -> None:
        touched: set[str] = set()
        for _ in range(count):
            place = self.books[self._rng.choice("ab")]
            n = next(self._numbers)
            free = {p: raw for p in sorted(place.glob("*.ics"))
                    if _uid(raw := p.read_bytes()) not in touched}  # fmt: skip
            if not free or self._rng.random() < 0.3:
                (place / f"e{n}.ics").write_bytes(ENTRY.format(n=n, month=n % 12 + 1).encode())
                touched.add(f"e{n}")
                continue
            path = self._rng.choice(list(free))
            raw = free[path]
            touched.add(_uid(raw))
            what = self._rng.choice(["delete", "move", "summary", "summary", "unknown"])
            if what == "delete":
                path.unlink()
                continue
            if what == "move":
                raw = raw.replace(b"T140000Z", b"T160000Z").replace(b"T150000Z", b"T170000Z")
            if what == "summary":
                line = next(one for one in raw.split(b"\r\n") if one.startswith(b"SUMMARY"))
                raw = raw.replace(line, f"SUMMARY:Meeting {n}".encode())
            if what == "unknown":
                raw = raw.replace(b"END:VEVENT", f"X-NOTED:{n}\r\nEND:VEVENT".encode())
            waiting = path.with_name(f".{path.name}.tmp")
            waiting.write_bytes(raw)
            waiting.replace(path)


def _uid(raw: bytes) -> str:
    return raw.partition(b"UID:")[2].partition(b"\r\n")[0].decode()


def test_after_random_edits_in_both_the_calendars_are_equal_and_at_rest(tmp_path: Path) -> None:
    world = Calendars(tmp_path)
    for _ in range(0, EDITS, 6):
        world.people(6)
        world.round()
    world.round()
    at_rest = {p: p.stat().st_mtime_ns for b in world.books.values() for p in b.iterdir()}
    assert world.round() == 0
    assert {p: p.stat().st_mtime_ns for b in world.books.values() for p in b.iterdir()} == at_rest
    a, b = world.held("a"), world.held("b")
    assert a == b, (a - b, b - a)
    assert max(a.values()) == 1
    assert world.written["created"] >= EDITS // 10
    assert world.written["updated"] > 0
    made = [p for b in world.books.values() for p in b.glob("e*.ics") if len(p.stem) < 8]
    assert made
    assert all(KEPT.encode() in p.read_bytes() for p in made)
    world.hub.close()
