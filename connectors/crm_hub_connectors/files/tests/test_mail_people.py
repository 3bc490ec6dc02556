"""Who is us, who is a machine, and whom a mailbox knows."""

from __future__ import annotations

from typing import Any

import pytest
from crm_hub_connectors.files.mail import Correspondents, Own, parse_message

from crm_hub.model.errors import ConfigError

OWN = Own.parse("clearwater.example, me@private.example")


def _mail(sender: str, to: str, *fields: str) -> dict[str, Any]:
    head = "\n".join([f"From: {sender}", f"To: {to}", *fields])
    return parse_message(f"{head}\n\nhello\n".encode(), OWN)


def _people(*mails: dict[str, Any], own: Own = OWN) -> dict[str, dict[str, Any]]:
    people = Correspondents(own)
    for payload in mails:
        people.add(payload)
    return {item.id: item.payload for item in people.items()}


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("Bob@Clearwater.example", True),
        ("bob@mail.clearwater.example", True),
        ("me@private.example", True),
        ("you@private.example", False),
        ("bob@notclearwater.example", False),
        ("", False),
    ],
)
def test_our_addresses_and_domains_are_ours(address: str, own: bool) -> None:
    assert OWN.is_own(address) is own


@pytest.mark.parametrize("text", ["clearwater", "a b@x.example", "a@b@x.example", "@"])
def test_a_setting_that_is_no_address_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Own.parse(text)
    assert caught.value.remedy


def test_those_who_wrote_to_us_and_those_we_wrote_to_are_people() -> None:
    people = _people(
        _mail("Ann Lee <Ann@Acme.example>", "bob@clearwater.example"),
        _mail("bob@clearwater.example", "ann@acme.example, Joe <joe@acme.example>"),
    )
    assert people == {
        "ann@acme.example": {"address": "Ann@Acme.example", "name": "Ann Lee", "seen_in": 2},
        "joe@acme.example": {"address": "joe@acme.example", "name": "Joe", "seen_in": 1},
    }


def test_other_recipients_of_a_mail_to_us_are_not() -> None:
    assert set(_people(_mail("ann@acme.example", "bob@clearwater.example, x@other.example"))) == {
        "ann@acme.example"
    }


@pytest.mark.parametrize(
    "sender",
    [
        "no-reply@acme.example", "noreply+7@acme.example", "MAILER-DAEMON@acme.example",
        "bounces-77@acme.example", "info@acme.example", "sales@acme.example",
        "bob@clearwater.example", "nobody",
    ],
)  # fmt: skip
def test_machines_shared_mailboxes_and_ourselves_are_not(sender: str) -> None:
    assert _people(_mail(sender, "bob@clearwater.example")) == {}


@pytest.mark.parametrize(
    "field", ["Precedence: list", "X-Gmail-Labels: Spam", "X-Gmail-Labels: Drafts"]
)
def test_newsletters_spam_and_drafts_make_no_people(field: str) -> None:
    assert _people(_mail("ann@acme.example", "bob@clearwater.example", field)) == {}


def test_without_own_addresses_the_senders_of_sent_mail_are_taken_for_us() -> None:
    sent = parse_message(
        b"From: bob@clearwater.example\nTo: ann@acme.example\nX-Gmail-Labels: Sent\n\nx"
    )
    kept = parse_message(b"From: bob@clearwater.example\nTo: joe@acme.example\n\nx")
    assert set(_people(kept, sent, own=Own())) == {"ann@acme.example"}


def test_reading_goes_on_at_any_offset() -> None:
    people = Correspondents(OWN)
    for name in "cab":
        people.add(_mail(f"{name}@acme.example", "bob@clearwater.example"))
    whole = list(people.items())
    assert [item.id[0] for item in whole] == ["a", "b", "c"]
    assert list(people.items(whole[0].offset)) == whole[1:]
