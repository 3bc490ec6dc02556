"""The long hunt: the machine of machine.py, in as many processes as there are cores.

A hunt is cut into lots of so many worlds. A lot is known by its seed, and the same seed gives the
same lot again. scripts/hunt runs it.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.flow.two_way.machine import TwoWay

STEPS = 30
"""How many steps a world takes at most."""
WORLDS = 40
"""How many worlds a lot tries."""


class Lot(NamedTuple):
    """What became of a lot. broken: which promise was broken and by which steps, "" if none."""

    seed: int
    worlds: int
    steps: int
    broken: str


def chosen(worlds: int, *, derandomize: bool = False, shrink: bool = False) -> settings:
    """Return how worlds are tried."""
    return settings(
        max_examples=worlds,
        stateful_step_count=STEPS,
        derandomize=derandomize,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )


def hunt(number: int, worlds: int = WORLDS, shrink: bool = False) -> Lot:
    """Try the worlds of a lot."""
    quiet_before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    worlds_before, steps_before, broken = TwoWay.worlds, TwoWay.steps, ""
    try:
        run_state_machine_as_test(seed(number)(TwoWay), settings=chosen(worlds, shrink=shrink))
    except Exception:
        broken = traceback.format_exc().replace("state.count()\n", "")
    finally:
        logging.disable(quiet_before)
    return Lot(number, TwoWay.worlds - worlds_before, TwoWay.steps - steps_before, broken)


def main(args: Sequence[str] | None = None) -> int:
    """Hunt until so many steps were taken or a promise was broken; return the exit code."""
    asked = _parser().parse_args(args)
    first = random.SystemRandom().randrange(10**9) if asked.seed is None else asked.seed
    count = min(asked.processes, -(-asked.steps // (STEPS * WORLDS)))
    print(f"{asked.steps:,} steps, seeds from {first} on, {count} processes", flush=True)
    began_s, steps, worlds = time.monotonic(), 0, 0
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        under_way: set[Future[Lot]] = set()
        following = first
        while steps < asked.steps:
            while len(under_way) < count:
                under_way.add(pool.submit(hunt, following, WORLDS, asked.shrink))
                following += 1
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for lot in (one.result() for one in done):
                steps, worlds = steps + lot.steps, worlds + lot.worlds
                took_s = time.monotonic() - began_s
                print(
                    f"seed {lot.seed}: {lot.steps:,} steps; {steps:,} steps in {worlds:,} worlds, "
                    f"{took_s:.0f} s, {steps / took_s:.0f} steps/s",
                    flush=True,
                )
                if lot.broken:
                    print(f"{lot.broken}\nBroken by seed {lot.seed}, after {steps:,} steps. Again:")
                    print(f"    scripts/hunt 1 --seed {lot.seed} --shrink", flush=True)
                    return 1
    print(f"No promise was broken: {steps:,} steps, {worlds:,} worlds.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/hunt",
        description="Let a model of two and three systems hunt for faults of two-way sync.",
    )
    add = parser.add_argument
    add("steps", nargs="?", type=int, default=100_000, help="how many steps, 100000 if not given")
    add("--seed", type=int, help="the first seed, any if not given; the same give the same hunt")
    add("--processes", type=int, default=os.cpu_count() or 1, help="one for each core if not given")
    add("--shrink", action="store_true", help="look for a shorter sequence; takes minutes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
