"""kill -9 at any moment of a two-way sync: nothing is lost, nothing doubled, on either side.

CRM_HUB_KILLS kills for each seed, CRM_HUB_KILL_SEEDS seeds; scripts/soak runs more.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from crm_hub.config import add_connection, create
from crm_hub.sdk.testing.fault_server import FaultServer
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.remote import serve
from tests.flow.two_way.worlds import MAPPING

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("CRM_HUB_KILLS", "6"))
SEEDS = int(os.environ.get("CRM_HUB_KILL_SEEDS", "1"))
HANG_S = 60.0


def made(folder: Path, url: str, idempotency: str, guard: str) -> None:
    create(folder)
    drop_in = folder / "connectors" / "fake"
    drop_in.mkdir(parents=True)
    (drop_in / "connector.py").write_text("from tests.flow.two_way.remote import connector\n")
    (drop_in / "mapping.yaml").write_text(MAPPING)
    for name in "ab":
        settings = {"side": name, "url": url, "idempotency": idempotency, "guard": guard}
        add_connection(folder, name, "fake", settings)
    path = folder / "hub.yaml"
    text = path.read_text()
    for name in "ab":
        text = text.replace(f"  {name}:\n", f"  {name}:\n    direction: both\n")
    path.write_text(text)


def started(folder: Path) -> subprocess.Popen[str]:
    code = "from tests.flow.two_way.killed_round import main; main()"
    path = os.pathsep.join(str(ROOT / p) for p in ("src", "connectors", "."))
    done = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout is not None
    assert done.stdout.readline() == "ready\n"
    return done


def until_quiet(folder: Path) -> None:
    """Run rounds until two in a row send nothing; what waits for its time gets it."""
    process = started(folder)
    quiet, ends = 0, time.monotonic() + HANG_S
    try:
        while quiet < 2:
            assert time.monotonic() < ends, "the rounds do not come to rest"
            assert process.stdout is not None
            quiet = quiet + 1 if process.stdout.readline() == "0\n" else 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def people_do(side: Side, rng: random.Random, number: int) -> int:
    """Add or edit a record; return how many were added."""
    keys = sorted(side.live())
    if not keys or rng.random() < 0.4:
        side.add(first=f"F{number}", last=f"L{number}", email=[f"p{number}@x.example"])
        return 1
    side.edit(rng.choice(keys), **{rng.choice(["title", "department"]): f"v{number}"})
    return 0


@pytest.mark.parametrize(
    ("idempotency", "guard"), [("external_id", "version"), ("none", "compare")]
)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_killed_two_way_sync_loses_and_doubles_nothing(
    tmp_path: Path, seed: int, idempotency: str, guard: str
) -> None:
    rng = random.Random(seed)
    clock = Clock()
    sides = [Side(n, clock, idempotency=idempotency, guard=guard) for n in "ab"]
    folder = tmp_path / "hub"
    added = 0
    with FaultServer() as server:
        serve(server, sides)
        made(folder, server.url, idempotency, guard)
        for kill in range(KILLS):
            process = started(folder)
            for number in range(4):
                added += people_do(sides[rng.randrange(2)], rng, kill * 10 + number)
                time.sleep(rng.random() * 0.05)
            time.sleep(rng.random() * 0.4)
            process.send_signal(signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        until_quiet(folder)
    held = [
        Counter(
            tuple(sorted((k, str(v)) for k, v in p.items() if k != "id")) for p in s.live().values()
        )
        for s in sides
    ]
    assert held[0] == held[1]
    assert sum(held[0].values()) == added
    for side in sides:
        assert len(side.created) == len(set(side.created))
