"""figures: what a customer ordered, owes, and owes too long, as text and as data."""

from __future__ import annotations

from pathlib import Path

import pytest

CUSTOMERS = """customer_number,company,contact_name,email,updated_at
C-1,Osaka Mills,Ken Abe,ken@osakamills.example,2026-01-01T10:00:00Z
C-2,Quiet Books,Ada Quist,ada@quist.example,2026-01-01T10:00:00Z
"""
ORDERS = """order_number,customer_number,order_date,status,items,net,tax,total,currency
SO-1,C-1,2020-02-01,delivered,1 x case,1000.00,90.00,1090.00,USD
SO-2,C-1,2020-02-03,delivered,2 x case,3601,0,3601,JPY
"""
INVOICES = """invoice_number,customer_number,order_number,invoice_date,due_on,paid_on,status,net,tax,total,open_amount,currency
INV-1,C-1,SO-1,2020-02-01,2020-03-01,,overdue,1000.00,90.00,1090.00,1045.45,USD
INV-2,C-1,SO-2,2020-02-03,2990-03-01,,open,3601,0,3601,3601,JPY
"""


@pytest.fixture
def erp_hub(crm, hub_dir: Path) -> Path:
    (hub_dir / "erp").mkdir()
    for name, rows in {"customers": CUSTOMERS, "orders": ORDERS, "invoices": INVOICES}.items():
        (hub_dir / "erp" / f"{name}.csv").write_text(rows, "utf-8")
    crm.fine("connect", "files", "erp", "--set", "path=erp")
    crm.fine("sync")
    return hub_dir


def test_figures_are_a_line_for_each_currency(crm, erp_hub: Path) -> None:
    shown = crm.fine("figures", "ken@osakamills.example").out.splitlines()
    assert shown[0].startswith("P")
    assert " Ken Abe · as of 20" in shown[0]
    assert [line.split() for line in shown[1:4]] == [
        ["currency", "open", "overdue", "orders", "ordered", "average", "order"],
        ["JPY", "3,601", "0", "1", "3,601", "3,601"],
        ["USD", "1,045.45", "1,045.45", "1", "1,090.00", "1,090.00"],
    ]
    assert shown[4] == "Last order: SO-2 on 2020-02-03, 3,601 JPY"
    assert shown[5].startswith("Overdue for ")


def test_figures_as_data_are_in_minor_units(crm, erp_hub: Path) -> None:
    data = crm.fine("figures", "ken@osakamills.example", "--json").data
    usd = data["currencies"][1]
    assert usd["open_balance"] == {"minor_units": 104545, "currency": "USD"}
    assert usd["overdue_balance"] == {"minor_units": 104545, "currency": "USD"}
    assert usd["average_order"] == {"minor_units": 109000, "currency": "USD"}
    assert data["last_order"]["amount"] == {"minor_units": 3601, "currency": "JPY"}
    assert (data["orders"], data["unread"]) == (2, 0)
    assert data["overdue_days"] > 2000


def test_a_customer_without_documents_and_a_stranger_are_told_apart(crm, erp_hub: Path) -> None:
    assert "No order, invoice or payment" in crm.fine("figures", "ada@quist.example").out
    assert crm("figures", "nobody@nowhere.example").status == 2
