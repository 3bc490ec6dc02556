"""Every customer's figures in the sample firm's hub are those that its ERP files add up to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm_hub.config import add_connection, create
from crm_hub.flow.figures import figures_of
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from tests.examples import clearwater as firm

ZONE = "America/New_York"
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
TODAY = NOW.astimezone(ZoneInfo(ZONE)).date()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("figures") / "hub"
    create(folder, zone=ZONE, own=["clearwater.example"], store="sqlite:///hub.db")
    add_connection(folder, "erp", "files", {"path": str(Path(firm.FOLDER) / "erp")})
    found = Hub(folder, now=lambda: NOW)
    for report in sync(found):
        assert report.error is None, report.error
    yield found
    found.close()


def cents(amounts: list[str]) -> int:
    return int(sum((Decimal(a) for a in amounts), Decimal(0)) * 100)


def test_each_customer_s_figures_are_what_the_erp_s_rows_add_up_to(hub: Hub) -> None:
    customers = firm.rows("erp/customers.csv")
    late = bought = 0
    for customer in customers:
        number = customer["customer_number"]
        orders = [r for r in firm.rows("erp/orders.csv") if r["customer_number"] == number]
        orders = [r for r in orders if r["status"] != "cancelled"]
        invoices = [r for r in firm.rows("erp/invoices.csv") if r["customer_number"] == number]
        due = [r for r in invoices if date.fromisoformat(r["due_on"]) < TODAY]
        found = figures_of(hub, customer["email"])[2]
        assert found.orders == len(orders), number
        if not orders:
            continue
        (usd,) = found.sums
        total = cents([r["total"] for r in orders])
        average = (Decimal(total) / len(orders)).quantize(Decimal(1), ROUND_HALF_UP)
        assert (usd.ordered, usd.average) == (total, average), number
        assert usd.open == cents([r["open_amount"] for r in invoices]), number
        assert usd.overdue == cents([r["open_amount"] for r in due]), number
        assert found.last_order is not None
        assert found.last_order.on.isoformat() == max(r["order_date"] for r in orders), number
        late += usd.overdue > 0
        bought += 1
    # The files hold enough of each for the comparison to mean something.
    assert bought > 50
    assert late > 5
