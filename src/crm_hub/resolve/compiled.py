"""The levels of a pair by one function, made of the comparisons once: a third of the time.

Millions of pairs ask some thirty questions each, and most of these are shorter than the call of
a function. What a level says as an expression stands in the function itself; the rest is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from crm_hub.resolve.ladder import Comparison
from crm_hub.resolve.profile import Profile

Levels = Callable[[Profile, Profile], tuple[int, ...]]


def compiled(comparisons: Sequence[Comparison]) -> Levels:
    """Return a function of two profiles: the level of each comparison that holds, the first one."""
    lines = ["def levels(a, b):"]
    called: dict[str, Any] = {}
    for place, comparison in enumerate(comparisons):
        *asked, _ = comparison.levels  # the last one holds where no other does
        for at, level in enumerate(asked):
            test = level.inline
            if not test:
                called[f"test_{place}_{at}"] = level.test
                test = f"test_{place}_{at}(a, b)"
            lines.append(f"    {'elif' if at else 'if'} {test}: level_{place} = {at}")
        lines.append(f"    else: level_{place} = {len(asked)}")
    found = "".join(f"level_{place}, " for place in range(len(comparisons)))
    lines.append(f"    return ({found})")
    # Nothing of it comes from outside: columns and levels stand in this package.
    exec("\n".join(lines), called)  # noqa: S102
    levels: Levels = called["levels"]
    return levels
