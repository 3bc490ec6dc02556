"""Fills a Tryton for tests through its own API, as its users would: parties, sales, invoices.

Amounts are Decimals in the record's currency; each call returns the id of what it made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from crm_hub.sdk.testing.servers.tryton import Erp

Line = tuple[str, str, str]
"""(quantity, unit price, tax rate: "0.19", "0.07" or "" for none)"""


class Books:
    """The firm's own hands: everything it does in a test goes through here."""

    def __init__(self, erp: Erp) -> None:
        self.erp = erp

    # parties ------------------------------------------------------------------------------

    def party(self, name: str, **values: Any) -> int:
        """Make a party. email, phone, vat: texts; address: street, city, postcode; rest as is."""
        contacts = [
            {"type": kind, "value": values.pop(kind)}
            for kind in ("email", "phone", "mobile", "website")
            if kind in values
        ]
        if contacts:
            values["contact_mechanisms"] = [("create", contacts)]
        if vat := values.pop("vat", ""):
            values["identifiers"] = [("create", [{"type": "eu_vat", "code": vat}])]
        street, city, postcode = values.pop("address", ("Kai 1", "Kiel", "24103"))
        address = {"street": street, "city": city, "postal_code": postcode}
        address["country"] = self.country("DE", "Germany")
        values["addresses"] = [("create", [address])]
        return self._create("party.party", name=name, **values)

    def merge(self, party: int, into: int) -> None:
        """Replace a party by another one, as Tryton does with two that turn out to be the same."""
        ask = {"source": party, "destination": into}
        context = {
            **self.erp.context, "active_model": "party.party", "active_id": party,
            "active_ids": [party],
        }  # fmt: skip
        session, _first, _end = self.erp.call("wizard.party.replace.create", context)
        run = "wizard.party.replace.execute"
        self.erp.call(run, session, {}, "ask", context)
        self.erp.call(run, session, {"ask": ask}, "replace", context)
        self.erp.call("wizard.party.replace.delete", session, context)

    def country(self, code: str, name: str) -> int:
        found = self.erp.model("country.country", "search", [("code", "=", code)], 0, 1, None)
        return int(found[0]) if found else self._create("country.country", code=code, name=name)

    # invoices -----------------------------------------------------------------------------

    def invoice(
        self,
        party: int,
        lines: Sequence[Line],
        *,
        currency: str = "EUR",
        on: date | None = None,
        term: str = "30 days",
        post: bool = True,
    ) -> int:
        """Make a customer invoice, posted unless told otherwise; negative lines make a credit."""
        number = self._create(
            "account.invoice",
            type="out",
            party=party,
            invoice_address=self._address(party),
            account=self._account("receivable"),
            currency=self._named("currency.currency", "code", currency),
            payment_term=self._named("account.invoice.payment_term", "name", term),
            journal=self._named("account.journal", "type", "revenue"),
            invoice_date=on,
            lines=[("create", [self._invoice_line(line, currency) for line in lines])],
        )
        if post:
            self.post(number)
        return number

    def post(self, invoice: int) -> None:
        self.erp.model("account.invoice", "post", [invoice])

    def credit(self, invoice: int, *, refund: bool) -> None:
        """Make a credit note of a posted invoice; with `refund` the two cancel each other."""
        start = {"with_refund": refund, "with_refund_allowed": True, "invoice_date": None}
        self._wizard("account.invoice.credit", "account.invoice", invoice, start=start, go="credit")

    def pay(self, invoice: int, amount: Decimal, *, on: date | None = None) -> None:
        """Pay a part of an invoice, or all of it, in the invoice's currency."""
        fields = ["currency", "party"]
        (row,) = self.erp.model("account.invoice", "read", [invoice], fields)
        start = {
            "payee": row["party"],
            "amount": amount,
            "currency": row["currency"],
            "payment_method": self._named("account.invoice.payment.method", "name", _METHOD),
            "date": on or today(),
            "description": "",
        }
        ask = {"type": "partial"}
        self._wizard(
            "account.invoice.pay", "account.invoice", invoice, start=start, go="choice", ask=ask
        )

    def receive(self, party: int, amount: Decimal, *, on: date | None = None) -> int:
        """Book money from a party that belongs to no invoice yet, in EUR; return its line."""
        on = on or today()
        receivable = {"account": self._account("receivable"), "party": party, "credit": amount}
        cash = {"account": self._cash, "debit": amount}
        move = self._create(
            "account.move",
            journal=self._named("account.journal", "type", "cash"),
            date=on,
            period=self.erp.model("account.period", "search", [
                ("start_date", "<=", on), ("end_date", ">=", on), ("type", "=", "standard"),
            ], 0, 1, None)[0],
            lines=[("create", [
                {"debit": Decimal(0), "credit": Decimal(0), **line} for line in (receivable, cash)
            ])],
        )  # fmt: skip
        self.erp.model("account.move", "post", [move])
        domain = [("move", "=", move), ("party", "=", party)]
        return int(self.erp.model("account.move.line", "search", domain, 0, 1, None)[0])

    # sales --------------------------------------------------------------------------------

    def sale(
        self, party: int, lines: Sequence[Line], *, currency: str = "EUR", until: str = "confirmed"
    ) -> int:
        """Make a sale and take it to draft, quotation, confirmed or cancelled."""
        address = self._address(party)
        number = self._create(
            "sale.sale",
            party=party,
            invoice_address=address,
            shipment_address=address,
            currency=self._named("currency.currency", "code", currency),
            payment_term=self._named("account.invoice.payment_term", "name", "30 days"),
            invoice_method="manual",
            shipment_method="manual",
            lines=[("create", [self._sale_line(line) for line in lines])],
        )
        steps = {
            "draft": (),
            "quotation": ("quote",),
            "confirmed": ("quote", "confirm"),
            "cancelled": ("cancel",),
        }
        for step in steps[until]:
            self.erp.model("sale.sale", step, [number])
        return number

    def opportunity(self, party: int | None, amount: Decimal, **values: Any) -> int:
        """Make a lead; `opportunity`, `lost` and the other buttons are called by `press`."""
        return self._create(
            "sale.opportunity",
            party=party,
            amount=amount,
            start_date=today(),
            employee=self.erp.context["employees"][0],
            **values,
        )

    def press(self, model: str, button: str, number: int) -> None:
        self.erp.model(model, button, [number])

    # helpers ------------------------------------------------------------------------------

    def _create(self, model: str, **values: Any) -> int:
        (number,) = self.erp.model(model, "create", [values])
        return int(number)

    def _wizard(
        self, name: str, model: str, record: int, *, start: dict[str, Any], go: str,
        ask: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Go through a wizard: the start form, then `ask` where it asks back."""
        context = {
            **self.erp.context, "active_model": model, "active_id": record, "active_ids": [record],
        }  # fmt: skip
        session, _first, _end = self.erp.call(f"wizard.{name}.create", context)
        run = f"wizard.{name}.execute"
        self.erp.call(run, session, {}, "start", context)
        answer = self.erp.call(run, session, {"start": start}, go, context)
        if view := answer.get("view"):
            asked = {k: v for k, v in view["defaults"].items() if "." not in k}
            data = {"start": start, "ask": {**asked, **(ask or {})}}
            self.erp.call(run, session, data, "pay", context)
        self.erp.call(f"wizard.{name}.delete", session, context)

    def _invoice_line(self, line: Line, currency: str) -> dict[str, Any]:
        quantity, price, rate = line
        return {
            "type": "line",
            "description": "Cases of water",
            "account": self._account("revenue"),
            "quantity": float(quantity),
            "unit_price": Decimal(price),
            "taxes": [("add", self._taxes(rate))],
            "currency": self._named("currency.currency", "code", currency),
        }

    def _sale_line(self, line: Line) -> dict[str, Any]:
        quantity, price, rate = line
        return {
            "type": "line",
            "product": self._named("product.product", "template.name", "Case of water"),
            "unit": self._named("product.uom", "name", "Unit"),
            "quantity": float(quantity),
            "unit_price": Decimal(price),
            "taxes": [("add", self._taxes(rate))],
        }

    def _taxes(self, rate: str) -> list[int]:
        return [self._named("account.tax", "name", f"Tax {rate}")] if rate else []

    def _address(self, party: int) -> int:
        (row,) = self.erp.model("party.party", "read", [party], ["addresses"])
        return int(row["addresses"][0])

    def _account(self, kind: str) -> int:
        return self._named("account.account", f"type.{kind}", True, ("closed", "!=", True))

    @cached_property
    def _cash(self) -> int:
        return self._named("account.account", "code", "1.1.1")

    def _named(self, model: str, field: str, value: Any, *also: tuple[str, str, Any]) -> int:
        if (model, field, value) not in self._found:
            domain = [(field, "=", value), *also]
            found = self.erp.model(model, "search", domain, 0, 1, None)
            self._found[model, field, value] = int(found[0])
        return self._found[model, field, value]

    @cached_property
    def _found(self) -> dict[tuple[str, str, Any], int]:
        return {}


_METHOD = "Bank transfer"


def today() -> date:
    """Return the day on the server's clock, which runs in UTC."""
    return datetime.now(UTC).date()


def days_ago(days: int) -> date:
    """Return the day so many days before today."""
    return today() - timedelta(days=days)
