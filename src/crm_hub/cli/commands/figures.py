"""crm-hub figures: what a customer ordered, owes, and owes too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from crm_hub.cli import output
from crm_hub.cli.command import hub_command, opened

if TYPE_CHECKING:
    from crm_hub.merge.figures import Figures, Sums

_HEADERS = ["currency", "open", "overdue", "orders", "ordered", "average order"]


@hub_command("crm-hub figures P12", "crm-hub figures dana.whitfield@marlowfinch.example --json")
@click.argument("who")
def figures(hub_dir: str | None, as_json: bool, who: str) -> None:
    """Show the open and overdue balance and the orders of WHO, each currency by itself.

    WHO is an id (O12), an e-mail address, a phone number or a name. Counted is what names WHO as
    the customer; what the people of a firm bought in their own name stands with them. Overdue is
    what was due before today in the company's zone.
    """
    from crm_hub.flow.figures import figures_of
    from crm_hub.model.ids import public_id

    with opened(hub_dir) as hub:
        row, today, found = figures_of(hub, who)
    number = public_id(row.entity, row.id)
    if as_json:
        head = {"id": number, "entity": row.entity, "name": row.display_name, "as_of": today}
        return output.emit({**head, **_data(found)})
    output.say(f"{number} {row.display_name} · as of {today.isoformat()}")
    if not found.sums and not found.orders:
        output.say("No order, invoice or payment names this customer.")
        return None
    output.table(_HEADERS, [_cells(one) for one in found.sums], right=_HEADERS[1:])
    for line in _lines(found):
        output.say(line)
    return None


def _cells(one: Sums) -> list[Any]:
    amounts = (one.open, one.overdue, one.ordered, one.average)
    opened_, overdue, ordered, average = (_amount(units, one.currency) for units in amounts)
    return [one.currency, opened_, overdue, one.orders, ordered, average]


def _lines(found: Figures) -> list[str]:
    lines = []
    if (last := found.last_order) is not None:
        amount = f", {_amount(last.amount, last.currency)} {last.currency}" if last.currency else ""
        lines.append(f"Last order: {last.number} on {last.on.isoformat()}{amount}")
    if found.overdue_days:
        lines.append(f"Overdue for {found.overdue_days} days.")
    if found.unread:
        lines.append(f"Without a readable amount, so in no sum: {found.unread}.")
    return lines


def _amount(units: int | None, currency: str) -> str:
    from crm_hub.mapping.steps.numbers import amount_text

    return "" if units is None else amount_text(units, currency)


def _data(found: Figures) -> dict[str, Any]:
    def money(units: int | None, currency: str) -> dict[str, Any] | None:
        return None if units is None else {"minor_units": units, "currency": currency}

    last = found.last_order
    return {
        "currencies": [
            {
                "currency": one.currency,
                "open_balance": money(one.open, one.currency),
                "overdue_balance": money(one.overdue, one.currency),
                "orders": one.orders,
                "ordered": money(one.ordered, one.currency),
                "average_order": money(one.average, one.currency),
            }
            for one in found.sums
        ],
        "orders": found.orders,
        "last_order": None
        if last is None
        else {"number": last.number, "on": last.on, "amount": money(last.amount, last.currency)},
        "overdue_days": found.overdue_days,
        "unread": found.unread,
    }


command = figures
