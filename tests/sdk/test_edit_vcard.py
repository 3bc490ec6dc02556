"""One change of a card changes nothing else, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.sdk.formats.edit_lines import NotWritable, Text
from crm_hub.sdk.formats.edit_vcard import WRITABLE, edit_card, new_card
from crm_hub.sdk.formats.vcard import card_payload
from tests.sdk.entries_as_made import APPLE_CARD, CARD_4, CARDS, FIRM, OLD_CARD

_WORDS = st.text("abcäß雪 ,;:\\\"'\nXYZ09", max_size=90)
_LINE = _WORDS.map(lambda text: " ".join(text.split()))
_MAIL = st.builds(
    "{}@{}.example".format, st.text("abz09", min_size=1, max_size=9), st.sampled_from("xy")
)
_PHONE = st.integers(0, 99).map(lambda n: f"+120255501{n:02}")
_TOUCHED = {
    "fn": {"FN", "ORG"}, "nickname": {"NICKNAME"}, "title": {"TITLE", "ROLE"}, "note": {"NOTE"},
    "org": {"ORG"}, "department": {"ORG"}, "bday": {"BDAY"}, "categories": {"CATEGORIES"},
    "emails.value": {"EMAIL", "X-ABLABEL"}, "tels.value": {"TEL"}, "urls": {"URL", "X-ABLABEL"},
}  # fmt: skip


def _values(path: str) -> st.SearchStrategy[Any]:
    if path == "fn":
        return _LINE.filter(bool)
    if path == "note":
        return _WORDS.map(str.strip)
    if path == "bday":
        return st.dates().map(str)
    if path == "emails.value":
        return st.lists(
            _MAIL | st.sampled_from(["Ann.Lee@acme.example", "jan@doe.example"]), max_size=4
        )
    if path == "tels.value":
        return st.lists(_PHONE, max_size=4)
    if path == "urls":
        return st.lists(st.sampled_from([f"https://{n}.example/a,b" for n in "pqr"]), max_size=3)
    if path == "categories":
        return st.lists(_LINE.filter(bool).map(str.strip), max_size=4)
    if path == "adrs":
        return st.lists(
            st.fixed_dictionaries({"street": _LINE.filter(bool), "city": _LINE}), max_size=3
        )
    if path.startswith("n."):
        return _LINE.filter(lambda text: bool(text.strip(" ,")) or not text)
    return _LINE


_CHANGES = st.sampled_from(
    sorted(path for path in WRITABLE if path not in ("kind", "photo", "brief", "timeline_url"))
).flatmap(lambda path: st.tuples(st.just(path), _values(path)))


def _said(payload: dict[str, Any], path: str) -> Any:
    name, _, rest = path.partition(".")
    if rest == "value":
        return [one["value"] for one in payload[name]]
    if path == "adrs":
        return {(one.get("street", ""), one.get("city", "")) for one in payload["adrs"]}
    if name == "adrs":
        part = rest.partition(".")[2]
        return payload["adrs"][0].get(part, "") if payload["adrs"] else ""
    return payload[name].get(rest, "") if rest else payload[name]


def _others(raw: bytes, names: set[str]) -> bytes:
    return b"".join(p.raw for p in Text(raw).pieces if p.name not in names)


@pytest.mark.parametrize("made", CARDS)
def test_a_card_is_given_back_as_it_was(made: str) -> None:
    assert bytes(Text(CARDS[made])) == CARDS[made]
    assert edit_card(CARDS[made], {}) == CARDS[made]


@settings(max_examples=400)
@given(st.sampled_from(sorted(CARDS)), _CHANGES)
def test_a_change_changes_its_own_property_alone(made: str, change: tuple[str, Any]) -> None:
    path, value = change
    raw = CARDS[made]
    after = edit_card(raw, {path: value})
    head = path.partition(".")[0]
    touched = _TOUCHED.get(path, {"n": {"N"}, "adrs": {"ADR"}}.get(head, set()))
    if "adrs" in path:
        touched = touched | {"X-ABADR"}
    assert _others(after, touched) == _others(raw, touched)
    found = _said(card_payload(after), path)
    if path == "emails.value":
        found = [one for one in found if "@" in one]
        assert {v.casefold() for v in found} == {v.casefold() for v in value}
    elif path == "tels.value":
        assert {_digits(v) for v in found} == {_digits(v) for v in value}
    elif path == "categories":
        assert {v.casefold() for v in found} == {v.casefold() for v in value}
    elif path == "adrs":
        assert found == {(one["street"], one["city"]) for one in value}
    elif isinstance(value, list):
        assert set(found) == set(value)
    else:
        assert (found or "") == value[:300] or found == value
    assert edit_card(after, {path: value}) == after
    before, now = card_payload(raw), card_payload(after)
    moved = {"org": {"department", "kind"}, "department": {"org"}, "fn": {"org", "kind"}}
    mine = {head, *moved.get(path, ())} | ({"fn", "kind"} if head == "n" else set())
    assert {k: v for k, v in now.items() if k not in mine} == {
        k: v for k, v in before.items() if k not in mine
    }


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit()).lstrip("0")[-10:]


def test_a_picture_of_megabytes_and_deep_nonsense_pass_through() -> None:
    photo = b"PHOTO;ENCODING=b:" + b"\r\n ".join([b"QUJD" * 18] * 60_000) + b"\r\n"
    raw = APPLE_CARD.replace(b"REV:", photo + b"REV:")
    after = edit_card(raw, {"title": "Buyer"})
    assert after == raw.replace(b"TITLE:Head of Sales", b"TITLE:Buyer")
    deep = b"BEGIN:VCARD\r\nFN:a\r\n" + b"BEGIN:X\r\n" * 60_000 + b"END:Y\r\n" * 60_000
    with pytest.raises(NotWritable):
        edit_card(deep, {"title": "x"})
    assert bytes(Text(deep)) == deep


def test_an_edited_address_keeps_its_label_and_a_removed_one_takes_it_along() -> None:
    both = ["ann@home.example", "a.lee@acme.example"]
    after = edit_card(APPLE_CARD, {"emails.value": both})
    assert b"item1.EMAIL;type=INTERNET;type=pref:a.lee@acme.example\r\nitem1.X-ABLabel" in after
    after = edit_card(APPLE_CARD, {"emails.value": ["ann@home.example"]})
    assert b"item1." not in after
    assert b"EMAIL:none yet\r\n" in after, "what nobody can read is nobody's to remove"
    assert b"item3.URL" in after


def test_a_number_in_another_spelling_stays_as_it_is_written() -> None:
    wanted = ["+12025550101", "+12025550102", "+12025550103"]
    after = edit_card(APPLE_CARD, {"tels.value": wanted})
    assert b"type=pref:(202) 555-0101\r\n" in after
    assert after.count(b"\nTEL") == 3
    assert b'TEL;VALUE=uri;TYPE="voice,cell":tel:+12025550151\r\n' in edit_card(
        CARD_4, {"tels.value": ["+12025550151"]}
    )


def test_a_firm_stays_a_firm_when_its_name_changes() -> None:
    plain = FIRM.replace(b"X-ABSHOWAS:COMPANY\r\n", b"")
    for raw in (FIRM, plain):
        said = card_payload(edit_card(raw, {"fn": "Acme Pumps Inc."}))
        assert (said["kind"], said["fn"], said["org"]) == (
            "org",
            "Acme Pumps Inc.",
            "Acme Pumps Inc.",
        )


def test_a_card_of_version_2_1_keeps_its_way_of_writing() -> None:
    after = edit_card(OLD_CARD, {"fn": "Jörg Möller", "note": "eins\nzwei"})
    assert b"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=B6ller\n" in after
    said = card_payload(after)
    assert (said["fn"], said["note"]) == ("Jörg Möller", "eins\nzwei")
    assert b"TEL;CELL;PREF:0202 5550160\n" in after


@pytest.mark.parametrize(
    ("raw", "fields", "named"),
    [
        (APPLE_CARD, {"photo": "https://acme.example/ann.jpg"}, "photo"),
        (APPLE_CARD, {"fn": None}, "fn"),
        (APPLE_CARD, {"bday": "soon"}, "bday"),
        (APPLE_CARD, {"rev": "x"}, "rev"),
        (APPLE_CARD, {"title": 7}, "title"),
        (APPLE_CARD, {"title": ["a", "b"]}, "title"),
        (APPLE_CARD + APPLE_CARD, {"title": "x"}, "."),
        (b"BEGIN:VCARD\r\nFN:cut", {"title": "x"}, "."),
        (b"<html>", {"title": "x"}, "."),
        (APPLE_CARD.replace(b"NOTE:", b"NOTE:" + b"n" * 20_001), {"note": "x"}, "note"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(
    raw: bytes, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(NotWritable) as caught:
        edit_card(raw, fields)
    assert named in caught.value.reasons


_PEOPLE = st.fixed_dictionaries(
    {"fn": _LINE.filter(bool)},
    optional={path: _values(path) for path in sorted(WRITABLE - {"kind", "photo", "fn", "adrs"})},
)


@settings(max_examples=150)
@given(_PEOPLE)
def test_a_new_card_says_what_it_was_made_of(fields: dict[str, Any]) -> None:
    raw = new_card(fields, uid="key-1")
    said = card_payload(raw)
    assert said["uid"] == "key-1"
    assert said["fn"] == fields["fn"][:300]
    for path in ("title", "n.given", "adrs.0.city", "org"):
        assert _said(said, path) == fields.get(path, "")
    card = vobject.readOne(raw.decode())
    card.serialize()
    assert str(card.fn.value).split() == fields["fn"].split()


def test_a_new_firm_is_read_as_one() -> None:
    said = card_payload(new_card({"fn": "Acme, Inc.", "kind": "org"}, uid="k"))
    assert (said["kind"], said["org"], said["n"]) == ("org", "Acme, Inc.", {})
