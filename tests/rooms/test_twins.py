"""Tellings of one Message-ID: copies of a mail are one event, different mails are several."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.timeline import alike

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
BODY = "We looked at the filters again and would like ten of them before the end of the month."
OTHER = "Your invoice of March is attached; please pay it within fourteen days, thank you so much."
BANNER = "CAUTION: this mail came from outside of the firm. Do not open what you do not expect.\n"


def mail(
    subject: str = "Filters", body: str = BODY, *, at: int = 0, sender: str = "ann@acme.example",
    to: tuple[str, ...] = ("bob@ours.example",),
) -> EventDraft:  # fmt: skip
    people = [ParticipantDraft("from", f"e:{sender}")]
    people += [ParticipantDraft("to", f"e:{one}") for one in to]
    return EventDraft(
        "mail", "email.received", at, "mail|m1", subject=subject, body=body, message_ids=["m1"],
        participants=people,
    )  # fmt: skip


COPIES = {
    "the same": mail(),
    "another folder, a tag and a footer": mail("[users] Filters", BODY + "\n-- \nusers, the list"),
    "a banner before it": mail("[EXT] Filters", BANNER + BODY),
    "sent in the name of the list": mail("[users] Filters", sender="users@lists.example"),
    "HTML made text": mail(body=BODY.replace(" ", "\n").replace(",", " ,").upper()),
    "cut short": mail(body=BODY[: len(BODY) // 2]),
    "encrypted here": mail(body=""),
    "dated by the server": mail(at=90 * SECOND),
    "logged by a CRM, to nobody": mail(to=(), at=SECOND // 2),
}
OTHERS = {
    "another day": mail(at=DAY),
    "another text at another hour": mail(body=OTHER, at=3 * HOUR),
    "other words at the same second": mail("Your invoice", OTHER),
    "the same subject to somebody else": mail(body=OTHER, to=("eve@ours.example",)),
    "the same heads, other words": mail(body=OTHER),
    "another sender": mail(sender="zoe@else.example", at=5 * SECOND),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_copies_of_one_mail_are_one(copy) -> None:
    assert alike([mail(), copy]) == [[0, 1]]


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_different_mails_under_one_id_are_two(other) -> None:
    assert alike([mail(), other]) == [[0], [1]]


@given(data=st.data())
def test_what_is_alike_does_not_depend_on_the_order(data) -> None:
    whole = st.sampled_from([*COPIES.values(), *OTHERS.values()])
    found = [
        replace(one, entry=str(n), occurred_at_us=one.occurred_at_us + data.draw(st.integers(0, 2)))
        for n, one in enumerate(data.draw(st.lists(whole, min_size=1, max_size=9)))
    ]
    shuffled = data.draw(st.permutations(found))

    def parts(drafts: list[EventDraft]) -> set[frozenset[str]]:
        return {frozenset(drafts[place].entry for place in one) for one in alike(drafts)}

    assert parts(shuffled) == parts(found)


def test_a_program_that_gives_all_its_mails_one_id_costs_no_more_than_their_number() -> None:
    found = [mail(f"Invoice {n}", f"{n} {OTHER}", at=n // 500) for n in range(5_000)]
    assert len(alike(found)) == 5_000
    assert len(alike([mail("Invoice", f"{n} {OTHER} {n}") for n in range(1_000)])) <= 1_000
