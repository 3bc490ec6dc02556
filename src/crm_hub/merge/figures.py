"""What a customer's orders, invoices and payments add up to. Pure, in minor units, by currency.

open balance      what open invoices still ask for, less money that is set against none
overdue balance   what of it was due before today; credits that are due lower it, never below 0
orders            confirmed and delivered ones; drafts, quotations and cancelled ones are none
average order     gross amount of the orders over their number, half a unit rounded up
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

_NO_ORDER = frozenset({"draft", "quotation", "quote", "cancelled", "canceled"})
_NOTHING_OPEN = frozenset({"paid", "cancelled", "canceled", "draft"})
_MOST_DIGITS = 4


class Document(NamedTuple):
    """One order, invoice or payment: its canonical values."""

    entity: str
    values: Mapping[str, Any]


class LastOrder(NamedTuple):
    """The latest order. on: its day in the company's zone; amount in minor units."""

    number: str
    on: date
    amount: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Sums:
    """What stands in one currency, in minor units. average: None without an order."""

    currency: str
    open: int = 0
    overdue: int = 0
    ordered: int = 0
    orders: int = 0
    average: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one customer. overdue_days: since the oldest open due day that has passed.

    unread: documents whose amount is not known, so that they are in no sum.
    """

    sums: list[Sums] = field(default_factory=list)
    orders: int = 0
    last_order: LastOrder | None = None
    overdue_days: int = 0
    unread: int = 0


@dataclass(slots=True)
class _Tally:
    open: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    due: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    oldest: dict[str, date] = field(default_factory=dict)
    ordered: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    orders: int = 0
    last: LastOrder | None = None
    unread: int = 0


def figures(documents: Iterable[Document], today: date, zone: str) -> Figures:
    """Return the figures of the customer of `documents`, on the company's day `today`."""
    tally = _Tally()
    for one in documents:
        if one.entity == "order":
            _add_order(tally, one.values, zone)
        elif one.entity == "invoice":
            _add_invoice(tally, one.values, today)
        elif one.entity == "payment":
            _add_payment(tally, one.values)
    codes = sorted({*tally.open, *tally.due, *tally.ordered})
    overdue = {code: max(tally.due[code], 0) for code in codes}
    late = [day for code, day in tally.oldest.items() if overdue[code]]
    return Figures(
        [_sums(tally, code, overdue[code]) for code in codes],
        tally.orders,
        tally.last,
        (today - min(late)).days if late else 0,
        tally.unread,
    )


def _sums(tally: _Tally, code: str, overdue: int) -> Sums:
    amounts = tally.ordered[code]
    count, total = len(amounts), sum(amounts)
    # Half a unit up, in whole numbers: no float ever holds an amount.
    average = (2 * total + count) // (2 * count) if count else None
    return Sums(code, tally.open[code], overdue, total, count, average)


def _add_order(tally: _Tally, values: Mapping[str, Any], zone: str) -> None:
    if _word(values, "status") in _NO_ORDER:
        return
    tally.orders += 1
    money = _money(values, "gross") or _money(values, "net")
    if money is None:
        tally.unread += 1
    else:
        tally.ordered[money[1]].append(money[0])
    on, number = _day(values.get("ordered_at"), zone), str(values.get("display_name") or "")
    # Of one day the higher number, so that the order of arrival plays no part.
    if on is not None and (tally.last is None or (on, number) > (tally.last.on, tally.last.number)):
        tally.last = LastOrder(number, on, *(money or (None, "")))


def _add_invoice(tally: _Tally, values: Mapping[str, Any], today: date) -> None:
    settled = _word(values, "status") in _NOTHING_OPEN
    money = _money(values, "open_amount")
    if money is None and not settled:
        money = _money(values, "gross")
    if money is None:
        tally.unread += not settled
        return
    amount, code = (0 if settled else money[0]), money[1]
    tally.open[code] += amount
    for day, part in _dues(values, amount):
        if day is not None and day < today:
            tally.due[code] += part
            if part > 0:
                tally.oldest[code] = min(day, tally.oldest.get(code, day))


def _dues(values: Mapping[str, Any], amount: int) -> Iterator[tuple[date | None, int]]:
    """Yield (due day, amount) of each part; one alone where the invoice has no instalments."""
    yield from _instalments(values, amount) or [(_day(values.get("due_on"), ""), amount)]


def _instalments(values: Mapping[str, Any], amount: int) -> list[tuple[date | None, int]]:
    try:
        rows = [text.split() for text in values.get("instalments") or []]
        parts = [(date.fromisoformat(day), Decimal(number)) for day, _code, number in rows]
    except (ValueError, InvalidOperation, AttributeError):
        return []
    total = sum((number for _, number in parts), Decimal(0))
    # They add up to the open amount; that tells how many decimals the currency has.
    for digits in range(_MOST_DIGITS + 1 if total else 0):
        if total.scaleb(digits) == amount:
            return [(day, int(number.scaleb(digits))) for day, number in parts]
    return []


def _add_payment(tally: _Tally, values: Mapping[str, Any]) -> None:
    money = _money(values, "open_amount")
    if money is not None and money[0]:
        tally.open[money[1]] -= money[0]
        tally.due[money[1]] -= money[0]


def _money(values: Mapping[str, Any], name: str) -> tuple[int, str] | None:
    found = values.get(name)
    return None if not isinstance(found, dict) else (found["minor_units"], found["currency"])


def _word(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "").strip().lower()


def _day(text: Any, zone: str) -> date | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return moment.astimezone(ZoneInfo(zone)).date() if moment.tzinfo and zone else moment.date()
