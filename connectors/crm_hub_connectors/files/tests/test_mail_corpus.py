"""Real malformed mail is read, and where the standard library reads a field, as it does."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from crm_hub_connectors.files.mail import read_eml

from crm_hub.sdk.formats.items import Item

CHECKOUT = Path(__file__).resolve().parents[4]
CORPUS = CHECKOUT.parent / "shared" / "corpora" / "mail"
FILES = sorted(CORPUS.glob("*.eml"))
WELL_FORMED = ("attachment_emails", "mime_emails", "multi_charset", "plain_emails", "rfc2822")
# Where we read more than the standard library does, and a person would agree with us.
BETTER = {"rfc2822__example10.eml", "rfc2822__example13.eml"}

pytestmark = pytest.mark.skipif(not FILES, reason=f"no corpus beside the checkout: {CORPUS.name}")


def _item(path: Path) -> Item:
    (item,) = read_eml(path)
    assert isinstance(item, Item), item
    return item


def test_every_message_of_the_corpus_is_read() -> None:
    assert len(FILES) >= 100
    items = [_item(path) for path in FILES]
    assert len({item.id for item in items}) > 60


@pytest.mark.parametrize(
    "path", [f for f in FILES if f.name.startswith(WELL_FORMED)], ids=lambda p: p.name
)
def test_sender_subject_and_id_of_well_formed_mail_are_right(path: Path) -> None:
    raw = path.read_bytes().lstrip(b"\r\n")
    theirs = email.message_from_bytes(raw)
    payload = _item(path).payload
    subject = theirs.get("Subject")
    if isinstance(subject, str):
        words = str(make_header(decode_header(subject.replace("\r", "").replace("\n", ""))))
        assert payload["subject"] == " ".join(words.split())
    sender = str(theirs.get("From", ""))
    if path.name not in BETTER and "@" in sender:
        assert payload["from"]["address"] in sender
        assert payload["from"]["address"]
    if theirs.get("Message-ID") and path.name not in BETTER:
        assert payload["message_id"] in str(theirs["Message-ID"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("multi_charset__japanese_shift_jis.eml", "あいうえお"),
        ("multi_charset__japanese_iso_2022.eml", "すみません。"),
        ("multi_charset__ks_c_5601-1987.eml", "스티해"),
        ("plain_emails__raw_email_reply.eml", "Message body"),
        ("mime_emails__raw_email_with_illegal_boundary.eml", "This is an outlook test"),
    ],
)
def test_bodies_in_odd_charsets_and_structures_are_read(name: str, text: str) -> None:
    assert text in _item(CORPUS / name).payload["text"]


@pytest.mark.parametrize(
    ("name", "recipient", "status"),
    [
        ("multipart_report_emails__report_530.eml", "edwin@zzzzzzz.com", "5.3.0"),
        ("multipart_report_emails__report_422.eml", "fraser@oooooooo.com.au", "4.2.2"),
        ("multipart_report_emails__multipart_report_multiple_status.eml", "u@ci.com", "5.3.0"),
    ],
)
def test_delivery_reports_name_the_recipient(name: str, recipient: str, status: str) -> None:
    bounce = _item(CORPUS / name).payload["bounce"]
    assert (bounce["recipient"], bounce["status"]) == (recipient, status)
