"""The sample firm's data: real formats, and every figure and situation its README promises."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import phonenumbers
import recurring_ical_events

from tests.examples import clearwater as firm
from tests.examples.clearwater import FOLDER

NEW_YORK = ZoneInfo("America/New_York")
DANA = "dana-whitfield"


def test_the_generator_writes_the_committed_files() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "make.py", "--check"], cwd=FOLDER, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def _cache(path: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.relative_to(FOLDER).parts)


def test_the_sample_stays_small() -> None:
    files = [p for p in FOLDER.rglob("*") if p.is_file() and not _cache(p)]
    assert sum(path.stat().st_size for path in files) < 1_500_000


def _meetings() -> int:
    """Return how many meetings a reader sees once the series is unrolled."""
    content = (FOLDER / "calendar/clearwater.ics").read_bytes()
    calendar = icalendar.Calendar.from_ical(content)
    return len(recurring_ical_events.of(calendar).between((2025, 1, 1), (2027, 1, 1)))


def _figures() -> dict[str, int]:
    mails = firm.messages()
    ids = Counter(m["Message-ID"] for m in mails)
    invoices = Counter(row["status"] for row in firm.rows("erp/invoices.csv"))
    orders = Counter(row["status"] for row in firm.rows("erp/orders.csv"))
    posts = Counter(post["expect"] for post in firm.load("inbound/posts.json"))
    truth = firm.load("truth.json")
    people = {fact["person"] for fact in truth["records"] if fact["person"]}
    return {
        "hubspot_rows": len(firm.rows("crm/hubspot-contacts.csv")),
        "pipedrive_rows": len(firm.rows("crm/pipedrive-people.csv")),
        "erp_customers": len(firm.rows("erp/customers.csv")),
        "erp_orders": orders.total(),
        "erp_orders_cancelled": orders["cancelled"],
        "erp_invoices": invoices.total(),
        "erp_invoices_paid": invoices["paid"],
        "erp_invoices_overdue": invoices["overdue"],
        "erp_invoices_open": invoices["open"],
        "calls": len(firm.rows("phone/calls.csv")),
        "mail_messages": len(mails),
        "mail_events": len(ids) - 1 + ids[None],
        "mail_automated": sum(firm.automated(m) for m in mails),
        "mail_correspondents": sum(f["connection"] == "mail" for f in truth["records"]),
        "calendar_entries": len(firm.entries()),
        "calendar_meetings": _meetings(),
        "posts": posts.total(),
        "posts_repeated": posts["repeat"],
        "posts_kept_out": posts["ignored"] + posts["test"],
        "people": len(people),
        "apart": len(truth["apart"]),
        "people_in_the_hub": len(people) + len(truth["apart"]),
    }


def test_the_readme_figures_are_those_of_the_files() -> None:
    assert firm.readme_numbers() == _figures()


def test_one_mail_stands_in_the_mailbox_under_two_folders() -> None:
    mails = [m for m in firm.messages() if m["Message-ID"]]
    folders = defaultdict(set)
    for mail in mails:
        folders[mail["Message-ID"]].add(mail["X-Gmail-Labels"])
    assert [ids for ids in folders.values() if len(ids) > 1] == [{"Inbox", "Deliveries,Archived"}]


def test_the_mailbox_holds_each_case_a_reader_must_get_right() -> None:
    mails = firm.messages()
    kinds = Counter(part.get_content_type() for mail in mails for part in mail.walk())
    assert kinds["message/delivery-status"] == 1
    assert kinds["text/calendar"] == 3
    assert kinds["text/html"] > 10
    assert {"application/pdf", "text/csv"} <= set(kinds)
    charsets = {p.get_content_charset() for m in mails for p in m.walk()}
    assert {"iso-8859-15", "iso-2022-jp", "koi8-r", "x-unknown", "utf-8"} <= charsets
    assert sum(m["Message-ID"] is None for m in mails) == 1
    assert all(not mail.defects for mail in mails)
    assert b"\n>From Monday on we need" in firm.MBOX.read_bytes()


def test_every_invitation_by_mail_is_also_in_the_calendar() -> None:
    booked = {(str(e["UID"]), e["DTSTART"].dt) for e in firm.entries()}
    invited = []
    for mail in firm.messages():
        for part in mail.walk():
            if part.get_content_type() == "text/calendar":
                payload = part.get_payload(decode=True)
                assert isinstance(payload, bytes)
                (event,) = firm.entries(payload)
                invited.append((str(event["UID"]), event["DTSTART"].dt))
    assert len(set(invited)) == 2
    assert set(invited) <= booked


def test_the_calendar_has_a_series_with_a_gap_and_a_moved_date() -> None:
    events = firm.entries()
    assert not any(event.errors for event in events)
    assert [e["SUMMARY"] for e in events if "RRULE" in e] == ["Tidewater round"]
    assert [e["SUMMARY"] for e in events if "RECURRENCE-ID" in e] == ["Tidewater round (afternoon)"]
    assert sum("EXDATE" in e for e in events) == 1
    assert sum(str(e.get("STATUS")) == "CANCELLED" for e in events) == 1
    assert sum(not isinstance(e["DTSTART"].dt, datetime) for e in events) == 2


def test_orders_and_invoices_add_up_and_belong_to_known_customers() -> None:
    customers = {row["customer_number"] for row in firm.rows("erp/customers.csv")}
    orders = {row["order_number"]: row for row in firm.rows("erp/orders.csv")}
    invoices = firm.rows("erp/invoices.csv")
    assert {row["customer_number"] for row in [*orders.values(), *invoices]} <= customers
    for row in [*orders.values(), *invoices]:
        assert round(float(row["net"]) + float(row["tax"]), 2) == float(row["total"])
    for row in invoices:
        assert row["total"] == orders[row["order_number"]]["total"]
        assert (row["open_amount"] == "0.00") == (row["status"] == "paid") == bool(row["paid_on"])


def test_every_call_has_its_own_id_and_readable_numbers() -> None:
    calls = firm.rows("phone/calls.csv")
    assert len({call["call_id"] for call in calls}) == len(calls)
    unknown = 0
    for call in calls:
        for number in (call["from"], call["to"]):
            if number in ("", "anonymous"):
                unknown += 1
            else:
                assert phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    assert unknown == 2


def test_the_posts_name_their_leads_and_carry_no_key() -> None:
    leads = {path.stem for path in (FOLDER / "inbound/meta-leads").glob("*.json")}
    named: set[str] = set()
    for post in firm.load("inbound/posts.json"):
        body: Any = firm.load(post["file"]) if post["file"].endswith("json") else {}
        if post["connection"] == "google":
            assert body["google_key"] == "{{google_key}}"
            assert body["is_test"] is (post["expect"] == "test")
        for entry in body.get("entry", []):
            named |= {c["value"]["leadgen_id"] for c in entry["changes"] if c["field"] == "leadgen"}
    assert named == leads


def test_repeated_posts_are_byte_for_byte_the_ones_before() -> None:
    bodies: set[bytes] = set()
    for post in firm.load("inbound/posts.json"):
        body = (FOLDER / post["file"]).read_bytes()
        assert (body in bodies) is (post["expect"] == "repeat")
        bodies.add(body)


def test_nothing_in_the_exports_is_later_than_their_snapshot() -> None:
    snapshot = datetime.fromisoformat(firm.load("truth.json")["snapshot"])
    days = [row[column] for name, column in (
        ("erp/orders.csv", "order_date"), ("erp/orders.csv", "delivered_on"),
        ("erp/invoices.csv", "invoice_date"), ("erp/invoices.csv", "paid_on"),
        ("phone/calls.csv", "started_at"),
    ) for row in firm.rows(name)]  # fmt: skip
    assert max(days) < f"{snapshot:%Y-%m-%d}"
    dated = [m for m in firm.messages() if m["Message-ID"]]
    assert max(parsedate_to_datetime(str(m["Date"])) for m in dated) < snapshot
    first = datetime(2025, 11, 1, tzinfo=UTC)
    assert min(parsedate_to_datetime(str(m["Date"])) for m in dated) > first


def test_all_addresses_are_under_reserved_domains() -> None:
    for path in FOLDER.rglob("*.csv"):
        for row in firm.rows(str(path.relative_to(FOLDER))):
            for text in row.values():
                assert "@" not in text or text.strip().lower().endswith(".example"), (path, text)
    for mail in firm.messages():
        assert all(a.endswith(".example") for _, a in firm.people_of(mail))
