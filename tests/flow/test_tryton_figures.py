"""A customer's figures in the hub equal what the ERP itself reports, to the cent.

The whole way: a real Tryton → its connector → the hub → figures; compared with the fields that
Tryton computes (party.receivable, receivable_today, invoice.amount_to_pay, sale.total_amount).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crm_hub.flow import reading
from crm_hub.flow.figures import figures_of
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.setup import connect, create_hub
from crm_hub.merge.figures import Figures, Sums
from crm_hub.sdk.testing.servers import Unobtainable
from crm_hub.sdk.testing.servers.tryton import DATABASE, USER, Erp, tryton
from crm_hub.sdk.testing.servers.tryton_data import Books, days_ago

DIGITS = {"EUR": 2, "USD": 2, "JPY": 0}


class Scene(NamedTuple):
    """A firm with history: its books, the parties, and the hub that has read them."""

    books: Books
    euro: int
    mixed: int
    quiet: int
    hub: Hub


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    try:
        with tryton() as erp:
            books = Books(erp)
            euro, mixed, quiet = _history(books)
            hub = make_hub(tmp_path_factory.mktemp("hub") / "hub", erp)
            read(hub)
            yield Scene(books, euro, mixed, quiet, hub)
            hub.close()
    except Unobtainable as missing:
        pytest.skip(str(missing))


def make_hub(folder: Path, erp: Erp) -> Hub:
    create_hub(folder, own=["tidewater.example"], store="sqlite:///hub.db")
    hub = Hub(folder)
    settings = {"url": erp.url, "database": DATABASE, "username": USER}
    found = connect(hub, "tryton", "erp", {**settings, "password": Erp.password(USER)})
    assert found is not None
    return hub


def read(hub: Hub) -> dict[str, int]:
    (report,) = sync(hub)
    assert report.error is None, report.error
    assert not report.counts["dead"]
    return dict(report.counts)


def _history(books: Books) -> tuple[int, int, int]:
    """Return three customers; Tryton numbers invoices in the order of their dates."""
    euro = books.party("Harbor Lane Books GmbH", email="pia@harborlane.example")
    mixed = books.party("Osaka Mills Ltd", email="ken@osakamills.example")
    quiet = books.party("Ada Quist", email="ada@quist.example")
    # Three lines whose taxes round each for itself: 3 × 0.3135 and 0.1001.
    books.invoice(
        euro, [("3", "0.55", "0.19"), ("1", "1.65", "0.19"), ("1", "1.43", "0.07")], on=days_ago(80)
    )
    part = books.invoice(euro, [("7", "13.37", "0.19")], on=days_ago(70))
    gone = books.invoice(quiet, [("1", "10.01", "0.19")], on=days_ago(69))
    yen = books.invoice(mixed, [("3", "1201", "")], currency="JPY", on=days_ago(59))
    books.invoice(mixed, [("2", "17.03", "0.07")], on=days_ago(58))
    paid = books.invoice(euro, [("1", "99.99", "0.07")], on=days_ago(50))
    dollars = books.invoice(
        mixed, [("3", "99.99", "0.19")], currency="USD", on=days_ago(45), term="Two halves"
    )
    books.invoice(euro, [("1", "250.00", "0.19")], on=days_ago(3))
    books.invoice(euro, [("-1", "20.00", "0.19")], on=days_ago(2))
    books.pay(part, D("50.00"), on=days_ago(20))
    books.pay(dollars, D("50.00"), on=days_ago(19))
    books.pay(yen, D("603"), on=days_ago(18))
    books.pay(paid, D("106.99"), on=days_ago(10))
    books.credit(gone, refund=True)
    books.receive(euro, D("3.21"), on=days_ago(1))
    for amount in ("12.40", "33.33", "7.77"):
        books.sale(euro, [("1", amount, "0.19")])
    books.sale(euro, [("9", "1000", "")], until="quotation")
    books.sale(euro, [("9", "1000", "")], until="cancelled")
    books.sale(mixed, [("1", "5000", "")], currency="JPY")
    return euro, mixed, quiet


def of(scene: Scene, name: str) -> Figures:
    return figures_of(scene.hub, name)[2]


def sums(found: Figures) -> dict[str, Sums]:
    return {one.currency: one for one in found.sums}


def units(amount: D, currency: str) -> int:
    scaled = amount.scaleb(DIGITS[currency])
    assert scaled == int(scaled)
    return int(scaled)


def erp_invoices(scene: Scene, party: int) -> list[dict[str, Any]]:
    fields = ["amount_to_pay", "amount_to_pay_today", "currency.code", "state", "total_amount"]
    domain = [("party", "=", party), ("type", "=", "out")]
    found = scene.books.erp.model("account.invoice", "search_read", domain, 0, None, None, fields)
    assert found
    return list(found)


def test_the_balance_in_one_currency_is_the_receivable_that_tryton_reports(scene: Scene) -> None:
    (row,) = scene.books.erp.model(
        "party.party", "read", [scene.euro], ["receivable", "receivable_today"]
    )
    euro = sums(of(scene, "Harbor Lane Books GmbH"))["EUR"]
    assert euro.open == units(row["receivable"], "EUR")
    assert euro.overdue == units(row["receivable_today"], "EUR")
    # Otherwise two zeros, or two times the same, would pass.
    assert 0 < euro.overdue < euro.open


def test_each_currency_is_what_tryton_s_invoices_still_ask_for(scene: Scene) -> None:
    found = sums(of(scene, "Osaka Mills Ltd"))
    assert set(found) == {"EUR", "JPY", "USD"}
    for code, one in found.items():
        rows = [r for r in erp_invoices(scene, scene.mixed) if r["currency."]["code"] == code]
        assert one.open == units(sum((r["amount_to_pay"] for r in rows), D(0)), code)
        assert one.overdue == units(sum((r["amount_to_pay_today"] for r in rows), D(0)), code)
        assert one.open > 0
    # Of two halves one is due, and the part payment went to it first.
    assert found["USD"].overdue == units(D("178.48") - D("50.00"), "USD")
    assert found["USD"].open > found["USD"].overdue


def test_orders_add_up_to_the_sales_that_tryton_counts(scene: Scene) -> None:
    domain = [("party", "=", scene.euro), ("state", "in", ["confirmed", "processing", "done"])]
    rows = scene.books.erp.model(
        "sale.sale", "search_read", domain, 0, None, [["id", "ASC"]], ["total_amount", "number"]
    )
    found = of(scene, "Harbor Lane Books GmbH")
    euro = sums(found)["EUR"]
    total = sum((row["total_amount"] for row in rows), D(0))
    assert (euro.orders, found.orders) == (3, 3)
    assert euro.ordered == units(total, "EUR")
    assert euro.average == int((total * 100 / 3).quantize(D(1), "ROUND_HALF_UP"))
    assert found.last_order is not None
    assert found.last_order.number == rows[-1]["number"]


def test_overdue_days_count_from_the_oldest_open_due_day(scene: Scene) -> None:
    assert of(scene, "Harbor Lane Books GmbH").overdue_days == 80 - 30
    assert of(scene, "Osaka Mills Ltd").overdue_days == 45 - 10


def test_an_invoice_that_was_refunded_asks_for_nothing(scene: Scene) -> None:
    (row,) = scene.books.erp.model("party.party", "read", [scene.quiet], ["receivable"])
    assert of(scene, "Ada Quist") == Figures([Sums("EUR")])
    assert row["receivable"] == 0


def test_events_of_the_erp_stand_on_the_customer_s_timeline(scene: Scene) -> None:
    _, lines = reading.timeline(scene.hub, "Harbor Lane Books GmbH", 200)
    kinds = {line.type for line in lines}
    assert {
        "order.placed", "quote.sent", "order.cancelled", "invoice.issued", "invoice.due",
        "invoice.overdue", "invoice.paid", "payment.received",
    } <= kinds  # fmt: skip
    (paid,) = [
        line
        for line in lines
        if line.type == "invoice.paid" and line.attributes["total"]["minor_units"] == 10699
    ]
    assert paid.occurred_at.date() == days_ago(10)
    assert "customer Harbor Lane Books GmbH" in paid.participants


def test_a_payment_lowers_the_balance_with_the_next_sync(scene: Scene) -> None:
    before = sums(of(scene, "Osaka Mills Ltd"))["EUR"].open
    (row,) = [
        r for r in erp_invoices(scene, scene.mixed)
        if r["currency."]["code"] == "EUR" and r["state"] == "posted"
    ]  # fmt: skip
    scene.books.pay(row["id"], D("6.44"))
    counts = read(scene.hub)
    assert sums(of(scene, "Osaka Mills Ltd"))["EUR"].open == before - 644
    assert counts["changed"] >= 1
    scene.books.pay(row["id"], row["amount_to_pay"] - D("6.44"))
    read(scene.hub)
    assert sums(of(scene, "Osaka Mills Ltd"))["EUR"].open == 0


def test_a_party_that_was_merged_into_another_becomes_one_with_it(scene: Scene) -> None:
    books, hub = scene.books, scene.hub
    kept, twin = books.party("Twin Harbour Ltd"), books.party("Twin Harbor Limited")
    books.sale(twin, [("1", "5.00", "")])
    read(hub)
    assert of(scene, "Twin Harbour Ltd").orders == 0
    books.merge(twin, kept)
    read(hub)
    found = reading.people(hub, "Twin Harbo")
    assert [(one.entity, one.records) for one in found] == [("organization", 2)]
    assert figures_of(hub, found[0].id)[2].orders == 1


def test_a_party_that_was_deleted_is_gone_from_the_hub(scene: Scene) -> None:
    party = scene.books.party("Short Lived Ltd", email="short@lived.example")
    read(scene.hub)
    assert reading.people(scene.hub, "Short Lived")
    scene.books.erp.model("party.party", "delete", [party])
    assert read(scene.hub)["deleted"] == 1
    assert not reading.people(scene.hub, "Short Lived")


def test_what_is_late_depends_on_the_day_and_on_nothing_else(scene: Scene) -> None:
    early = Hub(scene.hub.folder, now=lambda: datetime(2000, 1, 1, tzinfo=UTC))
    euro = sums(figures_of(early, "Harbor Lane Books GmbH")[2])["EUR"]
    early.close()
    assert (euro.overdue, euro.open) == (0, sums(of(scene, "Harbor Lane Books GmbH"))["EUR"].open)
