"""A customer's figures from what the hub holds, and how they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from crm_hub.config import add_connection, create
from crm_hub.flow.figures import DOCUMENTS, figures_of
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.model.errors import ConfigError
from crm_hub.store.documents import documents_of
from crm_hub.store.schema import record_link

NOW = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
"""The evening of the 10th in New York."""


def erp(folder: Path, **tables: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text(rows, "utf-8")


Hubs = Callable[..., Hub]


@pytest.fixture
def opened() -> Iterator[Hubs]:
    """Open a hub's folder at an instant; every hub is closed at the end of the test."""
    hubs: list[Hub] = []

    def at(folder: Path, now: datetime = NOW) -> Hub:
        hubs.append(Hub(folder, now=lambda: now))
        return hubs[-1]

    yield at
    for hub in hubs:
        hub.close()


def made(folder: Path, store: str, *sources: str) -> Path:
    """Make a hub with a connection for each folder of `sources`; return its folder."""
    create(folder / "hub", zone="America/New_York", store=store)
    for name in sources:
        add_connection(folder / "hub", name, "files", {"path": str(folder / name)})
    return folder / "hub"


def read(hub: Hub) -> None:
    for report in sync(hub):
        assert report.error is None, report.error


CUSTOMERS = """customer_number,company,contact_name,email,updated_at
C-1,Harbor Lane Books,Pia Lund,pia@harborlane.example,2026-01-01T10:00:00Z
C-2,Osaka Mills,Ken Abe,ken@osakamills.example,2026-01-01T10:00:00Z
"""
ORDERS = """order_number,customer_number,order_date,status,items,net,tax,total,currency
SO-1,C-1,2026-02-01,delivered,1 x case,10.00,0.90,10.90,USD
SO-2,C-1,2026-02-03,delivered,2 x case,20.00,1.81,21.81,USD
SO-3,C-1,2026-02-05,cancelled,2 x case,20.00,1.81,21.81,USD
SO-4,C-2,2026-02-06,delivered,2 x case,20.00,1.81,21.81,USD
"""
INVOICES = """invoice_number,customer_number,order_number,invoice_date,due_on,paid_on,status,net,tax,total,open_amount,currency
INV-1,C-1,SO-1,2026-02-01,2026-03-09,,overdue,10.00,0.90,10.90,5.45,USD
INV-2,C-1,SO-2,2026-02-03,2026-03-10,,open,20.00,1.81,21.81,21.81,USD
INV-3,C-1,,2026-01-03,2026-02-10,2026-02-01,paid,20.00,1.81,21.81,0.00,USD
"""


def test_files_of_an_erp_give_a_customer_s_figures(
    opened: Hubs, tmp_path: Path, store: str
) -> None:
    erp(tmp_path / "erp", customers=CUSTOMERS, orders=ORDERS, invoices=INVOICES)
    hub = opened(made(tmp_path, store, "erp"))
    read(hub)
    row, today, found = figures_of(hub, "pia@harborlane.example")
    assert (row.display_name, today.isoformat()) == ("Pia Lund", "2026-03-10")
    (usd,) = found.sums
    assert (usd.open, usd.overdue, usd.orders, usd.ordered, usd.average) == (
        2726,
        545,
        2,
        3271,
        1636,
    )
    assert found.last_order is not None
    assert (found.last_order.number, found.overdue_days) == ("SO-2", 1)
    # A day later in the company's zone the second invoice is late too.
    later = opened(hub.folder, datetime(2026, 3, 11, 5, 0, tzinfo=UTC))
    assert figures_of(later, "pia@harborlane.example")[2].sums[0].overdue == 2726


def test_figures_follow_a_customer_who_comes_later_and_orders_that_go(
    opened: Hubs, tmp_path: Path
) -> None:
    erp(tmp_path / "erp", orders=ORDERS)
    hub = opened(made(tmp_path, "sqlite:///hub.db", "erp"))
    read(hub)
    erp(tmp_path / "erp", customers=CUSTOMERS)
    read(hub)
    assert figures_of(hub, "pia@harborlane.example")[2].orders == 2
    erp(tmp_path / "erp", orders=ORDERS.replace("SO-2,C-1", "SO-2,C-2"))
    read(hub)
    assert figures_of(hub, "pia@harborlane.example")[2].orders == 1
    assert figures_of(hub, "ken@osakamills.example")[2].orders == 2


def test_nobody_has_no_figures(opened: Hubs, tmp_path: Path) -> None:
    erp(tmp_path / "erp", customers=CUSTOMERS)
    hub = opened(made(tmp_path, "sqlite:///hub.db", "erp"))
    read(hub)
    with pytest.raises(ConfigError):
        figures_of(hub, "nobody@nowhere.example")
    assert figures_of(hub, "pia@harborlane.example")[2].sums == []


def test_the_documents_of_a_customer_are_found_by_indexes_alone(
    opened: Hubs, tmp_path: Path, store: str
) -> None:
    rows = "".join(
        f"SO-X{n},C-X{n % 900},2026-02-01,delivered,1 x case,10.00,0.90,10.90,USD\n"
        for n in range(5_000)
    )
    erp(tmp_path / "erp", customers=CUSTOMERS, orders=ORDERS + rows)
    hub = opened(made(tmp_path, store, "erp"))
    read(hub)
    kind = "sqlite" if store.startswith("sqlite") else "postgresql"
    dialect = sqlite.dialect() if kind == "sqlite" else postgresql.dialect()  # type: ignore[no-untyped-call]
    asked = documents_of(DOCUMENTS).where(record_link.c.key.in_(["s:erp:customer:C-X1"]))
    query = asked.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if kind == "sqlite" else "EXPLAIN"
    with hub.store.write() as db:
        db.conn.execute(text("ANALYZE"))
        if kind == "postgresql":
            # A table of a few pages is read whole by right; what counts is that it need not be.
            db.conn.execute(text("SET LOCAL enable_seqscan = off"))
        found = db.conn.exec_driver_sql(f"{explain} {query}")
        plan = "\n".join(str(tuple(line)) for line in found)
    assert "SCAN" not in plan.replace("USING INDEX", "").replace("USING COVERING INDEX", ""), plan
    assert "Seq Scan" not in plan, plan
    assert figures_of(hub, "ken@osakamills.example")[2].orders == 1
