"""What of a message is handed over: its words, its attachments by name, and nothing unasked for."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from crm_hub_connectors.imap.letters import BODY_BYTES, internal_date
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from crm_hub_connectors.imap.wire import Refused, Wire

FORM = "\r\n".join(
    [
        "From: Cleo Park <cleo@marlow.example>",
        "To: ann@clearwater.example",
        "Subject: Re: The pump",
        "Date: Tue, 10 Mar 2026 08:40:00 -0400",
        "Message-ID: <c1@marlow.example>",
        "In-Reply-To: <s1@clearwater.example>",
        "References: <s0@clearwater.example> <s1@clearwater.example>",
        "X-Google-Original-Message-ID: <orig@marlow.example>",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "It fits.",
        "",
        "On Mon, Ann wrote:",
        "> Does it fit?",
        "-- ",
        "Cleo",
        "--b",
        'Content-Type: application/pdf; name="plan.pdf"',
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment",
        "",
        "CONTENT",
        "--b--",
        "",
    ]
)


def form(content: str = "AAAA") -> bytes:
    return FORM.replace("CONTENT", content).encode()


def only(box: Mailbox) -> dict[str, object]:
    box.pull()
    (payload,) = box.records.values()
    return payload


def test_a_mail_carries_all_that_threading_needs(box: Mailbox) -> None:
    box.deliver("INBOX", form())
    payload = only(box)
    assert payload["message_id"] == "c1@marlow.example"
    assert payload["references"] == ["s0@clearwater.example", "s1@clearwater.example"]
    assert payload["in_reply_to"] == "s1@clearwater.example"
    assert payload["original_message_id"] == "orig@marlow.example"
    assert payload["subject_key"] == "the pump"
    assert payload["provider_thread_id"] == ""


def test_an_answer_comes_without_quote_and_signature(box: Mailbox) -> None:
    box.deliver("INBOX", form())
    assert only(box)["reply_text"] == "It fits."


def test_an_attachment_is_named_and_never_carried(box: Mailbox) -> None:
    box.deliver("INBOX", form("U2VjcmV0cw=="))
    payload = only(box)
    assert payload["attachments"] == [
        {"filename": "plan.pdf", "content_type": "application/pdf", "size": 7, "part": "2"}
    ]
    assert "U2VjcmV0cw" not in json.dumps(payload)


def test_of_a_big_mail_the_text_is_fetched_and_its_attachments_are_listed(box: Mailbox) -> None:
    lines = "\r\n".join(["QUJD" * 19] * 40_000)
    last = "--b\r\nContent-Type: image/png; name*=utf-8''l%C3%B6go.png\r\n\r\nPNG\r\n--b--"
    box.deliver("INBOX", mail(1), form(lines).replace(b"--b--", last.encode()), mail(2))
    box.pull()
    payload = next(r for r in box.records.values() if r["truncated"])
    assert payload["reply_text"] == "It fits."
    plan, logo = payload["attachments"]
    assert (plan["filename"], plan["content_type"], plan["part"]) == (
        "plan.pdf", "application/pdf", "2",
    )  # fmt: skip
    assert abs(plan["size"] / (40_000 * 57) - 1) < 0.01
    assert (logo["filename"], logo["part"]) == ("lögo.png", "3")
    assert len(json.dumps(payload)) < 10_000
    assert len(box.records) == 3


def test_a_server_that_cannot_list_the_parts_of_a_big_mail_still_gives_its_text(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Wire.run

    def run(self: Wire, command: bytes) -> Iterator[list[bytes]]:
        if b"BODYSTRUCTURE" in command:
            raise Refused("NO internal error")
        return real(self, command)

    monkeypatch.setattr(Wire, "run", run)
    box.deliver("INBOX", form("\r\n".join(["QUJD" * 19] * 10_000)))
    payload = only(box)
    assert payload["reply_text"] == "It fits."
    (one,) = payload["attachments"]  # type: ignore[misc]
    assert (one["filename"], one["size"]) == ("plan.pdf", None)


def test_a_pull_killed_before_a_big_mail_came_reads_it_later(box: Mailbox) -> None:
    box.page_items = 1
    lines = "\r\n".join(["QUJD" * 19] * 10_000)
    box.deliver("INBOX", form(lines), mail(1), mail(2))
    while box.pull(pages=1):
        box.restart()
    assert len(box.records) == 3


def test_a_mail_just_below_the_cap_is_whole(box: Mailbox) -> None:
    empty = len(form("")) + 2 * form("").count(b"\n\n")
    box.deliver("INBOX", form("A" * ((BODY_BYTES - empty - 10) // 4 * 4)))
    payload = only(box)
    assert payload["truncated"] is False
    assert payload["attachments"][0]["size"] > 100_000  # type: ignore[index]


@pytest.mark.parametrize(
    ("visibility", "kept", "lost"),
    [
        ("full", ["It fits", "The pump", "plan.pdf"], []),
        ("subject", ["The pump", "plan.pdf", "cleo@marlow.example"], ["It fits"]),
        ("metadata", ["cleo@marlow.example"], ["It fits", "The pump", "the pump", "plan.pdf"]),
    ],
)
def test_visibility_decides_what_leaves_the_mailbox(
    box: Mailbox, visibility: str, kept: list[str], lost: list[str]
) -> None:
    box.restart(visibility=visibility)
    box.deliver("INBOX", form())
    payload = only(box)
    text = json.dumps(payload)
    assert payload["visibility"] == visibility
    assert [word for word in kept if word not in text] == []
    assert [word for word in lost if word in text] == []


def test_a_stricter_visibility_reaches_what_is_stored_already(box: Mailbox) -> None:
    box.deliver("INBOX", form())
    assert only(box)["text"]
    box.restart(visibility="metadata")
    assert only(box)["text"] == ""
    assert box.pull() == []


def test_sent_mail_goes_out_by_folder_and_by_sender(box: Mailbox) -> None:
    box.deliver("Sent", mail(1, sender="other@alias.example", to="x@firm.example"))
    box.deliver("INBOX", mail(2, sender=box.user, to="x@firm.example"), mail(3))
    box.pull()
    found = {r["subject"]: r["direction"] for r in box.records.values()}
    assert found == {"Order 1": "out", "Order 2": "out", "Order 3": "in"}


def test_a_bounce_names_whom_it_did_not_reach_and_is_automated(box: Mailbox) -> None:
    report = "\r\n".join(
        [
            "From: MAILER-DAEMON@mx.example", "To: ann@clearwater.example", "Subject: failed",
            "Date: Tue, 10 Mar 2026 12:00:00 +0000", "Message-ID: <b1@mx.example>",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=r", "",
            "--r", "Content-Type: text/plain", "", "Sorry.",
            "--r", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example",
            "", "Final-Recipient: rfc822; gone@firm.example", "Action: failed", "Status: 5.1.1",
            "--r--", "",
        ]
    )  # fmt: skip
    box.deliver("INBOX", report.encode())
    payload = only(box)
    assert payload["automated"] is True
    assert payload["bounce"]["recipient"] == "gone@firm.example"  # type: ignore[index]


def test_a_mail_without_a_date_is_told_by_its_arrival(box: Mailbox) -> None:
    from datetime import UTC, datetime

    raw = mail(1).replace(b"Date: ", b"X-Date: ").replace(b"Received: ", b"X-Received: ")
    with box.user_session() as user:
        user.append("INBOX", raw, msg_time=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert only(box)["occurred_at"] == "2026-02-03T04:05:06+00:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17-Jul-2026 02:44:25 -0700", "2026-07-17T09:44:25+00:00"),
        (" 7-Jul-2026 02:44:25 +0530", "2026-07-06T21:14:25+00:00"),
        ("07-jul-2026 23:59:60 +0000", "2026-07-07T23:59:59+00:00"),
        ("7-Juli-2026 02:44:25 +0000", None),
        ("", None),
        ("31-Feb-2026 02:44:25 +0000", None),
        ("1-Jan-0001 00:00:00 +1400", None),
    ],
)
def test_the_time_of_arrival_is_read(text: str, expected: str | None) -> None:
    found = internal_date(text)
    assert (found.isoformat() if found else None) == expected
