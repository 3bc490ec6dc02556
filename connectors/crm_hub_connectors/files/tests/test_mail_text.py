"""The words of a mail: subjects, HTML, quotes and signatures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.model.values import clean_text
from crm_hub.sdk.formats.charsets import decode
from crm_hub.sdk.formats.mailtext import (
    html_to_text,
    reply_text,
    snippet,
    subject_key,
    subject_mark,
)


@pytest.mark.parametrize(
    "subject",
    [
        "Pump order", "Re: Pump order", "RE: Re: Pump  order", "AW: Pump order", "SV: pump order",
        "Fwd: WG: Pump order", "Re[2]: Pump order", "Re (3): Pump order", "回复：Pump order",
        "Antw: Pump order", "[sales] Re: Pump order", "Re: [sales] Pump order", " TR : Pump order",
    ],
)  # fmt: skip
def test_reply_and_forward_marks_do_not_make_another_subject(subject: str) -> None:
    assert subject_key(subject) == "pump order"


def test_words_that_only_look_like_marks_stay() -> None:
    assert subject_key("Reference: 7") == "reference: 7"
    assert subject_key("Ref: 7") == "ref: 7"
    assert subject_key("[urgent]") == "[urgent]"


@pytest.mark.parametrize(
    ("subject", "mark"),
    [
        ("Re: Pump", "reply"), ("AW: WG: Pump", "reply"), ("[x] Re[2]: Pump", "reply"),
        ("WG: AW: Pump", "forward"), ("Fwd: Pump", "forward"), ("FW: Pump", "forward"),
        ("Pump", ""), ("Reference: 7", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_first_mark_tells_an_answer_from_a_forward(subject: str, mark: str) -> None:
    assert subject_mark(subject) == mark


@given(st.text(max_size=60))
def test_a_subject_and_its_reply_have_one_key(subject: str) -> None:
    assert subject_key("Re: " + subject) == subject_key(subject)


def test_html_becomes_lines_of_text() -> None:
    html = (
        "<html><head><title>T</title><style>p{color:red}</style></head><body><!-- no -->"
        "<h1>Offer</h1><p>Dear Ann,<br>ten &lt;pumps&gt;</p><table><tr><td>a</td><td>b</td></tr>"
        "</table><ul><li>one</li><li>two</li></ul></body></html>"
    )
    assert html_to_text(html) == "Offer\nDear Ann,\nten <pumps>\na b\n\none\ntwo"


@pytest.mark.parametrize("bad", ["<script>alert(1)", "<!-- open", "<style>p{", "a < b and c > d"])
def test_broken_html_loses_no_words(bad: str) -> None:
    assert "after" in html_to_text(f"before {bad} after")


@given(st.text(alphabet="<>!-/ascript=\"' \n", max_size=200))
def test_no_element_survives(html: str) -> None:
    assert "<script>" not in html_to_text(html).replace("&lt;", "")


ORIGINAL = "> Ann, how many do you need?\n> Bob"


@pytest.mark.parametrize(
    "mark",
    [
        "On Mon, 9 Mar 2026 at 10:00, Bob Hale <bob@clearwater.example> wrote:",
        "On Mon, 9 Mar 2026 at 10:00, Bob Hale\n<bob@clearwater.example> wrote:",
        "Am 09.03.2026 um 10:00 schrieb Bob Hale:",
        "Le lun. 9 mars 2026 à 10:00, Bob Hale a écrit :",
        "El lun, 9 mar 2026 a las 10:00, Bob Hale escribió:",
        "Op ma 9 mrt 2026 om 10:00 schreef Bob Hale:",
        "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----",
    ],
)
def test_a_quoted_mail_is_taken_off(mark: str) -> None:
    assert reply_text(f"We take ten.\n\n{mark}\n{ORIGINAL}") == "We take ten."


@pytest.mark.parametrize(
    "block",
    [
        "From: Bob Hale\nSent: Monday\nTo: Ann\nSubject: x\n\nHow many?",
        "________________________________\nVon: Bob Hale\nGesendet: Montag\n\nHow many?",
        "De : Bob Hale\nEnvoyé : lundi\n\nHow many?",
    ],
)
def test_a_copied_header_block_is_taken_off(block: str) -> None:
    assert reply_text(f"We take ten.\n\n{block}") == "We take ten."


def test_a_signature_is_taken_off() -> None:
    assert reply_text("We take ten.\n-- \nAnn Lee\n+1 202 555 0101") == "We take ten."


def test_answers_between_quoted_lines_stay() -> None:
    text = "On Monday, Bob wrote:\n> How many?\nTen.\n> When?\nIn May.\n"
    assert reply_text(text) == "Ten.\nIn May."


def test_a_bare_forward_is_given_whole() -> None:
    text = "-----Original Message-----\nFrom: Bob\nSent: Monday\n\nHow many?"
    assert reply_text(text) == text


def test_ordinary_sentences_are_not_taken_for_quotes() -> None:
    text = "On Monday we meet.\nFrom: the station, five minutes.\n-- not a signature\nBye"
    assert reply_text(text) == text


@given(st.text(max_size=300))
def test_a_mail_with_words_never_comes_out_empty(text: str) -> None:
    assert bool(reply_text(text)) == bool(text.strip())


def test_a_snippet_is_one_short_line() -> None:
    assert snippet("a\n\n b") == "a b"
    assert len(snippet("word " * 100)) <= 200


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode("cp1252"), "iso-8859-1", "Grüße"),
        ("€ 10".encode("cp1252"), "iso-8859-1", "€ 10"),
        ("안녕하세요".encode("cp949"), "ks_c_5601-1987", "안녕하세요"),
        ("かきくけこ".encode("cp932"), "Shift_JIS", "かきくけこ"),
        ("かきくけこ".encode("iso2022_jp"), "iso-2022-jp", "かきくけこ"),
        ("Grüße aus Köln".encode("cp1252"), "x-unknown", "Grüße aus Köln"),
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode("utf-16"), "utf-16", "Grüße"),
    ],
)
def test_text_is_read_whatever_its_charset_is_called(raw: bytes, charset: str, text: str) -> None:
    assert decode(raw, charset) == text


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "utf-8", "x", "utf-16", "punycode", "utf-7", "hz", "zlib"]),
)
def test_decoding_never_fails_and_always_gives_text_that_can_be_stored(
    raw: bytes, charset: str
) -> None:
    assert clean_text(decode(raw, charset)).encode("utf-8") is not None
