"""Who is invited to an entry, with what they answered: one text a guest, read and written.

    ann.lee@acme.example; accepted; req-participant; Ann Lee

Part of `edit_ical`. A guest who stays keeps every parameter that this says nothing of; a new one
carries SCHEDULE-AGENT=CLIENT, so that no server mails them (RFC 6638 section 7.1). Rooms and
guests without an address are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crm_hub.sdk.formats.edit_lines import (
    Block,
    NotWritable,
    Piece,
    Text,
    head_of,
    parameter,
    with_parameter,
)
from crm_hub.sdk.formats.ical_event import MAX_ATTENDEES

AGENT = "SCHEDULE-AGENT=CLIENT"
_THINGS = ("ROOM", "RESOURCE")
_ANSWER, _ROLE = "needs-action", "req-participant"


class Guest(NamedTuple):
    """One who is invited. answer, role: in small letters, as PARTSTAT and ROLE."""

    address: str
    answer: str
    role: str
    name: str

    def __str__(self) -> str:
        return "; ".join(self if self.name else self[:3])


def attendance(people: Iterable[Mapping[str, str]]) -> list[str]:
    """Return a payload's `attendees` as texts, without those who cannot be told by address."""
    return [
        str(Guest(p["address"], p["partstat"], p["role"], " ".join(p["name"].split())))
        for p in people
        if _is_told(p["address"])
    ]


def _is_told(address: str) -> bool:
    return "@" in address and ";" not in address


def guest_of(text: str) -> Guest:
    """Return the guest that a text names. Raises: NotWritable."""
    parts = [part.strip() for part in text.split(";", 3)]
    address, answer, role, name = (*parts, *[""] * (4 - len(parts)))
    if not _is_told(address) or any(c.isspace() for c in address):
        raise NotWritable({"attendance": "a guest needs an e-mail address"})
    return Guest(address, answer.lower() or _ANSWER, role.lower() or _ROLE, name)


def is_server_side(piece: Piece) -> bool:
    """Tell whether the server is the one that informs a guest (RFC 6638 section 7.1)."""
    return (piece.param("SCHEDULE-AGENT") or "SERVER").upper() not in ("CLIENT", "NONE")


def address_of(piece: Piece) -> str:
    """Return the address of a guest or an organizer, in small letters."""
    address = piece.value.strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    return (address if "@" in address else piece.param("EMAIL")).strip().casefold()


def people(block: Block) -> list[Piece]:
    """Return the properties of guests who can be told by address. Raises: NotWritable."""
    found = block.named("ATTENDEE")
    if len(found) > MAX_ATTENDEES:
        why = f"the entry has more than the {MAX_ATTENDEES} guests that are read"
        raise NotWritable({"attendance": why})
    return [
        piece
        for piece in found
        if piece.param("CUTYPE").upper() not in _THINGS and _is_told(address_of(piece))
    ]


def invitation(one: Guest) -> str:
    """Return the name and parameters of a new guest's property."""
    params = [f"CN={parameter(one.name)}"] if one.name else []
    params += [] if one.role == _ROLE else [f"ROLE={parameter(one.role.upper())}"]
    return ";".join(["ATTENDEE", *params, f"PARTSTAT={parameter(one.answer.upper())}", AGENT])


def say(text: Text, piece: Piece, one: Guest) -> None:
    """Let a guest's property say this answer, role and name, if it does not yet."""
    head = head_of(piece.raw)
    told = {
        "PARTSTAT": (piece.param("PARTSTAT") or _ANSWER, one.answer),
        "ROLE": (piece.param("ROLE") or _ROLE, one.role),
        "CN": (" ".join(piece.param("CN").split()), one.name),
    }
    for name, (had, wanted) in told.items():
        if wanted and wanted.casefold() != had.casefold():
            head = with_parameter(head, name, wanted if name == "CN" else wanted.upper())
    if head != head_of(piece.raw):
        text.set_value(piece, piece.value, head=head)
