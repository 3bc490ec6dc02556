"""What writing costs: creates and updates a second, the engine's own share, and a quiet round.

    python bench/push.py                       5,000 contacts by memory and HTTP; 50,000 quiet ones
    python bench/push.py --records 1000 --quiet 5000
    python bench/push.py --profile             where the time of the memory run goes

Two books: what is in the first is created in the second, then every contact gets another title.
In memory there is nothing but the engine; by HTTP the second book stands behind the fault server of
the test kit, one write a call and a hundred. The quiet round pulls both books and pushes to both
when nothing has changed, once as a feed of changes and once as whole lists: no write, no row.
"""

from __future__ import annotations

import argparse
import cProfile
import platform
import pstats
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from push_sides import MAPPING, Book  # noqa: E402

from crm_hub.config import add_connection, create  # noqa: E402
from crm_hub.flow.hub import Hub  # noqa: E402
from crm_hub.flow.inbound import sync  # noqa: E402
from crm_hub.flow.outbound import push  # noqa: E402
from crm_hub.sdk.testing.fault_server import FaultServer  # noqa: E402


def made(folder: Path, records: int, url: str, batch: int) -> tuple[Hub, Book, Book]:
    """Return a hub between a full book and an empty one."""
    create(folder)
    drop_in = folder / "connectors" / "book"
    drop_in.mkdir(parents=True)
    line = f"import sys\nsys.path.insert(0, {str(HERE)!r})\nfrom push_sides import connector\n"
    (drop_in / "connector.py").write_text(line)
    (drop_in / "mapping.yaml").write_text(MAPPING)
    add_connection(folder, "first", "book", {"book": "first"})
    add_connection(folder, "second", "book", {"book": "second", "url": url, "batch": batch})
    path = folder / "hub.yaml"
    text = path.read_text()
    for name in ("first", "second"):
        text = text.replace(
            f"  {name}:\n", f"  {name}:\n    direction: both\n    creates: 1000000\n"
        )
    path.write_text(text)
    first, second = Book("first"), Book("second")
    for i in range(records):
        first.put(f"f{i}", {"id": f"f{i}", "first": f"Ann{word(i)}", "last": f"Berg{word(i)}",
                            "email": f"p{i}@firm{i % 500}.example", "title": "Buyer"})  # fmt: skip
    return Hub(folder), first, second


def word(number: int) -> str:
    """Return a number in letters: digits are no part of a name, and all would be namesakes."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return (word(number // 26) if number >= 26 else "") + letters[number % 26]


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return (seconds, seconds of CPU) that `work` took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def pulled(hub: Hub) -> None:
    for report in sync(hub):
        assert report.error is None, report.error


def pushed(hub: Hub, name: str) -> None:
    report = push(hub, name, yes=True)
    assert report is None or report.error is None, report


def writes(title: str, records: int, url: str, batch: int, profile: bool = False) -> None:
    """Print what creating and updating `records` contacts cost."""
    with tempfile.TemporaryDirectory() as folder:
        hub, first, second = made(Path(folder) / "hub", records, url, batch)
        SERVED.append(second)
        pulled(hub)
        profiler = cProfile.Profile() if profile else None
        if profiler:
            profiler.enable()
        created = timed(lambda: pushed(hub, "second"))
        assert second.writes == records
        pulled(hub)
        for i in range(records):
            first.put(f"f{i}", {"title": "Head"})
        planned = timed(lambda: pulled(hub))
        updated = timed(lambda: pushed(hub, "second"))
        assert second.writes == 2 * records
        assert all(row["title"] == "Head" for row in second.rows.values())
        echoed = timed(lambda: pulled(hub))
        pushed(hub, "second")
        pushed(hub, "first")
        assert second.writes == 2 * records
        assert first.writes == 0
        if profiler:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("cumulative").print_stats(35)
        hub.close()
    for what, (wall_s, cpu_s) in (
        ("create", created), ("plan an update", planned), ("update", updated), ("echo", echoed)
    ):  # fmt: skip
        print(
            f"| {title} | {what} | {records / wall_s:,.0f}/s | {cpu_s / records * 1e6:,.0f} µs |",
            flush=True,
        )


SERVED: list[Book] = []


def quiet(records: int) -> None:
    """Print what a round costs in which nothing has changed."""
    with tempfile.TemporaryDirectory() as folder:
        hub, first, second = made(Path(folder) / "hub", records, "", 100)
        pulled(hub)
        pushed(hub, "second")
        pushed(hub, "first")
        pulled(hub)
        before, rows = second.writes + first.writes, hub.store.rows_changed()

        def a_round() -> None:
            pulled(hub)
            pushed(hub, "first")
            pushed(hub, "second")

        for how in ("told of changes", "listed in full"):
            first.lists = second.lists = how == "listed in full"
            wall_s, cpu_s = timed(a_round)
            assert second.writes + first.writes == before
            assert hub.store.rows_changed() == rows
            print(
                f"quiet round, {records:,} on each side, {how}: {wall_s:.3f} s, "
                f"{cpu_s:.3f} s CPU, no write, no row",
                flush=True,
            )
        hub.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--quiet", type=int, default=50_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print("| to | what | a second | CPU each |\n| --- | --- | --- | --- |")
    writes("memory, 1 a call", asked.records, "", 1, asked.profile)
    writes("memory, 100 a call", asked.records, "", 100)
    for batch in (1, 100):
        with ExitStack() as stack:
            server = stack.enter_context(FaultServer())
            server.route("POST", "/contacts", lambda call: served(call))
            writes(f"HTTP, {batch} a call", asked.records, server.url, batch)
    quiet(asked.quiet)


def served(call: Any) -> Any:
    """Answer by the book of the run under way."""
    from crm_hub.sdk.testing.fault_server import Reply

    return Reply.json([SERVED[-1].write(one) for one in call.json()])


if __name__ == "__main__":
    main()
