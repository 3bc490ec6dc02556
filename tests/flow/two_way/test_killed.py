"""kill -9 at any moment of a two-way sync: nothing is lost, nothing doubled, on either side.

CRM_HUB_KILLS kills for each seed, CRM_HUB_KILL_SEEDS seeds; scripts/soak runs more.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from crm_hub.config import add_connection, create
from crm_hub.sdk.testing.fault_server import FaultServer
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.killed_round import main
from tests.flow.two_way.remote import serve
from tests.flow.two_way.worlds import MAPPING

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.flow.two_way.killed_round", "tests.flow.two_way.remote"])
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


class Rounds:
    """A process that runs rounds until it is killed. It is forked from one that has imported all."""

    def __init__(self, folder: Path) -> None:
        self.told, theirs = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=main, args=(str(folder), theirs), daemon=True)
        self._process.start()
        theirs.close()
        assert self.told.recv() == "ready"

    def kill(self) -> None:
        """kill -9."""
        assert self._process.is_alive(), "the rounds ended by themselves"
        self._process.kill()
        self._process.join()
        assert self._process.exitcode == -signal.SIGKILL
        self.told.close()


def until_quiet(folder: Path) -> None:
    """Run rounds until two in a row send nothing; what waits for its time gets it."""
    rounds = Rounds(folder)
    quiet, ends = 0, time.monotonic() + HANG_S
    try:
        while quiet < 2:
            assert time.monotonic() < ends, "the rounds do not come to rest"
            quiet = quiet + 1 if rounds.told.recv() == 0 else 0
    finally:
        rounds.kill()


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
        one_at_a_time = serve(server, sides)
        made(folder, server.url, idempotency, guard)
        for kill in range(KILLS):
            rounds = Rounds(folder)
            for number in range(4):
                with one_at_a_time:
                    added += people_do(sides[rng.randrange(2)], rng, kill * 10 + number)
                time.sleep(rng.random() * 0.05)
            time.sleep(rng.random() * 0.4)
            rounds.kill()
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
