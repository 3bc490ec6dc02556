"""Organizations: one name in two places, and branches."""

from __future__ import annotations

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
