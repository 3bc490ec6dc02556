"""How much speaks for two records being one person: the Fellegi-Sunter weight, and why.

The same number as Splink's match_weight for the same model and the same term frequencies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import NamedTuple

from crm_hub.resolve.ladder import Comparison, Level, Test
from crm_hub.resolve.population import Population
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.weights import LevelWeight, Model

_NO_TF: Mapping[str, float] = {}


class Step(NamedTuple):
    """One comparison of a waterfall: what each record says, the level, its weight in bits."""

    comparison: str
    left: str
    right: str
    level: str
    bits: float


class _Rung(NamedTuple):
    test: Test
    bits: float
    tf: str
    top: float
    shares: Mapping[str, float]


class Scorer:
    """Scores pairs of one population. Weights are bits; 0 is even odds."""

    def __init__(self, model: Model, population: Population, names: int = 2) -> None:
        """model: already calibrated to the population. names: so many of its comparisons, the
        first ones, are of the name."""
        self._names = names
        self.model = model
        self.prior_bits = log2(model.prior / (1 - model.prior))
        self._ladders = tuple(
            tuple(
                _Rung(
                    level.test, weight.bits, level.tf, weight.bits + log2(_usual(level.tf, ladder)),
                    population.tf.get(level.tf, _NO_TF) if level.tf else _NO_TF,
                )
                for level, weight in ladder
            )
            for ladder in map(_ladder, model.comparisons, model.levels)
        )  # fmt: skip

    def levels(self, a: Profile, b: Profile) -> tuple[int, ...]:
        """Return the level of each comparison that holds."""
        out = []
        for ladder in self._ladders:
            index = 0
            for rung in ladder:
                if rung.test(a, b):
                    break
                index += 1
            out.append(index)
        return tuple(out)

    def weight(self, levels: tuple[int, ...], a: Profile, b: Profile) -> float:
        """Return the weight of a pair whose levels are known."""
        bits = self.prior_bits
        for ladder, index in zip(self._ladders, levels, strict=True):
            bits += self._bits(ladder[index], a, b)
        return bits

    def of_name(self, levels: tuple[int, ...], a: Profile, b: Profile) -> float:
        """Return what the names alone weigh, with the prior.

        Where two people of a name are known, its rarity says no more which of them a record is.
        """
        names = zip(self._ladders[: self._names], levels[: self._names], strict=True)
        return self.prior_bits + sum(self._bits(ladder[index], a, b) for ladder, index in names)

    def is_other_name(self, levels: tuple[int, ...]) -> bool:
        """Tell whether first or last name are plainly other ones."""
        names = zip(self._ladders[: self._names], levels[: self._names], strict=True)
        return any(index == len(ladder) - 1 for ladder, index in names)

    def is_nameless(self, levels: tuple[int, ...]) -> bool:
        """Tell whether there was no name to compare."""
        return not any(levels[: self._names])

    def _bits(self, rung: _Rung, a: Profile, b: Profile) -> float:
        """Return what a level weighs; of two values the commoner tells how rare they are."""
        if rung.tf:
            mine, other = getattr(a, rung.tf), getattr(b, rung.tf)
            share = rung.shares.get(mine, 0.0)
            if other != mine:
                share = max(share, rung.shares.get(other, 0.0))
            if share:
                return rung.top - log2(share)
        return rung.bits

    def together(self, left: Sequence[Profile], right: Sequence[Profile]) -> float:
        """Return the weight between two groups: for each comparison the best of all their pairs.

        What only one pair can compare (a birth date, a second mailbox) then counts for the groups.
        """
        if len(left) == 1 and len(right) == 1:
            return self.weight(self.levels(left[0], right[0]), left[0], right[0])
        best: list[float | None] = [None] * len(self._ladders)
        for a in left:
            for b in right:
                for place, index in enumerate(self.levels(a, b)):
                    if index:
                        bits = self._bits(self._ladders[place][index], a, b)
                        known = best[place]
                        if known is None or (
                            bits > known if max(bits, known) > 0 else bits < known
                        ):
                            best[place] = bits
        return self.prior_bits + sum(bits for bits in best if bits is not None)

    def waterfall(self, a: Profile, b: Profile) -> list[Step]:
        """Return why: each comparison that had something to compare, in the model's order."""
        steps = []
        levels = self.levels(a, b)
        for place, index in enumerate(levels):
            comparison = self.model.comparisons[place]
            if self.model.levels[place][index].is_null:
                continue
            bits = self._bits(self._ladders[place][index], a, b)
            left, right = (_shown(p, comparison.columns) for p in (a, b))
            steps.append(
                Step(comparison.name, left, right, comparison.levels[index].name, round(bits, 3))
            )
        return steps


def _ladder(
    comparison: Comparison, weights: Sequence[LevelWeight]
) -> list[tuple[Level, LevelWeight]]:
    return list(zip(comparison.levels, weights, strict=True))


def _usual(column: str, ladder: Sequence[tuple[Level, LevelWeight]]) -> float:
    """Return the u of the level at which a column's values are equal: rarity is against that."""
    found = (weight.u for level, weight in ladder if level.duckdb == f"{column}_l = {column}_r")
    return next(found, 1.0)


def _shown(one: Profile, columns: tuple[str, ...]) -> str:
    parts = []
    for column in columns:
        value = getattr(one, column)
        text = ", ".join(sorted(value)) if isinstance(value, frozenset) else value
        if text:
            parts.append(text)
    return " · ".join(parts)


def probability(bits: float) -> float:
    """Return the chance that a weight in bits stands for."""
    if bits > 60:
        return 1.0
    odds = float(2.0 ** max(bits, -60.0))
    return odds / (1 + odds)
