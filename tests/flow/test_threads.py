"""Conversations: the same messages give the same ones, whatever the order; ids stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_hub.flow import walk_threads as walking
from crm_hub.flow.walk_threads import walk_threads
from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.sdk.testing import servers
from crm_hub.store import Db, Store, ThreadStore
from crm_hub.timeline import Source, compose

HOUR = 3_600_000_000
DAY = 24 * HOUR
FREE = frozenset({"free.example"})
Telling = tuple[int, EventDraft]
PLAIN = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80
)


class _Back(Exception):
    """Leaves the store as it was."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("threads")
    if request.param == "sqlite":
        found = Store("sqlite:///hub.db", folder).open()
        yield found
        found.close()
        return
    try:
        with servers.postgres() as base, servers.postgres_database(base) as url:
            found = Store(url, folder).open()
            yield found
            found.close()
    except servers.Unobtainable as reason:
        pytest.skip(str(reason))


@contextmanager
def empty(store: Store) -> Iterator[Db]:
    try:
        with store.write() as db:
            yield db
            raise _Back
    except _Back:
        pass


class Hub:
    """Feeds tellings of events to the walk as batches, like the walk of events does."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self.told: dict[int, list[Source]] = defaultdict(list)
        self.number_of: dict[int, int] = {}

    def feed(self, batch: Sequence[Telling]) -> None:
        known = set(self.number_of.values())
        for event, draft in batch:
            number = self.number_of.setdefault(event, len(self.number_of) + 1)
            order = f"box#{event}.{len(self.told[number])}"
            self.told[number].append(Source(0, order, draft))
        touched = sorted({self.number_of[event] for event, _ in batch})
        events = {n: compose(self.told[n]) for n in touched}
        walk_threads(self.db, events, self.told, known, FREE)

    def ids(self) -> dict[int, int]:
        """Return event as the test names it → conversation."""
        found = ThreadStore(self.db).conversations_of(self.number_of.values())
        return {e: found[n] for e, n in self.number_of.items() if n in found}

    def parts(self) -> set[frozenset[int]]:
        out: dict[int, set[int]] = defaultdict(set)
        for event, conversation in self.ids().items():
            out[conversation].add(event)
        return {frozenset(part) for part in out.values()}


def mail(
    event: int, subject: str = "", *, refs: Sequence[str] = (), at: int = 0,
    sender: str = "ann@acme.example", to: Sequence[str] = ("bob@ours.example",), **more: Any,
) -> Telling:  # fmt: skip
    people = [ParticipantDraft("from", f"e:{sender}")]
    people += [ParticipantDraft("to", f"e:{one}") for one in to]
    given = {"message_ids": [f"m{event}"], "by_subject": True, **more}
    return event, EventDraft(
        "mail", "email.received", at, f"mail|m{event}", subject=subject,
        replies_to=list(refs), participants=people, **given,
    )  # fmt: skip


PEOPLE = ["ann@acme.example", "al@acme.example", "bob@ours.example", "cy@free.example"]


@st.composite
def tellings(draw: st.DrawFn, *, by_subject: bool = True) -> list[Telling]:
    """A few messages that name each other, many with the same subject; some told twice."""
    out: list[Telling] = []
    for event in range(draw(st.integers(2, 9))):
        ids = st.sampled_from([f"m{n}" for n in range(11)])
        people = draw(st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=3, unique=True))
        subject = draw(st.sampled_from(["", "Re:", "Hello", "Re: Hello", "Fwd: Hello", "Pump x 1",
                                        "Re: Pump x 1", "Re: Hello (was: Pump x 1)"]))  # fmt: skip
        more: dict[str, Any] = {
            "by_subject": by_subject and draw(st.sampled_from([True, True, True, False])),
            "conversation": draw(st.sampled_from(["", "", "", "box|t1", "box|t2"])),
            "mailing_list": draw(st.sampled_from(["", "", "users"])),
        }
        at = draw(st.integers(0, 60)) * DAY + event
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            refs = draw(st.lists(ids, max_size=3, unique=True))
            one = mail(event, subject, refs=refs, at=at, sender=people[0], to=people[1:], **more)
            out.append(one)
    return out


@PLAIN
@given(found=tellings(), data=st.data())
def test_any_order_and_batch_size_gives_the_same_conversations(store, found, data) -> None:
    most = data.draw(st.sampled_from([2, 64]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "MOST_ALIKE", most)
        with empty(store) as db:
            whole = Hub(db)
            whole.feed(found)
            expected = whole.parts()
        shuffled = data.draw(st.permutations(found))
        size = data.draw(st.integers(1, len(found)))
        with empty(store) as db:
            hub = Hub(db)
            for start in range(0, len(shuffled), size):
                hub.feed(shuffled[start : start + size])
            assert hub.parts() == expected


@PLAIN
@given(found=tellings(), data=st.data())
def test_a_conversation_goes_by_its_oldest_number_and_no_number_is_lost(store, found, data) -> None:
    with empty(store) as db:
        hub, seen = Hub(db), set()
        for one in data.draw(st.permutations(found)):
            before = hub.parts()
            hub.feed([one])
            ids = hub.ids()
            seen |= set(ids.values())
            repo = ThreadStore(db)
            assert all(repo.conversation(number) in ids.values() for number in seen)
            assert all(repo.conversation(number) == number for number in ids.values())
            assert all(repo.conversation(number) <= number for number in seen)
            assert set().union(*before) <= ids.keys()


def bridged(hub: Hub, found: list[Telling], data: st.DataObject) -> tuple[int, int, int]:
    """Add a message that answers two others; return its conversation and theirs before."""
    hub.feed(found)
    ids = hub.ids()
    one, other = (data.draw(st.sampled_from(sorted(ids))) for _ in range(2))
    hub.feed([mail(50, refs=[f"m{one}", f"m{other}"], at=90 * DAY, by_subject=False)])
    after = hub.ids()
    assert after[one] == after[other] == after[50]
    return after[50], ids[one], ids[other]


@PLAIN
@given(found=tellings(), data=st.data())
def test_a_message_that_names_two_others_joins_them(store, found, data) -> None:
    with empty(store) as db:
        bridged(Hub(db), found, data)


@PLAIN
@given(found=tellings(by_subject=False), data=st.data())
def test_of_two_conversations_that_turn_out_to_be_one_the_older_number_stays(
    store, found, data
) -> None:
    found = [(event, replace(draft, mailing_list="")) for event, draft in found]
    with empty(store) as db:
        after, one, other = bridged(Hub(db), found, data)
        assert after == min(one, other)
        assert ThreadStore(db).conversation(max(one, other)) == after


@pytest.fixture
def hub(store: Store) -> Iterator[Hub]:
    with empty(store) as db:
        yield Hub(db)


def test_one_message_may_join_many(hub) -> None:
    hub.feed([mail(n, by_subject=False) for n in range(1, 5)])
    hub.feed([mail(9, refs=["m4", "m2", "m1", "m3"], by_subject=False)])
    assert hub.ids() == dict.fromkeys([1, 2, 3, 4, 9], hub.ids()[1])


def test_a_second_telling_that_knows_more_puts_a_message_where_it_belongs(hub) -> None:
    hub.feed([mail(1, "Hello"), mail(2, "Hello", at=HOUR)])
    assert len(hub.parts()) == 2
    hub.feed([mail(2, "Hello", at=HOUR, refs=["nobody has it"])])
    assert hub.parts() == {frozenset({1, 2})}, "it answers something, and only one can be meant"


def test_an_answer_that_lost_its_ids_goes_to_the_nearest_older_mail_of_the_same_two(hub) -> None:
    hub.feed([mail(1, "Hello", at=0), mail(2, "Hello", at=5 * DAY)])
    hub.feed([mail(3, "AW: Hello", at=6 * DAY, sender="bob@ours.example", to=["ann@acme.example"])])
    assert hub.parts() == {frozenset({1}), frozenset({2, 3})}


def test_a_nearer_mail_that_comes_later_takes_the_answer(hub) -> None:
    hub.feed([mail(1, "Hello"), mail(3, "Re: Hello", at=6 * DAY)])
    assert hub.parts() == {frozenset({1, 3})}
    hub.feed([mail(2, "Hello", at=5 * DAY)])
    assert hub.parts() == {frozenset({1}), frozenset({2, 3})}


def test_an_answer_to_an_id_that_a_gateway_rewrote_finds_its_mail(hub) -> None:
    hub.feed([mail(1, "Filters", message_ids=["new@gateway"])])
    hub.feed([mail(2, "Re: Filters", refs=["old@acme"], at=HOUR), mail(3, refs=["old@acme"])])
    hub.feed([mail(4, "Re: Filters", refs=["old@acme", "m2"], at=2 * HOUR)])
    assert frozenset({1, 2, 4}) in hub.parts()


def test_both_ids_of_a_gmail_copy_are_answered(hub) -> None:
    hub.feed([mail(1, "A", message_ids=["g@mail", "first@acme"], by_subject=False)])
    hub.feed([mail(2, "Re: A", refs=["first@acme"]), mail(3, "Re: A", refs=["g@mail"])])
    assert hub.parts() == {frozenset({1, 2, 3})}


@pytest.mark.parametrize(
    "lost",
    [
        mail(2, "Hello", at=HOUR),  # no mark: somebody begins anew
        mail(2, "Re: Hello", at=HOUR, sender="zoe@else.example", to=["bob@ours.example"]),
        mail(2, "Re: Hello", at=31 * DAY),  # too late
        mail(2, "Re: Hello", at=-HOUR),  # before it
        mail(2, "Re: Hello there", at=HOUR),
        mail(2, "Re: Hello", at=HOUR, by_subject=False),  # a machine
    ],
)
def test_a_like_subject_alone_joins_nothing(hub, lost) -> None:
    hub.feed([mail(1, "Hello"), lost])
    assert hub.parts() == {frozenset({1}), frozenset({2})}


def test_the_reply_button_under_a_new_subject_begins_a_new_conversation(hub) -> None:
    hub.feed([mail(1, "Filters"), mail(2, "Christmas party", refs=["m1"], at=DAY)])
    hub.feed([mail(3, "Re: Christmas party", refs=["m1", "m2"], at=2 * DAY)])
    assert hub.parts() == {frozenset({1}), frozenset({2, 3})}


@pytest.mark.parametrize(
    "subject",
    ["Filters for Acme", "Accepted: Filters", "Date moved (was: Re: Filters)", "AW: Something", ""],
)
def test_a_subject_that_only_drifts_stays_in_the_conversation(hub, subject) -> None:
    hub.feed([mail(1, "Filters"), mail(2, subject or "Re:", refs=["m1"], at=DAY)])
    assert hub.parts() == {frozenset({1, 2})}


def test_somebody_else_of_the_firm_that_was_written_to_answers(hub) -> None:
    hub.feed([mail(1, "Filters", to=["info@ours.example"])])
    hub.feed([mail(2, "Re: Filters", at=HOUR, sender="bob@ours.example", to=["ann@acme.example"])])
    assert hub.parts() == {frozenset({1, 2})}


def test_people_of_a_free_mail_provider_are_no_firm(hub) -> None:
    hub.feed([mail(1, "Filters", to=["cy@free.example"])])
    hub.feed([mail(2, "Re: Filters", at=HOUR, sender="di@free.example", to=["ann@acme.example"])])
    assert len(hub.parts()) == 2


def test_a_forward_without_ids_follows_the_mail_its_sender_had(hub) -> None:
    hub.feed([mail(1, "Filters"), mail(2, "Filters", sender="x@y.example", to=["z@y.example"])])
    hub.feed([mail(3, "WG: Filters", at=HOUR, sender="bob@ours.example", to=["eve@ours.example"])])
    assert frozenset({1, 3}) in hub.parts()


def test_members_of_a_mailing_list_need_no_further_sign(hub) -> None:
    one = {"mailing_list": "users.lists.example", "to": ["users@lists.example"]}
    hub.feed([mail(1, "[users] Pump", **one), mail(3, "Pump", to=["users@lists.example"])])
    hub.feed([mail(2, "Re: [users] Pump", at=HOUR, sender="cy@free.example", **one)])
    assert frozenset({1, 2}) in hub.parts()


def test_events_that_speak_of_no_conversation_ask_the_store_nothing(tmp_path: Path) -> None:
    draft = EventDraft("paid", "invoice.paid", 0, "k")
    events = {1: compose([Source(1, "a", draft)])}
    walk_threads(None, events, {1: [Source(1, "a", draft)]}, (), FREE)  # type: ignore[arg-type]


def test_a_subject_shared_by_very_many_costs_no_more_than_its_first_mails(hub) -> None:
    hub.feed([mail(n, "Invoice", at=n) for n in range(1, 400)])
    hub.feed([mail(500, "Re: Invoice", at=DAY)])
    assert frozenset({500}) in hub.parts(), "nobody can say which of 399 it answers"
    rows = ThreadStore(hub.db).full(range(3), walking.MOST_ALIKE)
    assert rows == set()


def test_of_a_subject_that_hardly_comes_twice_one_person_in_common_is_enough(hub) -> None:
    hub.feed([mail(1, "Order 4711"), mail(2, "Order")])
    told = {"sender": "zoe@ours.example", "to": ["eve@ours.example", "bob@ours.example"]}
    hub.feed([mail(3, "Re: Order 4711", at=HOUR, **told), mail(4, "Re: Order", at=HOUR, **told)])
    assert hub.parts() == {frozenset({1, 3}), frozenset({2}), frozenset({4})}


@pytest.mark.parametrize("subject", ["Re: New date (was: Filters)", "Urgent: Re: Filters"])
def test_an_answer_without_ids_is_looked_for_under_the_subject_it_had_before(hub, subject) -> None:
    hub.feed([mail(1, "Filters"), mail(2, subject, at=HOUR)])
    assert hub.parts() == {frozenset({1, 2})}


@pytest.mark.parametrize(
    "subject",
    ["Re: Pump: Filters for Acme", "Re: Filters for Acme confirmed", "New date (was: Filters for Acme)",
     "AW: Pump: [users] Filters for Acme confirmed now"],
)  # fmt: skip
def test_an_answer_without_ids_is_looked_for_under_what_its_subject_grew_from(hub, subject) -> None:
    hub.feed([mail(1, "Filters for Acme"), mail(2, subject, at=HOUR)])
    assert hub.parts() == {frozenset({1, 2})}


def test_an_equal_subject_goes_before_one_that_only_begins_alike(hub) -> None:
    hub.feed([mail(1, "Filters for Acme confirmed"), mail(2, "Filters for Acme", at=HOUR)])
    hub.feed([mail(3, "Re: Filters for Acme confirmed", at=2 * HOUR)])
    assert hub.parts() == {frozenset({1, 3}), frozenset({2})}


def test_marks_that_piled_up_tell_which_of_two_talks_is_answered(hub) -> None:
    hub.feed([mail(1, "Hello"), mail(2, "AW: Hello", at=HOUR, refs=["m1"])])
    hub.feed([mail(3, "Hello", at=2 * HOUR), mail(4, "Re: AW: Hello", at=3 * HOUR)])
    assert hub.parts() == {frozenset({1, 2, 4}), frozenset({3})}


def test_of_what_was_forwarded_on_the_way_one_person_in_common_is_enough(hub) -> None:
    hub.feed([mail(1, "Hello"), mail(2, "Re: Hello", at=HOUR, sender="x@y.example")])
    told = {"sender": "zoe@ours.example", "to": ["bob@ours.example"]}
    hub.feed([mail(3, "Re: WG: Re: Hello", at=2 * HOUR, **told)])
    assert frozenset({3}) in hub.parts(), "nobody has what it answers to the letter"
    hub.feed(
        [mail(4, "WG: Re: Hello", at=HOUR + 1, sender="bob@ours.example", to=["eve@x.example"])]
    )
    assert hub.parts() == {frozenset({1}), frozenset({2, 3, 4})}
