"""One VEVENT or VTODO under change: its texts, times, status and guests.

Part of `edit_ical`, which says what the paths are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm_hub.sdk.formats import edit_ical_guests as guests
from crm_hub.sdk.formats.contentlines import unescape
from crm_hub.sdk.formats.edit_ical_time import Clock, as_day, as_utc, duration, instant
from crm_hub.sdk.formats.edit_lines import (
    Block,
    NotWritable,
    Piece,
    Text,
    escaped,
    head_of,
    raw_parts,
)
from crm_hub.sdk.formats.ical_event import MAX_DESCRIPTION, Event, read_event

TEXTS = {
    "summary": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION", "url": "URL",
    "class": "CLASS",
}  # fmt: skip
_LONGEST = {"summary": 1_000, "description": MAX_DESCRIPTION, "location": 1_000, "url": 2_000}
_EVENT_STATUS = {"booked": "CONFIRMED", "cancelled": "CANCELLED"}
_TODO_STATUS = {"open": "NEEDS-ACTION", "cancelled": "CANCELLED", "done": "COMPLETED"}


class Entry:
    """One entry of a text, with what it says now."""

    def __init__(self, text: Text, block: Block, clock: Clock, now: datetime) -> None:
        self.text, self.block, self.clock = text, block, clock
        self._now = now
        self.end_name = "DUE" if block.name == "VTODO" else "DTEND"

    def read(self) -> Event | None:
        """Return what the entry says; None where it has no readable start yet."""
        raw = b"".join(piece.raw for piece in self.text.slice(self.block))
        try:
            return read_event(raw, self.block.name, self.clock.times.zones, self.clock.local)
        except (ValueError, OverflowError):
            return None

    def write(self, fields: Mapping[str, Any], prefix: str = "") -> None:
        """Write texts, times, status and guests. prefix: what stands before each path."""
        wanted = {path.removeprefix(prefix): value for path, value in fields.items()}
        if reasons := self._refused(wanted, prefix):
            raise NotWritable(reasons)
        if wanted.keys() & {"start", "end", "all_day"}:
            self._set_times(wanted, prefix)
        for path, name in TEXTS.items():
            if path in wanted:
                self._set_text(path, name, wanted[path])
        if "status" in wanted:
            self._set_status(wanted["status"])
        if "categories" in wanted:
            self._set_categories(_listed(wanted["categories"]))
        if "attendees.address" in wanted:
            self._set_guests(_listed(wanted["attendees.address"]))
        if "attendance" in wanted:
            self._set_attendance(_listed(wanted["attendance"]))
        if "organizer.address" in wanted:
            self._set_organizer(wanted["organizer.address"])

    def _refused(self, wanted: Mapping[str, Any], prefix: str) -> dict[str, str]:
        reasons = {}
        for path, name in TEXTS.items():
            if path not in wanted:
                continue
            if not isinstance(wanted[path], str | None):
                reasons[prefix + path] = "an entry takes text here"
            piece = self.block.first(name)
            longest = _LONGEST.get(path)
            if piece is not None and longest and len(unescape(piece.value)) > longest:
                reasons[prefix + path] = f"what stands there is longer than the {longest:,} read"
        status = wanted.get("status")
        known = _TODO_STATUS if self.block.name == "VTODO" else _EVENT_STATUS
        if status and status not in known:
            reasons[f"{prefix}status"] = f"an entry of this kind is one of: {', '.join(known)}"
        for path in ("categories", "attendees.address", "attendance"):
            if not all(isinstance(one, str) for one in _listed(wanted.get(path))):
                reasons[prefix + path] = "an entry takes texts here"
        return reasons

    # texts --------------------------------------------------------------------------------

    def put(self, name: str, value: str) -> None:
        """Let a property have this value, written as it stands there; "": it is taken away."""
        piece = self.block.first(name.partition(";")[0])
        if piece is None:
            if value:
                self.add(name, value)
        elif value:
            self.text.set_value(piece, value)
        else:
            self.remove(piece)

    def add(self, name: str, value: str) -> Piece:
        """Put in a property behind those of its name, else at the end, before any alarm."""
        same = self.block.named(name.partition(";")[0])
        if same:
            piece = self.text.insert_after(same[-1], name, value)
            self.block.pieces.insert(self.block.pieces.index(same[-1]) + 1, piece)
            return piece
        before = self.block.nested[0].begin if self.block.nested else self.block.end
        assert before is not None  # noqa: S101 - edit_ical looked
        piece = self.text.insert(before, name, value)
        self.block.pieces.append(piece)
        return piece

    def remove(self, piece: Piece) -> None:
        self.text.remove(piece)
        self.block.pieces = [one for one in self.block.pieces if one is not piece]

    def _set_text(self, path: str, name: str, value: str | None) -> None:
        piece = self.block.first(name)
        had = unescape(piece.value).strip() if piece is not None else ""
        if path in ("summary", "location"):
            had = " ".join(had.split())
        if path == "class":
            had, value = had.lower(), (value or "").lower()
        if (value or "") == had:
            return
        told = value or ""
        if path == "url":
            told = told.replace("\n", "")
        else:
            told = escaped(told.upper() if path == "class" else told)
        self.put(name, told)

    def _set_categories(self, wanted: list[str]) -> None:
        names = {one.casefold() for one in wanted}
        have: set[str] = set()
        for piece in self.block.named("CATEGORIES"):
            parts = raw_parts(piece.value, ",")
            told = [unescape(part).strip().casefold() for part in parts]
            kept = [p for p, word in zip(parts, told, strict=True) if not word or word in names]
            have.update(word for word in told if word in names)
            if kept != parts and any(kept):
                self.text.set_value(piece, ",".join(kept))
            elif kept != parts:
                self.remove(piece)
        new = [escaped(one) for one in wanted if one.casefold() not in have]
        if new:
            pieces = self.block.named("CATEGORIES")
            if pieces:
                self.text.set_value(pieces[-1], ",".join([pieces[-1].value, *new]))
            else:
                self.add("CATEGORIES", ",".join(new))

    # status -------------------------------------------------------------------------------

    def _set_status(self, wanted: str | None) -> None:
        said = self.read()
        if not wanted or (said is not None and said.fields["status"] == wanted):
            return
        if self.block.name != "VTODO":
            self.put("STATUS", _EVENT_STATUS[wanted])
            return
        had = self.block.first("STATUS")
        if said is None and wanted == "open" and had is None:
            return
        self.put("STATUS", _TODO_STATUS[wanted])
        self.put("COMPLETED", self._stamp() if wanted == "done" else "")
        percent = self.block.first("PERCENT-COMPLETE")
        if percent is not None:
            self.put("PERCENT-COMPLETE", "100" if wanted == "done" else "0")

    def _stamp(self) -> str:
        return self._now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    # times --------------------------------------------------------------------------------

    def _set_times(self, wanted: Mapping[str, Any], prefix: str) -> None:
        said = self.read()
        had = said.start if said is not None else None
        end = None if said is None or had is None else had.at(had.wall + said.length).utc
        start = had.utc if had is not None else None
        if "start" in wanted:
            start = instant(f"{prefix}start", wanted["start"]) if wanted["start"] else None
        if "end" in wanted:
            end = instant(f"{prefix}end", wanted["end"]) if wanted["end"] else None
        if start is None:
            if self.block.name != "VTODO":
                raise NotWritable({f"{prefix}start": "a meeting needs a start"})
            self._without_start(end, prefix)
            return
        if end is not None and end < start:
            raise NotWritable({f"{prefix}end": "it would end before it begins"})
        was_all_day = had is not None and had.all_day
        all_day = bool(wanted.get("all_day", was_all_day))
        due_alone = self.block.name == "VTODO" and self.block.first("DTSTART") is None
        begins = due_alone and had is not None and end is not None and end != start
        if had is None or all_day != was_all_day or begins:
            self._write_anew(start, end, all_day, prefix)
            return
        if "start" in wanted and start != had.utc:
            name = "DTSTART" if self.block.first("DTSTART") is not None else self.end_name
            piece = self.block.first(name)
            if piece is not None:
                self.text.set_value(piece, self.clock.written(f"{prefix}start", start, had))
        self._set_end(start, end, prefix)

    def _set_end(self, start: datetime, end: datetime | None, prefix: str) -> None:
        """Let it end there, in the words that it has: an end, or a length."""
        said = self.read()
        now_end = None
        if said is not None and said.start is not None:
            now_end = said.start.at(said.start.wall + said.length).utc
        if end is None or end == now_end:
            return
        piece, length = self.block.first(self.end_name), self.block.first("DURATION")
        like = self.clock.read(piece)
        if length is not None and piece is None and said is not None and said.start is not None:
            # As it is read: so long by the clock on the wall, whatever the clocks do.
            walls = [m.astimezone(said.start.tz).replace(tzinfo=None) for m in (start, end)]
            self.text.set_value(length, duration(walls[1] - walls[0]))
        elif piece is not None and like is not None:
            self.text.set_value(piece, self.clock.written(f"{prefix}end", end, like))
        elif said is not None and said.start is not None:
            begin = self.block.first("DTSTART")
            value = self.clock.written(f"{prefix}end", end, said.start)
            params = _params_of(begin)
            if begin is None:
                self.put(self.end_name, value)
                return
            piece = self.text.insert_after(begin, f"{self.end_name}{params}", value)
            self.block.pieces.insert(self.block.pieces.index(begin) + 1, piece)

    def _without_start(self, end: datetime | None, prefix: str) -> None:
        """A task may have a due time alone, or no time."""
        begin = self.block.first("DTSTART")
        if begin is not None:
            self.remove(begin)
        like = self.clock.read(self.block.first("DUE"))
        if end is None:
            self.put("DUE", "")
        elif like is not None:
            self.put("DUE", self.clock.written(f"{prefix}end", end, like))
        else:
            self.put("DUE", end.strftime("%Y%m%dT%H%M%SZ"))

    def _write_anew(
        self, start: datetime, end: datetime | None, all_day: bool, prefix: str
    ) -> None:
        """Write start and end in another kind than they had: whole days, or times in UTC."""
        length = self.block.first("DURATION")
        if length is not None:
            self.remove(length)
        places: tuple[tuple[str, str, datetime | None], ...]
        if self.block.name == "VTODO" and end == start:
            begin = self.block.first("DTSTART")
            places = (("DTSTART", "start", start),) if begin else (("DUE", "end", start),)
        else:
            places = (("DTSTART", "start", start), (self.end_name, "end", end))
        for name, path, moment in places:
            piece = self.block.first(name)
            if moment is None or (name == "DTEND" and moment == start):
                if piece is not None:
                    self.remove(piece)
                continue
            if all_day:
                value = self.clock.whole_day(moment, prefix + path).strftime("%Y%m%d")
            else:
                value = moment.strftime("%Y%m%dT%H%M%SZ")
            if piece is None:
                self.add(f"{name};VALUE=DATE" if all_day else name, value)
                continue
            head = name.encode() + _params_of(piece).encode("utf-8", "surrogateescape") + b":"
            self.text.set_value(piece, value, head=as_day(head) if all_day else as_utc(head))

    # guests -------------------------------------------------------------------------------

    def _set_guests(self, wanted: list[str]) -> None:
        """Add and remove guests by address; those who stay keep what is said of them."""
        there = {guests.address_of(piece): piece for piece in guests.people(self.block)}
        names = {one.casefold(): one for one in wanted}
        self._uninvite(there, names)
        for key, address in names.items():
            if key not in there:
                self.add(f"ATTENDEE;PARTSTAT=NEEDS-ACTION;{guests.AGENT}", f"mailto:{address}")

    def _set_attendance(self, wanted: list[str]) -> None:
        """Let exactly these be invited, with these answers."""
        told: dict[str, guests.Guest] = {}
        for one in map(guests.guest_of, wanted):
            told.setdefault(one.address.casefold(), one)
        there: dict[str, Piece] = {}
        for piece in guests.people(self.block):
            there.setdefault(guests.address_of(piece), piece)
        self._uninvite(there, told)
        for key, one in told.items():
            if key in there:
                guests.say(self.text, there[key], one)
            else:
                self.add(guests.invitation(one), f"mailto:{one.address}")

    def _uninvite(self, there: Mapping[str, Piece], kept: Mapping[str, Any]) -> None:
        for address, piece in there.items():
            if address not in kept:
                self.remove(piece)

    def _set_organizer(self, wanted: str | None) -> None:
        piece = self.block.first("ORGANIZER")
        if not wanted or (piece is not None and guests.address_of(piece) == wanted.casefold()):
            return
        if piece is None:
            self.add(f"ORGANIZER;{guests.AGENT}", f"mailto:{wanted}")
        else:
            head = f"ORGANIZER;{guests.AGENT}:".encode()
            self.text.set_value(piece, f"mailto:{wanted}", head=head)


def _params_of(piece: Piece | None) -> str:
    """Return `;TZID=…` and the like, as written."""
    if piece is None:
        return ""
    head = head_of(piece.raw)[:-1].decode("utf-8", "surrogateescape")
    _, mark, params = head.partition(";")
    return mark + params


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
