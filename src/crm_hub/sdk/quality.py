"""How good a connector is: its quality.yaml, which the contract suite proves, as a tier.

One line a case, `5: done`, `10: todo` or `11: {exempt: "it writes nothing"}`, and for the highest
tier `freshness_s: 2.0`, as measured. Read by `crm-hub connectors list`; needs nothing installed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

Tier = Literal["none", "bronze", "silver", "gold", "platinum"]

TIERS: tuple[tuple[Tier, tuple[int, ...]], ...] = (
    ("bronze", (1, 2, 3, 4, 5, 9, 17)),
    ("silver", (6, 7, 8, 10, 18, 19, 20, 21)),
    ("gold", (11, 12, 13, 14, 15, 22)),
    ("platinum", (16,)),
)
"""Each tier with the cases that it asks for beside those of the tiers before it."""

_CASE = re.compile(r'(\d+):\s*(?:(done|todo)|\{\s*exempt:\s*(".+"|\'.+\')\s*\})\s*(?:#.*)?\Z')
_FRESH = re.compile(r"freshness_s:\s*(\d+(?:\.\d+)?)\s*(?:#.*)?\Z")


@dataclass(frozen=True, slots=True)
class Quality:
    """What a quality file says. cases: number → done, todo or exempt; reasons: of exempt ones.

    freshness_s: how old news is when it arrives, as measured; None when nobody measured.
    """

    cases: Mapping[int, str] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    freshness_s: float | None = None

    @property
    def tier(self) -> Tier:
        """Return the highest tier whose cases, and those of all lower ones, are done or exempt."""
        held = {case for case, said in self.cases.items() if said in ("done", "exempt")}
        return reached(held, self.freshness_s)

    @property
    def writes(self) -> bool:
        """Whether any of the cases of writing was done."""
        return any(self.cases.get(case) == "done" for case in range(11, 16))

    def missing(self) -> tuple[str, list[int]]:
        """Return the next tier and the cases that it still asks for; "" at the top."""
        for name, cases in TIERS:
            open_ones = [c for c in cases if self.cases.get(c, "todo") == "todo"]
            if open_ones or (name == "platinum" and self.freshness_s is None):
                return name, open_ones
        return "", []


def reached(held: Collection[int], freshness_s: float | None = None) -> Tier:
    """Return the highest tier of which all cases are in `held`, those of lower tiers too."""
    found: Tier = "none"
    for name, cases in TIERS:
        if not set(cases) <= set(held) or (name == "platinum" and freshness_s is None):
            break
        found = name
    return found


def read_quality(text: str) -> Quality:
    """Return what a quality file says. Raises: ValueError naming the line that says nothing."""
    cases: dict[int, str] = {}
    reasons: dict[int, str] = {}
    freshness_s: float | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if fresh := _FRESH.match(line):
            freshness_s = float(fresh[1])
            continue
        found = _CASE.match(line)
        if found is None:
            raise ValueError(f"line {number} is neither `CASE: done`, `todo` nor `exempt`")
        case = int(found[1])
        cases[case] = found[2] or "exempt"
        if found[3]:
            reasons[case] = found[3][1:-1]
    return Quality(cases, reasons, freshness_s)


def untrue(said: Quality, found: Mapping[int, str]) -> list[str]:
    """Return what a quality file says that the suite did not find.

    found: case → pass, fail, exempt or todo. Where a connector is tried in several ways, a case
    that is done may be exempt in one of them, and one that is exempt may pass.
    """
    wrong = []
    for case, status in sorted(found.items()):
        claim = said.cases.get(case)
        if claim is None:
            wrong.append(f"case {case} is not named")
        elif claim != "todo" and status not in ("pass", "exempt"):
            wrong.append(f"case {case} is said to be {claim}, and the suite says {status}")
    return wrong
