"""Unknown tables are guessed from the names of their columns, and the guess is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from crm_hub.sdk.guess import columns as guessing
from crm_hub.sdk.guess.words import WORDS, fold

mapping = pytest.importorskip("crm_hub.mapping")


def guess(columns: list[str], *rows: dict[str, Any], name: str = "contacts.csv") -> guessing.Guess:
    return guessing.guess(name, columns, list(rows))


def mapped(found: guessing.Guess, payload: dict[str, Any]) -> Any:
    section = mapping.compile_section(
        found.section, name="t", connection="t", region="US", zone="UTC"
    )
    return section.map(payload, None).record


@pytest.mark.parametrize(
    "row",
    [
        {"First Name": "Ute", "Last Name": "Lang", "E-mail": "ute@x.example", "Mobile": "+1 212-555-0147"},
        {"Vorname": "Ute", "Nachname": "Lang", "E-Mail-Adresse": "ute@x.example", "Handy": "+1 212-555-0147"},
        {"Prénom": "Ute", "Nom de famille": "Lang", "Courriel": "ute@x.example", "Téléphone": "+1 212-555-0147"},
        {"Nombre": "Ute", "Apellidos": "Lang", "Correo electrónico": "ute@x.example", "Móvil": "+1 212-555-0147"},
        {"Voornaam": "Ute", "Achternaam": "Lang", "E-mailadres": "ute@x.example", "Telefoonnummer": "+1 212-555-0147"},
    ],
    ids=["en", "de", "fr", "es", "nl"],
)  # fmt: skip
def test_a_contact_list_is_read_in_five_languages(row: dict[str, str]) -> None:
    record = mapped(guess(list(row), row), row)
    assert record.entity == "person"
    assert record.values == {
        "given_name": "Ute",
        "family_name": "Lang",
        "email": ["ute@x.example"],
        "phone": ["+12125550147"],
    }


def test_the_guess_is_one_line_that_names_what_is_not_used() -> None:
    found = guess(["Name", "Email", "Shoe size"])
    assert found.line == (
        "contacts.csv: person, 2 of 3 columns recognised: Name, Email; not used: Shoe size"
    )


def test_a_table_of_companies_becomes_organizations() -> None:
    row = {"Company": "Acme", "VAT ID": "DE1", "Website": "acme.example", "City": "Kiel"}
    record = mapped(guess(list(row), row), row)
    assert record.entity == "organization"
    assert record.values["display_name"] == "Acme"
    assert record.values["address"] == [{"city": "Kiel"}]


def test_a_table_of_nobody_gives_no_section_and_says_so() -> None:
    found = guess(["Date", "Amount", "Text"])
    assert found.section is None
    assert "no column of a person or a company" in found.line


def test_an_id_of_its_own_names_the_table_so_that_two_tables_do_not_meet() -> None:
    found = guess(["ID", "Name", "Email"], name="lists/Old Contacts-2024.csv")
    assert found.section is not None
    assert found.section["identity"][0] == {"strong": "old_contacts_2024_id", "at": "ID"}
    assert found.keys.id == "ID"
    assert not found.keys.shared


def test_without_an_id_the_email_names_the_row_and_may_repeat() -> None:
    keys = guess(["Name", "Email"]).keys
    assert (keys.id, keys.shared) == ("Email", True)


def test_every_email_and_phone_column_is_used_in_the_tables_order() -> None:
    row = {
        "Name": "Ann",
        "E-mail 2": "b@x.example",
        "Email": "a@x.example",
        "Phone 3": "+12125550147",
    }
    record = mapped(guess(list(row), row), row)
    assert record.values["email"] == ["b@x.example", "a@x.example"]
    assert record.values["phone"] == ["+12125550147"]


@pytest.mark.parametrize(
    ("values", "format"),
    [
        (["2026-03-10", "2026-03-11 08:00"], ""),
        (["31/01/2026", "01/02/2026"], "%d/%m/%Y"),
        (["01/31/2026", "01/02/2026"], "%m/%d/%Y"),
        (["01.02.2026"], "%d.%m.%Y"),
        (["01/02/2026", "03/04/2026"], None),
        (["soon"], None),
        ([], ""),
    ],
)
def test_day_and_month_are_told_apart_or_the_column_is_left_out(
    values: list[str], format: str | None
) -> None:
    assert guessing.date_format(values) == format


def test_a_birthday_that_could_be_two_days_is_not_used_and_that_is_told() -> None:
    found = guess(["Name", "Email", "Birthday"], {"Name": "Ann", "Birthday": "01/02/1990"})
    assert found.section is not None
    assert "birthday" not in found.section["fields"]
    assert "day and month cannot be told apart: Birthday" in found.line


def test_nested_json_is_guessed_by_the_last_part_of_a_path() -> None:
    columns = ["id", "properties.firstname", "properties.email"]
    found = guessing.guess("a.jsonl", columns, [], flat=False)
    record = mapped(found, {"id": "1", "properties": {"firstname": "Ann", "email": "a@x.example"}})
    assert record.values == {"given_name": "Ann", "email": ["a@x.example"]}


def test_a_word_stands_under_one_field_only_and_is_folded() -> None:
    count = Counter(word for words in WORDS.values() for word in words.split())
    assert [word for word, n in count.items() if n > 1] == []
    assert [word for word in count if fold(word) != word] == []


@pytest.mark.parametrize("field", list(WORDS))
def test_a_section_made_of_any_one_column_beside_an_email_compiles(field: str) -> None:
    column = WORDS[field].split()[0]
    found = guess(["Email", column] if field != "email" else ["Email"])
    assert found.section is not None
    mapping.compile_section(found.section, name="t", connection="t", region="US", zone="UTC")
