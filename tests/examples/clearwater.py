"""Readers of the sample firm's files that share no code with the generator or the hub.

They give the tests a second opinion: what the README promises is counted from the bytes.
"""

from __future__ import annotations

import csv
import email
import json
import mailbox
import re
from collections.abc import Iterable
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import icalendar
import phonenumbers

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "clearwater"
MBOX = FOLDER / "mail/clearwater.mbox"
ROLE_LOCAL_PARTS = {"info", "sales", "orders", "billing", "no-reply", "news", "mailer-daemon"}


class Evidence(NamedTuple):
    """What one record says about who it is: folded name, usable addresses, numbers in E.164."""

    record: tuple[str, str]
    name: str
    emails: frozenset[str]
    phones: frozenset[str]


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


def readme_numbers() -> dict[str, int]:
    """Return the README's table of figures: name → number."""
    text = (FOLDER / "README.md").read_text("utf-8")
    return {name: int(n) for name, n in re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.M)}


def readme_timeline() -> list[tuple[str, str]]:
    """Return the README's timeline of Dana: (time as written there, event type)."""
    text = (FOLDER / "README.md").read_text("utf-8")
    return re.findall(r"^\| (2026-03-\d\d(?: \d\d:\d\d)?) \| `([a-z.]+)` \|", text, re.M)


def messages() -> list[Message]:
    box = mailbox.mbox(MBOX, create=False)
    try:
        return [email.message_from_bytes(box.get_bytes(key)) for key in box.iterkeys()]
    finally:
        box.close()


def entries(content: bytes | None = None) -> list[Any]:
    """Return the VEVENTs of an iCalendar text, of the sample's calendar by default."""
    text = content or (FOLDER / "calendar/clearwater.ics").read_bytes()
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def automated(message: Message) -> bool:
    return any(name in message for name in ("Auto-Submitted", "List-Id", "Precedence"))


def people_of(message: Message) -> list[tuple[str, str]]:
    """Return (name, address) of sender and recipients, names decoded."""
    raw = [str(v) for field in ("From", "To", "Cc") for v in message.get_all(field, [])]
    return [(str(make_header(decode_header(n))), a.lower()) for n, a in getaddresses(raw)]


def usable(address: str) -> bool:
    local, at, _ = address.partition("@")
    return bool(at) and local not in ROLE_LOCAL_PARTS


def evidence(
    connection: str, record_id: str, name: str, addresses: Iterable[str], numbers: Iterable[str]
) -> Evidence:
    """Return a record's evidence, normalised as any hub would: no roles, E.164, folded name."""
    mails = {address.strip().lower() for address in addresses}
    phones = set()
    for text in filter(None, (number.strip() for number in numbers)):
        parsed = phonenumbers.parse(text, "US")
        assert phonenumbers.is_possible_number(parsed), (record_id, text)
        phones.add(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    folded = " ".join(name.lower().split())
    return Evidence((connection, record_id), folded, frozenset(filter(usable, mails)),
                    frozenset(phones))  # fmt: skip


def _hubspot() -> list[Evidence]:
    return [
        evidence("hubspot", r["Record ID"], f"{r['First Name']} {r['Last Name']}", [r["Email"]],
                 [r["Phone Number"], r["Mobile Phone Number"]])
        for r in rows("crm/hubspot-contacts.csv")
    ]  # fmt: skip


def _pipedrive() -> list[Evidence]:
    return [
        evidence("pipedrive", r["Person - ID"], r["Person - Name"],
                 [text for key, text in r.items() if key.startswith("Person - Email")],
                 [text for key, text in r.items() if key.startswith("Person - Phone")])
        for r in rows("crm/pipedrive-people.csv")
    ]  # fmt: skip


def _erp() -> list[Evidence]:
    return [
        evidence("erp", r["customer_number"], r["contact_name"], [r["email"]], [r["phone"]])
        for r in rows("erp/customers.csv")
    ]


def _mail() -> list[Evidence]:
    names: dict[str, str] = {}
    for message in messages():
        if automated(message):
            continue
        sender, *recipients = people_of(message)
        we_wrote = sender[1].endswith("clearwater.example")
        for name, address in recipients if we_wrote else [sender]:
            if usable(address):
                names[address] = names.get(address) or name
    return [evidence("mail", address, name, [address], []) for address, name in names.items()]


def _ads() -> list[Evidence]:
    out = []
    for path in sorted((FOLDER / "inbound/meta-leads").glob("*.json")):
        lead = json.loads(path.read_text("utf-8"))
        said = {field["name"]: field["values"][0] for field in lead["field_data"]}
        out.append(evidence("meta", lead["id"], said["full_name"], [said["email"]],
                            [said.get("phone_number", "")]))  # fmt: skip
    leads = [load(p["file"]) for p in load("inbound/posts.json")
             if p["connection"] == "google" and p["expect"] == "lead"]  # fmt: skip
    for lead in leads:
        said = {c["column_id"]: c["string_value"] for c in lead["user_column_data"]}
        name = said.get("FULL_NAME") or f"{said['FIRST_NAME']} {said['LAST_NAME']}"
        mails = [said.get("EMAIL", ""), said.get("WORK_EMAIL", "")]
        out.append(evidence("google", lead["lead_id"], name, mails, [said["PHONE_NUMBER"]]))
    return out


def form_answers(file: str) -> dict[str, str]:
    """Return the answers of one form post, whichever way it was encoded."""
    if file.endswith(".json"):
        answers: dict[str, str] = load(file)
        return answers
    text = (FOLDER / file).read_text("utf-8")
    return {name: values[0] for name, values in parse_qs(text).items()}


def _forms() -> list[Evidence]:
    out = []
    for post in load("inbound/posts.json"):
        if post["connection"] != "form" or post["expect"] == "ignored":
            continue
        said = form_answers(post["file"])
        name = said.get("name") or f"{said['first_name']} {said['last_name']}"
        out.append(evidence("form", post["file"], name, [said["email"]], [said.get("phone", "")]))
    return out


def all_evidence() -> list[Evidence]:
    """Return the evidence of every record that tells of a person."""
    return [*_hubspot(), *_pipedrive(), *_erp(), *_mail(), *_ads(), *_forms()]
