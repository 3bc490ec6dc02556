"""One change of a calendar entry changes nothing else, byte for byte."""

from __future__ import annotations

from typing import Any

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.sdk.formats.edit_lines import Text
from tests.sdk.editing import LINE, TEXT, edit, others, said
from tests.sdk.entries_as_made import (
    ENTRIES,
)

_NAMES = {
    "summary": {"SUMMARY"}, "description": {"DESCRIPTION"}, "location": {"LOCATION"},
    "class": {"CLASS"}, "categories": {"CATEGORIES"}, "url": {"URL"}, "status": {"STATUS"},
    "attendance": {"ATTENDEE"}, "start": {"DTSTART"}, "end": {"DTEND", "DUE", "DURATION"}, "attendees.address": {"ATTENDEE"},
}  # fmt: skip

# one field -------------------------------------------------------------------------------------

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "summary": LINE,
    "description": TEXT,
    "location": LINE,
    "url": st.sampled_from(["https://acme.example/a?b=1,2;c", "", "https://acme.example/ü"]),
    "class": st.sampled_from(["private", "public"]),
    "categories": st.lists(LINE.filter(bool), max_size=3, unique_by=str.casefold),
    "attendees.address": st.lists(
        st.sampled_from(["ann.lee@acme.example", "b@x.example", "c@x.example"]), unique=True
    ),
    "attendance": st.lists(
        st.builds(
            "{}; {}; {}; {}".format,
            st.sampled_from(["ann.lee@acme.example", "b@x.example", "G@x.example"]),
            st.sampled_from(["accepted", "declined", "tentative", "needs-action"]),
            st.sampled_from(["chair", "req-participant", "opt-participant"]),
            st.sampled_from(["Ann Lee", "Lee, Ann; PhD", "Änne: 雪"]),
        ),
        unique_by=lambda text: text.partition(";")[0].lower(),
    ),
}
_CHANGES = st.sampled_from(sorted(_VALUES)).flatmap(
    lambda path: st.tuples(st.just(path), _VALUES[path])
)


@pytest.mark.parametrize("made", ENTRIES)
def test_an_entry_is_given_back_as_it_was(made: str) -> None:
    assert bytes(Text(ENTRIES[made])) == ENTRIES[made]
    assert edit(ENTRIES[made], {}) == ENTRIES[made]


@settings(max_examples=300)
@given(st.sampled_from(sorted(ENTRIES)), _CHANGES)
def test_a_one_field_edit_changes_nothing_else(made: str, change: tuple[str, Any]) -> None:
    path, value = change
    _holds(ENTRIES[made], path, value)


def _holds(raw: bytes, path: str, value: Any) -> None:
    after = edit(raw, {path: value})
    assert others(after, _NAMES[path]) == others(raw, _NAMES[path])
    assert edit(after, {path: value}) == after, "the same again is no change"
    before, now = said(raw), said(after)
    if path == "attendees.address":
        assert {p["address"] for p in now["attendees"]} == set(value)
        assert now["resources"] == before["resources"]
        return
    if path == "attendance":
        assert {v.casefold() for v in now[path]} == {v.casefold() for v in value}
        assert now["resources"] == before["resources"]
        return
    if isinstance(value, list):
        assert {v.casefold() for v in now[path]} == {v.casefold() for v in value}
    else:
        assert now[path] == value
    parts = before.keys() - {path, "occurrences"}
    assert {k: now[k] for k in parts} == {k: before[k] for k in parts}
    assert icalendar.Calendar.from_ical(after)


# Generated entries: any mix of properties, with parameters nobody knows, alarms, zones.
_KNOWN = ["SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "URL", "STATUS", "PRIORITY", "X-A"]
_PARAM = st.sampled_from(
    ["", ";LANGUAGE=de", ';X-P="a;b:c"', ';ALTREP="cid:1"', ';X-Q=1,2;X-R="z"']
)
_VALUE = st.text('abß雪 09\\,:"', max_size=150).map(lambda t: t.replace("\\", "\\\\"))


@st.composite
def _generated(draw: st.DrawFn) -> bytes:
    end = draw(st.sampled_from(["\r\n", "\n"]))
    names = draw(st.lists(st.sampled_from(_KNOWN), unique=True))
    lines = [
        f"{name}{draw(_PARAM)}:{draw(_VALUE)}" for name in names if name not in ("URL", "STATUS")
    ]
    lines += [
        "UID:made@x.example", "DTSTAMP:20260101T000000Z",
        draw(st.sampled_from([
            "DTSTART;TZID=Europe/Berlin:20260310T100000", "DTSTART:20260310T090000Z",
            "DTSTART;X-K=v;VALUE=DATE:20260310", "DTSTART:20260310T100000",
        ])),
        f"ATTENDEE;CN=\"{draw(st.text('ab ,;:', max_size=9))}\";X-NUM=7;RSVP=TRUE:mailto:g@x.example",
    ]  # fmt: skip
    lines = draw(st.permutations(lines))
    alarm = [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"SUMMARY:{draw(_VALUE)}",
        "TRIGGER:-PT5M",
        "END:VALARM",
    ]
    lines += alarm * draw(st.integers(0, 2))
    zone = ["BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19700101T000000",
            "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"]  # fmt: skip
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *zone * draw(st.integers(0, 1)),
             "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]  # fmt: skip
    width = draw(st.sampled_from([20, 75, 10_000]))
    return "".join(_folded(line, width, end) + end for line in whole).encode()


def _folded(line: str, width: int, end: str) -> str:
    return (end + " ").join(line[n : n + width] for n in range(0, max(1, len(line)), width))


@settings(max_examples=300)
@given(_generated(), _CHANGES)
def test_a_one_field_edit_of_any_entry_changes_nothing_else(
    raw: bytes, change: tuple[str, Any]
) -> None:
    path, value = change
    after = edit(raw, {path: value})
    if path == "categories":
        assert {v.casefold() for v in said(after)[path] if v} == {v.casefold() for v in value}
    elif path == "attendance":
        assert {v.casefold() for v in said(after)[path]} == {v.casefold() for v in value}
    elif path != "attendees.address":
        assert said(after)[path] == value
    text, now = Text(raw), Text(after)
    mine = _names_of_entry(text, _NAMES[path])
    assert _without(text, mine) == _without(now, _names_of_entry(now, _NAMES[path]))


def _names_of_entry(text: Text, names: set[str]) -> set[int]:
    """Return the properties of the entry itself: an alarm's SUMMARY is another one."""
    return {id(p) for b in text.blocks()[0].nested for p in b.pieces if p.name in names}


def _without(text: Text, ids: set[int]) -> bytes:
    return b"".join(p.raw for p in text.pieces if id(p) not in ids)
