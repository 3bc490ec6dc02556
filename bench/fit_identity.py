"""Fit mappings/identity_model.json on the public generator, whose truth is known.

    python bench/fit_identity.py            prints m, u and weight of every level, and writes the file

m is counted on all pairs of one person, u on random pairs and, for levels that hardly any random
pair reaches (a mailbox, a number), on all pairs of two people that share the value. Both are
rounded, and kept within what other data may show: nothing here is certain to the last digit, and
a model that believes one generator is worth less elsewhere.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from math import log2
from pathlib import Path

from identity_data import profiles_of
from people import people

from crm_hub.resolve.firm_levels import ORGANIZATION
from crm_hub.resolve.levels import PERSON
from crm_hub.resolve.population import settle
from crm_hub.resolve.profile import Profile
from crm_hub.resolve.weights import _SCALED, MODEL_RECORDS, LevelWeight, Model, settings_of

ROOT = Path(__file__).resolve().parent.parent
RANDOM_PAIRS = 700_000
# The variants that model, thresholds and standing are fitted on; the others are only measured.
FITTED = ("tuned", "noisy", "other lands")
# No level is believed beyond these: other data differs from ours.
LEAST_M = 0.002
# Corrections by judgement, with the reason; (comparison, level): (m, u), None keeps what was counted.
JUDGED: dict[tuple[str, str], tuple[float | None, float | None]] = {
    # A clash of birth dates is a veto; the weight only matters where a slip is likely.
    ("birth date", "other birth date"): (0.01, None),
    ("birth date", "birth date with a slip"): (0.05, None),
    ("birth date", "same year of birth"): (0.01, None),
    # Streets are mistyped more often than our generator does it.
    ("firm or address", "same house number and postcode"): (0.02, None),
    ("firm or address", "same postcode"): (0.05, None),
    ("firm or address", "same town"): (0.08, None),
    # Who changes a job or moves changes firm, town, mailbox and number at once: one fact, once.
    ("firm or address", "other address"): (0.06, 0.4),
    ("firm or address", "one at home, one in a firm"): (0.25, 0.43),
    ("firm or address", "elsewhere"): (0.2, 0.45),
    ("first name", "names swapped, with a slip"): (0.002, 4e-6),
    ("first name", "first name in place of the last name"): (0.003, 0.0005),
    # Of those in one firm: the firm itself is weighed with the places.
    ("e-mail", "other mailbox of the same firm"): (0.05, 0.9),
    # Some systems give every copy its own reference.
    ("reference", "other reference"): (0.2, 1.0),
    # Sparse references (seven digits at random): one in a hundred thousand strangers is that near.
    ("reference", "reference with a slip"): (0.05, 2e-5),
    # Names: real data has more names of two cultures, and fewer people of one name in one firm.
    ("first name", "other first name"): (0.01, None),
    ("last name", "part of the last name"): (0.002, 2e-4),
    # Where the name is rare, its short form says nearly as much as the name.
    ("first name", "short form of the first name"): (None, 0.0014),
    # Numbers change, and some have two.
    ("phone", "other mobile"): (0.04, 0.41),
    # Which land a name is of is a guess where no country is said; it counts once, and not much.
    ("first name", "same first name, other land"): (0.005, 7e-5),
    ("last name", "same last name, other land"): (0.005, 6.2e-6),
    # That two names go together says the country already.
    ("country", "same country"): (0.9, 0.9),
    ("country", "other country"): (0.05, 0.7),
    # An exchange of the names counts once, under the first name.
    ("last name", "names swapped"): (0.014, 0.014),
    ("last name", "names swapped, with a slip"): (0.002, 0.002),
}

# Organizations: counted on bench/firms.py, and rounded towards what other data may show, since its
# world is simpler than that of people. (m, u), in the levels' order.
ORGANIZATION_JUDGED = {
    "name": [
        (0.85, 3e-4),
        (0.02, 1e-4),
        (0.05, 3e-5),
        (0.03, 1e-3),
        (0.02, 5e-5),
        (0.02, 0.014),
        (0.01, 0.98),
    ],
    "domain": [(0.92, 1e-5), (0.08, 1.0)],
    "number in a register": [(0.98, 1e-6), (0.02, 1.0)],
    "phone": [(0.7, 2e-5), (0.3, 1.0)],
    "e-mail": [(0.6, 5e-6), (0.4, 1.0)],
    "address": [(0.4, 3e-5), (0.08, 1e-4), (0.05, 1e-3), (0.3, 0.015), (0.25, 0.98)],
    "country": [(0.95, 0.9), (0.05, 0.5)],
}


def judged_organization() -> Model:
    """Return the model of organizations."""
    rows = tuple(
        (LevelWeight(1.0, 1.0, True), *(LevelWeight(m, u) for m, u in ORGANIZATION_JUDGED[c.name]))
        for c in ORGANIZATION
    )
    # Four times what two firms' records have in common by chance: what stands against an edge
    # (standing.py) was fitted on people, and asks too much of firms.
    return Model(4e-4, ORGANIZATION, rows)


def matches(truth: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of records of one person."""
    of: dict[int, list[int]] = defaultdict(list)
    for index, who in enumerate(truth):
        of[who].append(index)
    for group in of.values():
        yield from combinations(group, 2)


def strangers(count: int, truth: list[int], rng: random.Random) -> Iterator[tuple[int, int]]:
    """Yield random pairs of records of two people."""
    for _ in range(RANDOM_PAIRS):
        a, b = rng.randrange(count), rng.randrange(count)
        if truth[a] != truth[b]:
            yield a, b


def counted(profiles: list[Profile], pairs: Iterable[tuple[int, int]]) -> list[Counter[int]]:
    """Return how often each level holds, by comparison."""
    out = [Counter[int]() for _ in PERSON]
    for a, b in pairs:
        one, other = profiles[a], profiles[b]
        for place, comparison in enumerate(PERSON):
            for index, level in enumerate(comparison.levels):
                if level.test(one, other):
                    out[place][index] += 1
                    break
    return out


def shared_by_strangers(profiles: list[Profile], truth: list[int], column: str) -> float:
    """Return the chance that two records of two people share a value, where both have one."""
    holders: dict[str, list[int]] = defaultdict(list)
    filled = 0
    for index, one in enumerate(profiles):
        values = getattr(one, column)
        filled += bool(values)
        for value in values:
            holders[value].append(truth[index])
    pairs = sum(1 for held in holders.values() for a, b in combinations(held, 2) if a != b)
    return pairs / (filled * (filled - 1) / 2)


def fit(records: int, seed: int) -> Model:
    """Return the model of the fitted variants, each counted for itself and put together."""
    same = [Counter[int]() for _ in PERSON]
    other = [Counter[int]() for _ in PERSON]
    shares: dict[str, list[float]] = defaultdict(list)
    priors = []
    for variant in FITTED:
        world = people(records, seed, variant)
        profiles = profiles_of(world.rows)
        settle(profiles)
        for total, pairs in (
            (same, matches(world.truth)),
            (other, strangers(records, world.truth, random.Random(seed))),
        ):
            for sums, found in zip(total, counted(profiles, pairs), strict=True):
                sums.update(found)
        for name, column in (("e-mail", "mails"), ("phone", "phones"), ("reference", "refs")):
            shares[name].append(shared_by_strangers(profiles, world.truth, column))
        count = sum(1 for _ in matches(world.truth))
        priors.append(count / (records * (records - 1) / 2) * records / MODEL_RECORDS)
    exact = {name: sum(found) / len(found) for name, found in shares.items()}
    rows = []
    for place, comparison in enumerate(PERSON):
        row = []
        totals = [sum(n for i, n in c[place].items() if i) for c in (same, other)]
        for index, level in enumerate(comparison.levels):
            if not index:
                row.append(LevelWeight(1.0, 1.0, True))
                continue
            m = max((same[place][index] + 0.5) / (totals[0] + 1), LEAST_M)
            u = max((other[place][index] + 0.5) / (totals[1] + 1), 1e-6)
            if (comparison.name, level.name) in _SCALED:
                u = exact.get(comparison.name, u) if level.name.startswith("same") else u
                u *= records / MODEL_RECORDS
            judged = JUDGED.get((comparison.name, level.name), (None, None))
            m, u = judged[0] or m, judged[1] or u
            row.append(LevelWeight(float(f"{min(m, 0.99):.2g}"), float(f"{min(u, 1.0):.2g}")))
        rows.append(tuple(row))
    prior = sum(priors) / len(priors)
    return Model(float(f"{prior:.2g}"), PERSON, tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "mappings/identity_model.json")
    args = parser.parse_args()
    model = fit(args.records, args.seed)
    print(f"prior {model.prior:.2e}")
    for comparison, row in zip(PERSON, model.levels, strict=True):
        print(comparison.name)
        for level, weight in zip(comparison.levels, row, strict=True):
            if not weight.is_null:
                print(
                    f"  {level.name:36} m {weight.m:<8.2g} u {weight.u:<9.2g} {log2(weight.m / weight.u):7.2f} bits"
                )
    firms = args.output.with_name("organization_model.json")
    firms.write_text(json.dumps(settings_of(judged_organization()), indent=1) + "\n", "utf-8")
    args.output.write_text(
        json.dumps(settings_of(model), indent=1, ensure_ascii=False) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
