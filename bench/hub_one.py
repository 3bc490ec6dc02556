"""One record into a large hub: how long it takes from the change to the commit of its walk, what it
costs in CPU, and how many statements it asks the store.

    python bench/hub_one.py --size 200000                     loads a hub, then lands 500 records
    python bench/hub_one.py --size 1000000 --keep /big/disk   the loaded hub stays for the next run
    python bench/hub_one.py --size 200000 --profile           where the CPU goes

A record is landed, walked and committed alone, as a webhook would bring it. Every run lands the next
500 records, which the hub has not seen. With --rebuilt the hub is measured first (`crm-hub identity
rebuild`), so that likeness joins. Where CRM_HUB_BENCH_PEERS holds Splink, it answers the same
question in the same run: predict_between for one record and all that were there (splink_one.py).
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub_people import World
from people import people
from sqlalchemy import event

from crm_hub.flow.running import set_aside_what_stays
from crm_hub.store import db as db_module
from crm_hub.store.driver import do

ONE, SPARE, ASKED_OF_SPLINK = 500, 10_000, 20


class _Statements:
    """Counts what a store is asked, by statement."""

    def __init__(self, world: World) -> None:
        self.found: Counter[str] = Counter()
        with world.hub.store.read() as db:
            event.listen(db.conn.engine, "before_cursor_execute", self._count)
        db_module.do = self._do  # most go past SQLAlchemy

    def _count(self, _conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.found[" ".join(statement.split())] += 1

    def _do(self, conn: Any, sql: str, values: Sequence[Any] = (), *, many: bool = False) -> Any:
        self._count(conn, None, sql)
        return do(conn, sql, values, many=many)


def loaded(folder: Path, size: int, seed: int, variant: str) -> tuple[World, list[dict[str, str]]]:
    """Return a hub of `size` records, and those that are still to come."""
    if not (folder / "spare.json").exists():
        rows = people(size + SPARE, seed, variant).rows
        world = World(folder, rows[:size])
        print(f"{size:,} records read in {world.load():,.0f} s", flush=True)
        world.hub.close()
        (folder / "spare.json").write_text(json.dumps(rows[size:]))
    return World.again(folder), json.loads((folder / "spare.json").read_text())


def measure(world: World, late: Sequence[dict[str, str]], *, profiled: bool) -> float:
    """Land records one by one, and print what that took; return the median in milliseconds."""
    world.stream(late[:5], 1)  # what a process does once is not what a record costs
    set_aside_what_stays()  # as `crm-hub run` does when it starts
    statements, profile = _Statements(world), cProfile.Profile()
    if profiled:
        profile.enable()
    cpu = time.process_time()
    taken = sorted(1_000 * s for s in world.stream(late[5:], 1))
    cpu = time.process_time() - cpu
    profile.disable()
    asked, count = statements.found, len(taken)
    p50, p99 = statistics.median(taken), taken[int(count * 0.99)]
    print(
        f"one record: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {taken[-1]:.1f} ms; "
        f"{1_000 * cpu / count:.1f} ms of CPU, {asked.total() / count:.1f} statements",
        flush=True,
    )
    if profiled:
        for text, times in asked.most_common(70):
            print(f"{times / count:6.2f}  {text[:200]}")
        pstats.Stats(profile).sort_stats("cumtime").print_stats(70)
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    return p50


def beside(folder: Path, late: Sequence[dict[str, str]], p50_ms: float) -> None:
    """Ask Splink about some of the same records."""
    if "CRM_HUB_BENCH_PEERS" not in os.environ:
        print("No Splink beside: CRM_HUB_BENCH_PEERS is not set (scripts/bench sets it).")
        return
    python = Path(os.environ["CRM_HUB_BENCH_PEERS"]) / "python"
    (folder / "late.json").write_text(json.dumps(late[:ASKED_OF_SPLINK]))
    script = Path(__file__).with_name("splink_one.py")
    subprocess.run(
        [python, script, folder / "people.csv", folder / "late.json", folder / "splink.json"],
        check=True,
    )
    found = json.loads((folder / "splink.json").read_text())
    median = 1_000 * statistics.median(found["seconds"])
    print(
        f"Splink's predict_between for one record: {median:,.0f} ms, {median / p50_ms:.0f} x "
        f"({found['records']:,} records; {found['pairs']:.1f} pairs a record)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--variant", default="tuned")
    parser.add_argument("--keep", type=Path, help="folder in which loaded hubs stay")
    parser.add_argument("--rebuilt", action="store_true", help="rebuild before the records come")
    parser.add_argument("--alone", action="store_true", help="without Splink")
    parser.add_argument("--profile", action="store_true", help="show statements and functions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crm-hub-bench-") as throwaway:
        folder = (given.keep or Path(throwaway)) / f"{given.variant}-{given.seed}-{given.size}"
        folder.mkdir(parents=True, exist_ok=True)
        world, spare = loaded(folder, given.size, given.seed, given.variant)
        if given.rebuilt:
            print(f"rebuilt in {world.rebuild():,.0f} s", flush=True)
        taken = folder / "taken.txt"
        first = int(taken.read_text()) if taken.exists() else 0
        taken.write_text(str(first + ONE))
        late = spare[first : first + ONE]
        p50_ms = measure(world, late, profiled=given.profile)
        world.hub.close()
        if not given.alone:
            beside(folder, late, p50_ms)


if __name__ == "__main__":
    main()
