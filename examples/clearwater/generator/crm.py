"""The two CRM exports, with the dirt that years of hand work leave in them.

HubSpot: contacts view, "export all properties" column labels, comma, LF, account-zone minutes.
Pipedrive: people list export, "Person - …" column labels, UTF-8 with byte order mark, CRLF.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from . import cast
from .filler import FILLER
from .world import NEW_YORK, Fact, Output, Person, number, pick, spell_phone, table

HUBSPOT_FILE = "crm/hubspot-contacts.csv"
PIPEDRIVE_FILE = "crm/pipedrive-people.csv"
HUBSPOT_HEADERS = (
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Mobile Phone Number",
    "Job Title", "Company Name", "Contact owner", "Lifecycle Stage", "Lead Status",
    "Street Address", "City", "State/Region", "Postal Code", "Country/Region",
    "Unsubscribed from all email", "Original Source", "Create Date", "Last Modified Date",
)  # fmt: skip
PIPEDRIVE_HEADERS = (
    "Person - ID", "Person - Name", "Person - Organization", "Person - Email - Work",
    "Person - Email - Home", "Person - Email - Other", "Person - Phone - Work",
    "Person - Phone - Home", "Person - Phone - Mobile", "Person - Phone - Other",
    "Person - Labels", "Person - Owner", "Person - Open deals", "Person - Won deals",
    "Person - Lost deals", "Person - Person created", "Person - Update time",
)  # fmt: skip

_EVERYONE = FILLER[:90] + cast.CAST + FILLER[90:]
_SHARED_PHONES = {cast.LANDLINE, cast.FAMILY_PHONE, cast.SWITCHBOARD}
# Filler customers whom somebody entered twice, by the way the second row was entered.
_SAME_MAIL = (2, 23, 61)
_SAME_PHONE = (4, 38, 73)
_OTHER_MAIL = (11, 46)


def _moment(first: datetime, days: int, *key: object) -> datetime:
    """Return a working-hours moment up to `days` after `first`, the same for the same key."""
    seed = number("moment", *key)
    return first + timedelta(days=seed % days, hours=8 + seed // 97 % 9, minutes=seed // 7 % 60)


def _created(person: Person) -> datetime:
    return _moment(datetime(2023, 2, 1, tzinfo=NEW_YORK), 900, "created", person.key)


def _modified(person: Person) -> datetime:
    return _moment(datetime(2025, 11, 3, tzinfo=NEW_YORK), 120, "modified", person.key)


def pipedrive_has_phone_only(person: Person) -> bool:
    if person.key in (cast.DANA.key, "walter-brandt"):
        return True
    both = "H" in person.systems and person.phone not in _SHARED_PHONES and person.phone
    return bool(both) and number("reach", person.key) % 4 == 0 and person in FILLER


def _untidy_case(text: str, seed: int) -> str:
    return (text, text, text, text.upper(), text, text.lower(), text, text + " ")[seed % 8]


def _hubspot_row(person: Person) -> dict[str, str]:
    seed = number("hubspot", person.key)
    stage = "Customer" if "E" in person.systems else pick(
        ("Lead", "Lead", "Marketing Qualified Lead", "Sales Qualified Lead", "Opportunity"), seed
    )  # fmt: skip
    without_phone = seed % 6 == 0 and not pipedrive_has_phone_only(person) and person in FILLER
    phone = "" if without_phone else spell_phone(person.phone, seed // 8)
    column = "Phone Number" if person.firm is None or seed % 2 else "Mobile Phone Number"
    return {
        "First Name": _untidy_case(person.given, seed),
        "Last Name": _untidy_case(person.family, seed // 64),
        "Email": _untidy_case(person.email, seed // 512),
        column: phone,
        "Job Title": person.title,
        "Company Name": person.firm.name if person.firm else "",
        "Contact owner": pick(("Clearwater Sales", "Clearwater Service", ""), seed),
        "Lifecycle Stage": stage,
        "Lead Status": "" if stage == "Customer" else pick(("New", "Open", "In Progress"), seed),
        "Street Address": person.street,
        "City": person.city,
        "State/Region": person.region,
        "Postal Code": person.postcode,
        "Country/Region": pick(("United States", "USA", "US"), seed),
        "Unsubscribed from all email": "Yes" if seed % 17 == 0 else "No",
        "Original Source": pick(
            ("Organic Search", "Direct Traffic", "Paid Search", "Referrals", "Offline Sources"),
            seed // 3,
        ),
        "Create Date": f"{_created(person):%Y-%m-%d %H:%M}",
        "Last Modified Date": f"{_modified(person):%Y-%m-%d %H:%M}",
    }


def _scripted_hubspot(person: Person, row: dict[str, str]) -> dict[str, str]:
    """Return the row as the story needs it where the person is a scripted one."""
    if person is cast.DANA:
        return row | {
            "First Name": "Dana", "Last Name": "Whitfeld", "Email": person.email,
            "Phone Number": "", "Mobile Phone Number": "", "Lifecycle Stage": "Lead",
            "Lead Status": "Open", "Create Date": "2024-09-17 11:05",
            "Last Modified Date": "2025-11-06 09:41", "Unsubscribed from all email": "No",
        }  # fmt: skip
    if person.phone == cast.SWITCHBOARD:
        extension = 100 + cast.TIDEWATER_STAFF.index(person)
        return row | {"Phone Number": f"(212) 555-0160 ext. {extension}", "Mobile Phone Number": ""}
    return row


def _second_rows() -> Iterator[tuple[Person, dict[str, str]]]:
    """Yield the rows of those who stand in HubSpot twice."""
    later = {"Create Date": "2026-01-14 16:02", "Last Modified Date": "2026-01-14 16:02"}
    for index in _SAME_MAIL:
        person = FILLER[index]
        yield person, _hubspot_row(person) | later | {"Email": person.email.title() + "  "}
    for index in _SAME_PHONE:
        person = FILLER[index]
        blank = {"Email": "n/a", "Mobile Phone Number": "", "First Name": person.given.upper()}
        yield (
            person,
            _hubspot_row(person) | later | blank | {"Phone Number": spell_phone(person.phone, 1)},
        )
    for index in _OTHER_MAIL:
        person = FILLER[index]
        other = f"{person.family}.{person.given[0]}@mailbox.example".lower()
        yield person, _hubspot_row(person) | later | {
            "Email": other, "Phone Number": spell_phone(person.phone, 3),
        }  # fmt: skip
    elena = _hubspot_row(cast.ELENA) | later
    yield cast.ELENA, elena | {
        "Email": cast.ELENA_OTHER_EMAIL, "Phone Number": "", "Mobile Phone Number": "",
    }  # fmt: skip


def hubspot() -> Output:
    """Return the HubSpot contacts export and who stands behind each row."""
    entries = [(p, _scripted_hubspot(p, _hubspot_row(p))) for p in _EVERYONE if "H" in p.systems]
    entries += _second_rows()
    out, rows = Output(), []
    for index, (person, row) in enumerate(entries):
        record_id = str(20151 + index * 53)
        rows.append({"Record ID": record_id} | row)
        out.facts.append(Fact("hubspot", HUBSPOT_FILE, record_id, person.key))
    out.files[HUBSPOT_FILE] = table(HUBSPOT_HEADERS, rows, "\n").encode()
    return out


def _pipedrive_row(person: Person) -> dict[str, str]:
    seed = number("pipedrive", person.key)
    phone_only = pipedrive_has_phone_only(person)
    kind = "Work" if person.firm else "Home"
    phone_kind = "Work" if person.phone == cast.SWITCHBOARD else "Mobile" if seed % 3 else kind
    with_phone = phone_only or seed % 5 or "H" not in person.systems
    return {
        "Person - Name": _untidy_case(person.name, seed),
        "Person - Organization": person.firm.name if person.firm else "",
        f"Person - Email - {kind}": "" if phone_only else person.email,
        f"Person - Phone - {phone_kind}": spell_phone(person.phone, seed // 5)
        if with_phone
        else "",
        "Person - Labels": pick(("Customer", "Hot lead", "Warm lead", "Cold lead", ""), seed),
        "Person - Owner": "Clearwater Sales",
        "Person - Open deals": str(seed % 2),
        "Person - Won deals": str(seed // 2 % 4),
        "Person - Lost deals": str(seed // 8 % 2),
        "Person - Person created": f"{_created(person):%Y-%m-%d %H:%M:%S}",
        "Person - Update time": f"{_modified(person):%Y-%m-%d %H:%M:%S}",
    }


def _scripted_pipedrive(person: Person, row: dict[str, str]) -> dict[str, str]:
    if person is cast.DANA:
        return row | {
            "Person - Name": "D. Whitfield", "Person - Organization": "Marlow & Finch",
            "Person - Phone - Work": "", "Person - Phone - Mobile": "212.555.0147",
            "Person - Labels": "Warm lead", "Person - Won deals": "0",
            "Person - Update time": "2025-12-02 15:20:11",
        }  # fmt: skip
    if person is cast.PRIYA:
        return row | {
            "Person - Name": "Priya Raman", "Person - Organization": cast.BRIGHTLOOM.name,
            "Person - Email - Work": cast.PRIYA_OLD_EMAIL, "Person - Phone - Work": "",
            "Person - Phone - Mobile": spell_phone(person.phone, 1),
            "Person - Person created": "2023-05-09 10:12:40",
            "Person - Update time": "2025-06-18 17:45:03",
        }  # fmt: skip
    return row


def pipedrive() -> Output:
    """Return the Pipedrive people export and who stands behind each row."""
    people = [p for p in reversed(_EVERYONE) if "P" in p.systems]
    out, rows = Output(), []
    for index, person in enumerate(people):
        record_id = str(611 + index * 3)
        row = _scripted_pipedrive(person, _pipedrive_row(person))
        rows.append({"Person - ID": record_id} | row)
        out.facts.append(Fact("pipedrive", PIPEDRIVE_FILE, record_id, person.key))
    out.files[PIPEDRIVE_FILE] = b"\xef\xbb\xbf" + table(PIPEDRIVE_HEADERS, rows, "\r\n").encode()
    return out
