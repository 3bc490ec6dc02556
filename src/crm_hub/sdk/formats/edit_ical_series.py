"""The occurrences of a series that differ: read as one text, and written.

Part of `edit_ical`. What differs is a JSON list, sorted, so that two calendars which say the same
give the same text:

    [{"at": "20260310T090000Z", "gone": true},
     {"at": "20260317T090000Z", "start": "2026-03-17T10:00:00+00:00", "summary": "Later", ...}]

An override says all that it holds, so that an edit of the series changes nothing here; one with
"guests" says who is invited to it, one with `"following": true` speaks for its occurrence and all
after it (RANGE=THISANDFUTURE).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_hub.sdk.formats.calendar import expand
from crm_hub.sdk.formats.edit_ical_entry import TEXTS, Entry
from crm_hub.sdk.formats.edit_ical_guests import attendance
from crm_hub.sdk.formats.edit_ical_time import Clock, instant
from crm_hub.sdk.formats.edit_lines import (
    Block,
    NotWritable,
    Piece,
    Text,
    head_of,
    with_parameter,
    without_parameter,
)
from crm_hub.sdk.formats.ical_event import Event, Moment, more_date
from crm_hub.sdk.formats.ical_exceptions import aligned

MAX_EXCEPTIONS = 500
_OF_SERIES = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
_FOLLOWING = "THISANDFUTURE"
_PARTS = (*TEXTS, "status")


class Series:
    """The entry that stands for all occurrences, and the overrides beside it."""

    def __init__(self, text: Text, calendar: Block, entry: Entry, clock: Clock) -> None:
        self._text, self._calendar, self._entry, self._clock = text, calendar, entry, clock

    # reading ------------------------------------------------------------------------------

    def exceptions(self) -> list[dict[str, Any]] | None:
        """Return what differs, by mark; None where that cannot be told occurrence by occurrence."""
        master = self._entry.read()
        if master is None or not master.is_series or master.start is None:
            return []
        found = {moment.mark: {"at": moment.mark, "gone": True} for moment in master.exdates}
        for block in self._overrides():
            said = Entry(self._text, block, self._clock, _NEVER).read()
            if said is None or said.recurrence is None:
                return None
            mark = aligned(said.recurrence, master.start)
            found[mark.mark] = {"at": mark.mark, **_told(said)}
        if len(found) > MAX_EXCEPTIONS:
            return None
        return [found[mark] for mark in sorted(found)]

    def _overrides(self) -> list[Block]:
        name = self._entry.block.name
        return [
            block
            for block in self._calendar.nested
            if block.name == name and block.first("RECURRENCE-ID") is not None
        ]

    def _override(self, mark: str, start: Moment) -> Block | None:
        for block in self._overrides():
            moment = self._clock.read(block.first("RECURRENCE-ID"))
            if moment is not None and aligned(moment, start).mark == mark:
                return block
        return None

    # writing ------------------------------------------------------------------------------

    def set_rule(self, rule: str | None) -> None:
        piece = self._entry.block.first("RRULE")
        had = piece.value.strip() if piece is not None else ""
        if (rule or "").upper() != had.upper():
            self._entry.put("RRULE", rule or "")

    def set_more_dates(self, wanted: list[str]) -> None:
        """Let the series have exactly these occurrences besides its rule's. Raises: NotWritable."""
        begin = self._entry.block.first("DTSTART")
        like = self._clock.read(begin)
        left = list(dict.fromkeys(wanted))
        for piece in self._entry.block.named("RDATE"):
            values = [(text, more_date(text, moment)) for text, moment in self._clock.many(piece)]
            kept = [text for text, mark in values if not mark or mark in wanted]
            left = [mark for mark in left if mark not in {mark for _, mark in values}]
            if not kept:
                self._entry.remove(piece)
            elif len(kept) < len(values):
                self._text.set_value(piece, ",".join(kept))
        if not left:
            return
        if begin is None or like is None:
            raise NotWritable({"rdates": "the entry has no start"})
        moments = [self._clock.marked(mark, like) for mark in left]
        if any("/" in mark for mark in left):
            raise NotWritable({"rdates": "a further occurrence with a length of its own"})
        if None in moments:
            raise NotWritable({"rdates": "a further occurrence is no time of the series' kind"})
        told = [self._clock.written("rdates", m.utc, like) for m in moments if m is not None]
        head = head_of(begin.raw)[len("DTSTART") : -1].decode("utf-8", "surrogateescape")
        self._entry.add(f"RDATE{head}", ",".join(told))

    def move(self, fields: Mapping[str, Any]) -> None:
        """Before a series gets another start: let what names its occurrences move along."""
        said = self._entry.read()
        if said is None or not said.is_series or said.start is None or not fields.get("start"):
            return
        named = list(self._named(keeps_rdates="rdates" in fields))
        start = instant("start", fields["start"])
        if not named or start == said.start.utc:
            return
        if bool(fields.get("all_day", said.start.all_day)) != said.start.all_day:
            raise NotWritable({"all_day": "a series whose occurrences differ keeps its kind"})
        like = said.start
        shift = start.astimezone(like.tz).replace(tzinfo=None) - like.wall
        for piece in named:
            self._text.set_value(piece, ",".join(self._shifted(piece, like, shift)))

    def _named(self, *, keeps_rdates: bool) -> Iterator[Piece]:
        yield from self._entry.block.named("EXDATE", *([] if keeps_rdates else ["RDATE"]))
        for block in self._overrides():
            yield from block.named("RECURRENCE-ID")

    def _shifted(self, piece: Piece, like: Moment, shift: timedelta) -> Iterator[str]:
        for written, moment in self._clock.many(piece):
            if moment is None or "/" in written:
                raise NotWritable({"start": f"its {piece.name} cannot be moved along with it"})
            if moment.all_day and not like.all_day:
                yield (moment.wall + shift).strftime("%Y%m%d") if not shift.seconds else written
                continue
            wall = moment.utc.astimezone(like.tz).replace(tzinfo=None, fold=0) + shift
            yield self._clock.written("start", like.at(wall).utc, moment)

    def occurrence(self, mark: str, where: str, now: datetime, *, is_whole: bool = False) -> Entry:
        """Return the override of one occurrence, made from the series where there is none.

        is_whole: all that it says is written then, so that no other exception need be asked.
        Raises: NotWritable when the series has no such occurrence.
        """
        master = self._entry.read()
        moment = self._moment(mark, master)
        if master is None or master.start is None or moment is None:
            raise NotWritable({where: "the entry is no series with such an occurrence"})
        block = self._override(mark, master.start)
        if block is None:
            if not _occurs(master, moment):
                raise NotWritable({where: "the series has no such occurrence"})
            if not is_whole and self._is_spoken_for(moment):
                raise NotWritable({where: "an exception for all that follow says how it is"})
            block = self._split_off(moment, master)
        return Entry(self._text, block, self._clock, now)

    def _is_spoken_for(self, moment: Moment) -> bool:
        for block in self._overrides():
            said = Entry(self._text, block, self._clock, _NEVER).read()
            if said is None or said.recurrence is None or not said.following:
                continue
            if said.recurrence.utc <= moment.utc:
                return True
        return False

    def _moment(self, mark: str, master: Event | None) -> Moment | None:
        if master is None or master.start is None or not master.is_series:
            return None
        return self._clock.marked(mark, master.start)

    def _split_off(self, moment: Moment, master: Event) -> Block:
        """Copy the series for one occurrence, behind what is there of it."""
        own = self._entry.block
        direct = {id(piece) for piece in own.pieces}
        begin = own.first("DTSTART") or own.first("DUE")
        if begin is None or master.start is None:
            raise NotWritable({"start": "the series has no start"})
        value = self._clock.written("start", moment.utc, master.start)
        raws = []
        for piece in self._text.slice(own):
            if id(piece) in direct and piece.name in _OF_SERIES:
                continue
            raws.append(piece.raw)
            if piece is begin:
                head = b"RECURRENCE-ID" + head_of(piece.raw)[len(piece.name) :]
                raws.append(head + value.encode() + self._text.newline)
        last = [self._entry.block, *self._overrides()][-1].end
        assert last is not None  # noqa: S101 - edit_ical looked
        known = self._overrides()
        self._text.insert_raw(last, raws)
        self._calendar.nested = self._again().nested
        block = next(b for b in self._overrides() if all(b.begin is not k.begin for k in known))
        self._place(block, moment, master)
        return block

    def _place(self, block: Block, moment: Moment, master: Event) -> None:
        entry = Entry(self._text, block, self._clock, _NEVER)
        end = moment.after(master.length).utc.isoformat()
        entry.write({"start": moment.utc.isoformat(), "end": end})

    def _again(self) -> Block:
        return next(b for b in self._text.blocks() if b.begin is self._calendar.begin)

    def set_exceptions(self, told: Any, now: datetime) -> None:
        """Let exactly these occurrences differ. Raises: NotWritable."""
        wanted = _parsed(told)
        had = self.exceptions()
        if had is None:
            raise NotWritable({"exceptions": "one of them cannot be read, or it has too many"})
        known = {one["at"]: one for one in had}
        for mark in known.keys() - wanted.keys():
            self._restore(mark)
        for mark, item in wanted.items():
            if known.get(mark) == item:
                continue
            if item.get("gone"):
                self._restore(mark)
                self._leave_out(mark)
                continue
            if known.get(mark, {}).get("gone"):
                self._restore(mark)
            self._let_differ(mark, item, now)

    def _let_differ(self, mark: str, item: Mapping[str, Any], now: datetime) -> None:
        try:
            entry = self.occurrence(mark, "exceptions", now, is_whole=True)
            master = self._entry.read()
            moment = self._moment(mark, master)
            if master is None or moment is None:
                return
            start = item.get("start") or moment.utc.isoformat()
            usual = _plus(instant("start", start), master.length, master.start).isoformat()
            texts = {part: item.get(part) or None for part in TEXTS}
            status = item.get("status") or master.fields["status"]
            places = {"start": start, "end": item.get("end") or usual}
            told = {**places, **texts, "status": status, "attendance": item.get("guests", [])}
            entry.write(told)
            self._speak_for(entry, bool(item.get("following")))
        except NotWritable as error:
            raise NotWritable({"exceptions": f"{mark}: {error}"}) from None

    def _speak_for(self, entry: Entry, following: bool) -> None:
        """Let an override be for its occurrence alone, or for all that follow too."""
        piece = entry.block.first("RECURRENCE-ID")
        if piece is None or (piece.param("RANGE").upper() == _FOLLOWING) == following:
            return
        head = without_parameter(head_of(piece.raw), "RANGE")
        head = with_parameter(head, "RANGE", _FOLLOWING) if following else head
        self._text.set_value(piece, piece.value, head=head)

    def _restore(self, mark: str) -> None:
        """Let an occurrence be as the series says."""
        master = self._entry.read()
        if master is None or master.start is None:
            return
        block = self._override(mark, master.start)
        if block is not None:
            for piece in self._text.slice(block):
                self._text.remove(piece)
            self._calendar.nested = [b for b in self._calendar.nested if b is not block]
        for piece in self._entry.block.named("EXDATE"):
            values = self._clock.many(piece)
            kept = [text for text, moment in values if moment is None or moment.mark != mark]
            if not kept:
                self._entry.remove(piece)
            elif len(kept) < len(values):
                self._text.set_value(piece, ",".join(kept))

    def _leave_out(self, mark: str) -> None:
        begin = self._entry.block.first("DTSTART")
        like = self._clock.read(begin)
        if begin is None or like is None:
            raise NotWritable({"exceptions": "the entry has no start"})
        moment = self._clock.marked(mark, like)
        if moment is None and len(mark) == 8:
            self._entry.add("EXDATE;VALUE=DATE", mark)
        elif moment is not None:
            head = head_of(begin.raw)[len("DTSTART") : -1].decode("utf-8", "surrogateescape")
            self._entry.add(f"EXDATE{head}", self._clock.written("exceptions", moment.utc, like))


_NEVER = datetime.min.replace(tzinfo=UTC)
"""Where no task is done, so that no time of it is wanted."""


def exceptions_of(raw: bytes, zone: str) -> str:
    """Return what differs in single occurrences, as JSON; "" where nothing does.

    "" too where it cannot be told: one that cannot be read, or more than 500.
    """
    try:
        text = Text(raw)
    except NotWritable:
        return ""
    calendar = next((block for block in text.blocks() if block.name == "VCALENDAR"), None)
    if calendar is None:
        return ""
    masters = [
        block
        for block in calendar.nested
        if block.name in ("VEVENT", "VTODO") and block.first("RECURRENCE-ID") is None
    ]
    if len(masters) != 1 or any(block.end is None for block in calendar.nested):
        return ""
    clock = Clock.of(text, calendar, zone)
    found = Series(text, calendar, Entry(text, masters[0], clock, _NEVER), clock).exceptions()
    return json.dumps(found, ensure_ascii=False, sort_keys=True) if found else ""


def _told(said: Event) -> dict[str, Any]:
    """Return what an override says of its occurrence."""
    found: dict[str, Any] = {p: said.fields[p] for p in _PARTS if said.fields.get(p)}
    if guests := attendance(said.fields["attendees"]):
        found["guests"] = guests
    if said.following:
        found["following"] = True
    if said.start is not None:
        found["start"] = said.start.utc.isoformat()
        found["end"] = said.start.after(said.length).utc.isoformat()
    return found


def _plus(start: datetime, length: timedelta, like: Moment | None) -> datetime:
    """Return the end of an occurrence: a day later is the same hour, whatever the clocks do."""
    if like is None:
        return start + length
    return like.at(start.astimezone(like.tz).replace(tzinfo=None) + length).utc


def _occurs(master: Event, moment: Moment) -> bool:
    try:
        marks = {one.mark for one in expand(master, set(), moment.utc, 50)[0]}
    except (ValueError, OverflowError):
        return False
    return moment.mark in marks


def _parsed(told: Any) -> dict[str, dict[str, Any]]:
    if not told:
        return {}
    try:
        items = json.loads(told)
        return {str(one["at"]): dict(one) for one in items}
    except (TypeError, ValueError, KeyError):
        raise NotWritable({"exceptions": "it is no list of occurrences"}) from None
