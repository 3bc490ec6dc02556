"""How rare a name is among the people it is met with: those of its land.

What is rare in one land is usual in another, and first names and surnames go together: two people
of one name mostly live in one land. A record's land is the country it says, or else the one that
its names tell. A first name weighs by its share in that land; a surname by the share of those who
live there among all, so that both together are the chance of the whole name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from sys import intern

from crm_hub.resolve.profile import Profile

Places = Mapping[str, Mapping[str, int]]
_NOWHERE: Mapping[str, int] = {}
_MOST = 0.5


class Lands:
    """In which lands names are said to be.

    given, family: name → land → how many records say it. sizes: land → how many say it.
    """

    def __init__(self, given: Places, family: Places, sizes: Mapping[str, int]) -> None:
        self.given, self.family = given, family
        total = sum(sizes.values())
        self.shares = {land: size / total for land, size in sorted(sizes.items())}
        self.many = 1 / sum(p * p for p in self.shares.values()) if total else 1.0
        """Of how many lands of one size the records would be."""
        self._guesses: dict[tuple[str, str], str] = {}

    def mark(self, one: Profile) -> None:
        """Write into a profile of which land its names are."""
        land = one.country or self._guessed(one.given, one.family)
        one.given_land = intern(f"{one.given} {land}") if one.given else ""
        one.family_land = intern(f"{one.family} {land}") if one.family else ""

    def _guessed(self, given: str, family: str) -> str:
        """Return the land that two names tell, "" where they tell none."""
        found = self._guesses.get((given, family))
        if found is None:
            first, last = self.given.get(given, _NOWHERE), self.family.get(family, _NOWHERE)
            weighed = [
                (self._likely(first, land) * self._likely(last, land) / share, land)
                for land, share in self.shares.items()
                if land in first or land in last
            ]
            found = max(weighed)[1] if weighed else ""
            self._guesses[given, family] = found
        return found

    def _likely(self, said: Mapping[str, int], land: str) -> float:
        """Return the chance that somebody of a name lives in a land."""
        return (said.get(land, 0) + self.shares[land]) / (sum(said.values()) + 1)

    def given_share(self, name: str, land: str, share: float) -> float:
        """Return a first name's share in a land, from its share among all."""
        if not land:
            return share
        size = self.shares.get(land, 1.0)
        return min(share * _known(self.given.get(name, _NOWHERE), land) / size, _MOST)

    def family_share(self, name: str, land: str, share: float) -> float:
        """Return the share of those who live in a land and have a surname, from that of all.

        Where no land is known, two of one surname are of one land as most are.
        """
        if not land:
            return min(share * self.many, _MOST)
        return share * _known(self.family.get(name, _NOWHERE), land)


def _known(said: Mapping[str, int], land: str) -> float:
    """Return how many of those of a name live in a land: one does, whom nobody counted."""
    return (said.get(land, 0) + 1) / (sum(said.values()) + 1)


class Counted:
    """Counts in which lands names are said to be, one record after the other."""

    def __init__(self) -> None:
        self.given: dict[str, Counter[str]] = defaultdict(Counter)
        self.family: dict[str, Counter[str]] = defaultdict(Counter)
        self.sizes: Counter[str] = Counter()

    def add(self, one: Profile) -> None:
        """Count a record, if it says its country."""
        if one.country:
            self.sizes[one.country] += 1
            if len(one.given) > 1:
                self.given[one.given][one.country] += 1
            if len(one.family) > 1:
                self.family[one.family][one.country] += 1

    def lands(self) -> Lands:
        """Return what was counted."""
        return Lands(self.given, self.family, self.sizes)


class LandShares(Mapping[str, float]):
    """A name with its land → its share, worked out when it is asked for."""

    def __init__(self, lands: Lands, column: str, shares: Mapping[str, float]) -> None:
        self._of = lands.given_share if column == "given" else lands.family_share
        self._shares = shares

    def __getitem__(self, value: str) -> float:
        name, _, land = value.rpartition(" ")
        return self._of(name, land, self._shares[name])

    def __iter__(self) -> Iterator[str]:
        return (f"{name} " for name in self._shares)

    def __len__(self) -> int:
        return len(self._shares)


NO_LANDS = Lands({}, {}, {})
"""Where nobody counted: a name is met as often in one land as in all."""
