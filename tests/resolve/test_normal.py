"""What texts say once spelling, titles and formats are taken away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.mapping.rulebooks import read_identity
from crm_hub.resolve.normal import (
    MailboxKind,
    birth_date,
    country_code,
    firm_name,
    mailbox,
    person_name,
    phone_key,
    place,
    vat_id,
)
from crm_hub.resolve.normal.emails import other_surname, own_part
from crm_hub.resolve.normal.values import day_of

RULES = read_identity()


@pytest.mark.parametrize(
    "written",
    [
        {"first": "Jürgen", "last": "Müller"},
        {"first": "Juergen", "last": "Mueller"},
        {"first": "JURGEN", "last": "MULLER"},
        {"full": "Müller, Jürgen"},
        {"full": "Herr Dr. Jürgen Müller"},
        {"full": "Jürgen Müller (Acme GmbH)"},
        {"full": "Jürgen Müller | Acme"},
        {"last": "Jürgen Müller"},
        {"first": "Dr. Jürgen", "last": "Müller"},
        {"full": "Prof. Dr. h.c. Jürgen Müller"},
        {"full": '"Müller, Jürgen"'},
        {"full": "juergen.mueller"},
        {"full": "Dr.Jürgen Müller"},
        {"full": "Acme GmbH - Jürgen Müller"},
        {"full": "Jürgen Müller, Acme GmbH"},
        {"full": "Jürgen Müller, geb. Schmidt"},
        {"first": "Jürgen Müller", "last": "Müller"},
        {"first": "Jürgen Müller", "last": "Jürgen Müller"},
        {"first": "Jürgen", "last": "Jürgen Müller"},
        {"full": "Jürgen Müller", "suffix": "PhD"},
    ],
)
def test_one_name_is_one_name_however_it_is_written(written: dict[str, str]) -> None:
    name = person_name(**written)
    assert (name.given, name.family) == ("jurgen", "muller")


def test_a_particle_belongs_to_no_surname() -> None:
    assert person_name("Anna", "van der Berg").family == person_name("Anna", "Berg").family
    assert person_name(full="Anna van der Berg").family == "berg"


def test_a_double_surname_keeps_its_parts() -> None:
    assert {"muller", "schmidt"} <= person_name("Anna", "Müller-Schmidt").families


def test_names_joined_by_a_hyphen_are_one_first_name_and_two() -> None:
    name = person_name("Jean-Pierre", "Petit")
    assert name.given == "jeanpierre"
    assert {"jean", "pierre"} <= name.givens


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("Bill", "William"), ("Peggy", "Margaret"), ("Sepp", "Josef"), ("Uschi", "Ursula"),
        ("Paco", "Francisco"), ("Pepe", "José"), ("Beppe", "Giuseppe"), ("Kees", "Cornelis"),
        ("Lasse", "Lars"), ("Kasia", "Katarzyna"), ("Manu", "Emmanuel"), ("Totò", "Antonio"),
        ("Dédé", "André"), ("Fredde", "Fredrik"), ("Jola", "Jolanta"), ("Ondra", "Ondřej"),
        ("Bia", "Beatriz"), ("Guus", "Augustinus"), ("Pisti", "István"), ("Loisl", "Alois"),
        ("Juanjo", "Juan José"), ("Chema", "José María"), ("Sofie", "Sophie"), ("Luiz", "Luis"),
        ('William "Buck"', "Buck"), ("Johann (Hansl)", "Hansl"),
    ],
)  # fmt: skip
def test_a_short_form_meets_its_name(short: str, full: str) -> None:
    assert person_name(short, "X y").givens & person_name(full, "X y").givens


def test_two_names_with_one_short_form_do_not_meet() -> None:
    assert not person_name("Daniel", "Lee").givens & person_name("Danielle", "Lee").givens


@pytest.mark.parametrize(
    ("written", "generation"),
    [("John Smith Jr.", "jr"), ("Smith, John Sr.", "sr"), ("Hans Maier jun.", "jr"),
     ("John Smith III", "iii"), ("Senior, John", ""), ("John Smith", ""),
     ("John Smith (sr)", "sr"), ("John Smith [Jr.]", "jr"), ("John Smith - Jr.", "jr"),
     ("John Smith the Younger", "jr"), ("Hans Maier d. Ä.", "sr"), ("Hans Maier (Sohn)", "jr"),
     ("Hans Maier der Jüngere", "jr"), ("John Jr. Smith", "jr"), ("ifj. Nagy János", "jr"),
     ("Juan García (hijo)", "jr"), ("Lars Hansen d.y.", "jr"), ("John Smith 2nd", "ii"),
     ("Zeynep Şen", ""), ("Jan de Jonge", "")],
)  # fmt: skip
def test_a_generation_is_read_from_the_end_of_a_name(written: str, generation: str) -> None:
    assert person_name(full=written).generation == generation


def test_a_suffix_of_its_own_marks_a_whole_name() -> None:
    name = person_name(full="Smith, John", suffix="Jr.")
    assert (name.given, name.family, name.generation) == ("john", "smith", "jr")


@pytest.mark.parametrize(
    "written", ["Åsa Lindqvist", "Hendrik Vos", "Peter Sas", "Don Gray", "Åsa Sen"]
)
def test_a_name_that_is_also_another_word_is_a_name(written: str) -> None:
    given, family = written.split()
    for name in (person_name(full=written), person_name(given, family)):
        assert (name.given, name.family, name.firm) == (
            given.lower().replace("å", "a"), family.lower(), "",
        )  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [{"full": "Frau Berg"}, {"first": "Frau", "last": "Berg"}, {"full": "Mr and Mrs Berg"}],
)
def test_a_salutation_is_no_first_name(written: dict[str, str]) -> None:
    name = person_name(**written)
    assert (name.given, name.family) == ("", "berg")


def test_what_stands_for_no_name_is_none() -> None:
    for written in ({"first": "N/A", "last": "N/A"}, {"full": "Unbekannt"}, {"full": "null"}):
        assert person_name(**written) == person_name()


def test_initials_are_one_letter() -> None:
    for written in ("H.-P. Berg", "H.P. Berg", "H. P. Berg"):
        assert person_name(full=written).given == "h"


def test_a_surname_from_birth_and_one_written_together_are_known() -> None:
    for written in ("Anna Berg née Schmidt", "Anna Berg (geb. Schmidt)", "Anna Berg z d. Schmidt"):
        name = person_name(full=written)
        assert name.family == "berg"
        assert "schmidt" in name.families
    assert "deangelis" in person_name("Anna", "De Angelis").families
    assert person_name("Sean", "O Brien").family == person_name("Sean", "O'Brien").family


def test_particles_are_no_first_names_in_common() -> None:
    one, other = person_name(full="Berg, Ludwig van der"), person_name(full="Berg, Anna van der")
    assert one.givens.isdisjoint(other.givens)


def test_a_company_in_the_name_field_is_no_person() -> None:
    name = person_name(last="Müller & Söhne GmbH")
    assert (name.given, name.family) == ("", "")
    assert name.firm == "Müller & Söhne GmbH"


def test_letters_of_other_alphabets_are_read() -> None:
    assert person_name("Ελένη", "Παππά") == person_name("Eleni", "Pappa")


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("A.Lee+news@GoogleMail.com", "alee@gmail.com"),
        ("a.lee+x@firm.example", "a.lee@firm.example"),
        ("a.lee-shop@yahoo.de", "a.lee@yahoo.de"),
        ("<a.lee@firm.example>", "a.lee@firm.example"),
        ("mailto:a.lee@firm.example?subject=Hi", "a.lee@firm.example"),
        ("a.lee(at work)@firm.example", "a.lee@firm.example"),
        ("a.lee @ firm.example", "a.lee@firm.example"),
        ("a.lee [at] firm.example", "a.lee@firm.example"),
        ("'a.lee@firm.example'", "a.lee@firm.example"),
        ("o'neil@firm.example", "o'neil@firm.example"),
        ("a.lee@xn--mller-kva.example", "a.lee@müller.example"),
    ],
)
def test_an_address_is_the_mailbox_it_leads_to(address: str, canonical: str) -> None:
    box = mailbox(address, RULES)
    assert box is not None
    assert box.canonical == canonical


def test_mailboxes_are_told_apart_by_whom_they_serve() -> None:
    kinds = {a: mailbox(a, RULES) for a in ("info@x.example", "noreply2@x.example", "ann@gmx.de",
                                            "test@test.com", "x@mailinator.com")}  # fmt: skip
    assert [b.kind for b in kinds.values() if b][:4] == [
        MailboxKind.ROLE, MailboxKind.ROLE, MailboxKind.PERSONAL, MailboxKind.JUNK,
    ]  # fmt: skip
    assert kinds["ann@gmx.de"] is not None
    assert kinds["ann@gmx.de"].free
    assert kinds["x@mailinator.com"] is not None
    assert kinds["x@mailinator.com"].disposable
    assert mailbox("no address", RULES) is None


@pytest.mark.parametrize(
    "local",
    """buchhaltung compras contabilidad biuro kontor księgowość rechnungswesen serviceclient ufficio
    försäljning toimisto faleconosco info-wien office.linz sales_uk customer.service accounts-payable
    laskutus uctarna iroda kundendienst""".split(),
)
def test_a_desk_s_mailbox_is_known_in_many_languages(local: str) -> None:
    box = mailbox(f"{local}@firm.example", RULES)
    assert box is not None
    assert box.kind is MailboxKind.ROLE


@pytest.mark.parametrize("local", ["anna.sales", "hr.berg", "ola.berg", "it.lee"])
def test_a_person_s_mailbox_with_a_desk_s_word_is_hers(local: str) -> None:
    box = mailbox(f"{local}@firm.example", RULES)
    assert box is not None
    assert box.kind is MailboxKind.PERSONAL


def test_a_local_part_that_is_only_the_name_is_no_key() -> None:
    name = person_name("Anna", "Lee")
    own = {a: own_part(box, name) for a in ("anna.lee@gmx.de", "alee@gmx.de", "lee.anna@gmx.de",
           "anna.lee1977@gmx.de", "sunnytiger77@gmx.de") if (box := mailbox(a, RULES))}  # fmt: skip
    assert [bool(o) for o in own.values()] == [False, False, False, True, True]


def test_an_address_tells_a_surname_from_before() -> None:
    assert other_surname("anna.old", "anna", {"anna"}) == "old"
    assert other_surname("anna.old", "eva", {"eva"}) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "Mueller und Soehne"),
        ("Acme S.p.A.", "ACME SPA"),
        ("Foo Sp. z o.o.", "Foo"),
        ("AB Volvo", "Volvo"),
        ("Bar UG (haftungsbeschränkt)", "Bar"),
    ],
)
def test_a_firm_is_its_name_without_legal_form(one: str, other: str) -> None:
    assert firm_name(one).base == firm_name(other).base


def test_a_street_is_one_street_however_it_is_abbreviated() -> None:
    keys = {
        place(street, "10115", "Berlin").address
        for street in ("Hauptstraße 12", "Hauptstr. 12", "12 Haupt Strasse", "HAUPTSTRASSE 12")
    }
    assert len(keys) == 1
    assert place("Hauptstr. 14", "10115", "Berlin").address not in keys


def test_a_postcode_is_one_however_it_is_written() -> None:
    for one, other in (("D-80331", "80331"), ("80331.0", "80331"), ("02139-4307", "02139"),
                       ("SW1A 1AA", "sw1a1aa"), ("PL-00-950", "00950")):  # fmt: skip
        assert place("", one, "").postcode == place("", other, "").postcode


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1980-03-01", "19800301"), ("19800301", "19800301"), ("01.03.1980", "19800301"),
        ("13/03/1980", "19800313"), ("03/13/1980", "19800313"), ("03/04/1980", ""),
        ("1900-01-01", ""), ("1980-02-30", ""), ("soon", ""),
        ("1980-03-01T00:00", "19800301"), ("1980/3/1", "19800301"), ("13-03-1980 00:00", "19800313"),
        ("01.03.80", "19800301"), ("29281", "19800301"), ("1 Mar 1980", "19800301"),
        ("March 1st, 1980", "19800301"), ("1. März 1980", "19800301"), ("198031", ""),
        ("1 de marzo de 1980", "19800301"), ("1 août 1980", "19800801"), ("1 maja 1980", "19800501"),
    ],
)  # fmt: skip
def test_a_birth_date_is_one_day_or_none(text: str, day: str) -> None:
    assert birth_date(text) == day


def test_small_values() -> None:
    assert phone_key("+15550100 ext. 12") == "+15550100;12"
    assert country_code("Deutschland") == country_code("de") == "DE"
    assert country_code("Atlantis") == ""
    for written in ("Allemagne", "Alemania", "Niemcy", "Tyskland", "Germany (DE)", "DE - Germany"):
        assert country_code(written) == "DE"
    assert country_code("États-Unis") == country_code("Stati Uniti") == "US"
    assert day_of("3/4/1980", "US") == "1980-03-04"
    assert day_of("3/4/1980", "FR") == "1980-04-03"
    assert day_of("3/4/1980", "CA") == day_of("3/4/1980", "") == "3/4/1980"
    assert vat_id("de 123.456.789") == "DE123456789"
    assert vat_id("n/a") == ""


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=80))
def test_no_text_is_too_strange_for_a_name(first: str, last: str, full: str) -> None:
    name = person_name(first, last, full)
    assert (name.given + name.family).isascii()


@given(st.text(max_size=120))
def test_no_text_is_too_strange_for_the_rest(text: str) -> None:
    mailbox(text, RULES)
    firm_name(text)
    place(text, text, text)
    birth_date(text)
    country_code(text)
    vat_id(text)
