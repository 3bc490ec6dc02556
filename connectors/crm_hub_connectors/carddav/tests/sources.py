"""Address books of real servers as sources of the contract suite."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm_hub.sdk.formats.vcard import card_payload
from crm_hub.sdk.testing.dav import ByPut, OnRadicale, Things

_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def card(number: int, name: str = "Visitor", *more: str, uid: str = "", rev: str = "") -> str:
    """Return a card with a name, an address and a number."""
    return "\r\n".join([
        "BEGIN:VCARD", "VERSION:3.0", f"UID:{uid or f'visitor-{number}@clearwater.example'}",
        f"FN:{name} {number}", f"N:{number};{name};;;", f"EMAIL:v{number}@visitors.example",
        f"item1.TEL;TYPE=WORK:+1202555{100 + number % 100:04d}", "item1.X-ABLabel:front desk",
        *more, f"REV:{rev or '2026-01-05T08:00:00Z'}", "END:VCARD", "",
    ])  # fmt: skip


class Visitors(Things):
    """An address book of people."""

    kind, work, title = "addressbook", "people", "People"
    named, suffix, media_type = "visitor-", ".vcf", "text/vcard"
    odd_line = "BDAY:soon"

    def text(self, number: int, title: str = "", at: datetime | None = None, line: str = "") -> str:
        rev = (at or _START).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return card(number, title or "Visitor", *[line][: bool(line)], rev=rev)

    def without(self, text: str) -> str:
        return text.replace("EMAIL", "X-MAIL")

    def new_fields(self) -> Mapping[str, Any]:
        return {
            "kind": "individual", "fn": "Bea Ott", "n.given": "Bea", "n.family": "Ott",
            "emails.value": ["bea.ott@x.example"], "note": "a\nb",
        }  # fmt: skip

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        return {"title": f"Head of {id}", "emails.value": [f"{id}@changed.example"]}

    def bad_fields(self) -> Mapping[str, Any]:
        return {"bday": "soon"}

    def held(self, id: str) -> Mapping[str, Any] | None:
        """Return what a card says, by the paths that are written."""
        raw = self.raw(id)
        if raw is None:
            return None
        said = card_payload(raw)
        out = {f"n.{part}": value for part, value in said.pop("n").items()}
        for name in ("emails", "tels"):
            out[f"{name}.value"] = [one["value"] for one in said.pop(name)]
        return {**said, **out}


class RadicaleSource(Visitors, OnRadicale):
    """A book of a Radicale."""


class PutSource(Visitors, ByPut):
    """The address book of a Xandikos or a Cyrus."""
