"""The one function of all levels says what the levels say one by one."""

from __future__ import annotations

from itertools import combinations

import pytest

from crm_hub.resolve.compiled import compiled
from crm_hub.resolve.firm_levels import ORGANIZATION
from crm_hub.resolve.ladder import Comparison, named_level, null_level, other_level
from crm_hub.resolve.levels import PERSON
from crm_hub.resolve.population import settle
from crm_hub.resolve.profile import Contact, Profile, firm_profile, profile
from tests.resolve.population_of_tests import RULES, others


def _odd_ones() -> list[Contact]:
    """Contacts that are alike in many ways: names swapped, cut short, with slips, half empty."""
    names = [("William", "Kestrel"), ("Bill", "Kestrel"), ("Kestrel", "William"), ("W.", "Kestrel"),
             ("Wiliam", "Kestrel"), ("William", "Kestrel-Ortiz"), ("", "Kestrel"), ("William", ""),
             ("Will", "Kestrl"), ("Villiam", "K."), ("", "")]  # fmt: skip
    boxes = ["w.kestrel@acme.example", "w.kestrle@acme.example", "info@acme.example",
             "kestrel77@gmail.com", ""]  # fmt: skip
    homes = [("Elm Street 4", "10115", "Berlin"), ("Elm Street 5", "10115", "Berlin"), ("", "", "Berlin"),
             ("", "", "")]  # fmt: skip
    births = ["1980-03-01", "1980-01-03", "1980-03-11", "1980-07-07", ""]
    return [
        Contact(
            str(at), first, last, emails=(boxes[at % 5],), phones=("+4915155501000",)[: at % 2],
            company=("Acme GmbH", "Acmee", "")[at % 3], street=homes[at % 4][0],
            postcode=homes[at % 4][1], city=homes[at % 4][2], birth=births[at * 3 % 5],
            title=("Buyer", "")[at % 2], country=("DE", "AT", "")[at % 3],
            refs=("vat DE123456789", "C-4711", "")[at % 3 : at % 3 + 1],
        )
        for at, (first, last) in enumerate(names * 5)
    ]  # fmt: skip


def _one_by_one(comparisons: tuple[Comparison, ...], a: Profile, b: Profile) -> tuple[int, ...]:
    return tuple(
        next(at for at, level in enumerate(c.levels) if level.test(a, b)) for c in comparisons
    )


@pytest.mark.parametrize(
    ("comparisons", "make"),
    [(PERSON, profile), (ORGANIZATION, firm_profile)],
    ids=["people", "firms"],
)
def test_every_pair_has_the_levels_that_hold_first(comparisons, make) -> None:
    profiles = [make(contact, RULES) for contact in (*_odd_ones(), *others()[:40])]
    settle(profiles)
    levels = compiled(comparisons)
    pairs = list(combinations(profiles, 2))
    found = {(a.id, b.id): levels(a, b) for a, b in pairs}
    assert found == {(a.id, b.id): _one_by_one(comparisons, a, b) for a, b in pairs}
    assert len(set(found.values())) > 50


def test_a_level_may_be_a_function_or_an_expression() -> None:
    one = Comparison(
        "town",
        ("city",),
        (
            null_level("city"),
            named_level("called", "", lambda a, b: a.city == b.city),
            named_level("written", "", "a.city[0] == b.city[0]"),
            other_level("elsewhere"),
        ),
    )
    towns = [("", "bonn"), ("bonn", "bonn"), ("bonn", "berlin"), ("bonn", "ulm")]
    levels = compiled((one,))
    assert [levels(Profile("a", city=here), Profile("b", city=there)) for here, there in towns] == [
        (0,),
        (1,),
        (2,),
        (3,),
    ]
