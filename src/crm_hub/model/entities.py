"""The canonical customer model: entities, their fields, and what each field holds.

A closed registry with names from schema.org and vCard (RFC 6350); everything a
source has beyond it travels in `attributes`. Reference docs are generated from here.
"""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """One canonical field. `many` fields hold a list in order of preference.

    type: text, email, phone, url, date, time, money, number, bool, address or domain.
    """

    name: str
    type: str
    many: bool
    doc: str


def _fields(*rows: tuple[str, str, str]) -> dict[str, Field]:
    out = {}
    for name, kind, doc in rows:
        many = kind.endswith("*")
        out[name] = Field(name, kind.rstrip("*"), many, doc)
    return out


_PARTY = (
    ("email", "email*", "e-mail addresses, the preferred one first"),
    ("phone", "phone*", "phone numbers in E.164, as typed where they cannot be read"),
    ("url", "url*", "web pages and profiles"),
    ("address", "address*", "postal addresses: street, city, region, postcode, country"),
    ("tags", "text*", "labels"),
    ("owner", "text", "the colleague in charge"),
    ("source", "text", "where the first contact came from"),
    ("stage", "text", "lead, marketing_qualified, sales_qualified, opportunity, customer, lost"),
    ("status", "text", "active, inactive, blocked"),
    ("note", "text", "free text kept by people"),
    ("created_at", "time", "when the source first had the record"),
    ("channel", "text*", "messenger and other channel ids, as `whatsapp:15550100`"),
    ("brief", "text", "made by the hub: three lines on who it is, for whoever is called"),
    ("timeline_url", "text", "made by the hub: where the timeline can be read"),
)

ENTITIES: dict[str, dict[str, Field]] = {
    "person": _fields(
        ("display_name", "text", "the name as people write it"),
        ("prefix", "text", "honorific before the name"),
        ("given_name", "text", "first name"),
        ("middle_name", "text", "further given names"),
        ("family_name", "text", "last name"),
        ("suffix", "text", "Jr., III, PhD"),
        ("nickname", "text", "what the person is called"),
        ("birthday", "date", "date of birth"),
        ("gender", "text", "as the source says it"),
        ("language", "text*", "BCP 47 language tags"),
        ("title", "text", "job title"),
        ("department", "text", "part of the organization"),
        ("company", "text", "employer's name as the source writes it"),
        ("consent_email", "text", "granted or denied: may be mailed"),
        ("consent_phone", "text", "granted or denied: may be called"),
        ("photo", "url", "picture"),
        *_PARTY,
    ),
    "organization": _fields(
        ("display_name", "text", "trading name"),
        ("legal_name", "text", "registered name"),
        ("domain", "domain*", "internet domains the organization mails from"),
        ("vat_id", "text", "VAT number"),
        ("registry_id", "text", "company register number"),
        ("industry", "text", "line of business"),
        ("employees", "number", "head count"),
        ("annual_revenue", "money", "yearly revenue"),
        ("credit_status", "text", "ok, watch, blocked"),
        ("parent", "text", "parent organization's name"),
        *_PARTY,
    ),
    "deal": _fields(
        ("display_name", "text", "the deal's title"),
        ("pipeline", "text", "pipeline"),
        ("stage", "text", "stage in the pipeline"),
        ("status", "text", "open, won, lost"),
        ("amount", "money", "value"),
        ("probability", "number", "0 to 100"),
        ("close_date", "date", "expected or actual close"),
        ("owner", "text", "the colleague in charge"),
        ("lost_reason", "text", "why it was lost"),
        ("competitor", "text", "who else was in it"),
        ("source", "text", "where it came from"),
        ("created_at", "time", "when it was opened"),
    ),
    "order": _fields(
        ("display_name", "text", "order number"),
        ("status", "text", "draft, confirmed, delivered, cancelled"),
        ("ordered_at", "time", "when it was placed"),
        ("net", "money", "net amount"),
        ("tax", "money", "tax"),
        ("gross", "money", "gross amount"),
        ("lines", "text*", "what was ordered, a line each"),
    ),
    "invoice": _fields(
        ("display_name", "text", "invoice number"),
        ("status", "text", "open, paid, overdue, cancelled"),
        ("issued_on", "date", "invoice date"),
        ("due_on", "date", "due date"),
        ("net", "money", "net amount"),
        ("tax", "money", "tax"),
        ("gross", "money", "gross amount"),
        ("open_amount", "money", "still to be paid"),
        ("instalments", "text*", "what is open by due day, as `2026-03-20 USD 128.48`"),
        ("dunning_level", "number", "reminders sent"),
    ),
    "payment": _fields(
        ("display_name", "text", "payment number"),
        ("amount", "money", "paid amount"),
        ("open_amount", "money", "what of it is not set against an invoice"),
        ("paid_at", "time", "when it arrived"),
        ("method", "text", "how it was paid"),
    ),
    "product": _fields(
        ("display_name", "text", "product name"),
        ("sku", "text", "article number"),
        ("price", "money", "list price"),
    ),
    "ticket": _fields(
        ("display_name", "text", "subject"),
        ("status", "text", "open, pending, solved"),
        ("priority", "text", "low, normal, high, urgent"),
        ("opened_at", "time", "when it was opened"),
        ("owner", "text", "the colleague in charge"),
    ),
    "campaign": _fields(
        ("display_name", "text", "campaign name"),
        ("status", "text", "draft, active, ended"),
        ("source", "text", "platform"),
    ),
    "activity": _fields(
        ("display_name", "text", "what a meeting or task is about"),
        ("uid", "text", "the UID that every copy of a calendar entry has"),
        ("kind", "text", "event, todo"),
        ("status", "text", "booked, cancelled; of a task open, done, cancelled"),
        ("starts_at", "time", "when it begins; of a series, its first occurrence"),
        ("ends_at", "time", "when it ends, or is due"),
        ("all_day", "bool", "whole days, in the company's zone"),
        ("place", "text", "where"),
        ("note", "text", "description"),
        ("tags", "text*", "labels"),
        ("visibility", "text", "public, private, confidential"),
        ("recurrence", "text", "the rule of a series, as iCalendar writes it (RRULE)"),
        ("more_dates", "text*", "further occurrences of a series, by their marks (RDATE)"),
        ("exceptions", "text", "the occurrences of a series that differ, as JSON"),
        ("attendance", "text*", "who is invited: `ann@acme.example; accepted; chair; Ann Lee`"),
        ("guests", "email*", "who is invited"),
        ("organizer", "text", "who invites"),
        ("created_at", "time", "when it was made"),
    ),
}

MADE = frozenset({"brief", "timeline_url"})
"""What the hub makes itself, of a golden record and its timeline: it goes out, and is not read."""

BOOKED = frozenset({"order", "invoice", "payment"})
"""What is booked somewhere: the hub reads it and never writes it, whatever a mapping says."""
