"""How fast a timeline is read among many events: the newest 50, page 1 and page 100.

    python bench/timeline.py                             10,000,000 events, both stores
    python bench/timeline.py --events 200000 --stores sqlite --profile

Asked as a person asks, by e-mail address, through `flow.reading.timeline`: 2,000 random people with
five merged records, each asked once, in a fresh process; and one person with 100,000 events. The
second thousand tells what a server in service takes: to the first, the building of the tables has
left the indexes on the disk. The tables are filled directly with the rows that the walk would write
(bench/timeline_rows.py says which), indexes built after the rows; reading uses the hub's own
connection. Temporary files and databases are removed at the end.
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Index, create_engine
from timeline_rows import Town, address

from crm_hub.config import create
from crm_hub.flow import reading
from crm_hub.flow.hub import Hub
from crm_hub.store import Db, schema

BATCH = 20_000
COMMIT_EVERY = 25
ASKED = 1_000
PAGE = 50
FAST = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536", "temp_store = FILE",
        "locking_mode = EXCLUSIVE")  # fmt: skip


def build(url: str, town: Town) -> None:
    """Fill an empty hub's tables. The end state is what the schema says, indexes and all."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    indexes = [
        index for name, _ in town.tables()
        for index in sorted(schema.metadata.tables[name].indexes, key=lambda i: str(i.name))
    ]  # fmt: skip
    _each(engine, indexes, lambda index, conn: index.drop(conn))
    for name, rows in town.tables():
        started, count = time.perf_counter(), _fill(engine, name, rows)
        _note(name, count, started)
    started = time.perf_counter()
    _each(engine, indexes, lambda index, conn: index.create(conn))
    _note("indexes", len(indexes), started)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            # The server does that by itself in the background, unless it is told not to.
            conn.exec_driver_sql("VACUUM (ANALYZE)")
    engine.dispose()


def _note(what: str, count: int, started: float) -> None:
    took = time.perf_counter() - started
    print(f"    {what:18} {count:>12,}  {took:7.1f} s", file=sys.stderr, flush=True)


def _each(engine: Engine, indexes: list[Index], work: Callable[[Index, Any], None]) -> None:
    with _opened(engine) as conn:
        for index in indexes:
            work(index, conn)
        conn.commit()


@contextmanager
def _opened(engine: Engine) -> Iterator[Any]:
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            for pragma in FAST:
                conn.exec_driver_sql(f"PRAGMA {pragma}").close()
            conn.commit()
        else:
            conn.exec_driver_sql("SET synchronous_commit = off")
            conn.exec_driver_sql("SET maintenance_work_mem = '512MB'")
            conn.commit()
        yield conn


def _fill(engine: Engine, name: str, rows: Iterator[tuple[Any, ...]]) -> int:
    table, count = schema.metadata.tables[name], 0
    with _opened(engine) as conn:
        while True:
            # COPY does not begin a transaction by SQLAlchemy's book, so each is begun by hand.
            with conn.begin():
                for batch in _batches(rows, COMMIT_EVERY):
                    Db(conn).insert(table, batch)
                    count += len(batch)
                    if len(batch) < BATCH:
                        return count


def _batches(rows: Iterator[tuple[Any, ...]], most: int) -> Iterator[list[tuple[Any, ...]]]:
    for _ in range(most):
        yield list(itertools.islice(rows, BATCH))


def ask(folder: Path, town: Town, profile: bool) -> dict[str, Any]:
    """Return the seconds of each question, asked through the library."""
    hub = Hub(folder)
    timeline(hub, address(1), None, 1)  # opens the store and loads what loads lazily
    rng = random.Random(11)
    people = rng.sample(range(2, town.people + 1), min(2 * ASKED, town.people - 1))
    half = len(people) // 2
    profiler = cProfile.Profile() if profile else None
    if profiler:
        profiler.enable()
    whole = min(PAGE, town.events // town.people)
    found = {
        "the first people asked": [_timed(hub, address(p), None, whole) for p in people[:half]],
        "and as many others": [_timed(hub, address(p), None, whole) for p in people[half:]],
    }
    busy = address(town.busy)
    cursor: str | None = None
    for _page in range(99):
        cursor = timeline(hub, busy, cursor, PAGE)[-1].cursor
    found["busy person, page 1"] = [_timed(hub, busy, None, PAGE) for _ in range(300)]
    found["busy person, page 100"] = [_timed(hub, busy, cursor, PAGE) for _ in range(300)]
    if profiler:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    hub.close()
    return {name: _spread(taken) for name, taken in found.items()}


def timeline(hub: Hub, who: str, before: str | None, whole: int) -> list[reading.Line]:
    """Return a page, and see that it is what it should be."""
    row, lines = reading.timeline(hub, who, PAGE, before)
    assert row.display_name.startswith("Ann Lee"), row.display_name
    assert len(lines) >= whole, (who, len(lines))
    assert lines == sorted(lines, key=lambda one: one.occurred_at, reverse=True)
    assert lines[0].participants == ["from Ann Lee", "to Sales"]
    assert lines[0].sources in (["mail/records"], ["erp/records", "mail/records"])
    return lines


def _timed(hub: Hub, who: str, before: str | None, whole: int) -> tuple[float, float]:
    """Return the seconds one page took, and those of them that this process computed."""
    started, cpu = time.perf_counter(), time.process_time()
    _row, lines = reading.timeline(hub, who, PAGE, before)
    took = time.perf_counter() - started, time.process_time() - cpu
    assert len(lines) >= whole, (who, len(lines))
    return took


def _spread(taken: list[tuple[float, float]]) -> dict[str, float]:
    ordered = sorted(wall for wall, _ in taken)
    at = {"p50": 0.5, "p99": 0.99, "most": 1.0}
    spread = {
        name: round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1e3, 2)
        for name, share in at.items()
    }
    return {**spread, "CPU": round(sum(cpu for _, cpu in taken) / len(taken) * 1e3, 2)}


@contextmanager
def store(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new database, gone afterwards."""
    from crm_hub.sdk.testing.servers import postgres, postgres_database

    if kind == "sqlite":
        yield f"sqlite:///{folder}/hub.db"
        return
    with postgres() as base, postgres_database(base) as url:
        yield url


def measure(kind: str, town: Town, args: argparse.Namespace) -> None:
    """Build one store, ask it from a process of its own, print the table."""
    with tempfile.TemporaryDirectory(prefix="crm-hub-bench-") as place:
        folder = Path(place) / "hub"
        with store(kind, folder) as url:
            create(folder, store=url)
            Hub(folder).store.close()  # makes the tables
            started = time.perf_counter()
            build(url, town)
            built_s = time.perf_counter() - started
            command = [sys.executable, __file__, "--ask", str(folder)]
            command += _options(args) + ["--profile"] * args.profile
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(done.stdout)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"\n{kind}: {town.events:,} events, {town.people:,} people with 5 records each, "
          f"built in {built_s:.0f} s with {peak_mb} MB")  # fmt: skip
    print(f"{'ms':26}{'p50':>9}{'p99':>9}{'most':>9}{'CPU':>9}")
    for name, spread in found.items():
        print(f"{name:26}" + "".join(f"{value:>9.2f}" for value in spread.values()))
    sys.stdout.flush()


def _options(args: argparse.Namespace) -> list[str]:
    return ["--events", str(args.events), "--busy", str(args.busy), "--body", str(args.body)]


def main() -> None:
    """Print a table for each store asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--busy", type=int, default=100_000, help="events of the busy person")
    parser.add_argument("--body", type=int, default=300, help="bytes of text an event")
    parser.add_argument("--stores", nargs="+", choices=["sqlite", "postgresql"],
                        default=["sqlite", "postgresql"])  # fmt: skip
    parser.add_argument("--profile", action="store_true", help="say where reading spends its time")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    args = parser.parse_args()
    busy = min(args.busy, args.events // 2)
    town = Town(args.events, max((args.events - busy) // 100, 2), busy, args.body)
    if args.ask:
        print(json.dumps(ask(Path(args.ask), town, args.profile)))
        return
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
          f"{os.cpu_count()} cores, {platform.machine()}", flush=True)  # fmt: skip
    for kind in args.stores:
        measure(kind, town, args)


if __name__ == "__main__":
    main()
