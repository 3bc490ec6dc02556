"""The pieces of a comparison: levels with their SQL and Python, and how near two texts are.

levels.py (people) and firm_levels.py (organizations) are made of these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from crm_hub.resolve.profile import Profile

Test = Callable[[Profile, Profile], bool]
CACHED = 262_144


class Level(NamedTuple):
    """One degree of likeness. tf: the column whose rarer values weigh more (an exact match)."""

    name: str
    duckdb: str
    spark: str
    test: Test
    tf: str = ""


class Comparison(NamedTuple):
    """name: also what a waterfall calls it. columns: what a person is shown of it."""

    name: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]


@lru_cache(CACHED)
def slips(a: str, b: str) -> int:
    """Return how many single typing mistakes lie between two texts; 3 stands for more."""
    if abs(len(a) - len(b)) > 2:
        return 3
    return min(3, int(DamerauLevenshtein.distance(a, b, score_cutoff=2)))


@lru_cache(CACHED)
def likeness(a: str, b: str) -> float:
    """Return the Jaro-Winkler similarity, from 0 to 1."""
    return float(JaroWinkler.similarity(a, b))


def null_level(*columns: str) -> Level:
    """Return the level of records of which one is silent: in every one of the columns."""
    parts = [f"({c}_l IS NULL OR {c}_r IS NULL)" for c in columns]
    sql = " AND ".join(parts)

    def test(a: Profile, b: Profile) -> bool:
        return not any(getattr(a, c) and getattr(b, c) for c in columns)

    if len(columns) == 1:
        (only,) = columns

        def test_one(a: Profile, b: Profile) -> bool:
            return not getattr(a, only) or not getattr(b, only)

        return Level("nothing to compare", sql, sql, test_one)
    return Level("nothing to compare", sql, sql, test)


def equal_level(name: str, column: str) -> Level:
    sql = f"{column}_l = {column}_r"

    def test(a: Profile, b: Profile) -> bool:
        value: str = getattr(a, column)
        return value != "" and bool(value == getattr(b, column))

    return Level(name, sql, sql, test, tf=column)


def shared_level(name: str, column: str) -> Level:
    def test(a: Profile, b: Profile) -> bool:
        return not bool(getattr(a, column).isdisjoint(getattr(b, column)))

    return Level(
        name,
        f"list_has_any({column}_l, {column}_r)",
        f"arrays_overlap({column}_l, {column}_r)",
        test,
    )


def other_level(name: str) -> Level:
    return Level(name, "ELSE", "ELSE", lambda _a, _b: True)


def named_level(name: str, duckdb: str, test: Test, spark: str = "") -> Level:
    spark = spark or duckdb.replace("jaro_winkler_similarity", "jaro_winkler")
    return Level(name, duckdb, spark, test)
