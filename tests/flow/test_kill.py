"""kill -9 at any moment of a sync: the next sync converges, nothing is lost, nothing doubled.

CRM_HUB_KILLS syncs killed while they ran, for each seed, and CRM_HUB_KILL_SEEDS seeds; scripts/soak runs the long version.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from crm_hub.flow.hub import Hub
from tests.flow.hubs import content, make_hub, records, sync_all, world, write_rows

ENTRY = Path(__file__).with_name("killed_sync.py")
ROOT = ENTRY.parents[2]
KILLS = int(os.environ.get("CRM_HUB_KILLS", "20"))
SEEDS = int(os.environ.get("CRM_HUB_KILL_SEEDS", "1"))
PEOPLE, MAILS, PAGE = 100, 75, 20
HANG_S = 60.0
Rows = dict[str, dict[str, list[dict[str, Any]]]]


class Prepared(NamedTuple):
    """An empty hub on its source, what it must hold after each of the two states of the source,
    and how long an unkilled sync of each takes."""

    empty: Path
    source: Path
    states: tuple[Rows, Rows]
    expected: tuple[dict[str, Any], dict[str, Any]]
    duration_s: tuple[float, float]


def _edited(rows: Rows) -> Rows:
    """Return the source some days later: a third changed, a few new, a few gone."""
    out = {
        name: {s: [dict(r) for r in found] for s, found in one.items()}
        for name, one in rows.items()
    }
    contacts = out["crm_a"]["contacts"]
    for row in contacts[::3]:
        row.update(stage="customer", title="Owner", changed_at="2026-03-01T10:00:00+00:00")
    del contacts[5:12]
    contacts += [
        {"id": f"late{i}", "first": "Nora", "last": f"Late{i}", "email": f"late{i}@firm0.example"}
        for i in range(30)
    ]
    for row in out["mail_1"]["mails"][::4]:
        row["subject"] = f"Re: {row['subject']}"
    return out


def _show(source: Path, rows: Mapping[str, Any]) -> None:
    for name, streams in rows.items():
        write_rows(source / name, streams)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("kill")
    first = world(PEOPLE, MAILS, seed=11)
    states = (first, _edited(first))
    _show(folder / "src", first)
    hub = make_hub(folder / "empty", {n: folder / "src" / n for n in first}, page_size=PAGE)
    with hub.store.read():  # builds the tables
        pass
    hub.close()
    shutil.copytree(folder / "empty", folder / "whole")
    expected, durations = [], []
    for rows in states:
        _show(folder / "src", rows)
        with _process(folder / "whole") as process:
            began = time.monotonic()
            assert process.wait(HANG_S) == 0
        durations.append(time.monotonic() - began)
        expected.append(held(folder / "whole"))
    return Prepared(
        folder / "empty", folder / "src", states, (expected[0], expected[1]),
        (durations[0], durations[1]),
    )  # fmt: skip


def _process(hub: Path, *options: str) -> subprocess.Popen[str]:
    """Return a process that is about to sync `hub`, its imports done."""
    paths = os.pathsep.join(str(ROOT / p) for p in ("src", "connectors"))
    process = subprocess.Popen(
        [sys.executable, str(ENTRY), str(hub), *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(hub: Path, delay_s: float, *options: str) -> bool:
    """Sync `hub` and kill the process after `delay_s`; return whether it was still running."""
    with _process(hub, *options) as process:
        time.sleep(delay_s)
        process.kill()
        return process.wait(HANG_S) == -signal.SIGKILL


def held(folder: Path) -> dict[str, Any]:
    """Return all a hub holds that must not depend on kills, counts included."""
    hub = Hub(folder)
    with hub.store.read() as db:
        counts = {
            table: db.conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("source_record", "identity_link", "event", "event_source", "timeline_entry",
                          "participant", "dead_letter", "landing", "source_version")
        }  # fmt: skip
    found = {**content(hub), "records": records(hub), "counts": counts}
    hub.close()
    return found


def _converged(prepared: Prepared, hub: Path, state: int) -> None:
    one = Hub(hub)
    sync_all(one)
    one.close()
    with sqlite3.connect(hub / "hub.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    found, expected = held(hub), prepared.expected[state]
    rows = prepared.states[state]
    keys = {
        f"{n}/{s}#{r['id']}" for n, one in rows.items() for s, all_ in one.items() for r in all_
    }
    assert found["records"].keys() == keys
    for part, value in expected.items():
        assert found[part] == value, part


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("ahead",)], ids=["alone", "with a helper"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_sync_killed_at_any_moment_is_made_whole_by_the_next_one(
    prepared, tmp_path, seed, options
):
    rng = random.Random(seed)
    # A helper takes a moment to start, and the test is about what comes after.
    lasts_s = [one + len(options) for one in prepared.duration_s]
    started = hits = trial = 0
    while hits < KILLS:
        assert started < 10 * KILLS, f"only {hits} of {started} syncs were still running"
        hub = tmp_path / f"hub{trial}"
        shutil.copytree(prepared.empty, hub)
        for state in (0, 1):
            _show(prepared.source, prepared.states[state])
            for _ in range(rng.choice((1, 2, 4))):
                was_running = killed(hub, rng.random() * lasts_s[state], *options)
                hits += was_running
                started += 1
                if not was_running:
                    lasts_s[state] *= 0.9  # the machine is quicker now than it was at first
            _converged(prepared, hub, state)
        shutil.rmtree(hub)
        trial += 1
