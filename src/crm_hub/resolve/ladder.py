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
    """One degree of likeness. tf: the column whose rarer values weigh more (an exact match).

    inline: the test as an expression of a and b, where it is one; see compiled.py.
    """

    name: str
    duckdb: str
    spark: str
    test: Test
    tf: str = ""
    inline: str = ""


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
    sql = " AND ".join(f"({c}_l IS NULL OR {c}_r IS NULL)" for c in columns)
    both = " or ".join(f"a.{c} and b.{c}" for c in columns)
    return _inline("nothing to compare", sql, sql, f"not ({both})")


def equal_level(name: str, column: str) -> Level:
    sql = f"{column}_l = {column}_r"
    return _inline(name, sql, sql, f"a.{column} == b.{column} != ''")._replace(tf=column)


def shared_level(name: str, column: str) -> Level:
    return _inline(
        name,
        f"list_has_any({column}_l, {column}_r)",
        f"arrays_overlap({column}_l, {column}_r)",
        f"not a.{column}.isdisjoint(b.{column})",
    )


def other_level(name: str) -> Level:
    return _inline(name, "ELSE", "ELSE", "True")


def _inline(name: str, duckdb: str, spark: str, python: str) -> Level:
    """Return a level whose Python is an expression. Columns are named in this package alone."""
    test: Test = eval(f"lambda a, b: bool({python})", {})  # noqa: S307
    return Level(name, duckdb, spark, test, inline=python)


def named_level(name: str, duckdb: str, test: Test | str, spark: str = "") -> Level:
    """Return a level of its own. test: a function, or an expression of a and b."""
    spark = spark or duckdb.replace("jaro_winkler_similarity", "jaro_winkler")
    if isinstance(test, str):
        return _inline(name, duckdb, spark, test)
    return Level(name, duckdb, spark, test)
