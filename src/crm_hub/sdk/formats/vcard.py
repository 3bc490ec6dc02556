"""vCard 2.1, 3.0 and 4.0: one item for each card.

vobject reads a whole file at once and gives up at the first card it dislikes; address
books out of phones are full of such cards, so the lines are read by ours.
Before: a connector with a file or a resource. After: the mapping section `contacts`.
Source: RFC 6350, RFC 2426, vCard 2.1 (versit).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from crm_hub.model.records import Reject
from crm_hub.sdk.formats import brief, contentlines
from crm_hub.sdk.formats.contentlines import Component, Line, split_escaped, unescape
from crm_hub.sdk.formats.items import MAX_ID, Item, nothing_found, unreadable

MAX_NOTE = 20_000
MAX_VALUES = 50
_KINDS = frozenset({b"VCARD"})
_REMEDY = "Open the card in the address book, correct it, and export it again."
_NAME_PARTS = ("family", "given", "additional", "prefix", "suffix")
_ADDRESS_PARTS = ("box", "extended", "street", "city", "region", "postcode", "country")
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_APPLE_LABEL = re.compile(r"_\$!<(.*)>!\$_")
_ORGANIZATION = ("org", "organization", "company")


def read_cards(stream: BinaryIO, start_offset: int = 0) -> Iterator[Item | Reject]:
    """Yield the cards of an address book, shape `contacts`; an unreadable one as Reject.

    A card of kind group is a distribution list: it names others and is passed over.
    offset: bytes. A card without UID is named by a hash of what it says, so an edited one
    is a new one.
    """
    for component in contentlines.components(stream, _KINDS, start_offset):
        found = _item(component)
        if isinstance(found, Reject) or found.payload["kind"] != "group":
            yield found
    yield from nothing_found(stream, b"BEGIN:VCARD", "address book")


def _item(component: Component) -> Item | Reject:
    place = f"card at byte {component.start}"
    reason = component.problem
    payload = {} if reason else card_payload(component.raw)
    if not reason and not any(payload[name] for name in ("fn", "n", "org", "emails", "tels")):
        reason = "the card names nobody: no name, organization, e-mail address or phone number"
    if reason:
        return unreadable(f"byte:{component.start}", place, reason, _REMEDY, component.raw)
    digest = hashlib.sha256(b"\n".join(component.raw.split())).hexdigest()[:40]
    item_id = payload["uid"] or "sha:" + digest
    return Item(item_id, payload, _moment(payload["rev"]), component.end)


def card_payload(raw: bytes | bytearray) -> dict[str, Any]:
    """Return one vCard as a payload of shape `contacts`; never raises.

    Lists are in order of preference (PREF) and then of the file.
    """
    found: dict[str, list[Line]] = {}
    labels: dict[str, str] = {}
    for line in contentlines.lines(raw):
        if line.name == "X-ABLABEL":
            labels[line.group] = _label(line.value)
        elif len(found.setdefault(line.name, [])) < MAX_VALUES:
            found[line.name].append(line)
    names = split_escaped(_first(found, "N"), ";")
    organization = [part.strip() for part in split_escaped(_first(found, "ORG"), ";")]
    name = {k: _words(v) for k, v in zip(_NAME_PARTS, names, strict=False) if v.strip(" ,")}
    note = _first(found, "NOTE")
    urls = [value["value"] for value in _valued(found, "URL", labels)]
    payload: dict[str, Any] = {
        "uid": _uid(_first(found, "UID")),
        "kind": _kind(found, name, organization),
        "fn": _words(unescape(_first(found, "FN"))) or _full_name(name),
        "n": name,
        "nickname": _words(unescape(_first(found, "NICKNAME"))),
        "org": organization[0] if organization else "",
        "department": ", ".join(filter(None, organization[1:])),
        "title": _words(unescape(_first(found, "TITLE") or _first(found, "ROLE"))),
        "emails": _valued(found, "EMAIL", labels),
        "tels": _valued(found, "TEL", labels),
        "adrs": [_address(line, labels) for line in _preferred(found.get("ADR", []))],
        "urls": [url for url in urls if not brief.is_link(url)],
        "bday": _birthday(_first(found, "BDAY")),
        "note": unescape(brief.outside(note)).strip()[:MAX_NOTE],
        "categories": [
            part.strip()
            for line in found.get("CATEGORIES", [])
            for part in split_escaped(line.value, ",")
            if part.strip()
        ][:100],
        "gender": split_escaped(_first(found, "GENDER"), ";")[0][:40],
        "languages": [line.value.strip()[:40] for line in _preferred(found.get("LANG", []))],
        "rev": _first(found, "REV").strip()[:40],
    }
    # A picture in the card itself is not a value of it; one on the web is.
    if photo := _web_address(_first(found, "PHOTO")):
        payload["photo"] = photo
    # What the hub wrote for whoever is called is nobody's note and nobody's web page.
    if told := brief.inside(note):
        payload["brief"] = told
    if link := next(filter(brief.is_link, urls), ""):
        payload["timeline_url"] = link
    return payload


def _web_address(value: str) -> str:
    value = value[:2_001].strip()
    return (
        value if value.lower().startswith(("https://", "http://")) and len(value) <= 2_000 else ""
    )


def _first(found: dict[str, list[Line]], name: str) -> str:
    lines = found.get(name)
    return lines[0].value if lines else ""


def _words(text: str) -> str:
    return " ".join(text.split())[:300]


def _full_name(name: dict[str, str]) -> str:
    """Return the name of a card that has its parts only (vCard 2.1 needs no FN)."""
    order = ("prefix", "given", "additional", "family", "suffix")
    return " ".join(name[part] for part in order if part in name)


def _uid(text: str) -> str:
    text = "".join(c for c in text.strip() if c.isprintable()).removeprefix("urn:uuid:")
    return text if len(text) <= MAX_ID else ""


def _label(value: str) -> str:
    match = _APPLE_LABEL.match(value)
    return (match[1] if match else unescape(value)).strip().lower()[:60]


def _kind(found: dict[str, list[Line]], name: dict[str, str], organization: list[str]) -> str:
    stated = (_first(found, "KIND") or _first(found, "X-ADDRESSBOOKSERVER-KIND")).strip().lower()
    if stated:
        return "org" if stated in _ORGANIZATION else stated[:40]
    if _first(found, "X-ABSHOWAS").strip().upper() == "COMPANY":
        return "org"
    full = _words(unescape(_first(found, "FN")))
    if not name and organization[0] and full in ("", organization[0]):
        return "org"
    return "individual"


def _preferred(lines: list[Line]) -> list[Line]:
    """Return lines by preference: PREF=1 first (vCard 4), then TYPE=pref (2.1 and 3)."""
    return sorted(lines, key=preference)


def preference(line: Line) -> int:
    """Return how early a property counts: 1 for the preferred one, 101 for one without a word."""
    pref = line.param("PREF")
    if pref.isascii() and pref.isdigit() and len(pref) <= 3:
        return int(pref)
    return 1 if "pref" in _types(line) or "PREF" in line.params else 101


def _types(line: Line) -> list[str]:
    return [
        part.strip().lower()[:40]
        for value in line.params.get("TYPE", [])
        for part in value.split(",")
    ]


def _valued(
    found: dict[str, list[Line]], name: str, labels: dict[str, str]
) -> list[dict[str, Any]]:
    out = []
    for line in _preferred(found.get(name, [])):
        value = unescape(line.value).strip()[:2_000]
        for scheme in ("mailto:", "tel:"):
            if value.lower().startswith(scheme):
                value = value[len(scheme) :].partition(";")[0]
        if value:
            out.append({"value": value, "types": _kinds(line, labels)})
    return out


def _kinds(line: Line, labels: dict[str, str]) -> list[str]:
    types = [kind for kind in _types(line) if kind not in ("pref", "internet", "voice")]
    label = labels.get(line.group) if line.group else None
    return [*dict.fromkeys([*types, label] if label else types)]


def _address(line: Line, labels: dict[str, str]) -> dict[str, Any]:
    parts = [_words(part) for part in split_escaped(line.value, ";")]
    address: dict[str, Any] = {
        name: part for name, part in zip(_ADDRESS_PARTS, parts, strict=False) if part
    }
    extra = [address.pop(name, "") for name in ("box", "extended")]
    street = ", ".join(filter(None, [address.get("street", ""), extra[1], extra[0]]))
    if street:
        address["street"] = street
    address["types"] = _kinds(line, labels)
    return address


def _birthday(value: str) -> str | None:
    """Return a whole date as ISO text; None for a birthday without a year."""
    match = _DATE.match(value.strip())
    try:
        return datetime(*map(int, match.groups())).date().isoformat() if match else None  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None


def _moment(value: str) -> datetime | None:
    """Return a REV time; a time without a zone is UTC, as RFC 6350 writes it."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
