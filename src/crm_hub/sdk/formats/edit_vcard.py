"""Changes one vCard in the named places only, and makes new ones.

    changed = edit_card(raw, {"title": "Buyer", "emails.value": ["ann@acme.example"]})
    fresh = new_card({"fn": "Ann Lee", "kind": "individual"}, uid="…")

Paths are those of the payload that `vcard.card_payload` gives; None or [] takes a value away. A
value that stands there already is not written, and a list keeps the lines whose values stay, with
their types and labels; an entry that nobody can read (`EMAIL:none`) stays too. vCard 2.1, 3 and 4.
Raises: NotWritable with path → reason, before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from crm_hub.sdk.formats import brief
from crm_hub.sdk.formats.contentlines import split_escaped, unescape
from crm_hub.sdk.formats.edit_lines import (
    Block,
    NotWritable,
    Piece,
    Text,
    escaped,
    raw_parts,
)
from crm_hub.sdk.formats.edit_vcard_values import (
    ADDRESS,
    LIKENESS,
    address,
    parts_of,
    preferred,
    shown,
    spelled,
)
from crm_hub.sdk.formats.vcard import MAX_NOTE, MAX_VALUES, card_payload

_TEXTS = {"fn": "FN", "nickname": "NICKNAME", "title": "TITLE"}
_NAMES = ("family", "given", "additional", "prefix", "suffix")
_LISTS = {"emails.value": "EMAIL", "tels.value": "TEL", "urls": "URL"}
_LABELS = frozenset({"X-ABLABEL", "X-ABADR"})

WRITABLE = frozenset(
    {*_TEXTS, *_LISTS, "org", "department", "bday", "categories", "photo", "kind", "adrs"}
    | {"note", "brief", "timeline_url"}
    | {f"n.{part}" for part in _NAMES}
    | {f"adrs.0.{part}" for part in ADDRESS}
)
"""The paths that can be written."""


def edit_card(raw: bytes, fields: Mapping[str, Any]) -> bytes:
    """Return the card with these values, all its other bytes as they are."""
    _refuse(fields)
    text = Text(raw)
    blocks = [block for block in text.blocks() if block.name == "VCARD"]
    if len(blocks) != 1 or blocks[0].end is None:
        raise NotWritable({".": "the text is not one whole card"})
    _Card(text, blocks[0]).write(fields)
    return bytes(text)


def new_card(fields: Mapping[str, Any], *, uid: str) -> bytes:
    """Return a new card of version 3.0, which every address book reads."""
    name = fields.get("fn") or fields.get("org") or next(iter(fields.get("emails.value") or ()), "")
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{escaped(uid)}", f"FN:{escaped(str(name))}"]
    if fields.get("kind") == "org":
        lines += ["N:;;;;", f"ORG:{escaped(str(fields.get('org') or name))}", "X-ABSHOWAS:COMPANY"]
    else:
        lines += [f"N:{';'.join(escaped(str(fields.get(f'n.{p}') or '')) for p in _NAMES)}"]
    raw = "\r\n".join([*lines, "END:VCARD", ""]).encode("utf-8", "replace")
    return edit_card(raw, {**fields, "fn": name})


def _refuse(fields: Mapping[str, Any]) -> None:
    reasons = {}
    for path, value in fields.items():
        if path not in WRITABLE:
            reasons[path] = "this part of a card cannot be written"
        elif path == "adrs":
            if not all(isinstance(one, dict) for one in _listed(value)):
                reasons[path] = "a card takes addresses of parts here"
        elif not all(isinstance(one, str) for one in _listed(value)):
            reasons[path] = "a card takes text here"
        elif isinstance(value, list) and path not in (*_LISTS, "categories"):
            reasons[path] = "a card takes one text here"
        elif path == "fn" and not value:
            reasons[path] = "a card must have a name"
        elif path == "bday" and value and _day(str(value)) is None:
            reasons[path] = "a card takes a whole date here"
    if reasons:
        raise NotWritable(reasons)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


class _Card:
    """One card under change."""

    def __init__(self, text: Text, block: Block) -> None:
        self._text, self._block = text, block
        self._version = (block.first("VERSION") or Piece(b"", None)).value.strip()
        self._said = card_payload(b"".join(p.raw for p in text.slice(block)))

    def write(self, fields: Mapping[str, Any]) -> None:
        fields = self._with_organization(fields)
        if reasons := self._too_long(fields):
            raise NotWritable(reasons)
        for path, value in fields.items():
            if path in _TEXTS:
                self._set_text(path, value)
            elif path in _LISTS:
                self._set_list(path, _listed(value))
        self._set_parts("N", [f"n.{part}" for part in _NAMES], fields)
        self._set_organization(fields)
        self._set_address(fields)
        if "adrs" in fields:
            self._set_addresses(_listed(fields["adrs"]))
        if "bday" in fields:
            self._set_birthday(fields["bday"])
        if "categories" in fields:
            self._set_categories(_listed(fields["categories"]))
        if "photo" in fields:
            self._set_photo(fields["photo"])
        if "kind" in fields:
            self._set_kind(str(fields["kind"] or ""))
        if "note" in fields or "brief" in fields:
            self._set_note(fields)
        if "timeline_url" in fields:
            self._set_link(str(fields["timeline_url"] or ""))

    def _with_organization(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A firm's card is one whose name is its organization: both change, or it is a person."""
        out = dict(fields)
        said = self._said
        is_firm = said["kind"] == "org" and said["org"] and said["fn"] == said["org"]
        if is_firm and "fn" in fields and "org" not in fields:
            out["org"] = fields["fn"]
        return out

    def _too_long(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """What was read in part must not be written over."""
        piece = self._block.first("NOTE")
        if "note" in fields and piece is not None and len(brief.outside(piece.value)) > MAX_NOTE:
            return {"note": f"the card's note is longer than the {MAX_NOTE:,} characters read"}
        photo = self._block.first("PHOTO")
        if "photo" in fields and photo is not None and not self._said.get("photo"):
            return {"photo": "the card holds a picture of its own, which is kept"}
        return {}

    # single values ------------------------------------------------------------------------

    def _set_text(self, path: str, value: Any) -> None:
        if (value or "") == self._said[path]:
            return
        names = ("TITLE", "ROLE") if path == "title" else (_TEXTS[path],)
        pieces = self._block.named(*names)
        self._put(next(iter(pieces), None), _TEXTS[path], escaped(str(value)) if value else "")

    def _put(self, piece: Piece | None, name: str, value: str) -> None:
        """Let a property have this value, written as it stands there; "": it is taken away."""
        if piece is None:
            if value:
                self._add(name, value)
        elif value:
            self._text.set_value(piece, value)
        else:
            self._remove(piece)

    def _add(self, name: str, value: str) -> None:
        same = self._block.named(name.partition(";")[0])
        if same:
            piece = self._text.insert_after(same[-1], name, value)
            self._block.pieces.insert(self._block.pieces.index(same[-1]) + 1, piece)
            return
        assert self._block.end is not None  # noqa: S101 - edit_card looked
        self._block.pieces.append(self._text.insert(self._block.end, name, value))

    def _remove(self, piece: Piece) -> None:
        self._text.remove(piece)
        self._block.pieces = [one for one in self._block.pieces if one is not piece]
        group = piece.group
        rest = [one for one in self._block.pieces if group and one.group == group]
        if rest and all(one.name in _LABELS for one in rest):
            for one in rest:
                self._text.remove(one)
            self._block.pieces = [one for one in self._block.pieces if one not in rest]

    def _set_note(self, fields: Mapping[str, Any]) -> None:
        """The hub's own lines and everybody else's share one property, each left as it is."""
        piece = self._block.first("NOTE")
        text = before = piece.value if piece is not None else ""
        if "note" in fields and (fields["note"] or "") != self._said["note"]:
            text = brief.with_outside(text, escaped(str(fields["note"] or "")))
        if "brief" in fields and (fields["brief"] or "") != self._said.get("brief", ""):
            text = brief.with_brief(text, escaped(str(fields["brief"] or "")))
        if text != before:
            self._put(piece, "NOTE", text)

    def _set_link(self, url: str) -> None:
        if url != self._said.get("timeline_url", ""):
            links = [one for one in self._block.named("URL") if brief.is_link(one.value)]
            self._put(next(iter(links), None), "URL", url)

    def _set_birthday(self, value: Any) -> None:
        if (value or None) == self._said["bday"]:
            return
        piece = self._block.first("BDAY")
        day = _day(value) if value else None
        basic = self._version.startswith("4")
        if piece is not None:
            basic = bool(re.match(r"\d{8}", piece.value.strip()))
        text = day.isoformat() if day else ""
        self._put(piece, "BDAY", text.replace("-", "") if basic else text)

    def _set_photo(self, value: Any) -> None:
        if (value or "") == self._said.get("photo", ""):
            return
        name = "PHOTO" if self._version.startswith("4") else "PHOTO;VALUE=uri"
        self._put(self._block.first("PHOTO"), name, str(value or ""))

    def _set_kind(self, value: str) -> None:
        if value == self._said["kind"] or not value:
            return
        if self._version.startswith("4"):
            self._put(self._block.first("KIND"), "KIND", value)
        elif self._block.first("KIND") or self._block.first("X-ADDRESSBOOKSERVER-KIND"):
            named = self._block.first("KIND") or self._block.first("X-ADDRESSBOOKSERVER-KIND")
            self._put(named, "KIND", value)
        else:
            piece = self._block.first("X-ABSHOWAS")
            self._put(piece, "X-ABSHOWAS", "COMPANY" if value == "org" else "")

    # values of parts ----------------------------------------------------------------------

    def _set_parts(self, name: str, paths: Sequence[str], fields: Mapping[str, Any]) -> None:
        piece = self._block.first(name)
        parts = raw_parts(piece.value, ";") if piece is not None else []
        said = [" ".join(part.split()) for part in split_escaped(";".join(parts), ";")]
        changed = False
        for place, path in enumerate(paths):
            had = said[place] if place < len(said) else ""
            if path in fields and (fields[path] or "") != had:
                parts += [""] * (place + 1 - len(parts))
                parts[place] = escaped(str(fields[path] or ""))
                changed = True
        if changed:
            # An empty N stays: vCard 3 wants one.
            value = ";".join(parts)
            self._put(piece, name, value or (";" if piece is not None else ""))

    def _set_organization(self, fields: Mapping[str, Any]) -> None:
        piece = self._block.first("ORG")
        parts = raw_parts(piece.value, ";") if piece is not None else [""]
        before = list(parts)
        if "org" in fields and (fields["org"] or "") != self._said["org"]:
            parts[0] = escaped(str(fields["org"] or ""))
        if "department" in fields and (fields["department"] or "") != self._said["department"]:
            parts[1:] = [escaped(str(fields["department"]))] if fields["department"] else []
        if parts != before:
            self._put(piece, "ORG", ";".join(parts) if any(parts) else "")

    def _set_address(self, fields: Mapping[str, Any]) -> None:
        if not any(f"adrs.0.{part}" in fields for part in ADDRESS):
            return
        pieces = preferred(self._block.named("ADR"))
        said = self._said["adrs"][0] if self._said["adrs"] else {}
        wanted = {
            part: fields[path]
            for part in ADDRESS
            if (path := f"adrs.0.{part}") in fields and (fields[path] or "") != said.get(part, "")
        }
        if wanted:
            piece = pieces[0] if pieces else None
            self._put(piece, "ADR", address(piece.value if piece else "", wanted))

    def _set_addresses(self, wanted: list[dict[str, Any]]) -> None:
        pieces = preferred(self._block.named("ADR")[:MAX_VALUES])
        known = zip(pieces, [parts_of(one) for one in self._said["adrs"]], strict=False)
        left = dict.fromkeys(one for one in map(parts_of, wanted) if any(one))
        unwanted, there = [], set()
        for piece, said in known:
            there.add(said)
            if said not in left and any(said):
                unwanted.append(piece)
        news = [dict(zip(ADDRESS, one, strict=True)) for one in left if one not in there]
        if len(news) == len(unwanted) == 1:
            self._put(unwanted[0], "ADR", address(unwanted[0].value, news[0]))
            return
        for one in news:
            self._add("ADR", address("", one))
        for piece in unwanted:
            self._remove(piece)

    # lists --------------------------------------------------------------------------------

    def _set_list(self, path: str, wanted: list[str]) -> None:
        name = _LISTS[path]
        alike, readable = LIKENESS[name]
        wanted = list(dict.fromkeys(one.strip() for one in wanted if one.strip()))
        there = [one for one in self._block.named(name) if not brief.is_link(one.value)]
        pieces = preferred(there[:MAX_VALUES])
        left = list(wanted)
        unwanted = []
        for piece in pieces:
            held = shown(piece)
            hits = [one for one in wanted if alike(one, held)]
            left = [one for one in left if one not in hits]
            if not hits and readable(held):
                unwanted.append(piece)
        if len(left) == len(unwanted) == 1:
            self._text.set_value(unwanted[0], spelled(name, left[0], unwanted[0]))
            return
        for one in left:
            self._add(name, spelled(name, one, None))
        for piece in unwanted:
            self._remove(piece)

    def _set_categories(self, wanted: list[str]) -> None:
        names = {one.casefold() for one in wanted}
        have: set[str] = set()
        for piece in self._block.named("CATEGORIES"):
            parts = raw_parts(piece.value, ",")
            told = [unescape(part).strip().casefold() for part in parts]
            kept = [p for p, word in zip(parts, told, strict=True) if not word or word in names]
            have.update(word for word in told if word in names)
            if kept != parts:
                self._put(piece, "CATEGORIES", ",".join(kept) if any(kept) else "")
        new = [escaped(one) for one in wanted if one.casefold() not in have]
        if new:
            last = next(iter(reversed(self._block.named("CATEGORIES"))), None)
            held = [last.value] if last is not None else []
            self._put(last, "CATEGORIES", ",".join([*held, *new]))
