"""Address books: vCard 2.1, 3.0 and 4.0, and what phones make of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vobject
from crm_hub_connectors.files.readers import read_vcf
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.model.records import Reject
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.formats.vcard import card_payload

SAMPLE = Path(__file__).parent.parent / "fixtures" / "contacts" / "clearwater.vcf"


def _card(*lines: str) -> dict[str, Any]:
    return card_payload("\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""]).encode())


def test_a_card_says_who_where_and_how_to_reach() -> None:
    ann, acme = (item for item in read_vcf(SAMPLE) if isinstance(item, Item))
    card = ann.payload
    assert ann.id == "5f0c6a1e-ann"
    assert ann.changed_at == datetime(2026, 3, 1, 10, 11, 12, tzinfo=UTC)
    assert card["n"] == {"family": "Lee", "given": "Ann", "additional": "Maria", "prefix": "Dr."}
    assert (card["org"], card["department"]) == ("Acme Pumps", "Purchasing")
    assert [e["value"] for e in card["emails"]] == ["ann.lee@acme.example", "ann@lee.example"]
    assert card["tels"] == [{"value": "+1 202 555 0101", "types": ["cell"]}]
    assert card["adrs"][0]["postcode"] == "62701"
    assert card["note"] == "Prefers calls, mornings.\nKnows the pumps."
    assert card["categories"] == ["Customers", "Pumps"]
    assert (card["kind"], acme.payload["kind"]) == ("individual", "org")
    assert acme.payload["tels"] == [{"value": "+1 202 555 0100", "types": ["main"]}]
    assert acme.id.startswith("sha:")


def test_a_card_says_what_other_software_reads_in_it() -> None:
    theirs = next(vobject.readComponents(SAMPLE.read_text(encoding="utf-8")))
    ours = next(iter(read_vcf(SAMPLE)))
    assert isinstance(ours, Item)
    assert ours.payload["fn"] == theirs.fn.value
    assert ours.payload["n"]["family"] == theirs.n.value.family
    assert ours.payload["adrs"][0]["street"] == theirs.adr.value.street
    assert ours.payload["note"] == theirs.note.value


def test_quoted_printable_of_vcard_2_1_is_read_over_its_soft_breaks() -> None:
    card = _card(
        "VERSION:2.1",
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg",
        "TEL;CELL;PREF:+1 202 555 0101",
        "NOTE;ENCODING=QUOTED-PRINTABLE:first=0D=0A=",
        "second",
    )
    assert card["n"] == {"family": "Müller", "given": "Jörg"}
    assert card["fn"] == "Jörg Müller"
    assert card["note"] == "first\nsecond"
    assert card["tels"][0]["types"] == ["cell"]


def test_vcard_4_uris_and_preferences_are_read() -> None:
    card = _card(
        "VERSION:4.0",
        "FN:Ann Lee",
        'TEL;VALUE=uri;PREF=2;TYPE="voice,home":tel:+1-202-555-0102;ext=1',
        "TEL;VALUE=uri;PREF=1:tel:+1-202-555-0103",
        "KIND:individual",
    )
    assert [t["value"] for t in card["tels"]] == ["+1-202-555-0103", "+1-202-555-0102"]
    assert card["tels"][1]["types"] == ["home"]


def test_undeclared_latin_1_is_read() -> None:
    assert card_payload(b"BEGIN:VCARD\nFN:J\xf6rg M\xfcller\nEND:VCARD\n")["fn"] == "Jörg Müller"


def test_a_missing_end_loses_no_card(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    path.write_bytes(b"BEGIN:VCARD\nFN:A\nBEGIN:VCARD\nFN:B\nEND:VCARD\nBEGIN:VCARD\nFN:C")
    assert [i.payload["fn"] for i in read_vcf(path) if isinstance(i, Item)] == ["A", "B", "C"]


def test_a_big_photo_does_not_hide_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    photo = b"PHOTO;ENCODING=b:" + (b"A" * 74 + b"\r\n ") * 20_000 + b"A\r\n"
    path.write_bytes(b"BEGIN:VCARD\r\nFN:A\r\n" + photo + b"EMAIL:a@acme.example\r\nEND:VCARD\r\n")
    (item,) = read_vcf(path)
    assert isinstance(item, Item)
    assert item.payload["emails"][0]["value"] == "a@acme.example"


def test_a_card_that_names_nobody_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    path.write_bytes(b"BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEND:VCARD\n")
    reject, item = read_vcf(path)
    assert isinstance(reject, Reject)
    assert (reject.place, bool(reject.remedy)) == ("card at byte 0", True)
    assert isinstance(item, Item)


def test_a_distribution_list_is_not_a_contact(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    path.write_bytes(b"BEGIN:VCARD\nFN:Friends\nX-ADDRESSBOOKSERVER-KIND:group\nEND:VCARD\n")
    assert list(read_vcf(path)) == []


def test_a_file_that_is_no_address_book_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    path.write_bytes(SAMPLE.read_bytes().decode().encode("utf-16"))
    (reject,) = read_vcf(path)
    assert isinstance(reject, Reject)
    assert "UTF-8" in reject.remedy


def test_a_card_without_uid_keeps_its_key_when_it_is_folded_otherwise(tmp_path: Path) -> None:
    one, two = tmp_path / "1.vcf", tmp_path / "2.vcf"
    one.write_bytes(b"BEGIN:VCARD\nFN:Ann Lee\nEND:VCARD\n")
    two.write_bytes(b"BEGIN:VCARD\r\nFN:Ann Lee\r\nEND:VCARD\r\n")
    assert {i.id for path in (one, two) for i in read_vcf(path) if isinstance(i, Item)} == {
        next(i.id for i in read_vcf(one) if isinstance(i, Item))
    }


def test_reading_goes_on_at_the_offset_of_any_card(tmp_path: Path) -> None:
    path = tmp_path / "a.vcf"
    path.write_bytes(b"".join(b"BEGIN:VCARD\nFN:N%d\nEND:VCARD\n" % n for n in range(5)))
    whole = [i for i in read_vcf(path) if isinstance(i, Item)]
    for index, item in enumerate(whole, 1):
        rest = [i.id for i in read_vcf(path, item.offset) if isinstance(i, Item)]
        assert rest == [i.id for i in whole[index:]]


text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40
)


@given(family=text, given_name=text, note=text)
def test_escaped_text_comes_back_as_it_was(family: str, given_name: str, note: str) -> None:
    def escaped(value: str) -> str:
        for mark in ("\\", ";", ","):
            value = value.replace(mark, "\\" + mark)
        return value

    card = _card(f"N:{escaped(family)};{escaped(given_name)};;;", f"NOTE:{escaped(note)}")
    assert card["note"] == note.strip()
    assert card["n"].get("family", "") in (" ".join(family.split()), "")
    assert card["n"].get("given", "") in (" ".join(given_name.split()), "")
