"""What a whole set reads into its records: surnames put first, short forms, anybody's domains."""

from __future__ import annotations

from crm_hub.resolve.normal.person import person_name
from crm_hub.resolve.profile import Contact, Profile, profile
from crm_hub.resolve.readings import settled
from tests.resolve.population_of_tests import RULES, others, together


def _profiles(*contacts: Contact) -> list[Profile]:
    found = [profile(c, RULES) for c in (*contacts, *others())]
    settled(found)
    return found


def test_a_surname_that_stands_first_is_put_right() -> None:
    one, known = _profiles(
        Contact("a", full="Eisenhut Nora"), Contact("b", first="Nora", last="Eisenhut")
    )[:2]
    assert (one.given, one.family) == (known.given, known.family) == ("nora", "eisenhut")


def test_a_name_that_reads_both_ways_stays_as_it_is() -> None:
    pairs = [Contact(f"x{n}", first="Martin", last="Thomas") for n in range(5)]
    pairs += [Contact(f"y{n}", first="Thomas", last="Martin") for n in range(5)]
    found = _profiles(*pairs)[:10]
    assert {(p.given, p.family) for p in found} == {("martin", "thomas"), ("thomas", "martin")}


def test_a_mailbox_spells_out_whose_short_form_a_name_is() -> None:
    short = Contact("a", first="Miksu", last="Laine", emails=("mikko.laine@box.example",))
    full = Contact("b", first="Mikko", last="Laine", emails=("mikko.laine@box.example",))
    assert together([short, full]) == [{"a", "b"}]


def test_a_spouse_at_the_same_mailbox_is_nobodys_short_form() -> None:
    wife = Contact("a", first="Maria", last="Laine", emails=("mario.laine@box.example",))
    man = Contact("b", first="Mario", last="Laine", emails=("mario.laine@box.example",))
    assert together([wife, man]) == [{"a"}, {"b"}]


def test_a_mailbox_adds_a_surname_that_people_write_and_no_hobby() -> None:
    contacts = [
        Contact("a", first="Nora", last="Kolbe", emails=("sailor.nora@box.example",)),
        Contact("b", emails=("sailor.nora@other.example",)),
        Contact("c", first="Nora", last="Kolbe", emails=("nora.isenberg@box.example",)),
        Contact("d", first="Timo", last="Isenberg"),
    ]
    found = _profiles(*contacts)
    assert found[0].families == {"kolbe"}
    assert found[2].families == {"kolbe", "isenberg"}


def test_a_set_shows_its_own_short_forms_and_does_not_take_spouses_for_them() -> None:
    contacts = []
    for at, family in enumerate(("Aaltola", "Brofeldt", "Cederberg", "Donner")):
        number = (f"+35840100000{at}",)
        contacts += [
            Contact(f"l{at}", first="Tuulikki", last=family, phones=number),
            Contact(f"s{at}", first="Tuke", last=family, phones=number),
        ]
    for at, (wife, man) in enumerate((("Ulla", "Esko"), ("Ulla", "Raimo"), ("Ulla", "Tauno"))):
        number = (f"+35840200000{at}",)
        contacts += [
            Contact(f"w{at}", first=wife, last=f"Pari{'abc'[at]}nen", phones=number),
            Contact(f"m{at}", first=man, last=f"Pari{'abc'[at]}nen", phones=number),
        ]
    forms = settled([profile(c, RULES) for c in (*contacts, *others())]).forms
    assert "tuulikki" in forms["tuke"]
    assert "ulla" not in forms


def test_a_domain_that_many_firms_write_from_is_anybodys() -> None:
    people = [
        Contact(
            f"a{n}", first="Nora", last=f"Kolbe{n}", emails=(f"n{n}@box.example",), company=f"F{n}"
        )
        for n in range(12)
    ]
    staff = [
        Contact(
            f"b{n}",
            first="Timo",
            last=f"Kolbe{n}",
            emails=(f"t{n}@works.example",),
            company="Works",
        )
        for n in range(12)
    ]
    found = [profile(c, RULES) for c in (*people, *staff)]
    assert settled(found).anybodys == {"box.example"}
    assert all(p.mail_free and not p.domains for p in found[:12])
    assert all(p.domains for p in found[12:])


def test_degrees_households_and_capitals_are_read() -> None:
    for text in ("Norbert Kolbe, Dr. med.", "Dr. med. Norbert Kolbe", "KOLBE Norbert"):
        name = person_name(full=text)
        assert (name.given, name.family) == ("norbert", "kolbe"), text
    assert person_name(full="Familie Kolbe").given == ""
    assert {"garcia", "lopez"} <= person_name(full="Ana García López").families
