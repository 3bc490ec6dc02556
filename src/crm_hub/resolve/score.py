"""How much speaks for two records being one person: the Fellegi-Sunter weight, and why.

The same number as Splink's match_weight for the same model and the same term frequencies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from operator import eq
from typing import NamedTuple

from crm_hub.resolve.compiled import compiled
from crm_hub.resolve.ladder import Comparison, Level
from crm_hub.resolve.population import Population
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.weights import LevelWeight, Model

_UNKNOWN = float("inf")


class Step(NamedTuple):
    """One comparison of a waterfall: what each record says, the level, its weight in bits."""

    comparison: str
    left: str
    right: str
    level: str
    bits: float


class _Rarity(dict[str, float]):
    """A value → how many bits its share among all is below 1, worked out when it is asked for."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        super().__init__()
        self._shares = shares

    def __missing__(self, value: str) -> float:
        share = self._shares.get(value, 0.0)
        self[value] = found = -log2(share) if share else _UNKNOWN
        return found


class _Rung(NamedTuple):
    bits: float
    tf: str
    top: float
    rarity: _Rarity


class Scorer:
    """Scores pairs of one population. Weights are bits; 0 is even odds."""

    def __init__(self, model: Model, population: Population, names: int = 2) -> None:
        """model: already calibrated to the population. names: so many of its comparisons, the
        first ones, are of the name."""
        self._names = names
        self.model = model
        self.levels = compiled(model.comparisons)
        """The level of each comparison that holds, of two profiles."""
        self.prior_bits = log2(model.prior / (1 - model.prior))
        rarity = {column: _Rarity(shares) for column, shares in population.tf.items()}
        nothing = _Rarity({})
        self._ladders = tuple(
            tuple(
                _Rung(
                    weight.bits, level.tf, weight.bits + log2(_usual(level.tf, ladder)),
                    rarity.get(level.tf, nothing),
                )
                for level, weight in ladder
            )
            for ladder in map(_ladder, model.comparisons, model.levels)
        )  # fmt: skip
        self._sums: dict[tuple[int, ...], tuple[float, list[_Rung]]] = {}
        """Levels → what they weigh whatever the values are, and those that hang on a value."""
        self._others = tuple(len(ladder) - 1 for ladder in self._ladders[:names])

    def weight(self, levels: tuple[int, ...], a: Profile, b: Profile) -> float:
        """Return the weight of a pair whose levels are known."""
        known = self._sums.get(levels)
        if known is None:
            rungs = [ladder[index] for ladder, index in zip(self._ladders, levels, strict=True)]
            fixed = self.prior_bits + sum(rung.bits for rung in rungs if not rung.tf)
            known = self._sums[levels] = fixed, [rung for rung in rungs if rung.tf]
        bits, by_rarity = known
        for rung in by_rarity:
            bits += self._bits(rung, a, b)
        return bits

    def of_name(self, levels: tuple[int, ...], a: Profile, b: Profile) -> float:
        """Return what the names alone weigh, with the prior.

        Where two people of a name are known, its rarity says no more which of them a record is.
        """
        names = zip(self._ladders[: self._names], levels[: self._names], strict=True)
        return self.prior_bits + sum(self._bits(ladder[index], a, b) for ladder, index in names)

    def is_other_name(self, levels: tuple[int, ...]) -> bool:
        """Tell whether first or last name are plainly other ones."""
        return any(map(eq, levels, self._others))

    def is_nameless(self, levels: tuple[int, ...]) -> bool:
        """Tell whether there was no name to compare."""
        return not any(levels[: self._names])

    def _bits(self, rung: _Rung, a: Profile, b: Profile) -> float:
        """Return what a level weighs; of two values the commoner tells how rare they are."""
        if rung.tf:
            mine, other = getattr(a, rung.tf), getattr(b, rung.tf)
            bits = rung.rarity[mine]
            if other != mine:
                bits = min(bits, rung.rarity[other])
            if bits != _UNKNOWN:
                return rung.top + bits
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
