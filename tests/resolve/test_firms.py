"""Organizations: one name in two places, and branches."""

from __future__ import annotations

import pytest

from crm_hub.resolve.normal.organization import lands_of_form
from tests.resolve.population_of_tests import FIRMS, Contact, together


def _firm(id: str, name: str, **more: object) -> Contact:
    return Contact(id, company=name, **more)  # type: ignore[arg-type]


def test_a_name_alone_joins_where_nobody_else_bears_it() -> None:
    pair = [_firm("a", "Kestrel Optik GmbH"), _firm("b", "KESTREL OPTIK", city="Linz")]
    assert together(pair, FIRMS) == [{"a", "b"}]


def test_firms_of_one_name_in_two_registers_stay_apart_and_a_bare_name_joins_neither() -> None:
    firms = [
        _firm("a", "Kestrel Optik GmbH", refs=("vat AT123456789",), city="Linz"),
        _firm("b", "Kestrel Optik GmbH", refs=("vat DE987654321",), city="Ulm"),
        _firm("c", "Kestrel Optik"),
    ]
    assert together(firms, FIRMS) == [{"a"}, {"b"}, {"c"}]


def test_a_branch_is_its_firm_by_the_register() -> None:
    firms = [
        _firm("a", "Kestrel Optik GmbH", refs=("vat AT123456789",), city="Linz"),
        _firm("b", "Kestrel Optik", refs=("vat AT123456789",), city="Graz"),
    ]
    assert together(firms, FIRMS) == [{"a", "b"}]


def test_a_daughter_at_the_mother_s_switchboard_is_another_firm() -> None:
    phone = ("+4373212345",)
    firms = [
        _firm("a", "Kestrel Optik GmbH", phones=phone, city="Linz"),
        _firm("b", "Kestrel Optik Service GmbH", phones=phone, city="Wels"),
        _firm("c", "Kestrel Optik", phones=phone),
    ]
    assert together(firms, FIRMS) == [{"a", "c"}, {"b"}]
    same = [firms[0]._replace(domain="kestrel.at"), firms[1]._replace(domain="kestrel.at")]
    assert together(same, FIRMS) == [{"a", "b"}]


def test_one_name_with_legal_forms_of_two_lands_is_two_firms() -> None:
    phone = ("+4373212345",)
    pair = [_firm("a", "Kestrel Optik GmbH", phones=phone), _firm("b", "Kestrel Optik Kft.")]
    assert together(pair, FIRMS) == [{"a"}, {"b"}]
    south = [pair[0], _firm("b", "Kestrel Optik S.r.l.", phones=phone)]
    assert together(south, FIRMS) == [{"a", "b"}]
    usual = [pair[0], _firm("b", "Kestrel Optik Ltd.", phones=phone)]
    assert together(usual, FIRMS) == [{"a", "b"}]
    changed = [pair[0], _firm("b", "Kestrel Optik AG", phones=phone)]
    assert together(changed, FIRMS) == [{"a", "b"}]


@pytest.mark.parametrize(
    ("form", "lands"),
    [
        ("gmbh", {"AT", "CH", "DE", "IT", "LI", "LU"}), ("gmbh kgaa", {"AT", "DE"}), ("", set()),
        ("ltd", set()), ("spa", {"IT"}), ("as spa", set()), ("kft ltd", {"HU"}),
    ],
)  # fmt: skip
def test_a_legal_form_tells_its_lands(form: str, lands: set[str]) -> None:
    assert lands_of_form(form) == lands
