"""Three lines on a person or firm for whoever is called: who, the last touch, what is open. Pure.

    Office Manager, Marlow & Finch LLP · customer
    Last: 2026-03-19 invoice paid: Invoice INV-20677 paid
    Open: USD 1,284.80, USD 300.00 of it overdue since 2026-02-12 · Next: 2026-04-02 meeting: Audit

Days, never times of day or lengths of time, so that the text is the same until something happens.
Before: the golden record, the figures, and the timeline's events next to today. After: outbox, as
a value that goes out and is never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from crm_hub.merge.figures import Figures

LONGEST_LINE = 120
_WORDS = {
    "email.sent": "mail to them", "email.received": "mail from them", "call.in": "call from them",
    "call.out": "call to them", "call.missed": "missed call", "call.voicemail": "voicemail",
    "message.session": "messages", "form.submitted": "form", "ad.lead": "lead from an ad",
    "meeting.booked": "meeting", "meeting.moved": "meeting", "meeting.held": "meeting",
    "note": "note",
}  # fmt: skip
_TOUCHES = frozenset(
    {
        *_WORDS, "ticket.opened", "ticket.replied", "ticket.escalated", "ticket.solved",
        "order.placed", "order.confirmed", "order.delivered", "order.cancelled", "invoice.issued",
        "invoice.paid", "payment.received", "quote.sent", "quote.accepted", "quote.declined",
        "deal.won", "deal.lost",
    }
)  # fmt: skip
_TO_COME = frozenset({"meeting.booked", "meeting.moved"})
_STANDS_OUT = {"status": ("blocked", "inactive"), "credit_status": ("watch", "blocked")}


class Touch(NamedTuple):
    """An event of a timeline, as much of it as may be shown. on: its day for the company.

    by_machine: a mail that no person wrote.
    """

    type: str
    on: date
    subject: str
    by_machine: bool = False

    @property
    def is_touch(self) -> bool:
        """Whether it was an exchange with them, or about what they buy."""
        return self.type in _TOUCHES and not self.by_machine

    @property
    def is_to_come(self) -> bool:
        """Whether it is something to be ready for, as long as it lies ahead."""
        return self.type in _TO_COME


Amount = Callable[[int, str], str]
"""(minor units, currency) → the amount as people write it."""


def brief(
    values: Mapping[str, Any],
    past: Iterable[Touch],
    coming: Iterable[Touch],
    figures: Figures,
    today: date,
    amount: Amount,
) -> str:
    """Return the lines that have something to say, each of at most 120 characters; "" for none.

    values: the golden record. past: events until now, the newest first. coming: later ones, the
    next first.
    """
    last = next((one for one in past if one.is_touch), None)
    to_come = next((one for one in coming if one.is_to_come), None)
    ahead = [_open(figures, today, amount), "" if to_come is None else f"Next: {_told(to_come)}"]
    lines = [_who(values), "" if last is None else f"Last: {_told(last)}", _together(ahead)]
    return "\n".join(_fitted(line) for line in lines if line)


def _who(values: Mapping[str, Any]) -> str:
    place = values.get("company") or values.get("industry")
    stage = str(values.get("stage") or "").replace("_", " ")
    warnings = [
        f"credit {word}" if name == "credit_status" else word
        for name, words in _STANDS_OUT.items()
        if (word := str(values.get(name) or "")) in words
    ]
    job = ", ".join(str(part) for part in (values.get("title"), place) if part)
    owner = f"owner {values['owner']}" if values.get("owner") else ""
    return _together([job, stage, *warnings, owner])


def _told(one: Touch) -> str:
    words = _WORDS.get(one.type, one.type.replace(".", " "))
    return f"{one.on.isoformat()} {words}" + (f": {one.subject}" if one.subject else "")


def _open(figures: Figures, today: date, amount: Amount) -> str:
    open_sums = [_sum(one.open, one.currency, amount) for one in figures.sums if one.open]
    late = [_sum(one.overdue, one.currency, amount) for one in figures.sums if one.overdue]
    if not open_sums:
        return ""
    said = f"Open: {' + '.join(open_sums)}"
    if not late:
        return said
    since = today - timedelta(days=figures.overdue_days)
    return f"{said}, {' + '.join(late)} of it overdue since {since.isoformat()}"


def _sum(units: int, currency: str, amount: Amount) -> str:
    return f"{currency} {amount(units, currency)}"


def _together(parts: Sequence[str]) -> str:
    return " · ".join(filter(None, parts))


def _fitted(line: str) -> str:
    plain = " ".join(line.split())
    return plain if len(plain) <= LONGEST_LINE else plain[: LONGEST_LINE - 1].rstrip() + "…"
