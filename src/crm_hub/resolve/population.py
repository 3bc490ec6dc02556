"""What all records together say about a value: how rare it is, and whether several people use it.

A pure function of the set of profiles. In a hub the store keeps the same counts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from crm_hub.resolve.lands import Counted, Lands, LandShares
from crm_hub.resolve.name_levels import other_given
from crm_hub.resolve.normal.words import known_given_names
from crm_hub.resolve.profile import Profile, one_of
from crm_hub.resolve.readings import Readings, settled

TF_COLUMNS = (
    "given", "family", "mail_own", "address", "company", "spot", "postcode", "city", "title",
    "country", "given_land", "family_land",
)  # fmt: skip
SHARE_COLUMNS = ("firms", "lines")
# Places, firms and lines lie in one country, as their people's names do: two strangers of one name
# meet there as much more often than two of any names as there are countries.
LOCAL_COLUMNS = ("city",)
_MOST_LOCAL = 0.5
_MOST_NAMES = 12
# A kind of reference is believed to name people from so many shared values on, when no more than
# this share of them is held by people of two names.
_ENOUGH_REFERENCES, _MOST_LOOSE = 20, 0.04
# What is known of names before a set is seen, worth so many records: a name is one in 5,000. In a
# short list two records of one name are then no usual name.
_BACKGROUND, _RARE = 2_000, 1 / 5_000
_SPARSE, _ENOUGH_NUMBERS = 0.002, 500
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Population:
    """What a set says. records: how many. tf: column → value → its share of the filled ones.

    shares: column of sets → the chance that two records that have it share a value.
    references_identify: people have one reference a system, so that two of them clash.
    """

    records: int
    tf: Mapping[str, Mapping[str, float]]
    shares: Mapping[str, float] = field(default_factory=dict)
    references_identify: bool = False
    readings: Readings | None = None


class _Name(NamedTuple):
    given: str
    givens: frozenset[str]
    family: str
    families: frozenset[str]
    common: bool


def settle(profiles: Sequence[Profile]) -> Population:
    """Return what the set says, and mark in each profile what only the set can tell.

    Common names are marked; a number or mailbox that people with clearly different first names
    use moves from `phones` and `mails` to `lines`; a reference that they share is dropped.
    """
    known = settled(profiles)
    lands = _mark_lands(profiles)
    tf = {column: _frequencies(profiles, column) for column in TF_COLUMNS}
    for column in ("given", "family"):
        here = LandShares(lands, column, tf[column])
        tf[f"{column}_land"] = {value: here[value] for value in tf[f"{column}_land"]}
    _mark_common(profiles)
    shared = {column: _used_by_several(profiles, column) for column in ("mails", "phones")}
    shared["refs"] = _loose_references(profiles)
    for one in profiles:
        for column in ("mails", "phones"):
            held: frozenset[str] = getattr(one, column)
            if held and not held.isdisjoint(shared[column]):
                setattr(one, column, held - shared[column])
                one.lines = one_of(one.lines | held & shared[column])
        if one.mobile in shared["phones"]:
            one.mobile = ""
        if one.mail in shared["mails"]:
            one.mail = min(one.mails, default="")
        if not one.refs.isdisjoint(shared["refs"]):
            one.refs = one_of(one.refs - shared["refs"])
    _mark_sparse(profiles)
    shares = {column: _share(profiles, column) for column in SHARE_COLUMNS}
    for column in LOCAL_COLUMNS:
        tf[column] = {v: min(p * lands.many, _MOST_LOCAL) for v, p in tf[column].items()}
    identify = _references_identify(profiles)
    return Population(len(profiles), tf, shares, identify, known)


def _frequencies(profiles: Sequence[Profile], column: str) -> dict[str, float]:
    counts = Counter(value for p in profiles if (value := getattr(p, column)))
    total = counts.total()
    if column not in ("given", "family"):
        return {value: count / total for value, count in counts.items()}
    unseen = _BACKGROUND * _RARE
    return {value: (count + unseen) / (total + _BACKGROUND) for value, count in counts.items()}


def _mark_lands(profiles: Sequence[Profile]) -> Lands:
    counted = Counted()
    for one in profiles:
        counted.add(one)
    lands = counted.lands()
    for one in profiles:
        lands.mark(one)
    return lands


def _mark_common(profiles: Sequence[Profile]) -> None:
    """Mark the names that so many records have that they are no slip of another name."""
    enough = 5 + len(profiles) / 5_000
    given = Counter(p.given for p in profiles)
    family = Counter(p.family for p in profiles)
    common_given = known_given_names() | {
        name for name, n in given.items() if n >= enough and len(name) > 1
    }
    common_family = {name for name, n in family.items() if n >= enough and len(name) > 1}
    both = common_given & common_family
    for one in profiles:
        one.common_given = one.given in common_given
        one.common_family = one.family in common_family
        # A name that stood in the wrong column now and then is not usual there.
        as_given, as_family = given[one.family], family[one.family]
        one.family_is_given = one.family in both and (
            as_given * 4 >= as_family and as_family * 8 >= as_given
        )


def _used_by_several(profiles: Sequence[Profile], column: str) -> frozenset[str]:
    """Return the values that people with clearly different first names share."""
    holders: dict[str, list[_Name]] = defaultdict(list)
    for one in profiles:
        if one.given:
            for value in getattr(one, column):
                names = holders[value]
                name = _Name(one.given, one.givens, one.family, one.families, one.common_given)
                if len(names) < _MOST_NAMES and name not in names:
                    names.append(name)
    return frozenset(v for v, names in holders.items() if len(names) > 1 and _several(names))


def _loose_references(profiles: Sequence[Profile]) -> frozenset[str]:
    """Return the references that several people share, in the kinds that name no person.

    A kind is the reference without its digits. Where hardly any value of a kind is shared by
    people of two names it is a person's own (a customer number, a tax number), and two first names
    under one value are rather a mistake; else it is a firm's or a family's.
    """
    holders: dict[str, list[Profile]] = defaultdict(list)
    for one in profiles:
        for ref in one.refs:
            if len(holders[ref]) < _MOST_NAMES:
                holders[ref].append(one)
    held: Counter[str] = Counter()
    loose: dict[str, list[str]] = defaultdict(list)
    for ref, people in holders.items():
        if len(people) > 1:
            kind = _DIGITS.sub("#", ref)
            held[kind] += 1
            if any(_two_people(a, b) for i, a in enumerate(people) for b in people[:i]):
                loose[kind].append(ref)
    return frozenset(
        ref
        for kind, refs in loose.items()
        if held[kind] < _ENOUGH_REFERENCES or len(refs) > held[kind] * _MOST_LOOSE
        for ref in refs
    )


def _mark_sparse(profiles: Sequence[Profile]) -> None:
    """Mark the references in which a slip can be seen: of a kind whose numbers lie far apart.

    Of 5,000 numbers with seven digits hardly two are neighbours by chance; customer numbers given
    one after the other all are.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in profiles:
        for ref in one.refs:
            kinds[_DIGITS.sub("#", ref)].add(ref)
    sparse: set[str] = set()
    for refs in kinds.values():
        space = 10.0 ** max(sum(c.isdigit() for c in ref) for ref in refs)
        numbers = sorted(int("".join(c for c in ref if c.isdigit()) or 0) for ref in refs)
        spread = max(numbers[-1] - numbers[0], 1)
        if len(refs) >= _ENOUGH_NUMBERS and len(refs) / min(space, spread) < _SPARSE:
            sparse |= refs
    for one in profiles:
        if one.refs and len(found := min(one.refs)) >= 6 and found in sparse:
            one.ref = found


def _two_people(a: Profile, b: Profile) -> bool:
    if not a.given or not b.given or (a.birth and a.birth == b.birth):
        return False
    return a.givens.isdisjoint(b.givens) and other_given(a.given, a.family, b.given, b.family, 1)


def _several(names: Sequence[_Name]) -> bool:
    return any(_apart(a, b) for i, a in enumerate(names) for b in names[:i])


def _apart(a: _Name, b: _Name) -> bool:
    """Tell whether two names under one value are of two people.

    With one surname only two usual first names are: else it is rather a slip or a short form.
    """
    if not a.givens.isdisjoint(b.givens):
        return False
    if not a.families.isdisjoint(b.families) and not (a.common and b.common):
        return False
    return other_given(a.given, a.family, b.given, b.family, 1)


def _share(profiles: Iterable[Profile], column: str) -> float:
    """Return the chance that two records that have values in a column of sets share one."""
    counts: Counter[str] = Counter()
    filled = 0
    for one in profiles:
        held = getattr(one, column)
        if held:
            filled += 1
            counts.update(held)
    pairs = sum(c * (c - 1) for c in counts.values())
    return pairs / (filled * (filled - 1)) if pairs else 0.0


def _references_identify(profiles: Sequence[Profile]) -> bool:
    """Tell whether a person has one reference in a system, from those who are plainly one.

    Records of one system with one mailbox, first and last name: in some systems a reference names
    the record, and each copy has its own; there it says nothing against two records.
    """
    seen: dict[tuple[str, str, str, str], frozenset[str]] = {}
    same = other = 0
    for one in profiles:
        if not (one.refs and one.source and one.given and one.family):
            continue
        for box in one.mails or one.phones:
            key = (one.source, box, one.given, one.family)
            before = seen.setdefault(key, one.refs)
            if before is not one.refs:
                if before.isdisjoint(one.refs):
                    other += 1
                else:
                    same += 1
    return same + other >= 5 and other * 10 <= same + other
