"""How fast a calendar comes in, against vdirsyncer: full, no change, 10 changed, in one run.

    python bench/calendars.py                    2,000 events in a Radicale
    python bench/calendars.py --events 500 --profile

Both read the same calendar of the same server over HTTP. vdirsyncer runs as people run it, a
process a sync, and copies into a folder; the hub is open and walks what it reads into SQLite, down
to people's timelines. The server's index is filled first, so that neither pays for it.
CRM_HUB_BENCH_PEERS: the bin folder that holds vdirsyncer (scripts/bench sets it).
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.sdk.testing.servers.radicale import Collection, Radicale, radicale

GOALS = {"full": 2.5, "no change": 0.25, "10 changed": 0.3}
ROUNDS = 5


def entry(number: int, title: str = "Visit") -> str:
    """Return one event as calendar programs write it; every fiftieth is a weekly series."""
    day, hour = number % 28 + 1, number % 9 + 8
    zone = "TZID=America/New_York"
    rule = "RRULE:FREQ=WEEKLY;COUNT=8\r\n" if number % 50 == 0 else ""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\nBEGIN:VTIMEZONE\r\n"
        "TZID:America/New_York\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\n"
        "DTSTART:20070311T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\n"
        "BEGIN:STANDARD\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nDTSTART:20071104T020000\r\n"
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        f"BEGIN:VEVENT\r\nUID:event-{number}@clearwater.example\r\nDTSTAMP:20260101T000000Z\r\n"
        f"LAST-MODIFIED:20260101T000000Z\r\nSUMMARY:{title} {number}\r\n"
        f"DTSTART;{zone}:2026{number % 12 + 1:02d}{day:02d}T{hour:02d}0000\r\n"
        f"DTEND;{zone}:2026{number % 12 + 1:02d}{day:02d}T{hour:02d}3000\r\n{rule}"
        "LOCATION:1 Main Street\\, Springfield\r\nDESCRIPTION:Bring the offer and the samples.\r\n"
        "ORGANIZER;CN=Bob Hale:mailto:bob@clearwater.example\r\n"
        f"ATTENDEE;CN=Ann {number};PARTSTAT=ACCEPTED:mailto:ann{number % 200}@acme.example\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Ours:
    """An open hub with the calendar connected."""

    def __init__(self, folder: Path, server: Radicale) -> None:
        secret = folder / "password"
        secret.write_text(server.password, "utf-8")
        secret.chmod(0o600)
        create(folder / "hub", own=["clearwater.example"])
        settings = {"url": server.url, "username": server.user, "password": f"file:{secret}"}
        add_connection(folder / "hub", "cal", "caldav", settings)
        self.hub = Hub(folder / "hub")
        _ = self.hub.store, self.hub.tools
        self.pulled = 0

    def sync(self) -> None:
        (report,) = sync(self.hub)
        assert report.error is None, report.error
        self.pulled = report.counts["pulled"]


class Theirs:
    """vdirsyncer between the calendar and a folder of files."""

    def __init__(self, folder: Path, server: Radicale, program: Path) -> None:
        self.copy = folder / "copy"
        self.config = folder / "vdirsyncer.conf"
        self.program = program
        self.config.write_text(
            f'[general]\nstatus_path = "{folder}/status/"\n'
            '[pair bench]\na = "far"\nb = "near"\ncollections = ["work"]\n'
            f'[storage far]\ntype = "caldav"\nurl = "{server.url}"\nusername = "{server.user}"\n'
            f'password = "{server.password}"\nread_only = true\n'
            f'[storage near]\ntype = "filesystem"\npath = "{self.copy}/"\nfileext = ".ics"\n',
            "utf-8",
        )
        (self.copy / "work").mkdir(parents=True)
        self._run("discover")

    def _run(self, word: str) -> None:
        command = [str(self.program), "-v", "ERROR", "-c", str(self.config), word]
        subprocess.run(command, check=True, input=b"y\ny\n", capture_output=True, timeout=600)

    def sync(self) -> None:
        self._run("sync")

    @property
    def files(self) -> int:
        return sum(1 for _ in (self.copy / "work").glob("*.ics"))


def change(calendar: Collection, server: Radicale, first: int) -> None:
    """Change 10 events, and let the server index them."""
    for number in range(first, first + 10):
        calendar.write(f"{number}.ics", entry(number, f"Moved {time.time_ns()}"))
    warm(server)


def warm(server: Radicale) -> None:
    """Let the server fill its caches: of objects for any client, of history for sync-collection.

    Both are written once a change, whoever asks first; cold they cost it 2 ms an object each.
    """
    url = f"{server.url}/{server.user}/work/"
    etag = b"<prop><getetag/></prop>"
    token = b"<sync-token/><sync-level>1</sync-level>"
    with httpx.Client(auth=(server.user, server.password), timeout=600, trust_env=False) as client:
        for method, body in {
            "PROPFIND": b'<propfind xmlns="DAV:">' + etag + b"</propfind>",
            "REPORT": b'<sync-collection xmlns="DAV:">' + token + etag + b"</sync-collection>",
        }.items():
            done = client.request(method, url, content=body, headers={"depth": "1"})
            done.raise_for_status()


def median(works: list[float]) -> float:
    return sorted(works)[len(works) // 2]


def compare(folder: Path, server: Radicale, events: int, program: Path, profile: bool) -> bool:
    """Run both through the three passes, print the table, and tell whether the goals hold."""
    calendar = server.collection("work")
    for number in range(events):
        calendar.write(f"{number}.ics", entry(number))
    warm(server)
    ours, theirs = Ours(folder, server), Theirs(folder, server, program)
    found = {"full": (profiled(ours.sync, profile), timed(theirs.sync))}
    assert (ours.pulled, theirs.files) == (events, events), (ours.pulled, theirs.files)
    quiet = [(timed(ours.sync), timed(theirs.sync)) for _ in range(ROUNDS)]
    found["no change"] = median([q[0] for q in quiet]), median([q[1] for q in quiet])
    moved = []
    for turn in range(ROUNDS):
        change(calendar, server, turn * 10)
        moved.append((timed(ours.sync), timed(theirs.sync)))
        assert ours.pulled == 10, ours.pulled
    found["10 changed"] = median([m[0] for m in moved]), median([m[1] for m in moved])
    ours.hub.close()
    print(f"{'pass':<12}{'hub s':>9}{'vdirsyncer s':>14}{'ratio':>8}{'goal':>7}")
    for name, (mine, other) in found.items():
        print(f"{name:<12}{mine:>9.3f}{other:>14.3f}{mine / other:>8.2f}{GOALS[name]:>7.2f}")
    return all(mine / other <= GOALS[name] for name, (mine, other) in found.items())


def profiled(work: Callable[[], None], wanted: bool) -> float:
    if not wanted:
        return timed(work)
    profiler = cProfile.Profile()
    took = timed(lambda: profiler.runcall(work))
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    return took


def main() -> int:
    """Print the table; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--profile", action="store_true", help="say where the time of full goes")
    args = parser.parse_args()
    program = Path(os.environ.get("CRM_HUB_BENCH_PEERS", "")) / "vdirsyncer"
    if not program.is_file():
        print("no vdirsyncer: run scripts/bench calendars, which installs it", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, "
          f"{args.events:,} events", flush=True)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, radicale() as server:
        met = compare(Path(folder), server, args.events, program, args.profile)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
