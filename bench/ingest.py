"""How fast contacts come in: from a paged HTTP API by `rest`, beside dlt reading the same API.

    python bench/ingest.py                                   200,000 contacts, both stores, both sides
    python bench/ingest.py --sizes 50000 --stores sqlite
    python bench/ingest.py --records 1000000 --alone         flat memory; without dlt
    python bench/ingest.py --by files --profile              JSON lines from disk, without dlt

The API is bench/api_server.py, in a process of its own, started anew for each side. The hub does
its full walk (land, map, resolve, merge), dlt (bench/dlt_load.py) loads rows by merge. Each side
runs in a process of its own, so that CPU and peak memory are its own, the hub's helper included; a
PostgreSQL server's CPU is counted on neither. Three passes: first load, nothing changed, 1 %
changed.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from contacts import contacts

HERE = Path(__file__).resolve().parent
PASSES = ("first", "no change", "1 % changed")
PAGE = 1_000


# one side, in its own process -------------------------------------------------------------


def set_up(job: dict[str, Any]) -> None:
    """Make the hub, as `crm-hub init` and `crm-hub connect` do in processes of their own."""
    from crm_hub.config import add_connection, create
    from crm_hub.flow.hub import Hub

    folder = Path(job["folder"]) / "hub"
    create(folder, store=job["url"])
    kind, settings, _ = _source(job)
    add_connection(folder, "crm", kind, settings)
    with Hub(folder).store.read():
        pass


def measure(job: dict[str, Any]) -> None:
    """Run the passes over one hub and print a line of JSON."""
    from crm_hub.flow.hub import Hub
    from crm_hub.flow.inbound import sync

    subprocess.run([sys.executable, __file__, "--set-up", json.dumps(job)], check=True)
    folder, size = Path(job["folder"]) / "hub", job["records"]
    change = _source(job)[2]
    hub = Hub(folder)
    _ = hub.tools
    result: dict[str, Any] = {"records": size}
    helpers = _Helpers(daemon=True)
    helpers.start()
    profiler = cProfile.Profile() if job["profile"] else None
    for name in PASSES:
        if name == "1 % changed":
            change()
        rows = _rows_written(hub)
        with hub.store.read():
            pass  # the connection is open before the clock runs
        wall, cpu = time.perf_counter(), _cpu_s()
        if profiler and name == job["profile"]:
            profiler.enable()
        (report,) = sync(hub)
        if profiler and name == job["profile"]:
            profiler.disable()
        wall, cpu = time.perf_counter() - wall, _cpu_s() - cpu
        assert report.error is None, report.error
        counts = report.counts
        assert counts["dead"] == 0, counts
        assert counts["new"] == (size if name == "first" else 0), counts
        assert counts["changed"] == (size // 100 if name == "1 % changed" else 0), counts
        result[name] = {
            "seconds": round(wall, 2), "cpu_s": round(cpu, 3), "pulled": counts["pulled"],
            "rows_written": _rows_written(hub) - rows,
        }  # fmt: skip
        if name == "first":
            result["records_a_second"] = round(size / wall)
            result["cpu_us_a_record"] = round(cpu / size * 1e6, 1)
            result["peak_mb"] = helpers.peak_mb()
    result["peak_mb_after_all"] = helpers.peak_mb()
    hub.close()
    print(json.dumps(result), flush=True)
    if profiler:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(30)


_OURS = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu_s() -> float:
    """Return the CPU that this process has used, and its helper processes that have ended."""
    used = [resource.getrusage(whose) for whose in _OURS]
    return sum(one.ru_utime + one.ru_stime for one in used)


class _Helpers(threading.Thread):
    """Watches the most memory that a process started by this one holds (Linux).

    What getrusage says of children counts the memory of the parent when it started them.
    """

    peak_kb = 0

    def run(self) -> None:
        own = _text(Path("/proc/self/cmdline"))
        while True:
            for children in Path("/proc/self/task").glob("*/children"):
                for pid in _text(children).split():
                    if _text(Path(f"/proc/{pid}/cmdline")) == own:
                        continue  # it has just been forked, and still has this one's memory
                    held = re.search(r"VmHWM:\s+(\d+) kB", _text(Path(f"/proc/{pid}/status")))
                    self.peak_kb = max(self.peak_kb, int(held[1]) if held else 0)
            time.sleep(0.1)

    def peak_mb(self) -> int:
        """Return the most memory that this process and a helper of its own may have held."""
        own_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(own_kb + self.peak_kb) // 1024


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""  # it has just ended


def _source(job: dict[str, Any]) -> tuple[str, dict[str, Any], Callable[[], None]]:
    """Return the connector, its settings, and what changes 1 % of the records."""
    if job["by"] == "files":
        export = Path(job["folder"]) / "contacts.jsonl"
        _write(export, job["records"])
        return "files", {"path": str(export)}, lambda: _write(export, job["records"], 0.01)
    settings = {
        "base_url": job["api"], "path": "crm/contacts", "records": "results",
        "changed_at": "updatedAt", "paging": "cursor", "page_param": "after",
        "next": "paging.next.after", "size_param": "limit", "page_size": PAGE,
        "since_param": "updated_after",
    }  # fmt: skip
    ask = urllib.request.Request(job["api"] + "/change?share=0.01", method="POST")
    return "rest", settings, lambda: urllib.request.urlopen(ask).close()


def _write(path: Path, size: int, changed: float = 0.0) -> None:
    with path.open("wb") as out:
        out.writelines(raw + b"\n" for _, raw in contacts(size, changed))


def _rows_written(hub: Any) -> int:
    """Return how many rows were written so far: by this process, in PostgreSQL by anybody."""
    if hub.store.is_sqlite:
        return int(hub.store.rows_changed())
    import psycopg

    hub.store.close()  # a session hands in its counts when it ends
    url = hub.store.url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        stmt = "SELECT COALESCE(SUM(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
        row = connection.execute(stmt).fetchone()
    return int(row[0]) if row else 0


# both sides ---------------------------------------------------------------------------------


@contextmanager
def api(size: int) -> Iterator[str]:
    """Yield the address of the API with so many contacts, in a process of its own."""
    command = [sys.executable, str(HERE / "api_server.py"), str(size)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


@contextmanager
def store(kind: str, folder: str) -> Iterator[str]:
    """Yield the URL of an empty store."""
    from crm_hub.sdk.testing.servers import postgres, postgres_database

    if kind == "sqlite":
        yield f"sqlite:///{folder}/store.db"
        return
    with postgres() as base, postgres_database(base) as url:
        yield url


def run(side: str, kind: str, size: int, args: argparse.Namespace) -> dict[str, Any]:
    """Return what one side measured on a fresh store."""
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="crm-hub-bench-"))
        url = held.enter_context(store(kind, folder))
        job = {"records": size, "store": kind, "url": url, "folder": folder, "by": args.by,
               "profile": args.profile}  # fmt: skip
        if args.by == "rest":
            job["api"] = held.enter_context(api(size))
        program = [sys.executable, __file__, "--job"]
        if side == "dlt":
            program = [str(_peers() / "python"), "-W", "ignore", str(HERE / "dlt_load.py")]
        done = subprocess.run(
            [*program, json.dumps(job)], check=True, stdout=subprocess.PIPE, text=True
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def _peers() -> Path:
    given = os.environ.get("CRM_HUB_BENCH_PEERS")
    return Path(given) if given else HERE.parent / ".venv-peers" / "bin"


def show(size: int, kind: str, sides: dict[str, dict[str, Any]]) -> None:
    """Print the figures of both sides beside each other, and their ratios."""
    print(f"\n{size:,} contacts, {kind}")
    names = list(sides)
    print(f"{'':34}" + "".join(f"{name:>12}" for name in names) + "   hub : dlt" * (len(names) > 1))
    lines: list[tuple[str, Callable[[dict[str, Any]], float], bool]] = [
        ("first load, records a second", lambda r: r["records_a_second"], True),
        ("first load, CPU a record, µs", lambda r: r["cpu_us_a_record"], False),
        ("first load, peak memory, MB", lambda r: r["peak_mb"], False),
        ("no change, s", lambda r: r["no change"]["seconds"], False),
        ("1 % changed, s", lambda r: r["1 % changed"]["seconds"], False),
    ]
    for title, of, is_more_better in lines:
        values = [of(result) for result in sides.values()]
        ratio = f"{values[0] / values[1]:12.2f}" if len(values) > 1 and values[1] else ""
        better = " (more is better)" if ratio and is_more_better else ""
        print(f"{title:34}" + "".join(f"{v:>12,}" for v in values) + ratio + better)
    hub = sides["hub"]
    rows = ", ".join(f"{name} {hub[name]['rows_written']:,}" for name in PASSES)
    print(f"hub: rows written: {rows}; peak memory after all passes {hub['peak_mb_after_all']} MB")


def main() -> None:
    """Print a table for each size and store asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000])
    parser.add_argument("--records", type=int, help="one size; the same as --sizes RECORDS")
    parser.add_argument("--stores", nargs="+", choices=["sqlite", "postgresql"],
                        default=["sqlite", "postgresql"])  # fmt: skip
    parser.add_argument("--by", choices=["rest", "files"], default="rest")
    parser.add_argument("--alone", action="store_true", help="without dlt")
    parser.add_argument("--profile", nargs="?", const="first", choices=PASSES, default="",
                        help="say where the hub's time goes in a pass")  # fmt: skip
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--set-up", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.set_up:
        return set_up(json.loads(args.set_up))
    if args.job:
        return measure(json.loads(args.job))
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
          f"{os.cpu_count()} cores, {platform.machine()}; by {args.by}", flush=True)  # fmt: skip
    peer = args.by == "rest" and not args.alone
    if peer and not (_peers() / "python").exists():
        raise SystemExit(f"no dlt in {_peers()}; run: scripts/bench ingest (or add --alone)")
    for size in [args.records] if args.records else args.sizes:
        for kind in args.stores:
            sides = ["hub", "dlt"] if peer else ["hub"]
            show(size, kind, {side: run(side, kind, size, args) for side in sides})
            sys.stdout.flush()
    return None


if __name__ == "__main__":
    main()
