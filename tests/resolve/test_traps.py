"""People who look like one, and one who looks like several: each trap by its name."""

from __future__ import annotations

import pytest

from crm_hub.resolve.levels import MAIL
from crm_hub.resolve.profile import profile
from tests.resolve.population_of_tests import FIRMS, RULES, Contact, together

HOME = {"street": "Mill Lane 4", "postcode": "12345", "city": "Riverton"}
LANDLINE = ("+4989555010",)


def test_the_same_mailbox_and_name_is_one_person() -> None:
    a = Contact("a", "Ann", "Kestrel", emails=("ann.kestrel@gmx.de",))
    b = Contact("b", full="Kestrel, Ann", emails=("Ann.Kestrel@gmx.de",), company="Acme")
    assert together([a, b]) == [{"a", "b"}]


def test_a_nickname_with_the_same_number_is_one_person() -> None:
    a = Contact("a", "William", "Kestrel", phones=("+4915155501000",))
    b = Contact("b", "Bill", "Kestrel", phones=("+4915155501000",))
    assert together([a, b]) == [{"a", "b"}]


def test_a_surname_changed_by_marriage_with_the_same_mailbox_is_one_person() -> None:
    a = Contact("a", "Ann", "Kestrel", emails=("sunnytiger77@gmx.de",))
    b = Contact("b", "Ann", "Falconer", emails=("sunnytiger77@gmx.de",))
    assert together([a, b]) == [{"a", "b"}]


def test_a_family_at_one_address_and_landline_stays_apart() -> None:
    family = [
        Contact(n, n, "Kestrel", phones=LANDLINE, **HOME) for n in ("Paul", "Ann", "Julia", "Max")
    ]
    assert together(family) == [{"Ann"}, {"Julia"}, {"Max"}, {"Paul"}]


def test_a_family_mailbox_joins_nobody() -> None:
    box = ("familie.kestrel@gmx.de",)
    pair = [Contact("a", "Paul", "Kestrel", emails=box), Contact("b", "Ann", "Kestrel", emails=box)]
    assert together(pair) == [{"a"}, {"b"}]


def test_mailboxes_that_differ_by_a_lone_letter_are_two_and_no_slip() -> None:
    pair = [
        Contact("a", "Guest", "A", emails=("guest.a@harbour.example",), phones=("+4915155501000",)),
        Contact("b", "Guest", "B", emails=("guest.b@harbour.example",), phones=("+4915155501001",)),
    ]
    assert together(pair) == [{"a"}, {"b"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann.kestrel@web.de", "ann_kestrel@web.de"),
        ("ann.kestrel@web.de", "annkestrel@web.de"),
        ("annkestrel@live.de", "annkestrel@live.se"),
    ],
)
def test_a_mailbox_that_somebody_else_of_the_name_had_to_take_is_no_slip(
    one: str, other: str
) -> None:
    a, b = (profile(Contact(n, "Ann", "Kestrel", emails=(n,)), RULES) for n in (one, other))
    assert next(level.name for level in MAIL.levels if level.test(a, b)) == "other mailbox"


def test_a_mailbox_with_a_letter_too_many_is_a_slip() -> None:
    pair = [
        Contact("a", "Ann", "Kestrel", emails=("ann.kestrel@web.de",)),
        Contact("b", "Ann", "Kestrel", emails=("ann.kesstrel@web.de",)),
    ]
    assert together(pair) == [{"a", "b"}]


def test_a_record_without_a_name_joins_nobody_by_a_firm_s_number() -> None:
    firm = {"company": "Harbour Glass", "phones": LANDLINE, **HOME}
    named = Contact("a", "Ann", "Kestrel", **firm)  # type: ignore[arg-type]
    nameless = Contact("b", **firm)  # type: ignore[arg-type]
    assert together([named, nameless]) == [{"a"}, {"b"}]


def test_a_record_without_a_name_joins_by_a_mobile() -> None:
    named = Contact("a", "Ann", "Kestrel", phones=("+4915155501000",), **HOME)
    assert together([named, Contact("b", phones=("+4915155501000",), **HOME)]) == [{"a", "b"}]


def test_a_mother_and_a_daughter_whose_names_differ_by_a_letter_stay_apart() -> None:
    pair = [
        Contact("a", "Maria", "Kestrel", phones=LANDLINE, **HOME),
        Contact("b", "Marta", "Kestrel", phones=LANDLINE, **HOME),
    ]
    assert together(pair) == [{"a"}, {"b"}]


def test_father_and_son_of_one_name_stay_apart_by_generation() -> None:
    pair = [
        Contact("a", full="Paul Kestrel Sr.", phones=LANDLINE, **HOME),
        Contact("b", full="Paul Kestrel Jr.", phones=LANDLINE, **HOME),
    ]
    assert together(pair) == [{"a"}, {"b"}]


def test_father_and_son_of_one_name_stay_apart_by_birth_date() -> None:
    pair = [
        Contact("a", "Paul", "Kestrel", phones=LANDLINE, birth="1950-03-01", **HOME),
        Contact("b", "Paul", "Kestrel", phones=LANDLINE, birth="1978-11-20", **HOME),
    ]
    assert together(pair) == [{"a"}, {"b"}]


def test_twins_of_two_usual_first_names_stay_apart_at_one_line() -> None:
    twins = [
        Contact(n, n, "Kestrel", phones=LANDLINE, birth="1990-02-03", **HOME)
        for n in ("Ann", "Julia")
    ]
    others = [
        Contact(f"{name}{at}", name, f"Falconer{at}")
        for name in ("Ann", "Julia")
        for at in range(12)
    ]
    groups = together([*twins, *others])
    assert not any({"Ann", "Julia"} <= group for group in groups)


def test_a_junior_mark_that_only_one_record_has_needs_something_personal() -> None:
    son = Contact("a", full="Paul Kestrel jun.", phones=LANDLINE, **HOME)
    unmarked = Contact("b", full="Paul Kestrel", phones=LANDLINE, **HOME)
    assert {"a"} in together([son, unmarked])
    son = son._replace(emails=("paul.kestrel99@gmx.de",))
    unmarked = unmarked._replace(emails=("paul.kestrel99@gmx.de",))
    assert together([son, unmarked]) == [{"a", "b"}]


def test_a_clash_stops_clusters_and_not_only_pairs() -> None:
    """The record without a birth date fits both; it must not make one of the two."""
    old = Contact("a", "Paul", "Kestrel", phones=LANDLINE, birth="1950-03-01", **HOME)
    young = Contact("b", "Paul", "Kestrel", phones=LANDLINE, birth="1978-11-20", **HOME)
    between = Contact("c", "Paul", "Kestrel", phones=LANDLINE, **HOME)
    assert not any({"a", "b"} <= group for group in together([old, young, between]))


def test_a_switchboard_joins_nobody() -> None:
    staff = [
        Contact(n, n, last, phones=("+4989555000",), company="Acme GmbH")
        for n, last in (("Ann", "Kestrel"), ("Paul", "Falconer"), ("Eva", "Harrier"))
    ]
    assert together(staff) == [{"Ann"}, {"Eva"}, {"Paul"}]


def test_a_role_mailbox_joins_nobody() -> None:
    box = ("info@acme.example",)
    pair = [
        Contact("a", "Ann", "Kestrel", emails=box),
        Contact("b", "Anna", "Falconer", emails=box),
    ]
    assert together(pair) == [{"a"}, {"b"}]


def test_a_recycled_address_joins_nobody() -> None:
    box = ("sales2@acme.example",)
    pair = [
        Contact("a", "Ann", "Kestrel", emails=box),
        Contact("b", "Paul", "Falconer", emails=box),
    ]
    assert together(pair) == [{"a"}, {"b"}]


def test_namesakes_in_one_firm_are_told_apart_by_numbered_mailboxes() -> None:
    pair = [
        Contact("a", "Ann", "Kestrel", emails=("ann.kestrel@acme.example",), company="Acme"),
        Contact("b", "Ann", "Kestrel", emails=("ann.kestrel2@acme.example",), company="Acme"),
    ]
    assert together(pair) == [{"a"}, {"b"}]


def test_customer_numbers_of_one_system_keep_apart_where_they_name_people() -> None:
    same = [
        Contact(f"p{at}{copy}", "Ann", f"Kestrel{'abcdefghijkl'[at]}", refs=(f"K{at:02}00{at:02}7",),
                emails=(f"box.{at}@gmx.de",), source="erp")
        for at in range(12)
        for copy in "xy"
    ]  # fmt: skip
    clash = [
        Contact(n, "Paul", "Harrier", refs=(f"K9{n}123",), source="erp", phones=("+4915155501001",))
        for n in ("4", "8")
    ]
    groups = together([*same, *clash])
    assert {"4"} in groups
    assert {"8"} in groups


def test_a_reference_that_a_firm_s_contacts_share_joins_nobody() -> None:
    staff = [
        Contact(n, n, last, refs=("D10023",), company="Acme GmbH", source="erp")
        for n, last in (("Ann", "Kestrel"), ("Paul", "Falconer"), ("Eva", "Harrier"))
    ]
    assert together(staff) == [{"Ann"}, {"Eva"}, {"Paul"}]


def test_a_junk_value_joins_nobody() -> None:
    pair = [
        Contact("a", "Ann", "Kestrel", emails=("test@test.com",), phones=("0000000000",)),
        Contact("b", "", "", emails=("test@test.com",), phones=("0000000000",)),
    ]
    assert together(pair) == [{"a"}, {"b"}]


@pytest.mark.parametrize("swap", [("Kestrel", "Ann"), ("kestrel", "ANN")])
def test_swapped_names_with_one_number_are_one_person(swap: tuple[str, str]) -> None:
    a = Contact("a", "Ann", "Kestrel", phones=("+4915155501002",))
    b = Contact("b", swap[0], swap[1], phones=("+4915155501002",))
    assert together([a, b]) == [{"a", "b"}]


def test_a_firm_is_one_by_its_domain_and_name() -> None:
    a = Contact("a", company="Acme Maschinenbau GmbH", domain="acme-bau.example", city="Riverton")
    b = Contact("b", company="ACME Maschinenbau", emails=("info@acme-bau.example",))
    assert together([a, b], FIRMS) == [{"a", "b"}]


def test_two_vat_ids_are_two_firms() -> None:
    a = Contact("a", company="Acme GmbH", domain="acme.example", refs=("vat DE123456789",))
    b = Contact("b", company="Acme GmbH", domain="acme.example", refs=("vat DE987654321",))
    assert together([a, b], FIRMS) == [{"a"}, {"b"}]


def test_homonymous_firms_of_two_towns_stay_apart() -> None:
    a = Contact(
        "a", company="Adler Apotheke", city="Riverton", postcode="12345", phones=("+49895550101",)
    )
    b = Contact(
        "b", company="Adler Apotheke", city="Lakeside", postcode="54321", phones=("+49305550102",)
    )
    assert together([a, b], FIRMS) == [{"a"}, {"b"}]
