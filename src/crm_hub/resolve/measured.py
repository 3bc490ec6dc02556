"""What was measured of all records of a hub: how many, how rare each value is, what is usual.

Taken from a population (population.py) by a rebuild, and kept in the store. Between two rebuilds
it stays as it is: a record is weighed alike whether it came first or last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.lands import NO_LANDS, Counted, Lands, LandShares
from crm_hub.resolve.near import NEAR_VERSION
from crm_hub.resolve.normal.words import known_given_names
from crm_hub.resolve.population import SHARE_COLUMNS, TF_COLUMNS, Population
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.weights import MODEL_RECORDS, shipped

_MOST_VALUES = 20_000
_PAIRS_VERSION = "pairs 2"
"""Raised when two records begin to weigh otherwise, so that kept pairs are weighed again."""
_COUNTED = tuple(column for column in TF_COLUMNS if not column.endswith("_land"))


@lru_cache(8)
def rules_mark(rules: IdentityRules, model: str) -> str:
    """Return a mark of what decides which pairs are one besides the records and the measure.

    model: the file name of the kind's weights.
    """
    lists = [
        sorted(v) if isinstance(v, frozenset) else v
        for v in (getattr(rules, name) for name in IdentityRules.__dataclass_fields__)
    ]
    text = f"{lists!r}{NEAR_VERSION}{_PAIRS_VERSION}" + shipped(model).read_text("utf-8")
    return blake2b(text.encode(), digest_size=8).hexdigest()


class _Shares(Mapping[str, float]):
    """Value → its share; one that is not listed is as rare as the rarest that is."""

    def __init__(self, listed: dict[str, float], rest: float) -> None:
        self._listed, self._rest = listed, rest

    def __getitem__(self, value: str) -> float:
        return self._listed.get(value, self._rest)

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


@dataclass(frozen=True, slots=True)
class Measured:
    """population: as the scorer takes it. common_family: surnames too usual to be a slip.

    given_too: surnames that are usual first names as well. lands: where names are met.
    """

    population: Population
    common_given: frozenset[str] = frozenset()
    common_family: frozenset[str] = frozenset()
    given_too: frozenset[str] = frozenset()
    lands: Lands = NO_LANDS

    def mark(self, one: Profile) -> None:
        """Mark in a profile what only all records can tell."""
        one.common_given = one.given in self.common_given or one.given in known_given_names()
        one.common_family = one.family in self.common_family
        one.family_is_given = one.family in self.given_too
        self.lands.mark(one)


NOT_MEASURED = Measured(
    Population(MODEL_RECORDS, {"given_land": _Shares({}, 0.03), "family_land": _Shares({}, 0.01)})
)
"""Stands for a hub before its first rebuild: every name is usual, and what is alike is asked."""


class Census:
    """Counts what all records of an entity say, one after the other; see population.py.

    A number or mailbox of several people counts as a line already when it comes here.
    """

    def __init__(self) -> None:
        self._records = 0
        self._tf: dict[str, Counter[str]] = {column: Counter() for column in _COUNTED}
        self._lands = Counted()
        self._shares: dict[str, Counter[str]] = {column: Counter() for column in SHARE_COLUMNS}
        self._filled: Counter[str] = Counter()

    def add(self, one: Profile) -> None:
        """Count one record."""
        self._records += 1
        self._lands.add(one)
        for column, counts in self._tf.items():
            if value := getattr(one, column):
                counts[value] += 1
        for column, counts in self._shares.items():
            if held := getattr(one, column):
                self._filled[column] += 1
                counts.update(held)

    def doc(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {
            "records": self._records,
            "tf": {column: _listed(column, counts) for column, counts in self._tf.items()},
            "shares": {c: _met(counts, self._filled[c]) for c, counts in self._shares.items()},
            "lands": {
                "given": _listed_lands(self._lands.given),
                "family": _listed_lands(self._lands.family),
                "sizes": dict(self._lands.sizes),
            },
            **self._usual(),
        }

    def _usual(self) -> dict[str, list[str]]:
        """Return the names that so many records have that they are no slip of another."""
        enough = 5 + self._records / 5_000
        given, family = self._tf["given"], self._tf["family"]
        first = {name for name, n in given.items() if n >= enough and len(name) > 1}
        last = {name for name, n in family.items() if n >= enough and len(name) > 1}
        both = (first | known_given_names()) & last
        too = {n for n in both if given[n] * 4 >= family[n] and family[n] * 8 >= given[n]}
        return {
            "common_given": sorted(first), "common_family": sorted(last), "given_too": sorted(too)
        }  # fmt: skip


_UNSEEN, _BACKGROUND = 0.4, 2_000
"""What is known of names before any record: each is one in 5,000, worth 2,000 records."""


def _listed(column: str, counts: Counter[str]) -> list[Any]:
    """Return [value → share of those that occur more than once, share of all others]."""
    total = counts.total()
    if not total:
        return [{}, 0.0]
    more, all_ = (_UNSEEN, total + _BACKGROUND) if column in ("given", "family") else (0, total)
    usual = sorted((v for v, n in counts.items() if n > 1), key=lambda v: (-counts[v], v))
    listed = {v: (counts[v] + more) / all_ for v in usual[:_MOST_VALUES]}
    return [listed, (1 + more) / all_]


def _met(counts: Counter[str], filled: int) -> float:
    """Return the chance that two records that have values in a column of sets share one."""
    pairs = sum(n * (n - 1) for n in counts.values())
    return pairs / (filled * (filled - 1)) if pairs else 0.0


def _listed_lands(counts: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    """Return name → land → how many, of the names that are met most."""
    usual = sorted(counts, key=lambda name: (-counts[name].total(), name))
    return {name: dict(sorted(counts[name].items())) for name in usual[:_MOST_VALUES]}


OWN_MODEL = "model"
"""Where a measure keeps the weights that were in force with it, if they are the hub's own."""


def load(doc: Mapping[str, Any]) -> Measured:
    """Return what `dump` kept; NOT_MEASURED for an empty document."""
    if not doc:
        return NOT_MEASURED
    tf: dict[str, Mapping[str, float]] = {
        column: _Shares(listed, rest) for column, (listed, rest) in doc["tf"].items() if rest
    }
    lands = Lands(**doc.get("lands", _UNKNOWN))
    for column in ("given", "family"):
        if column in tf:
            tf[f"{column}_land"] = LandShares(lands, column, tf[column])
    found = Population(doc["records"], tf, doc["shares"])
    given, family, too = (frozenset(doc[n]) for n in ("common_given", "common_family", "given_too"))
    return Measured(found, given, family, too, lands)


_UNKNOWN: dict[str, dict[str, Any]] = {"given": {}, "family": {}, "sizes": {}}
