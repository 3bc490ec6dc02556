"""Fills a new Tryton database with a small firm; run by Tryton's own Python, not by the hub's.

    python tryton_setup.py YEAR        with TRYTOND_CONFIG and DB_NAME in the environment

Company in EUR with accounts, fiscal years YEAR-1 to YEAR+1, taxes, payment terms, a product, the
currencies USD and JPY, and users with the rights that tests need. Uses Tryton's own scripting
library, proteus, and the helpers its modules ship for their tests.
"""

from __future__ import annotations

import datetime
import importlib
import sys
from decimal import Decimal
from typing import Any

PASSWORDS = {"admin": "admin-Tr7yton", "hub": "hub-Tr7yton-reader", "clerk": "clerk-Tr7yton"}
"""The users: `hub` may read all the connector reads, `clerk` nothing of accounts and sales."""

READ_GROUPS = ("account.group_account", "sale.group_sale", "sale_opportunity.group_opportunity")


def main(year: int) -> None:
    proteus = importlib.import_module("proteus")
    proteus.config.set_trytond()
    setup = _Setup(proteus)
    setup.company()
    setup.books(year)
    setup.currencies()
    setup.terms()
    setup.product()
    setup.users()


class _Setup:
    """The steps, in the order in which they need one another."""

    def __init__(self, proteus: Any) -> None:
        self._get = proteus.Model.get
        self._config = proteus.config.get_config()

    def company(self) -> None:
        tools = importlib.import_module("trytond.modules.company.tests.tools")
        party = self._get("party.party")(name="Tidewater Trading GmbH")
        party.save()
        euro = self._get("currency.currency")(
            name="Euro", symbol="€", code="EUR", rounding=Decimal("0.01"), digits=2
        )
        euro.rates.new(date=datetime.date(2000, 1, 1), rate=Decimal(1))
        euro.save()
        tools.create_company(party=party, currency=euro)
        self._company = tools.get_company()

    def books(self, year: int) -> None:
        account = importlib.import_module("trytond.modules.account.tests.tools")
        invoice = importlib.import_module("trytond.modules.account_invoice.tests.tools")
        account.create_chart(self._company)
        for one in (year - 1, year, year + 1):
            span = (datetime.date(one, 1, 1), datetime.date(one, 12, 31))
            self._fiscal_year(account, invoice, span)
        self._accounts = account.get_accounts(self._company)
        for rate in ("0.19", "0.07"):
            account.create_tax(Decimal(rate), self._company).save()
        self._exchange()
        method = self._get("account.invoice.payment.method")(name="Bank transfer")
        method.company = self._company
        (method.journal,) = self._get("account.journal").find([("type", "=", "cash")], limit=1)
        method.credit_account = method.debit_account = self._accounts["cash"]
        method.save()

    def _exchange(self) -> None:
        """Rounding between currencies needs accounts of its own."""
        settings = self._get("account.configuration")(1)
        (settings.currency_exchange_journal,) = self._get("account.journal").find(
            [("type", "=", "write-off")], limit=1
        )
        settings.currency_exchange_debit_account = self._accounts["expense"]
        settings.currency_exchange_credit_account = self._accounts["revenue"]
        settings.save()

    def _fiscal_year(self, account: Any, invoice: Any, span: tuple[Any, Any]) -> None:
        fiscal = account.create_fiscalyear(self._company, span)
        # The helper widens its span; whole calendar years may not overlap.
        fiscal.name = str(span[0].year)
        fiscal.start_date, fiscal.end_date = span
        invoice.set_fiscalyear_invoice_sequences(fiscal)
        fiscal.click("create_period")

    def currencies(self) -> None:
        model = self._get("currency.currency")
        for code, rounding, digits, rate in (
            ("USD", "0.01", 2, "1.10"),
            ("JPY", "1", 0, "160"),
        ):
            one = model(name=code, symbol=code, code=code, rounding=Decimal(rounding))
            one.digits = digits
            one.rates.new(date=datetime.date(2000, 1, 1), rate=Decimal(rate))
            one.save()

    def terms(self) -> None:
        model = self._get("account.invoice.payment_term")
        for name, days in (("At once", 0), ("30 days", 30)):
            term = model(name=name)
            line = term.lines.new(type="remainder")
            line.relativedeltas.new(days=days)
            term.save()
        halves = model(name="Two halves")
        half = halves.lines.new(type="percent_on_total", ratio=Decimal("0.5"))
        half.relativedeltas.new(days=10)
        rest = halves.lines.new(type="remainder")
        rest.relativedeltas.new(days=60)
        halves.save()

    def product(self) -> None:
        category = self._get("product.category")(name="Goods", accounting=True)
        category.account_revenue = self._accounts["revenue"]
        category.account_expense = self._accounts["expense"]
        category.save()
        (unit,) = self._get("product.uom").find([("name", "=", "Unit")])
        template = self._get("product.template")(name="Case of water", default_uom=unit)
        template.type = "goods"
        template.salable = True
        template.list_price = Decimal("12.40")
        template.account_category = category
        template.save()

    def users(self) -> None:
        data, group = self._get("ir.model.data"), self._get("res.group")
        user = self._get("res.user")
        (admin,) = user.find([("login", "=", "admin")])
        employee_party = self._get("party.party")(name="Noor Haddad")
        employee_party.save()
        employee = self._get("company.employee")(party=employee_party, company=self._company)
        employee.save()
        for login in ("hub", "clerk"):
            one = user(name=login.title(), login=login, password=PASSWORDS[login])
            one.companies.append(self._get("company.company")(self._company.id))
            one.company = self._company
            if login == "hub":
                one.groups.extend(group(data.get_id(name, {})) for name in READ_GROUPS)
            one.save()
        admin.employees.append(self._get("company.employee")(employee.id))
        admin.save()


if __name__ == "__main__":
    main(int(sys.argv[1]))
