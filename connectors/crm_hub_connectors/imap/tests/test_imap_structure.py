"""BODYSTRUCTURE, as servers tell it and as nobody should."""

from __future__ import annotations

import time

import pytest
from crm_hub_connectors.imap.structure import attachments_of

TEXT = '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 20 2 NIL NIL NIL NIL)'
PDF = (
    '("application" "pdf" ("name" "plan.pdf") NIL NIL "base64" 7800 NIL '
    '("attachment" ("filename" "Plan \\"A\\".pdf")) NIL NIL)'
)
MAIL = (
    '("message" "rfc822" NIL NIL NIL "7bit" 900 ("date" "subject" NIL NIL NIL NIL NIL NIL NIL '
    f'NIL) {TEXT} 30 NIL ("attachment" ("filename" "old.eml")) NIL NIL)'
)


def read(structure: str) -> list[tuple[str, str, int | None, str]] | None:
    found = attachments_of(f"* 1 FETCH (UID 7 BODYSTRUCTURE {structure})".encode())
    if found is None:
        return None
    return [(a["filename"], a["content_type"], a["size"], a["part"]) for a in found]


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        (TEXT, []),
        (PDF, [('Plan "A".pdf', "application/pdf", 5700, "1")]),
        (f'({TEXT}{PDF} "mixed" ("boundary" "b") NIL NIL)',
         [('Plan "A".pdf', "application/pdf", 5700, "2")]),
        (f'(({TEXT}{TEXT} "alternative" NIL NIL NIL)({PDF}{PDF} "related" NIL NIL NIL) "mixed")',
         [('Plan "A".pdf', "application/pdf", 5700, "2.1"),
          ('Plan "A".pdf', "application/pdf", 5700, "2.2")]),
        (f'({TEXT}{MAIL} "mixed")', [("old.eml", "message/rfc822", 900, "2")]),
        ('("text" "plain" ("name" "notes.txt") NIL NIL "7bit" 20 2)',
         [("notes.txt", "text/plain", 20, "1")]),
        ('("text" "calendar" NIL NIL NIL "7bit" 20 2)', []),
        ('("image" "png" ("name*" "utf-8\'\'l%C3%B6go.png") NIL NIL "binary" 5)',
         [("lögo.png", "image/png", 5, "1")]),
        ('("image" "png" NIL NIL NIL "binary" "many")', [("", "image/png", None, "1")]),
    ],
)  # fmt: skip
def test_attachments_are_named_with_size_and_number(
    structure: str, expected: list[tuple[str, str, int | None, str]]
) -> None:
    assert read(structure) == expected


@pytest.mark.parametrize("structure", ["", "NIL", "((", '(("a" "b"', "(" * 500 + ")" * 500])
def test_what_cannot_be_read_is_none(structure: str) -> None:
    assert read(structure) is None


@pytest.mark.parametrize(
    "structure", ["()", '("text")', "(NIL NIL NIL NIL NIL NIL NIL)", '((()) "x")']
)
def test_an_odd_one_names_no_attachment_or_a_nameless_one(structure: str) -> None:
    found = read(structure)
    assert found is not None
    assert all(name == "" for name, *_ in found)


def test_a_hostile_one_ends_in_time() -> None:
    started = time.process_time()
    for text in (
        "(" + '"x" ' * 40_000 + ")",
        "(" * 90_000,
        '"' * 150_000,
        "(" + "()" * 80_000 + ")",
    ):
        read(text)
    assert time.process_time() - started < 2
