"""The long hunt: the machine of test_machine.py with a seed, in a process of its own.

    python -m tests.flow.two_way.hunt SEED WORLDS

prints how many steps it took, or the sequence of steps that broke a promise. The same seed and
number of worlds give the same hunt.
"""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.flow.two_way.test_machine import STEPS, TwoWay

# Making a failure small takes minutes; ask for it: CRM_HUB_MACHINE_SHRINK=1.
SHRINK = [Phase.shrink] if os.environ.get("CRM_HUB_MACHINE_SHRINK") else []


def hunt(number: int, worlds: int) -> int:
    """Try so many worlds; return how many steps that took."""
    machine = seed(number)(TwoWay)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=worlds,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, *SHRINK],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
    return TwoWay.steps


if __name__ == "__main__":
    wanted, examples = (int(word) for word in sys.argv[1:3])
    try:
        print(f"seed {wanted}: {hunt(wanted, examples)} steps", flush=True)
    except BaseException:
        print(f"seed {wanted}: broken after {TwoWay.steps} steps", flush=True)
        raise
