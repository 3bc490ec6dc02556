"""Who is who inside a hub: how well after a first load and a rebuild, streamed beside bulk, and how
long what comes late takes.

    python bench/hub_people.py                          20,000 records of bench/people.py
    python bench/hub_people.py --size 5000 --variant odd

Bulk: all records are read, then `crm-hub identity rebuild`. Streamed: 98 % so, then the last 2 % in
pages of 20, in three orders. For one record alone see hub_one.py.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from identity_data import measured
from people import people

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, sync
from crm_hub.flow.land import land
from crm_hub.flow.rebuilding import rebuild
from crm_hub.model.records import Change
from crm_hub.store import Landings

LATE, PAGE = 0.02, 20


class World:
    """A hub of generated contacts in a file, and the truth about them."""

    def __init__(self, folder: Path, rows: Sequence[dict[str, Any]]) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        _write(folder / "people.csv", rows)
        create(folder / "hub")
        add_connection(folder / "hub", "people", "files", {"path": str(folder / "people.csv")})
        self.hub = Hub(folder / "hub")

    @classmethod
    def again(cls, folder: Path) -> World:
        """Return the world that was made in a folder."""
        self = cls.__new__(cls)
        self.folder, self.hub = folder, Hub(folder / "hub")
        return self

    def load(self) -> float:
        """Read the file; return the seconds."""
        began = time.perf_counter()
        for report in sync(self.hub):
            assert report.error is None, report.error
        return time.perf_counter() - began

    def rebuild(self) -> float:
        began = time.perf_counter()
        rebuild(self.hub)
        return time.perf_counter() - began

    def stream(self, rows: Sequence[dict[str, Any]], size: int) -> list[float]:
        """Land and walk rows in pages of `size`; return the seconds of each page."""
        inbound = Inbound(self.hub, "people")
        (info,) = self.hub.connector("people").discover()
        section = self.hub.section("people", info)
        assert section is not None
        with self.hub.store.read() as db:
            stream = Landings(db).stream("people", info.name)
        assert stream is not None
        taken = []
        for start in range(0, len(rows), size):
            changes = [
                Change(row["record_id"], {k: v for k, v in row.items() if v})
                for row in rows[start : start + size]
            ]
            began = time.perf_counter()
            with inbound.transaction() as db:
                landed = land(db, stream, changes, inbound.now_us(), None)
                inbound.walk_in(db, stream, section, landed, None)
            taken.append(time.perf_counter() - began)
        return taken

    def groups(self, place: dict[str, int]) -> list[list[int]]:
        """Return the people as places of their records."""
        found: dict[int, list[int]] = defaultdict(list)
        with self.hub.store.read() as db:
            for key, identity in db.conn.exec_driver_sql(
                "SELECT r.key, l.identity_id FROM identity_link l"
                " JOIN source_record r ON r.id = l.record_id WHERE l.state <> 'revoked'"
            ):
                found[identity].append(place[key])
        return list(found.values())


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def told(name: str, groups: Sequence[Sequence[int]], truth: Sequence[int], note: str) -> float:
    found = measured(groups, truth)
    print(
        f"| {name} | {found['F1']:.4f} | {found['precision']:.4f} | {found['recall']:.4f} | "
        f"{found['B3']:.4f} | {found['largest']:.0f}/{found['largest_true']:.0f} | {note} |",
        flush=True,
    )
    return found["F1"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--variant", default="tuned")
    given = parser.parse_args()
    made = people(given.size, given.seed, given.variant)
    place = {row["record_id"]: at for at, row in enumerate(made.rows)}
    with tempfile.TemporaryDirectory(prefix="crm-hub-bench-") as folder:
        compare(Path(folder), made.rows, made.truth, place)


def compare(
    folder: Path, rows: Sequence[dict[str, Any]], truth: Sequence[int], place: dict[str, int]
) -> None:
    print("| hub | pair F1 | precision | recall | B³ F1 | largest | |\n| --- " + "| --- " * 6 + "|")
    bulk = World(folder / "bulk", rows)
    note = f"read in {bulk.load():.0f} s"
    told("first load", bulk.groups(place), truth, note)
    note = f"rebuilt in {bulk.rebuild():.1f} s"
    whole = told("bulk, 100 %", bulk.groups(place), truth, note)
    late = int(len(rows) * LATE)
    part = World(folder / "part", rows[:-late])
    part.load()
    part.rebuild()
    part.hub.close()
    for seed in range(3):
        copy = folder / f"copy{seed}"
        shutil.copytree(folder / "part" / "hub", copy)
        part.hub = Hub(copy)
        order = list(rows[-late:])
        random.Random(seed).shuffle(order)
        seconds = sum(part.stream(order, PAGE))
        found = told(f"98 % and 2 % streamed, order {seed + 1}", part.groups(place), truth,
                     f"{1_000 * seconds / late:.1f} ms a record")  # fmt: skip
        again = part.rebuild()
        print(
            f"  against bulk: {found - whole:+.4f}; the rebuild after it {again:.2f} s", flush=True
        )
        part.hub.close()


if __name__ == "__main__":
    main()
