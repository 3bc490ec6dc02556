"""Mail as old and careless programs write it: charsets, boundaries and line ends that lie."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from crm_hub_connectors.files.mail import parse_message
from crm_hub_connectors.files.tests.nasty import mail
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.sdk.formats.charsets import decode
from crm_hub.sdk.formats.mail_dates import parse_date
from crm_hub.sdk.formats.mail_headers import decode_base64
from crm_hub.sdk.formats.mail_message import message_marks

PARTS = b"--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: image/png\n\nx\n--b--\n"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("koi8-r", "Привет мир"), ("gb2312", "你好世界"), ("big5", "許功蓋測試"), ("shift_jis", "表示"),
        ("euc-kr", "안녕하세요"), ("iso-8859-2", "Zażółć gęślą"), ("iso-2022-jp", "こんにちは"),
        ("utf-8", "Grüße"),
    ],
)  # fmt: skip
def test_an_8_bit_subject_is_in_the_charset_of_the_body(charset: str, text: str) -> None:
    raw = text.encode(charset)
    told = mail(b"Subject: " + raw, b"Content-Type: text/plain; charset=" + charset.encode())
    assert parse_message(told)["subject"] == text
    body = b"--b\nContent-Type: text/plain; charset=" + charset.encode() + b"\n\nx\n--b--\n"
    told = mail(b"Subject: " + raw, b"Content-Type: multipart/mixed; boundary=b", body=body)
    assert parse_message(told)["subject"] == text


@pytest.mark.parametrize("text", ["Grüße", "Jörg Müßig", "Ärzte-Öfen", "Ça"])
def test_a_word_without_a_charset_is_western(text: str) -> None:
    assert decode(text.encode("cp1252")) == text
    assert decode(text.encode("cp1252"), "x-none") == text
    assert decode(text.encode("cp1252"), "utf-8") == text


def test_japanese_without_a_charset_is_known_by_its_escapes() -> None:
    assert decode("今日は".encode("iso2022_jp")) == "今日は"
    assert decode(b"\x1b$B:#\nFrom: Ann") == decode(b"\x1b$B:#") + "\nFrom: Ann"


@given(st.text(st.sampled_from("aé\x00 \n"), max_size=40))
def test_short_western_text_is_never_taken_for_another_script(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


def test_html_says_its_charset_where_the_header_does_not() -> None:
    html = '<html><head><meta charset="koi8-r"></head><body>Привет</body></html>'.encode("koi8-r")
    assert parse_message(mail(b"Content-Type: text/html", body=html))["text"] == "Привет"


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/mixed", b"multipart/mixed; boundary=other", b"multipart/mixed; boundary='b'",
        b"multipart/mixed; (a remark) boundary=b", b"multipart/mixed; boundary=b (a remark)",
    ],
)  # fmt: skip
def test_parts_are_found_whatever_is_said_of_their_boundary(kind: bytes) -> None:
    payload = parse_message(mail(b"Content-Type: " + kind, body=PARTS))
    assert payload["text"] == "hello"
    assert [one["content_type"] for one in payload["attachments"]] == ["image/png"]


def test_a_line_of_dashes_is_no_boundary() -> None:
    payload = parse_message(mail(b"Content-Type: multipart/mixed", body=b"a\n--\nb\n--c\n\nd"))
    assert payload["text"] == "a\n--\nb\n--c\n\nd"


def _said(payload: dict[str, Any]) -> tuple[Any, ...]:
    return payload["subject"], payload["message_id"], payload["date"], payload["text"]


@pytest.mark.parametrize("end", [b"\r\n", b"\r\r\n", b"\r"])
def test_line_ends_that_a_transfer_broke_are_mended(end: bytes) -> None:
    told = mail(b"Subject: long\n words", b"Content-Type: multipart/mixed; boundary=b", body=PARTS)
    broken = told.replace(b"\n", end)
    assert _said(parse_message(broken)) == _said(parse_message(told))
    assert message_marks(broken) == message_marks(told)


def test_fields_behind_many_recipients_and_long_lines_are_read() -> None:
    many = b",\n ".join(b"n%d@acme.example" % n for n in range(50_000))
    payload = parse_message(b"From: a@acme.example\nTo: " + many + b"\nSubject: late\n\nhello\n")
    assert (payload["subject"], payload["text"], len(payload["to"])) == ("late", "hello", 1_000)
    payload = parse_message(b"X-Long: " + b"x" * 1_000_000 + b"\nSubject: late\n\nhello\n")
    assert (payload["subject"], payload["text"]) == ("late", "hello")


def test_a_body_that_no_blank_line_parts_from_the_header_is_read() -> None:
    assert (
        parse_message(b"From: a@acme.example\nSubject: x\nhello\nthere\n")["text"] == "hello\nthere"
    )
    part = b"--b\nContent-Type: text/plain\nhello\n\n--b--\n"
    told = mail(b"Content-Type: multipart/mixed; boundary=b", body=part)
    assert parse_message(told)["text"] == "hello"
    assert parse_message(b"From: a@acme.example\nSubject: x\n")["text"] == ""


@pytest.mark.parametrize("written", [b"base64", b'"BASE64"', b"base64 (as usual)", b" base64;"])
def test_a_transfer_encoding_is_known_however_it_is_written(written: bytes) -> None:
    told = mail(b"Content-Transfer-Encoding: " + written, body=base64.b64encode(b"hello"))
    assert parse_message(told)["text"] == "hello"


def test_base64_in_pieces_is_read_whole_and_a_footer_behind_it_is_not() -> None:
    one, two = base64.b64encode(b"first!!"), base64.b64encode(b"second.")
    assert decode_base64(one + b"\r\n" + two) == b"first!!second."
    assert decode_base64(one + b"\r\n-- \r\nThe list\r\n") == b"first!!"


@pytest.mark.parametrize("kind", [b"text/enriched", b"text/x-anything", b"text/markdown"])
def test_words_of_an_unknown_kind_are_words(kind: bytes) -> None:
    payload = parse_message(mail(b"Content-Type: " + kind, body=b"hello\n"))
    assert (payload["text"], payload["attachments"]) == ("hello", [])


def test_text_that_is_data_is_an_attachment() -> None:
    payload = parse_message(mail(b"Content-Type: text/csv", body=b"a,b\n"))
    assert [one["content_type"] for one in payload["attachments"]] == ["text/csv"]


def test_an_invitation_is_read_in_its_charset() -> None:
    entry = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260310T090000Z\nSUMMARY:10 €\n"
    body = (entry + "END:VEVENT\nEND:VCALENDAR\n").encode("iso-8859-15")
    told = mail(b"Content-Type: text/calendar; method=REQUEST; charset=iso-8859-15", body=body)
    assert parse_message(told)["invitation"]["summary"] == "10 €"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Tue, 10 Mar 2026 08:40:00 +05:30", "2026-03-10T08:40:00+05:30"),
        ("Tue, 10 Mar 2026 08:40:00 GMT+02:00", "2026-03-10T08:40:00+02:00"),
        ("Tue, 10 Mar 2026 08:40:00 --0400", "2026-03-10T08:40:00-04:00"),
        ("Tue, 10 Mar 2026 08:40:00 PM", "2026-03-10T20:40:00+00:00"),
        ("Tue, 10 Mar 2026 12:40:00 AM", "2026-03-10T00:40:00+00:00"),
        ("Mon, 3 Jan 100 08:40:00 +0000", "2000-01-03T08:40:00+00:00"),
        ("Fri, 22 Jun 0001 08:40:00 -0700", "2001-06-22T08:40:00-07:00"),
        ('10 Mar 2026 08:40:00 "EST"', "2026-03-10T08:40:00-05:00"),
        ("01 Jan 2001 00:01+0000", "2001-01-01T00:01:00+00:00"),
    ],
)
def test_odd_dates_are_understood(written: str, read: str) -> None:
    moment = parse_date(written)
    assert moment is not None
    assert moment.isoformat() == read
