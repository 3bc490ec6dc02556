"""What a customer's orders, invoices and payments add up to."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.merge.figures import Document, Figures, LastOrder, Sums, figures

TODAY = date(2026, 3, 10)


def usd(units: int, currency: str = "USD") -> dict[str, Any]:
    return {"minor_units": units, "currency": currency}


def invoice(units: int, due: str | None = "2026-03-01", **values: Any) -> Document:
    found = {"status": "open", "gross": usd(units), "open_amount": usd(units), "due_on": due}
    return Document("invoice", {**found, **values})


def order(units: int | None, on: str = "2026-03-01T00:00:00Z", **values: Any) -> Document:
    found: dict[str, Any] = {"status": "confirmed", "ordered_at": on, "display_name": "SO-1"}
    if units is not None:
        found["gross"] = usd(units)
    return Document("order", {**found, **values})


def of(*documents: Document, zone: str = "UTC") -> Figures:
    return figures(documents, TODAY, zone)


def one(*documents: Document) -> Sums:
    (found,) = of(*documents).sums
    return found


def test_nothing_adds_up_to_nothing() -> None:
    assert of() == Figures()


def test_what_is_due_today_is_not_overdue_and_what_was_due_yesterday_is() -> None:
    found = of(invoice(100, "2026-03-10"), invoice(30, "2026-03-09"), invoice(7, None))
    assert (found.sums[0].open, found.sums[0].overdue, found.overdue_days) == (137, 30, 1)


@pytest.mark.parametrize("status", ["paid", "cancelled", "Cancelled", "draft"])
def test_an_invoice_that_is_settled_asks_for_nothing(status: str) -> None:
    assert one(invoice(100, status=status)).open == 0


def test_an_invoice_without_an_open_amount_is_open_in_full_until_it_is_paid() -> None:
    assert one(invoice(100, open_amount=None)).open == 100
    assert of(invoice(100, open_amount=None, gross=None)).unread == 1
    assert of(invoice(100, open_amount=None, gross=None, status="paid")) == Figures()


def test_currencies_are_kept_apart() -> None:
    found = of(invoice(100), invoice(7, open_amount=usd(3600, "JPY")), order(50))
    assert [(s.currency, s.open, s.orders) for s in found.sums] == [
        ("JPY", 3600, 0),
        ("USD", 100, 1),
    ]


def test_credits_that_are_due_lower_what_is_overdue_but_never_below_zero() -> None:
    assert one(invoice(100), invoice(-30)).overdue == 70
    assert one(invoice(100), invoice(-30, "2026-04-01")) == Sums("USD", 70, 100)
    found = of(invoice(100), invoice(-130))
    assert (found.sums[0].open, found.sums[0].overdue, found.overdue_days) == (-30, 0, 0)


def test_money_that_is_set_against_no_invoice_lowers_the_balance() -> None:
    free = Document("payment", {"amount": usd(60), "open_amount": usd(60)})
    used = Document("payment", {"amount": usd(60), "open_amount": usd(0)})
    plain = Document("payment", {"amount": usd(60)})
    assert one(invoice(100), free, used, plain) == Sums("USD", 40, 40)


def test_of_several_instalments_only_those_whose_day_has_passed_are_overdue() -> None:
    parts = ["2026-02-20 USD 128.48", "2026-04-21 USD 178.48"]
    found = of(invoice(30696, "2026-02-20", instalments=parts))
    assert found.sums == [Sums("USD", 30696, 12848)]
    assert found.overdue_days == 18


def test_instalments_tell_by_their_sum_how_many_decimals_the_currency_has() -> None:
    yen = {"instalments": ["2026-02-20 JPY 1200", "2026-04-21 JPY 2400"]}
    dinar = {"instalments": ["2026-02-20 KWD 1.250", "2026-04-21 KWD 2"]}
    assert one(invoice(0, open_amount=usd(3600, "JPY"), **yen)).overdue == 1200
    assert one(invoice(0, open_amount=usd(3250, "KWD"), **dinar)).overdue == 1250


@pytest.mark.parametrize("parts", [["rubbish"], ["2026-02-20 USD 1.00"], ["2026-02-20 USD x"], [7]])
def test_instalments_that_do_not_add_up_count_for_nothing(parts: list[Any]) -> None:
    assert one(invoice(30696, "2026-04-01", instalments=parts)) == Sums("USD", 30696, 0)


def test_drafts_and_cancelled_orders_are_no_orders() -> None:
    orders = [order(100, status=word) for word in ("draft", "cancelled", "delivered", "open")]
    assert of(*orders).orders == 2
    assert one(*orders).ordered == 200


def test_the_average_order_is_rounded_to_the_unit_half_of_it_up() -> None:
    assert one(order(1), order(2)).average == 2
    assert one(order(100), order(100), order(101)).average == 100
    assert one(invoice(1)).average is None


def test_an_order_without_an_amount_counts_but_is_in_no_sum() -> None:
    found = of(order(None), order(100))
    assert (found.orders, found.unread, found.sums[0].average) == (2, 1, 100)
    assert one(order(None, net=usd(80))).ordered == 80


def test_the_last_order_is_the_latest_by_the_company_s_day() -> None:
    late = order(70, "2026-03-05T03:00:00Z", display_name="SO-9")
    found = of(order(50), late, zone="America/New_York").last_order
    assert found == LastOrder("SO-9", date(2026, 3, 4), 70, "USD")
    assert of(order(50, "soon"), order(50, "")).last_order is None


AMOUNTS = st.lists(st.integers(-10_000, 10_000), max_size=12)


@given(AMOUNTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_plays_no_part(amounts: list[int], chance: random.Random) -> None:
    documents = [invoice(a, f"2026-03-{a % 20 + 1:02}") for a in amounts]
    documents += [order(a, display_name=f"SO-{a}") for a in amounts]
    mixed = list(documents)
    chance.shuffle(mixed)
    assert of(*mixed) == of(*documents)


@given(AMOUNTS)
def test_what_is_overdue_is_a_part_of_what_is_open_where_there_are_no_credits(
    amounts: list[int],
) -> None:
    found = of(*(invoice(abs(a), f"2026-03-{a % 20 + 1:02}") for a in amounts))
    assert sum(s.open for s in found.sums) == sum(map(abs, amounts))
    assert all(0 <= s.overdue <= s.open for s in found.sums)
