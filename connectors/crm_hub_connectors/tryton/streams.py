"""What is read from Tryton: models, fields, and whose change counts as a change of the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_STAMPS = ("create_date", "write_date", "_timestamp")

MECHANISMS: dict[str, tuple[str, ...]] = {
    "emails": ("email",),
    "phones": ("phone", "mobile"),
    "websites": ("website",),
}
"""What a party is reached by, as lists of values, and the types of contact mechanisms they are."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One stream. Field names with dots are read through a relation (trytond, ModelSQL.read).

    module: offers the model. group: what grants reading it. related: relations whose records
    change without the record itself, and which are looked at too. dues: an invoice is told anew
    on the day it becomes overdue, although nobody changes it. added: what `shape` adds to a row.
    """

    name: str
    model: str
    module: str
    group: str
    fields: tuple[str, ...]
    domain: tuple[Any, ...] = ()
    related: tuple[str, ...] = ()
    dues: bool = False
    added: tuple[str, ...] = ()


def _each(relation: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{relation}.{name}" for name in names)


_PARTY = ("party.name",)
_LINES = _each("lines", "type", "description", "quantity", "unit_price", "amount", "unit.symbol")
_SUMS = ("untaxed_amount", "tax_amount", "total_amount", "currency.code")
_RECEIVABLE = ("account.type.receivable", "=", True)

PARTIES = Spec(
    "parties",
    "party.party",
    "party",
    "none is needed",
    (
        *_STAMPS, "name", "code", "active", "replaced_by", "lang.code", "categories.name",
        *_each("contact_mechanisms", *_STAMPS, "type", "value", "name", "active"),
        *_each(
            "addresses", *_STAMPS, "street", "city", "postal_code", "country.code",
            "subdivision.name", "active",
        ),
        *_each("identifiers", *_STAMPS, "type", "code", "active"),
    ),
    related=("contact_mechanisms", "addresses", "identifiers"),
    added=tuple(MECHANISMS),
)  # fmt: skip

SALES = Spec(
    "sales",
    "sale.sale",
    "sale",
    "Sales",
    (
        *_STAMPS, *_PARTY, *_SUMS, *_LINES, "number", "reference", "description", "state",
        "sale_date", "quotation_date", "invoice_state", "shipment_state",
    ),
    related=("lines",),
)  # fmt: skip

INVOICES = Spec(
    "invoices",
    "account.invoice",
    "account_invoice",
    "Accounting",
    (
        *_STAMPS, *_PARTY, *_SUMS, *_LINES, "number", "reference", "description", "state",
        "invoice_date", "amount_to_pay", "reconciled", "sales.number",
        *_each(
            "lines_to_pay", *_STAMPS, "maturity_date", "amount", "amount_currency.code",
            "reconciliation",
        ),
        *_each("payment_lines", *_STAMPS, "amount", "amount_currency.code", "reconciliation"),
    ),
    domain=(("type", "=", "out"), ("state", "in", ["posted", "paid", "cancelled"])),
    related=("move.lines", "additional_moves.lines", "payment_lines"),
    dues=True,
    added=("due_on", "overdue_on", "dues"),
)  # fmt: skip

PAYMENTS = Spec(
    "payments",
    "account.move.line",
    "account_invoice",
    "Accounting",
    (
        *_STAMPS, *_PARTY, "date", "amount", "amount_currency.code", "reconciliation",
        "move.number", "move.journal.name", "move.post_date", "description_used",
        *_each("invoice_payments", *_STAMPS, "number"),
    ),
    domain=(
        _RECEIVABLE, ("party", "!=", None), ("move.state", "=", "posted"),
        ("move.journal.type", "in", ["cash", "statement"]),
    ),
    related=("move", "invoice_payments"),
    added=("received", "unallocated", "direction"),
)  # fmt: skip

OPPORTUNITIES = Spec(
    "opportunities",
    "sale.opportunity",
    "sale_opportunity",
    "Sale Opportunity",
    (
        *_STAMPS, *_PARTY, "number", "reference", "description", "state", "amount",
        "currency.code", "conversion_probability", "start_date", "end_date", "lost_reason",
        "employee.rec_name",
    ),
    added=("probability_percent",),
)  # fmt: skip

SPECS: dict[str, Spec] = {
    spec.name: spec for spec in (PARTIES, SALES, INVOICES, PAYMENTS, OPPORTUNITIES)
}
