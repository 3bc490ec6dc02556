"""A name weighs by its rarity in its own land, and its rivals are all whom it may mean."""

from __future__ import annotations

import pytest

from crm_hub.resolve.bearers import Bearers
from crm_hub.resolve.kinds import PEOPLE
from crm_hub.resolve.lands import NO_LANDS, Counted, LandShares
from crm_hub.resolve.levels import PHONE
from crm_hub.resolve.measured import Census, load
from crm_hub.resolve.normal.mobiles import is_mobile
from crm_hub.resolve.population import settle
from crm_hub.resolve.profile import Profile, profile
from tests.resolve.population_of_tests import RULES, Contact, resolved, together


def of_lands() -> list[Contact]:
    """Return people of two lands: Jan is usual in one of them, and Kestrel lives in both."""
    dutch = [Contact(f"n{at}", "Jan", f"Visser{at % 9}", country="NL") for at in range(40)]
    dutch += [Contact(f"v{at}", "Piet", "Kestrel", country="NL") for at in range(10)]
    british = [Contact(f"g{at}", "Paul", "Kestrel", country="GB") for at in range(49)]
    return [*dutch, *british, Contact("gx", "Jan", "Kestrel", country="GB")]


def settled(contacts: list[Contact]) -> list[Profile]:
    profiles = [profile(c, RULES) for c in contacts]
    settle(profiles)
    return profiles


def test_a_first_name_is_as_rare_as_in_its_land() -> None:
    shares = settle([profile(c, RULES) for c in of_lands()]).tf["given_land"]
    assert shares["jan NL"] > 5 * shares["jan GB"]


def test_a_record_without_a_country_is_of_the_land_that_its_names_tell() -> None:
    one = settled([Contact("x", "Jan", "Visser1"), *of_lands()])[0]
    assert (one.given_land, one.family_land) == ("jan NL", "visser1 NL")


def test_names_that_nobody_has_met_are_of_no_land() -> None:
    one = Profile("x", given="quirina", family="zwiebelfisch")
    NO_LANDS.mark(one)
    assert (one.given_land, one.family_land) == ("quirina ", "zwiebelfisch ")


def test_the_shares_of_a_surname_in_all_lands_are_its_share() -> None:
    counted = Counted()
    for one in (profile(c, RULES) for c in of_lands()):
        counted.add(one)
    shares = LandShares(counted.lands(), "family", {"kestrel": 0.6})
    assert shares["kestrel NL"] + shares["kestrel GB"] == pytest.approx(0.6, rel=0.02)
    assert shares["kestrel GB"] > 4 * shares["kestrel NL"]


def test_a_hub_measures_what_a_table_does() -> None:
    profiles = [profile(c, RULES) for c in of_lands()]
    census = Census()
    for one in profiles:
        census.add(one)
    measured, population = load(census.doc()), settle(profiles)
    one = profile(Contact("x", "Jan", "Kestrel"), RULES)
    measured.mark(one)
    for column in ("given_land", "family_land"):
        value = getattr(one, column)
        there = population.tf[column][value]
        assert measured.population.tf[column][value] == pytest.approx(there, rel=0.1)


def test_the_commoner_of_two_names_tells_how_rare_they_are() -> None:
    contacts = [Contact("a", "William", "Kestrel"), Contact("b", "Bill", "Kestrel"),
                *(Contact(f"w{at}", "William", f"Lark{at}") for at in range(60))]  # fmt: skip
    found = resolved(contacts)
    a, b = settled(contacts)[:2]
    steps = {s.comparison: s.bits for s in found.scorer.waterfall(a, b)}
    alone = resolved(contacts[:2])
    rare = {s.comparison: s.bits for s in alone.scorer.waterfall(*settled(contacts[:2]))}
    assert rare["first name"] > steps["first name"] + 2


def bearers(*names: tuple[str, str]) -> tuple[Bearers, list[Profile]]:
    profiles = [profile(Contact(str(at), *name), RULES) for at, name in enumerate(names)]
    return Bearers(profiles, PEOPLE.name), profiles


@pytest.mark.parametrize(
    ("other", "is_meant"),
    [
        (("Ann", "Kestrel"), True),
        (("Alva", "Kestrel"), True),
        (("Bo", "Kestrel"), False),
        (("Ann", "Lark"), False),
    ],
)
def test_an_initial_may_mean_whoever_begins_so(other: tuple[str, str], is_meant: bool) -> None:
    found, profiles = bearers(("A.", "Kestrel"), other)
    assert (1 in found.of(profiles[:1])) is is_meant


def test_one_surname_may_be_one_of_two_and_a_short_form_the_whole_name() -> None:
    found, profiles = bearers(("Ana", "García"), ("Ana", "García López"), ("Ana", "López Ruiz"))
    assert set(found.of(profiles[:1])) == {0, 1}
    assert {0, 1} <= set(found.of(profiles[1:2]))
    found, profiles = bearers(("Bill", "Kestrel"), ("William", "Kestrel"))
    assert set(found.of(profiles[:1])) == {0, 1}


@pytest.mark.parametrize(
    ("number", "mobile"),
    [
        ("+4915155501000", True),
        ("+4989555010", False),
        ("+5511987654321", True),
        ("+551132654321", False),
        ("+12025550123", False),
        ("+393471234567", True),
        ("015155501000", False),
    ],
)
def test_a_mobile_is_known_by_its_beginning(number: str, mobile: bool) -> None:
    assert is_mobile(number) is mobile


def test_two_mobiles_say_more_than_a_mobile_and_a_line() -> None:
    a, b, c = (
        profile(Contact(n, "Ann", "Kestrel", phones=(n,)), RULES)
        for n in ("+4915155501000", "+4915155502000", "+4989555010")
    )
    levels = [next(v.name for v in PHONE.levels if v.test(a, other)) for other in (b, c)]
    assert levels == ["other mobile", "other number"]


@pytest.mark.parametrize("box", ["a.kestrel", "kestrel.a", "akestrel", "annkestrel"])
def test_a_record_without_a_name_has_the_one_that_its_mailbox_spells(box: str) -> None:
    firm = {"company": "Harbour Glass", "domain": "harbourglass.example"}
    named = Contact("a", "Ann", "Kestrel", phones=("+4915155501000",), **firm)  # type: ignore[arg-type]
    nameless = Contact("b", emails=(f"{box}@harbourglass.example",))
    known = [Contact(f"k{at}", "Ann", f"Lark{at}") for at in range(4)]
    assert {"a", "b"} in together([named, nameless, *known])
