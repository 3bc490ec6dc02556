"""What a message says, read from its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.files.mail import Own, parse_message, read_eml, read_mbox
from crm_hub_connectors.files.readers import read_ics
from crm_hub_connectors.files.tests.nasty import mail
from crm_hub_connectors.files.tests.test_calendar import NOW
from crm_hub_connectors.files.tests.test_calendar import SAMPLE as CALENDAR
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_hub.model.errors import RecordError
from crm_hub.sdk.formats.items import Item
from crm_hub.sdk.formats.mail_dates import parse_date
from crm_hub.sdk.formats.mail_headers import addresses

FIXTURES = Path(__file__).parent.parent / "fixtures" / "mail"
OWN = Own.parse("clearwater.example")


def _sample(number: int) -> dict[str, Any]:
    items = [i for i in read_mbox(FIXTURES / "inbox.mbox", own=OWN) if isinstance(i, Item)]
    return items[number].payload


def test_a_reply_says_who_wrote_what_to_whom() -> None:
    reply = _sample(1)
    assert reply["from"] == {"address": "ann.lee@acme.example", "name": "Ann Lee"}
    assert reply["cc"] == [{"address": "joerg@acme.example", "name": "Jörg Müller"}]
    assert (reply["subject"], reply["subject_key"]) == ("Re: Filters", "filters")
    assert reply["date"] == "2026-03-10T08:40:00-04:00"
    assert reply["received_at"] == "2026-03-10T12:40:05+00:00"
    assert reply["thread_id"] == reply["in_reply_to"] == "m0@clearwater.example"
    assert reply["reply_text"] == reply["snippet"] == "We take ten. The order is attached."
    assert "how many filters" in reply["text"]
    assert reply["attachments"] == [
        {"filename": "order.pdf", "content_type": "application/pdf", "size": 28, "part": "2"}
    ]
    assert (reply["direction"], reply["automated"], reply["truncated"]) == ("in", False, False)


def test_our_own_mail_goes_out_and_begins_its_thread() -> None:
    sent = _sample(0)
    assert (sent["direction"], sent["thread_id"]) == ("out", "m0@clearwater.example")
    assert sent["to"] == [{"address": "ann.lee@acme.example", "name": "Lee, Ann"}]


def test_a_delivery_report_names_the_address_that_failed() -> None:
    report = _sample(2)
    assert (report["automated"], report["direction"]) == (True, "in")
    assert report["bounce"] == {
        "recipient": "old@acme.example",
        "status": "5.1.1",
        "action": "failed",
        "recipients": ["old@acme.example"],
    }


def test_an_invitation_has_the_key_of_its_calendar_entry() -> None:
    (item,) = read_eml(FIXTURES / "invitation.eml")
    assert isinstance(item, Item)
    invitation = item.payload["invitation"]
    entry = next(i.payload for i in read_ics(CALENDAR, now=NOW) if isinstance(i, Item))
    for name in ("meeting_id", "uid", "recurrence_id", "start", "end", "sequence", "summary"):
        assert invitation[name] == entry[name], name
    assert invitation["method"] == "request"


def test_a_cancelled_invitation_is_cancelled() -> None:
    raw = (FIXTURES / "invitation.eml").read_bytes().replace(b"REQUEST", b"CANCEL")
    assert parse_message(raw)["invitation"]["status"] == "cancelled"


@pytest.mark.parametrize(
    "field",
    [
        b"Auto-Submitted: auto-generated",
        b"Precedence: bulk",
        b"List-Id: News <news.acme.example>",
        b"List-Unsubscribe: <https://acme.example/u>",
        b"Return-Path: <>",
    ],
)
def test_mail_of_machines_is_automated(field: bytes) -> None:
    assert parse_message(mail(field))["automated"]


def test_mail_of_people_is_not_automated() -> None:
    assert not parse_message(mail(b"Auto-Submitted: no", b"Return-Path: <a@b.example>"))[
        "automated"
    ]


@pytest.mark.parametrize(
    ("field", "body", "kind"),
    [
        (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data", b"MIAG", "smime"),
        (b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
         b"--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n", "pgp"),
        (b"X-A: b", b"-----BEGIN PGP MESSAGE-----\n\nabc\n", "pgp"),
    ],
)  # fmt: skip
def test_encrypted_mail_stays_closed(field: bytes, body: bytes, kind: str) -> None:
    payload = parse_message(mail(field, body=body))
    assert (payload["encrypted"], payload["text"], payload["snippet"]) == (kind, "", "")


def test_html_alone_gives_its_text_and_plain_text_wins_beside_it() -> None:
    html = b"<style>p{}</style><p>Hi&nbsp;<b>Bob</b></p><script>x()</script><p>Ann &amp; Co</p>"
    payload = parse_message(mail(b"Content-Type: text/html", body=html))
    assert payload["text"] == "Hi Bob\nAnn & Co"


def test_a_plain_footer_does_not_hide_an_html_body() -> None:
    body = (
        b"--b\nContent-Type: text/html\n\n<p>The body</p>\n"
        b"--b\nContent-Type: text/plain\n\nlist footer\n--b--\n"
    )
    text = parse_message(mail(b"Content-Type: multipart/mixed; boundary=b", body=body))["text"]
    assert text == "The body\nlist footer"


def test_a_date_later_than_the_arrival_is_not_believed() -> None:
    arrival = b"Received: by mx; Tue, 10 Mar 2026 08:00:00 +0000\n"
    payload = parse_message(arrival + b"Date: Tue, 10 Mar 2036 08:00:00 +0000\n\nx")
    assert payload["occurred_at"] == "2026-03-10T08:00:00+00:00"
    assert payload["date"] == "2036-03-10T08:00:00+00:00"


def test_labels_of_a_takeout_tell_sent_mail_drafts_and_spam() -> None:
    assert parse_message(mail(b"X-Gmail-Labels: Sent,Important"))["direction"] == "out"
    assert parse_message(mail(b"X-Gmail-Labels: =?utf-8?q?Entw=C3=BCrfe?="))["state"] == "draft"
    assert parse_message(mail(b"X-Gmail-Labels: Spam"))["state"] == "spam"


def test_what_has_no_header_is_no_mail() -> None:
    with pytest.raises(RecordError) as caught:
        parse_message(b"hello there\nhow are you\n")
    assert caught.value.remedy


def test_copies_of_one_mail_without_id_have_the_same_body_hash() -> None:
    one = mail(body=b"Hello Bob,\n\nten filters please\n")
    two = mail(
        b"Content-Transfer-Encoding: quoted-printable",
        body=b"Hello Bob,\r\n\r\nten =\r\nfilters please\r\n\r\n",
    )
    assert parse_message(one)["body_hash"] == parse_message(two)["body_hash"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ann <a@x.example>", [("a@x.example", "Ann")]),
        ('"Lee, A" <a@x.example>, b@x.example', [("a@x.example", "Lee, A"), ("b@x.example", "")]),
        ("Lee, Ann <a@x.example>", [("a@x.example", "Lee, Ann")]),
        ("a@x.example (Ann Lee)", [("a@x.example", "Ann Lee")]),
        ("Team: a@x.example, B <b@x.example>;", [("a@x.example", ""), ("b@x.example", "B")]),
        ("undisclosed-recipients:;", []),
        ("", []),
        ("<mailto:a@x.example>", [("a@x.example", "")]),
        ("a@x.example <a@x.example>", [("a@x.example", "")]),
        ("'a@x.example' <a@x.example>", [("a@x.example", "")]),
        ("a@x.example; b@x.example", [("a@x.example", ""), ("b@x.example", "")]),
        ('"Ann <a@x.example>', [("a@x.example", "")]),
        ("=?utf-8?q?J=C3=B6rg?= <j@x.example>", [("j@x.example", "Jörg")]),
        ("=?utf-8?b?SsO2cmcsIEE=?= <j@x.example>", [("j@x.example", "Jörg, A")]),
        ("John <jdoe@machine(comment).example>", [("jdoe@machine.example", "John")]),
        ("no address here", [("", "no address here")]),
    ],
)  # fmt: skip
def test_addresses_of_all_programs_are_understood(
    written: str, read: list[tuple[str, str]]
) -> None:
    assert [(a["address"], a["name"]) for a in addresses(written)] == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Tue, 10 Mar 2026 08:40:00 -0400", "2026-03-10T08:40:00-04:00"),
        ("10 Mar 2026 08:40 GMT", "2026-03-10T08:40:00+00:00"),
        ("Tue, 10 Mar 2026 08:40:00 -0000", "2026-03-10T08:40:00+00:00"),
        ("Tue, 10 Mar 26 08:40:00 EST", "2026-03-10T08:40:00-05:00"),
        ("Tue Mar 10 08:40:00 2026", "2026-03-10T08:40:00+00:00"),
        ("2026-03-10T08:40:00+01:00", "2026-03-10T08:40:00+01:00"),
        ("Sun, 31 Dec 2023 23:59:60 +0000", "2023-12-31T23:59:59+00:00"),
    ],
)
def test_dates_of_all_programs_are_understood(written: str, read: str) -> None:
    moment = parse_date(written)
    assert moment is not None
    assert moment.isoformat() == read


@pytest.mark.parametrize(
    "text", ["", "soon", "Tue, 99 Mar 2026 08:40:00 +0000", "1 Jan 2026 10:00 +9999"]
)
def test_a_date_nobody_can_read_is_none(text: str) -> None:
    assert parse_date(text) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=400))
def test_any_bytes_give_a_payload_or_a_record_error(head: bytes, body: bytes) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n" + head + b"\n\n--b\n" + body
    try:
        payload = parse_message(raw)
    except RecordError:
        return
    assert len(payload["snippet"]) <= 200
    assert payload["text"] or not payload["reply_text"]
