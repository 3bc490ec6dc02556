"""Who becomes a contact, and that nobody has to read the mailbox twice for it."""

from __future__ import annotations

from typing import Any

import pytest
from crm_hub_connectors.imap.tests.mailbox import Mailbox, mail
from crm_hub_connectors.imap.wire import Wire

US = "Ann Lee <ann@clearwater.example>"


@pytest.fixture
def office(box: Mailbox) -> Mailbox:
    box.restart(own="clearwater.example")
    return box


@pytest.fixture
def headers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every FETCH that asked for the header fields of people."""
    asked: list[str] = []
    real = Wire.fetch

    def fetch(self: Wire, uids: str, items: str, more: str = "") -> Any:
        if "AUTO-SUBMITTED" in items:
            asked.append(uids)
        return real(self, uids, items, more)

    monkeypatch.setattr(Wire, "fetch", fetch)
    return asked


def sent(number: int, to: str, **more: Any) -> bytes:
    return mail(number, sender=US, to=to, **more)


def test_whom_we_wrote_to_becomes_a_contact_and_who_only_wrote_to_us_does_not(
    office: Mailbox,
) -> None:
    office.deliver("Sent", sent(1, "Cleo Park <cleo@marlow.example>, bob@marlow.example"))
    office.deliver("INBOX", mail(2, sender="Stranger <who@else.example>"))
    office.pull()
    office.meet()
    assert office.contacts() == {"cleo@marlow.example": "Cleo Park", "bob@marlow.example": ""}


def test_who_answers_a_mail_of_ours_becomes_a_contact_too(office: Mailbox) -> None:
    office.deliver("Sent", sent(1, "list@marlow.example"))
    office.pull()
    office.meet()
    office.deliver(
        "INBOX",
        mail(2, sender="Dana Roy <dana@marlow.example>", more="In-Reply-To: <m1@firm.example>"),
        mail(3, sender="Eve <eve@marlow.example>", more="In-Reply-To: <other@firm.example>"),
    )
    office.restart()
    office.pull()
    office.meet()
    assert "dana@marlow.example" in office.contacts()
    assert "eve@marlow.example" not in office.contacts()


def test_machines_shared_mailboxes_and_ourselves_are_no_contacts(office: Mailbox) -> None:
    office.restart(people="senders")
    office.deliver(
        "Sent",
        sent(1, "info@marlow.example, no-reply@shop.example, bob@clearwater.example"),
    )
    office.deliver(
        "INBOX",
        mail(2, sender="News <news1@shop.example>", more="List-Id: <news.shop.example>"),
        mail(3, sender="Robot <robot@shop.example>", more="Auto-Submitted: auto-generated"),
        mail(4, sender="MAILER-DAEMON@mx.example", more="Return-Path: <>"),
        mail(5, sender="sales@shop.example"),
        mail(6, sender="Gus Ode <gus@shop.example>"),
    )
    office.pull()
    office.meet()
    assert office.contacts() == {"gus@shop.example": "Gus Ode"}


def test_with_people_none_there_is_no_such_stream(box: Mailbox) -> None:
    box.restart(people="none")
    assert [stream.name for stream in box.connector.discover()] == ["mail"]


def test_people_cost_no_fetch_of_their_own(office: Mailbox, headers: list[str]) -> None:
    office.deliver("Sent", *(sent(n, f"p{n}@marlow.example") for n in range(20)))
    office.pull()
    office.meet()
    office.deliver("Sent", sent(20, "p20@marlow.example"))
    office.pull()
    office.meet()
    assert len(office.people) == 21
    assert headers == []
    assert office.meet() == []


def test_people_of_mail_whose_collecting_was_cut_off_are_found_by_headers(
    office: Mailbox, headers: list[str]
) -> None:
    office.deliver("Sent", *(sent(n, f"p{n}@marlow.example") for n in range(5)))
    office.pull()
    office.meet()
    office.deliver("Sent", *(sent(n, f"p{n}@marlow.example") for n in range(5, 9)))
    office.pull()
    office.restart()  # as if killed between the two streams
    office.pull()
    office.meet()
    assert headers == ["6:9"]
    assert len(office.people) == 9


def test_people_can_be_read_before_any_mail_was(office: Mailbox, headers: list[str]) -> None:
    office.deliver("Sent", *(sent(n, f"p{n}@marlow.example") for n in range(3)))
    office.meet()
    assert len(office.people) == 3
    assert headers == ["1:3"]


def test_a_name_that_comes_later_is_added_and_none_takes_it_away(office: Mailbox) -> None:
    office.deliver("Sent", sent(1, "cleo@marlow.example"))
    office.pull()
    office.meet()
    assert office.contacts() == {"cleo@marlow.example": ""}
    office.deliver("Sent", sent(2, "Cleo Park <Cleo@Marlow.example>"))
    office.pull()
    office.meet()
    assert list(office.contacts().values()) == ["Cleo Park"]
    office.deliver("Sent", sent(3, "cleo@marlow.example"))
    office.pull()
    office.meet()
    assert list(office.contacts().values()) == ["Cleo Park"]


def test_a_deleted_mail_leaves_its_contact(office: Mailbox) -> None:
    office.deliver("Sent", sent(1, "cleo@marlow.example"))
    office.pull()
    office.meet()
    with office.user_session("Sent") as user:
        user.delete_messages([1])
        user.expunge()
    office.pull()
    office.meet()
    assert len(office.people) == 1


def test_another_policy_takes_those_out_who_no_longer_count(office: Mailbox) -> None:
    office.restart(people="senders")
    office.deliver("Sent", sent(1, "cleo@marlow.example"))
    office.deliver("INBOX", mail(2, sender="Gus <gus@shop.example>"))
    office.pull()
    office.meet()
    assert len(office.people) == 2
    office.restart(people="replied")
    office.pull()
    office.meet()
    assert list(office.contacts()) == ["cleo@marlow.example"]


# what must never be kept ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        "gus@shop.example", "shop.example", "SHOP.example", "subject:salary", "label:Private",
        "label:private/deep", "cc@hidden.example",
    ],
)  # fmt: skip
def test_a_listed_mail_is_never_handed_over_and_not_missed_in_the_count(
    office: Mailbox, rule: str
) -> None:
    office.restart(never_log=rule, people="senders")
    office.deliver("INBOX", mail(1))
    listed = mail(
        2, sender="Gus <gus@mail.shop.example>" if "SHOP" in rule else "Gus <gus@shop.example>",
        subject="Your Salary", more="Cc: cc@hidden.example",
    )  # fmt: skip
    folder = {"label:Private": "Private", "label:private/deep": "Private/Deep"}.get(rule, "INBOX")
    office.deliver(folder, listed)
    pages = office.pull()
    office.meet()
    assert set(office.subjects()) == {"Order 1"}
    assert pages[-1].source_count == 1
    assert not [a for a in office.contacts() if "shop" in a]
    assert office.pull() == []


def test_a_list_that_comes_later_takes_mail_and_people_out_again(office: Mailbox) -> None:
    office.deliver("Sent", sent(1, "cleo@marlow.example"), sent(2, "gus@shop.example"))
    office.deliver("INBOX", *(mail(n, sender="gus@shop.example") for n in range(3, 40)))
    office.pull()
    office.meet()
    assert len(office.records) == 39
    office.restart(never_log="shop.example")
    office.pull()
    office.meet()
    assert office.subjects() == {"Order 1": ["Sent"]}
    assert list(office.contacts()) == ["cleo@marlow.example"]
    assert office.counts[-1] == 1
    office.restart(never_log="")
    office.pull()
    office.meet()
    assert len(office.records) == 39
    assert len(office.people) == 2


def test_a_list_beats_a_backfill(office: Mailbox) -> None:
    from datetime import UTC, datetime

    office.deliver("INBOX", mail(1), mail(2, sender="gus@shop.example"))
    office.restart(never_log="shop.example")
    pages = office.window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    assert [c.payload["subject"] for p in pages for c in p.changes if c.payload] == ["Order 1"]


def test_a_keyword_that_is_set_later_takes_the_mail_out(office: Mailbox) -> None:
    office.restart(never_log="label:private")
    office.deliver("INBOX", mail(1), mail(2))
    office.pull()
    with office.user_session() as user:
        user.add_flags([2], [b"Private"])
    office.pull()
    assert set(office.subjects()) == {"Order 1"}
    assert office.counts[-1] == 1
    with office.user_session() as user:
        user.remove_flags([2], [b"Private"])
    office.pull()
    assert set(office.subjects()) == {"Order 1", "Order 2"}


def test_a_relook_that_is_killed_goes_on_and_ends_the_same(office: Mailbox) -> None:
    office.page_items = 3
    office.deliver("INBOX", *(mail(n, sender=f"gus@shop{n % 2}.example") for n in range(20)))
    office.pull()
    office.restart(never_log="shop1.example")
    while office.pull(pages=1):
        office.restart()
    assert len(office.records) == 10
