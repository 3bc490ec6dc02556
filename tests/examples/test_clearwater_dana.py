"""The story of Dana: five doors on one morning, and a timeline that the files bear out."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from tests.examples import clearwater as firm
from tests.examples.clearwater import Evidence

NEW_YORK = ZoneInfo("America/New_York")
DANA = "dana-whitfield"


def test_danas_records_spell_her_in_as_many_ways_as_the_story_says(
    found: list[Evidence], person_of: dict[tuple[str, str], str]
) -> None:
    hers = {one.record[0]: one for one in found if person_of[one.record] == DANA}
    assert {connection: one.name for connection, one in hers.items()} == {
        "hubspot": "dana whitfeld", "pipedrive": "d. whitfield", "erp": "dana whitfield",
        "mail": "dana whitfield", "google": "dana whitfield", "form": "dana whitfield",
        "meta": "dana whitfield",
    }  # fmt: skip
    assert hers["pipedrive"].phones == {"+12125550147"}
    assert not hers["pipedrive"].emails
    assert not hers["meta"].phones
    others = frozenset.union(*(one.emails for name, one in hers.items() if name != "meta"))
    assert not hers["meta"].emails & others


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"


def _dana_posts() -> list[tuple[str, str]]:
    kinds = {"google": "ad.lead", "form": "form.submitted"}
    return [
        (_local(datetime.fromisoformat(post["at"])), kinds[post["connection"]])
        for post in firm.load("inbound/posts.json")
        if "dana" in post["file"] and post["expect"] == "lead" and post["connection"] in kinds
    ]


def _dana_mails() -> list[tuple[str, str]]:
    hers, out = "dana.whitfield@marlowfinch.example", []
    for mail in firm.messages():
        (_, sender), *others = firm.people_of(mail)
        if hers in (sender, *(address for _, address in others)):
            kind = "email.received" if sender == hers else "email.sent"
            out.append((_local(parsedate_to_datetime(str(mail["Date"]))), kind))
    return out


def _dana_business() -> list[tuple[str, str]]:
    columns = {
        "erp/orders.csv": {"order_date": "order.placed", "delivered_on": "order.delivered"},
        "erp/invoices.csv": {"invoice_date": "invoice.issued", "paid_on": "invoice.paid"},
    }
    return [
        (row[column], kind)
        for name, kinds in columns.items()
        for row in firm.rows(name)
        for column, kind in kinds.items()
        if row["customer_number"] == "C-1042"
    ]


def _dana_events() -> list[tuple[str, str]]:
    """Return (time, type) of everything the files tell of Dana, straight from the bytes."""
    calls = [
        (call["started_at"][:16], "call.in")
        for call in firm.rows("phone/calls.csv")
        if call["from"] == "+12125550147" and call["disposition"] == "ANSWERED"
    ]
    meetings = [
        (_local(event["DTSTART"].dt), "meeting.booked")
        for event in firm.entries()
        if "dana.whitfield" in str(event.get("ATTENDEE", ""))
    ]
    return [*_dana_posts(), *calls, *_dana_mails(), *meetings, *_dana_business()]


def test_the_readme_timeline_of_dana_is_what_the_files_tell() -> None:
    assert Counter(firm.readme_timeline()) == Counter(_dana_events())


def test_dana_comes_through_five_doors_on_one_morning() -> None:
    posts = [p for p in firm.load("inbound/posts.json") if "dana" in p["file"]]
    times = [datetime.fromisoformat(p["at"]) for p in posts if p["expect"] == "lead"]
    assert [p["connection"] for p in posts if p["expect"] == "lead"] == ["meta", "google", "form"]
    calls = [c for c in firm.rows("phone/calls.csv") if c["from"] == "+12125550147"]
    times += [datetime.fromisoformat(c["started_at"]).replace(tzinfo=NEW_YORK) for c in calls]
    times += [parsedate_to_datetime(str(m["Date"])) for m in firm.messages()
              if "dana.whitfield" in str(m["From"])][:1]  # fmt: skip
    assert len(times) == 5
    assert times == sorted(times)
    assert all("2026-03-10 08:40" <= _local(t) <= "2026-03-10 11:30" for t in times)
