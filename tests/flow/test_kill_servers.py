"""kill -9 at any moment of a sync with a real server, whose users go on working in between.

Beside the hub that is killed stands a twin that never is and syncs the same states: they must hold
the same, and the database must be whole. CRM_HUB_KILLS kills and CRM_HUB_KILL_SEEDS seeds for each
server; scripts/soak runs the long version.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.sdk.testing.servers import Unobtainable
from tests.flow import killed_sync
from tests.flow.hubs import sync_all
from tests.flow.kill_places import (
    Place,
    on_cyrus,
    on_dovecot,
    on_radicale,
    on_tryton,
    on_xandikos,
)
from tests.flow.test_kill import HANG_S, held

KILLS = int(os.environ.get("CRM_HUB_KILLS", "5"))
SEEDS = int(os.environ.get("CRM_HUB_KILL_SEEDS", "1"))
STATES = 4  # how often the users work before a hub is thrown away
SERVERS = {
    "dovecot": on_dovecot, "radicale": on_radicale, "xandikos": on_xandikos, "cyrus": on_cyrus,
    "tryton": on_tryton,
}  # fmt: skip


def make(folder: Path, place: Place) -> Path:
    """Return the folder of a new hub with the place connected, its tables built."""
    create(folder, own=["clearwater.example"])
    secret = folder / "password"
    secret.write_text(place.password, "utf-8")
    secret.chmod(0o600)
    settings = {**place.settings, "password": f"file:{secret}"}
    add_connection(folder, "place", place.connector, settings)
    hub = Hub(folder)
    with hub.store.read():
        pass
    hub.close()
    return folder


# Its imports take longer than a sync: each process is a fork of one that has done them.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.flow.killed_sync", "tests.flow.kill_places"])


def _sync(folder: Path, told: Connection) -> None:
    raise SystemExit(killed_sync.sync_hub(folder, lambda: told.send("ready")))


def killed(folder: Path, delay_s: float) -> bool:
    """Sync a hub and kill the process after `delay_s`; return whether it was still running."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_sync, args=(folder, theirs))
    process.start()
    theirs.close()
    assert ours.recv() == "ready"
    time.sleep(delay_s)
    process.kill()
    process.join(HANG_S)
    ours.close()
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode == -signal.SIGKILL


def synced(folder: Path) -> tuple[dict[str, Any], float]:
    """Return what a hub holds after a sync that nobody kills, and how many seconds that took."""
    hub = Hub(folder)
    began = time.monotonic()
    sync_all(hub)
    lasted = time.monotonic() - began
    hub.close()
    with sqlite3.connect(folder / "hub.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    return held(folder), lasted


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("server", SERVERS)
def test_a_sync_with_a_real_server_killed_at_any_moment_is_made_whole(
    tmp_path: Path, server: str, seed: int
) -> None:
    rng = random.Random(f"{server} {seed}")
    try:
        with SERVERS[server](rng) as place:
            _hunt(tmp_path, place, rng)
    except Unobtainable as why:
        pytest.skip(str(why))


def _hunt(folder: Path, place: Place, rng: random.Random) -> None:
    hits = starts = trial = 0
    while hits < KILLS:
        assert starts < 10 * KILLS, f"only {hits} of {starts} syncs were still running"
        hub, twin = make(folder / f"hub{trial}", place), make(folder / f"twin{trial}", place)
        for _ in range(STATES):
            expected, lasts_s = synced(twin)
            for _ in range(rng.choice((2, 3, 5))):
                hit = killed(hub, rng.random() * lasts_s)
                hits += hit
                starts += 1
                lasts_s *= 1 if hit else 0.8
            found, _ = synced(hub)
            for part, value in expected.items():
                assert found[part] == value, (part, trial)
            place.edit(rng)
        shutil.rmtree(hub)
        shutil.rmtree(twin)
        trial += 1
