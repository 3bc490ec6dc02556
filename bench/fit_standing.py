"""Fit the numbers of src/crm_hub/resolve/standing.py on worlds whose truth is known.

    python bench/fit_standing.py --records 20000

Resolves the fitted variants as they are decided now, and asks at each edge that is looked at: what
did it weigh, what did all records of both clusters weigh, how many rivals were there, and were the
two one person? A logistic regression over these (Newton's method) prints what each is worth in bits.
Run it again until the numbers stay: what is joined changes what is asked.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from math import exp, log, log2

from fit_identity import FITTED
from identity_data import profiles_of
from people import people

from crm_hub.mapping.rulebooks import read_identity
from crm_hub.resolve import graph
from crm_hub.resolve.standing import MOST_RIVALS, SURE
from crm_hub.resolve.weights import read_model, shipped
from crm_hub.resolve.whole import resolve

NAMES = (
    "even",
    "pair",
    "against",
    "for",
    "1 rival",
    "2 rivals",
    "3 rivals",
    "contested",
    "size",
    "smaller",
)


class Logged(graph._Joining):
    """Joins as always, and writes down what each edge looked like."""

    rows: list[tuple[list[float], bool]]
    truth: dict[str, int]
    seen: set[tuple[int, int, int, int]]

    def _standing(
        self, edge: graph.Edge, left: list[int], right: list[int], together: float
    ) -> float:
        found = super()._standing(edge, left, right, together)
        one, other = sorted(((min(left), len(left)), (min(right), len(right))))
        if edge.sure or edge.bits >= SURE or (*one, *other) in self.seen:
            return found
        self.seen.add((*one, *other))
        size = len(left) + len(right)
        together = together if size > 2 else edge.bits
        rivals = self._rivals(left, right)
        row = [
            1.0,
            edge.bits,
            -min(max(edge.bits - together, 0.0), 8.0),
            min(max(together - edge.bits, 0.0), 12.0),
            *(-float(rivals == n) for n in range(1, MOST_RIVALS + 1)),
            -float(edge.contested),
            1 - log2(size),
            -log2(min(len(left), len(right))),
        ]
        ids = self.judge._profiles  # type: ignore[attr-defined]
        people = [Counter(self.truth[ids[at].id] for at in side) for side in (left, right)]
        who = [counts.most_common(1)[0][0] for counts in people]
        self.rows.append((row, who[0] == who[1]))
        return found


def logged(records: int, seed: int, variant: str) -> list[tuple[list[float], bool]]:
    """Return features and truth of every edge looked at in one world."""
    world = people(records, seed, variant)
    ids = [row["record_id"] for row in world.rows]
    Logged.rows, Logged.seen = [], set()
    Logged.truth = dict(zip(ids, world.truth, strict=True))
    usual = graph._Joining
    graph._Joining = Logged  # type: ignore[misc]
    try:
        resolve(profiles_of(world.rows), read_model(shipped()), read_identity().bands)
    finally:
        graph._Joining = usual  # type: ignore[misc]
    return Logged.rows


def regression(rows: Sequence[tuple[list[float], bool]], steps: int = 25) -> list[float]:
    """Return the weights of a logistic regression, in bits: Newton's steps, halved until they help."""
    size = len(rows[0][0])
    weights = [0.0] * size
    loss = _loss(weights, rows)
    for _ in range(steps):
        slope = [-1e-3 * w for w in weights]
        bend = [[1e-3 * (i == j) for j in range(size)] for i in range(size)]
        for row, same in rows:
            chance = _chance(weights, row)
            part = chance * (1 - chance)
            for i, x in enumerate(row):
                if x:
                    slope[i] += (same - chance) * x
                    for j in range(size):
                        bend[i][j] += part * x * row[j]
        step = solved(bend, slope)
        while max(map(abs, step)) > 1e-4:
            tried = [w + d for w, d in zip(weights, step, strict=True)]
            if (lower := _loss(tried, rows)) < loss:
                weights, loss = tried, lower
                break
            step = [d / 2 for d in step]
        else:
            break
    return [w / log(2) for w in weights]


def _chance(weights: Sequence[float], row: Sequence[float]) -> float:
    odds = sum(w * x for w, x in zip(weights, row, strict=True))
    return 1 / (1 + exp(-max(min(odds, 30.0), -30.0)))


def _loss(weights: Sequence[float], rows: Sequence[tuple[list[float], bool]]) -> float:
    return -sum(log(c if same else 1 - c) for row, same in rows for c in [_chance(weights, row)])


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return x of matrix · x = right, by Gauss."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(len(rows)):
        best = max(range(at, len(rows)), key=lambda r: abs(rows[r][at]))
        rows[at], rows[best] = rows[best], rows[at]
        rows[at] = [x / rows[at][at] for x in rows[at]]
        for other in range(len(rows)):
            if other != at:
                rows[other] = [
                    x - rows[other][at] * y for x, y in zip(rows[other], rows[at], strict=True)
                ]
    return [row[-1] for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rows = [row for v in FITTED for row in logged(args.records, args.seed, v)]
    print(f"{len(rows):,} edges of {', '.join(FITTED)}")
    for name, weight in zip(NAMES, regression(rows), strict=True):
        print(f"  {name:10} {weight:6.2f} bits")


if __name__ == "__main__":
    main()
