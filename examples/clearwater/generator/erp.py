"""The ERP's three tables: customers, orders, invoices, as its nightly CSV export writes them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from . import cast
from .filler import FILLER
from .world import SNAPSHOT, Fact, Output, Person, number, pick, spell_phone, table

CUSTOMERS_FILE = "erp/customers.csv"
ORDERS_FILE = "erp/orders.csv"
INVOICES_FILE = "erp/invoices.csv"
CUSTOMER_HEADERS = (
    "customer_number", "company", "contact_name", "email", "phone", "street", "city", "region",
    "postcode", "country", "credit_status", "created_on", "updated_at",
)  # fmt: skip
ORDER_HEADERS = (
    "order_number", "customer_number", "order_date", "status", "items", "net", "tax", "total",
    "currency", "delivered_on",
)  # fmt: skip
INVOICE_HEADERS = (
    "invoice_number", "customer_number", "order_number", "invoice_date", "due_on", "paid_on",
    "status", "net", "tax", "total", "open_amount", "currency",
)  # fmt: skip

DANA_NUMBER = "C-1042"
_TAX = Decimal("0.08875")
_PRODUCTS = (
    ("5 gal spring water", Decimal("9.50")), ("5 gal purified water", Decimal("8.75")),
    ("3 gal spring water", Decimal("7.25")), ("case of 24 bottles", Decimal("11.40")),
)  # fmt: skip
_COOLER = Decimal("14.00")


def _customers() -> list[tuple[str, Person]]:
    """Return (customer number, person); Dana's is the newest account."""
    people = [p for p in (*FILLER, *cast.CAST) if "E" in p.systems and p is not cast.DANA]
    first = 1042 - len(people)
    return [(f"C-{first + i:04d}", p) for i, p in enumerate(people)] + [(DANA_NUMBER, cast.DANA)]


def _customer_row(customer: str, person: Person) -> dict[str, str]:
    seed = number("erp", person.key)
    opened = date(2024, 1, 8) + timedelta(days=seed % 640)
    return {
        "customer_number": customer,
        "company": person.firm.name if person.firm else "",
        "contact_name": person.name,
        "email": person.email,
        "phone": spell_phone(person.phone, 3 if seed % 4 else 1),
        "street": person.street,
        "city": person.city,
        "region": person.region,
        "postcode": person.postcode,
        "country": "US",
        "credit_status": pick(("ok", "ok", "ok", "ok", "ok", "watch"), seed),
        "created_on": str(opened),
        "updated_at": f"{date(2025, 11, 3) + timedelta(days=seed // 5 % 110)}T06:00:00-05:00",
    }


def _dana_row(row: dict[str, str]) -> dict[str, str]:
    return row | {
        "phone": spell_phone(cast.MARLOW_PHONE, 3), "credit_status": "ok",
        "created_on": "2026-03-12", "updated_at": "2026-03-12T09:31:00-04:00",
    }  # fmt: skip


def _money(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01")))


def _order(order: int, customer: str, day: date) -> dict[str, str]:
    seed = number("order", order)
    product, price = pick(_PRODUCTS, seed)
    count = 3 + seed // 11 % 10
    net = price * count + _COOLER
    tax = net * _TAX
    delivery = day + timedelta(days=1 + seed % 3)
    status = "cancelled" if seed % 23 == 0 else "delivered"
    if delivery >= SNAPSHOT.date():
        status = "confirmed"
    return {
        "order_number": f"SO-{order}",
        "customer_number": customer,
        "order_date": str(day),
        "status": status,
        "items": f"{count} x {product}; 1 x cooler rental",
        "net": _money(net),
        "tax": _money(tax),
        "total": _money(Decimal(_money(net)) + Decimal(_money(tax))),
        "currency": "USD",
        "delivered_on": str(delivery) if status == "delivered" else "",
    }


def _orders(customers: list[tuple[str, Person]]) -> list[dict[str, str]]:
    """Return every order from November 2025 on, in the order the ERP numbered them."""
    due: list[tuple[date, str]] = []
    for customer, person in customers:
        if person is cast.DANA:
            due.append((date(2026, 3, 12), customer))
            continue
        seed = number("cadence", customer)
        day, every = date(2025, 11, 3) + timedelta(days=seed % 40), 28 + seed // 41 % 30
        while day < SNAPSHOT.date():
            due.append((day, customer))
            day += timedelta(days=every)
    return [_order(30500 + i, customer, day) for i, (day, customer) in enumerate(sorted(due))]


def _invoice(index: int, order: dict[str, str]) -> dict[str, str]:
    issued = date.fromisoformat(order["order_date"])
    due = issued + timedelta(days=30)
    seed = number("invoice", order["order_number"])
    paid = issued + timedelta(days=5 + seed % 33)
    if order["customer_number"] == DANA_NUMBER:
        paid = date(2026, 3, 19)
    late = seed % 14 == 0 and order["customer_number"] != DANA_NUMBER
    settled = not late and paid < SNAPSHOT.date()
    status = "paid" if settled else "overdue" if due < SNAPSHOT.date() else "open"
    return {
        "invoice_number": f"INV-{20400 + index}",
        "customer_number": order["customer_number"],
        "order_number": order["order_number"],
        "invoice_date": str(issued),
        "due_on": str(due),
        "paid_on": str(paid) if settled else "",
        "status": status,
        "net": order["net"],
        "tax": order["tax"],
        "total": order["total"],
        "open_amount": "0.00" if settled else order["total"],
        "currency": "USD",
    }


def erp() -> Output:
    """Return the three tables and who stands behind each customer account."""
    out, customers = Output(), _customers()
    rows = []
    for customer, person in customers:
        row = _customer_row(customer, person)
        rows.append(_dana_row(row) if person is cast.DANA else row)
        out.facts.append(Fact("erp", CUSTOMERS_FILE, customer, person.key))
    orders = _orders(customers)
    billed = [order for order in orders if order["status"] != "cancelled"]
    invoices = [_invoice(index, order) for index, order in enumerate(billed)]
    out.files[CUSTOMERS_FILE] = table(CUSTOMER_HEADERS, rows, "\n").encode()
    out.files[ORDERS_FILE] = table(ORDER_HEADERS, orders, "\n").encode()
    out.files[INVOICES_FILE] = table(INVOICE_HEADERS, invoices, "\n").encode()
    return out


def orders_of(person: Person) -> list[tuple[str, date]]:
    """Return (order number, day) of a customer's orders, oldest first; mails refer to them."""
    customers = _customers()
    wanted = {customer for customer, owner in customers if owner is person}
    return [
        (row["order_number"], date.fromisoformat(row["order_date"]))
        for row in _orders(customers)
        if row["customer_number"] in wanted
    ]
