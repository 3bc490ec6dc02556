"""Events: one out of many tellings, close ones joined, each on the right timelines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.timeline import Near, Source, Span, Who, compose, group, place
from crm_hub.timeline.place import Holder


def _draft(body="", visibility="full", people=(), at=10):
    found = [ParticipantDraft(*p) for p in people]
    return EventDraft(
        "mail", "email.received", at, "k", body=body, visibility=visibility, participants=found
    )


def test_the_fullest_telling_speaks_and_the_strictest_visibility_holds():
    a = Source(1, "a#1", _draft("short", "metadata", [("from", "e:x", "")]))
    b = Source(2, "b#1", _draft("much longer", "full", [("from", "e:x", "Ann"), ("to", "e:y", "")]))
    for order in ([a, b], [b, a]):
        event = compose(order)
        assert (event.winner, event.visibility) == (b, "metadata")
        assert [(p.role, p.key, p.name) for p in event.participants] == [
            ("from", "e:x", "Ann"),
            ("to", "e:y", ""),
        ]


def test_a_short_cancellation_beats_the_long_invitation_it_revises():
    booked = EventDraft("m", "meeting.booked", 10, "k", body="a long agenda", seq=1)
    cancelled = EventDraft("m", "meeting.cancelled", 10, "k", body="", seq=2)
    unnumbered = EventDraft("m", "meeting.booked", 10, "k", body="the longest text of all")
    told = [Source(n, f"s#{n}", d) for n, d in enumerate((booked, cancelled, unnumbered))]
    for order in (told, told[::-1]):
        assert compose(order).winner.draft.type == "meeting.cancelled"


@given(
    times=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    tolerance=st.integers(0, 9),
    data=st.data(),
)
def test_close_tellings_are_one_event_in_whatever_order_they_come(times, tolerance, data):
    nears = [Near((i, "x"), at, tolerance) for i, at in enumerate(times)]
    whole = {frozenset(g.marks) for g in group(nears, [])}
    spans, of_event = [], {}
    for near in data.draw(st.permutations(nears)):
        for one in group([near], spans):
            if one.marks:
                number = min(one.event_ids, default=len(of_event) + 100)
                joined = set(one.event_ids)
                for mark, event in of_event.items():
                    if event in joined:
                        of_event[mark] = number
                of_event[near.mark] = number
                spans = [s for s in spans if s.event_id not in joined]
                spans.append(Span(number, one.from_us, one.to_us))
    events: dict = {}
    for mark, event in of_event.items():
        events.setdefault(event, set()).add(mark)
    assert {frozenset(marks) for marks in events.values()} == whole


def _who(holders, own=()):
    found = {k: [Holder(*h) for h in v] for k, v in holders.items()}
    return Who(
        found,
        lambda name, display: name.split()[0] == display.split()[0],
        lambda key: key.startswith("e:info@"),
        lambda key: key in own,
        frozenset({"free.example"}),
    )


def _placed(key, name="", **who):
    (found,) = place([ParticipantDraft("from", key, name)], _who(**who))
    return found.identity_id, found.state


ANN, BOB, FIRM = (1, "person", "Ann X"), (2, "person", "Bob X"), (3, "organization", "Firm")


def test_a_participant_is_found_by_its_key():
    assert _placed("e:a@free.example", holders={"e:a@free.example": [ANN]}) == (1, "resolved")


def test_a_shared_key_is_settled_by_the_name_or_left_open():
    holders = {"p:+1": [ANN, BOB]}
    assert _placed("p:+1", "Bob", holders=holders) == (2, "resolved")
    assert _placed("p:+1", holders=holders) == (None, "ambiguous")


def test_a_role_mailbox_belongs_to_the_firm():
    holders = {"e:info@firm.example": [ANN, FIRM]}
    assert _placed("e:info@firm.example", holders=holders) == (3, "organization")


def test_an_unknown_colleague_is_seen_by_the_firm_of_the_domain():
    holders = {"d:firm.example": [FIRM]}
    assert _placed("e:new@firm.example", holders=holders) == (3, "organization")
    assert _placed("e:new@free.example", holders={"d:free.example": [FIRM]}) == (None, "unknown")


def test_our_own_people_are_nobodys_customers():
    holders = {"e:me@ours.example": [ANN]}
    assert _placed("e:me@ours.example", holders=holders, own=["e:me@ours.example"]) == (None, "own")
