"""Known exports are recognised by their headers, and each has a mapping that fits them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.files import roles, shapes
from crm_hub_connectors.files.connector import FilesConnector, FilesSettings
from crm_hub_connectors.files.plans import Plan, table_plan
from crm_hub_connectors.files.sources import Source
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk import Context

# The core's mapping room is no part of a connector; only this check of the data needs it.
mapping = pytest.importorskip("crm_hub.mapping")

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "tabular"
FILES = sorted(FIXTURES.glob("*.csv"))


@cache
def mapping_file() -> Any:
    return mapping.read_layers("files", [])


@cache
def sections() -> Any:
    return mapping.compile_plan(mapping_file(), connection="t", region="US", zone="UTC").sections


def plan_of(path: Path) -> Plan:
    plan = table_plan(Source(path.name, path, "csv"), mapped=False)
    assert isinstance(plan, Plan)
    return plan


def shape_of(path: Path) -> str:
    stem = path.stem
    return "salesforce_contacts" if stem == "salesforce_report" else stem


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_export_is_recognised_and_its_rows_become_records(path: Path) -> None:
    plan = plan_of(path)
    assert plan.shape == shape_of(path)
    assert plan.keys.id in (plan.head.columns if plan.head else ())
    assert plan.section is None
    connector = FilesConnector(FilesSettings(path=str(path)), Context("t", path.parent))
    (page,) = connector.pull(connector.discover()[0], None)
    section = sections()[plan.shape]
    for change in page.changes:
        assert change.payload is not None
        mapped = section.map(change.payload, None)
        assert mapped.record is not None or mapped.events
        assert not mapped.drifts
        if mapped.record is not None:
            assert mapped.record.claims
            assert "display_name" in mapped.record.values or "family_name" in mapped.record.values


def test_every_shape_has_a_fixture_and_a_section() -> None:
    named = {s.name for s in shapes.SHAPES} | set(roles.NEEDS) | {"customer_companies"}
    assert named == {shape_of(path) for path in FILES}
    assert named | {"hubspot_contacts_json"} <= set(mapping_file().sections)


def test_the_golden_tests_of_the_mapping_file_hold() -> None:
    run_tests = import_module("crm_hub.mapping.golden").run_tests
    results = run_tests(mapping_file())
    assert len(results) > 25
    assert [r for r in results if r.differences] == []


@given(st.permutations(FILES))
def test_no_order_of_columns_changes_what_is_recognised(paths: list[Path]) -> None:
    for path in paths[:3]:
        columns = plan_of(path).fields
        known = shapes.recognise(reversed(list(columns)))
        assert known is not None
        assert known.shape == shape_of(path)


@pytest.mark.parametrize(
    "columns",
    [
        ["Name", "E-mail", "City"],
        ["id", "First Name", "Last Name", "Email"],
        ["Date", "Amount", "Text"],
        ["Email"],
        [],
    ],
)
def test_a_plain_list_is_taken_for_no_programs_export(columns: list[str]) -> None:
    assert shapes.recognise(columns) is None


@pytest.mark.parametrize(
    ("columns", "shape"),
    [
        (["Rechnungs-Nr.", "Kunden-Nr.", "Rechnungsdatum", "Brutto"], "invoices"),
        (["Numéro facture", "Code client", "Date facture", "Montant TTC"], "invoices"),
        (["CALL ID", "Start Time", "Caller Number", "Called Number", "Call Duration"], "calls"),
        (["Order #", "order no", "Customer No", "Order Date", "Total"], "orders"),
        (["Kundennummer", "Firma", "Ansprechpartner", "Ort"], "customers"),
        (["Kundennummer", "Firma", "Ort"], "customer_companies"),
    ],
)
def test_roles_are_found_under_many_names(columns: list[str], shape: str) -> None:
    known = shapes.recognise(columns)
    assert known is not None
    assert known.shape == shape
    assert known.keys.id in columns


def test_a_column_plays_one_role_only() -> None:
    found = roles.columns_by_role("customers", ["Name", "Company", "State", "customer number"])
    assert sorted(found.values()) == sorted(set(found.values()))
    assert found["region"] == "State"


def test_a_name_beside_a_contact_is_the_company() -> None:
    row = roles.customers({"Customer No": "7", "Name": "Acme GmbH", "Contact": "Ute Lang"})
    assert (row["company"], row["contact"]) == ("Acme GmbH", "Ute Lang")
    assert "entity" not in row


def test_a_customer_without_a_person_is_an_organization() -> None:
    row = roles.customers({"Customer No": "7", "Company": "Acme GmbH"})
    assert row["entity"] == "organization"


@pytest.mark.parametrize(
    ("call", "direction"),
    [
        ({"src": "101", "dst": "2125550147"}, "out"),
        ({"src": "2125550147", "dst": "101"}, "in"),
        ({"src": "2125550147", "dst": "7185550101"}, ""),
        ({"src": "101", "dst": "102"}, "in"),
        ({"src": "101", "dst": "2125550147", "direction": "inbound"}, "inbound"),
    ],
)
def test_a_calls_direction_is_told_by_short_extensions(
    call: dict[str, str], direction: str
) -> None:
    assert roles.calls(call)["direction"] == direction


@pytest.mark.parametrize(
    ("written", "seconds"), [("75", "75"), ("1:15", "75"), ("01:00:05", "3605"), ("soon", "soon")]
)
def test_a_calls_duration_is_in_seconds(written: str, seconds: str) -> None:
    assert roles.calls({"Duration": written})["duration_s"] == seconds


def test_a_hook_leaves_the_row_itself_alone() -> None:
    row = {"Customer No": "7", "Company": "Acme"}
    roles.customers(row)
    assert row == {"Customer No": "7", "Company": "Acme"}
