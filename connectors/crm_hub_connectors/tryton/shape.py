"""What a row of Tryton becomes as a payload: decoded, tidied, with what only arithmetic tells.

Pure. Amounts stay the text that Tryton gave; sums are made with Decimal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from crm_hub.model.values import clean_json
from crm_hub.sdk import Change, Payload
from crm_hub_connectors.tryton.codec import Malformed, decoded
from crm_hub_connectors.tryton.mechanisms import is_live, reached_by
from crm_hub_connectors.tryton.streams import Spec

_CHILDREN = ("contact_mechanisms", "addresses", "identifiers")


def change_of(spec: Spec, row: Any, today: date) -> Change:
    """Return a row of `search_read` as a change; `today` decides what is overdue.

    Raises: ValueError, KeyError, TypeError, ArithmeticError for a row that cannot be read.
    """
    payload = decoded(row)
    number = payload["id"]
    if type(number) is not int:
        raise Malformed("a record came without a number as its id")
    moment = max(stamps(payload))
    version = _version(payload)
    for name in _CHILDREN:
        if name in payload:
            payload[name] = [_told(item) for item in payload[name] if is_live(item)]
    payload = _told(payload)
    _ADDED.get(spec.name, _nothing)(payload, today)
    return Change(str(number), clean_json(payload), changed_at=moment, version=version)


def _told(record: Payload) -> Payload:
    """Return a record whose `active` is true or false; Tryton on SQLite writes 1 and 0."""
    return {**record, "active": is_live(record)} if "active" in record else record


def _version(payload: Payload) -> str | None:
    """Return Tryton's `_timestamp`, and with a party a mark of those that belong to it.

    A phone number that is changed in a list of its own leaves the party's own stamp as it is.
    """
    own = payload.get("_timestamp")
    children = sorted(
        f"{name},{item.get('id')}:{item.get('_timestamp')}"
        for name in _CHILDREN
        for item in payload.get(name, ())
    )
    if own is None or not children:
        return None if own is None else str(own)
    return f"{own}/{blake2b(' '.join(children).encode(), digest_size=8).hexdigest()}"


def stamps(payload: Any) -> Iterator[datetime]:
    """Yield the times at which a record and what was read with it were made and changed."""
    for value in payload.values():
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict):
                yield from stamps(child)
    for name in ("write_date", "create_date"):
        if payload.get(name):
            yield datetime.fromisoformat(payload[name]).astimezone(UTC)


def _party(payload: Payload, _today: date) -> None:
    """Add what a party is reached by, each kind as one list: that is how it is written, too."""
    payload.update(reached_by(payload))


def _nothing(_payload: Payload, _today: date) -> None:
    return


def _invoice(payload: Payload, today: date) -> None:
    """Add due_on, overdue_on, and for several instalments what is open of each, as `dues`."""
    lines = payload["lines_to_pay"]
    open_by_day = _open(payload)
    # Of one that is settled the last instalment counts, so that none is called late too soon.
    days = sorted(open_by_day) or sorted(d for line in lines if (d := line["maturity_date"]))[-1:]
    payload["due_on"] = days[0] if days else None
    payload["overdue_on"] = None
    settled = payload.get("reconciled")
    if days and payload["state"] != "cancelled" and Decimal(payload["total_amount"]) > 0:
        after = date.fromisoformat(days[0]) + timedelta(days=1)
        if after <= (date.fromisoformat(settled) if settled else today):
            payload["overdue_on"] = after.isoformat()
    if len(open_by_day) > 1:
        code = payload["currency"]["code"]
        payload["dues"] = [f"{day} {code} {open_by_day[day]:f}" for day in days]


def _open(payload: Payload) -> dict[str, Decimal]:
    """Return what is open by due day; part payments go to the oldest first, as Tryton counts."""
    if payload["state"] != "posted":
        return {}
    code = payload["currency"]["code"]
    dues: dict[str, Decimal] = {}
    for line in payload["lines_to_pay"]:
        if line["reconciliation"] is None and line["maturity_date"]:
            if line["amount_currency"]["code"] != code:
                return {}  # in another currency: only Tryton's own total is exact
            day = line["maturity_date"]
            dues[day] = dues.get(day, Decimal(0)) + Decimal(line["amount"])
    total = sum(dues.values(), Decimal(0))
    paid = total - Decimal(payload["amount_to_pay"])
    for day in sorted(dues):
        used = max(min(paid, dues[day]), Decimal(0))
        dues[day] -= used
        paid -= used
    return {day: amount for day, amount in dues.items() if amount}


def _payment(payload: Payload, _today: date) -> None:
    """Add what came in (`received`, negative for money paid back) and what of it is unallocated.

    A payment that is set against an invoice already lowers what that invoice still asks for.
    """
    received = -Decimal(payload["amount"])
    used = payload["reconciliation"] is not None or payload["invoice_payments"]
    payload["received"] = format(received, "f")
    payload["unallocated"] = format(Decimal(0) if used else received, "f")
    payload["direction"] = "in" if received > 0 else "out"


def _opportunity(payload: Payload, _today: date) -> None:
    chance = payload.get("conversion_probability")
    if isinstance(chance, int | float):
        payload["probability_percent"] = round(chance * 100, 2)


_ADDED: Mapping[str, Any] = {
    "parties": _party,
    "invoices": _invoice,
    "payments": _payment,
    "opportunities": _opportunity,
}
