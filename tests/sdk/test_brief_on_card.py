"""What the hub writes in a note leaves every other character of it as it is, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk.formats import brief
from crm_hub.sdk.formats.edit_lines import Text, escaped
from crm_hub.sdk.formats.edit_vcard import edit_card, new_card
from crm_hub.sdk.formats.vcard import card_payload
from tests.sdk.entries_as_made import CARDS

_NOTES = st.text("aZä雪 ,;:\\\"'\tnN[]>_/\n", max_size=60) | st.sampled_from(
    ["likes tea", "a\\nb", "a\\Nb", "\\n\\n", "> quoted", "ends\\n", "\\\\n no break", "\\"]
)
_BRIEFS = st.lists(st.text("aZä雪 ,;:\\·", min_size=1, max_size=40), min_size=1, max_size=3).map(
    lambda lines: "\n".join(" ".join(line.split()) or "x" for line in lines)
)
LINK = "https://hub.acme.example/timeline/P65#crm_hub"


def _no_marks(note: str) -> bool:
    return brief.BEGIN not in note


@given(_NOTES.filter(bool), _BRIEFS)
def test_a_note_is_as_it_was_around_a_brief_and_after_it(note: str, told: str) -> None:
    held = brief.with_brief(note, escaped(told))
    assert brief.inside(held) == told
    assert brief.outside(held) == note
    assert held.endswith(note)
    assert brief.with_brief(held, "") == note


@given(_NOTES, _BRIEFS, _BRIEFS)
def test_a_new_brief_stands_where_the_old_one_stood(note: str, old: str, new: str) -> None:
    held = brief.with_brief(note, escaped(old))
    again = brief.with_brief(held, escaped(new))
    assert again == brief.with_brief(note, escaped(new))
    below = note + "\n" + brief.with_brief("", escaped(old)) if note else held
    moved = brief.with_brief(below, escaped(new))
    assert moved.startswith(note)
    assert (brief.outside(moved), brief.inside(moved)) == (brief.outside(below), new)


@given(_NOTES, _NOTES, _BRIEFS)
def test_a_note_that_changes_leaves_the_brief(note: str, other: str, told: str) -> None:
    held = brief.with_outside(brief.with_brief(note, escaped(told)), other)
    assert (brief.outside(held), brief.inside(held)) == (other, told)


def test_what_somebody_typed_between_the_marks_stays() -> None:
    held = brief.with_brief("tea", "one\ntwo")
    typed = held.replace("> one\n", "> one\nmy own words\n")
    assert brief.outside(typed) == "my own words\ntea"
    after = brief.with_brief(typed, "three")
    assert brief.outside(after) == "my own words\ntea"
    assert brief.inside(after) == "three"


def test_a_brief_whose_end_was_cut_off_is_still_told_from_the_rest() -> None:
    held = brief.with_brief("", "one\ntwo").removesuffix("\n" + brief.END)
    assert brief.inside(held) == "one\ntwo"
    assert brief.outside(held) == ""
    assert brief.outside(held + "\\ntea") == "tea"
    assert brief.with_brief(held + "\\ntea", "") == "tea"


@pytest.mark.parametrize("made", CARDS)
@pytest.mark.parametrize("told", ["Buyer, Acme; owner Bob\nLast: 2026-03-10 mail", "käufer · 雪"])
def test_a_card_with_a_brief_and_a_link_differs_in_these_alone(made: str, told: str) -> None:
    raw = CARDS[made]
    said = card_payload(raw)
    held = edit_card(raw, {"brief": told, "timeline_url": LINK})
    now = card_payload(held)
    assert (now.pop("brief"), now.pop("timeline_url")) == (told, LINK)
    assert now == said
    others = [[p.raw for p in Text(one).pieces if p.name not in ("NOTE", "URL")] for one in
              (raw, held)]  # fmt: skip
    assert others[0] == others[1]
    assert edit_card(held, {"brief": told, "timeline_url": LINK}) == held
    assert edit_card(held, {"note": said["note"], "urls": said["urls"]}) == held
    taken = edit_card(held, {"brief": None, "timeline_url": None})
    assert card_payload(taken) == said
    if said["note"] and b"QUOTED-PRINTABLE" not in raw.upper():
        assert _unfolded(taken) == _unfolded(raw)


def _unfolded(raw: bytes) -> bytes:
    return raw.replace(b"\r\n ", b"").replace(b"\r\n\t", b"").replace(b"\n ", b"")


@pytest.mark.parametrize("made", CARDS)
def test_an_edit_of_the_note_or_the_pages_leaves_brief_and_link(made: str) -> None:
    held = edit_card(CARDS[made], {"brief": "one\ntwo", "timeline_url": LINK})
    said = card_payload(edit_card(held, {"note": "new,\nwords", "urls": ["https://new.example"]}))
    assert (said["brief"], said["timeline_url"]) == ("one\ntwo", LINK)
    assert (said["note"], said["urls"]) == ("new,\nwords", ["https://new.example"])
    bare = card_payload(edit_card(held, {"note": None, "urls": None}))
    assert (bare["brief"], bare["note"], bare["urls"]) == ("one\ntwo", "", [])


def test_a_new_card_can_have_a_brief_from_the_start() -> None:
    fields = {"fn": "Ann Lee", "brief": "Buyer", "note": "likes tea", "timeline_url": LINK}
    raw = new_card(fields, uid="u1")
    assert b"NOTE:[crm_hub]\\n> Buyer\\n[/crm_hub]\\nlikes tea\r\n" in raw
    assert f"URL:{LINK}\r\n".encode() in raw
