"""How fast contacts come in: JSONL by the `files` connector, the full walk into SQLite.

    python bench/ingest.py                     200,000 contacts
    python bench/ingest.py --sizes 50000 1000000 --profile

Each size runs in a process of its own, so that peak memory is its own. Prints records a second,
CPU a record, peak memory, a second pass over the unchanged file, and one after 1 % changed.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FIRST = [a + b for a in "an be ca da el fi ga ha iv jo ka li ma no ol pe ra sa ti vi".split()
         for b in "na ra lo mi ta ne ro li".split()]  # fmt: skip
LAST = [a + b + c for a in "ber cal dor fen gar hol kar lin mor nor par ros sten tal vor wal".split()
        for b in "be ca di lo ma ne".split() for c in "ck der ley man ner son".split()]  # fmt: skip


def contact(number: int, rng: random.Random, stamp: str) -> dict[str, object]:
    """Return one HubSpot-shaped contact of 18 properties; every eighth shares a phone."""
    first, last = rng.choice(FIRST).title(), rng.choice(LAST).title()
    firm = rng.randrange(20_000)
    phone = number if number % 8 else number - 1
    return {
        "id": str(number),
        "properties": {
            "firstname": first, "lastname": last,
            "email": f"{first}.{last}{number}@firm{firm}.example".lower(),
            "phone": f"+1{201 + phone // 10_000_000 % 700}{2_000_000 + phone % 7_999_999:07d}",
            "mobilephone": None, "company": f"Firm {firm}", "jobtitle": rng.choice(["Buyer", "CEO"]),
            "lifecyclestage": rng.choice(["lead", "customer", "opportunity"]),
            "hs_lead_status": "NEW", "address": f"{number % 999 + 1} Main Street",
            "city": "Springfield", "state": "IL", "zip": f"{number % 90_000 + 10_000}",
            "country": "United States", "website": f"firm{firm}.example",
            "hubspot_owner_id": str(rng.randrange(40)),
            "createdate": "2025-03-01T08:00:00Z", "lastmodifieddate": stamp,
        },
        "createdAt": "2025-03-01T08:00:00Z", "updatedAt": stamp,
    }  # fmt: skip


def write(path: Path, size: int, changed: float = 0.0) -> None:
    """Write the export; a share of `changed` carries a newer title and stamp."""
    rng = random.Random(7)
    step = int(1 / changed) if changed else 0
    with path.open("w", encoding="utf-8") as out:
        for number in range(1, size + 1):
            row = contact(number, rng, "2026-01-05T10:00:00.000Z")
            if step and number % step == 0:
                row["properties"]["jobtitle"] = "Director"  # type: ignore[index]
                row["updatedAt"] = "2026-02-01T10:00:00.000Z"
            out.write(json.dumps(row) + "\n")


def measure(folder: Path, size: int, profile: bool) -> None:
    """Run the passes over one hub and print a line of JSON."""
    from crm_hub.config import add_connection, create
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import sync

    export = folder / "contacts.jsonl"
    write(export, size)
    create(folder / "hub")
    add_connection(folder / "hub", "crm", "files", {"path": str(export)})
    hub = Hub(folder / "hub")
    _ = hub.store, hub.tools
    result: dict[str, object] = {"records": size}
    profiler = cProfile.Profile() if profile else None
    passes = [("first", 0.0), ("no change", 0.0), ("1 % changed", 0.01)]
    for name, changed in passes:
        if changed:
            write(export, size, changed)
        wall, cpu, rows = time.perf_counter(), time.process_time(), hub.store.rows_changed() or 0
        if profiler and name == "first":
            profiler.enable()
        (report,) = sync(hub)
        if profiler and name == "first":
            profiler.disable()
        assert report.error is None, report.error
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        result[name] = {
            "seconds": round(wall, 2), "cpu_us_a_record": round(cpu / size * 1e6, 1),
            "new": report.counts["new"], "changed": report.counts["changed"],
            "rows_written": (hub.store.rows_changed() or 0) - rows,
        }  # fmt: skip
        if name == "first":
            assert report.counts["new"] == size
            result["records_a_second"] = round(size / wall)
            result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result["database_mb"] = sum(p.stat().st_size for p in (folder / "hub").glob("hub.db*")) >> 20
    print(json.dumps(result), flush=True)
    if profiler:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Print the table for the sizes asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000])
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), args.one, args.profile)
        return
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
          f"{os.cpu_count()} cores, {platform.machine()}", flush=True)  # fmt: skip
    for size in args.sizes:
        command = [sys.executable, __file__, "--one", str(size)]
        subprocess.run(command + ["--profile"] * args.profile, check=True)


if __name__ == "__main__":
    main()
