"""Whose timeline an event stands on.

A participant is resolved by match key. A key that several people hold is settled by the
name given in the event, else it stays open; the firm behind it, by the firm's own contact
points or its domain, still sees the event. A shared mailbox belongs to the firm first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from crm_hub.model.canonical import ParticipantDraft
from crm_hub.model.ids import domain_key

State = Literal["resolved", "organization", "ambiguous", "unknown", "own"]


class Holder(NamedTuple):
    """An identity that a match key leads to."""

    identity_id: int
    entity: str
    display_name: str


class Participant(NamedTuple):
    """A participant as the timeline keeps it; `fallback` is the key of the firm behind it."""

    role: str
    key: str
    fallback: str | None
    name: str
    identity_id: int | None
    state: State


class Who(NamedTuple):
    """What placing needs to know: who holds a key, which words mean a person, who is ourselves.

    agree: whether a name in an event can be that identity's. shared: whether a key is a role
    mailbox. own: whether a key is one of the company's own. free: domains that are no firm's.
    """

    holders: Mapping[str, Sequence[Holder]]
    agree: Callable[[str, str], bool]
    shared: Callable[[str], bool]
    own: Callable[[str], bool]
    free: frozenset[str]


def place(drafts: Sequence[ParticipantDraft], who: Who) -> list[Participant]:
    """Return the participants with the identity each belongs to, in the order given."""
    return [_place(draft, who) for draft in drafts]


def fallback_key(key: str, free: frozenset[str]) -> str | None:
    """Return the domain key of the firm behind an e-mail key, None where there is none."""
    if key[:2] != "e:":
        return None
    domain = key.rpartition("@")[2]
    return None if domain in free or not domain else domain_key(domain)


def firm_behind(one: Participant, who: Who) -> int | None:
    """Return the firm at whose domain a participant's mailbox is, None where not just one is."""
    firms = _of_kind(who.holders.get(one.fallback or "", ()), person=False)
    return firms[0].identity_id if len(firms) == 1 else None


def _place(draft: ParticipantDraft, who: Who) -> Participant:
    if who.own(draft.key):
        return Participant(draft.role, draft.key, None, draft.name, None, "own")
    fallback = fallback_key(draft.key, who.free)
    identity_id, state = _resolve(draft, who)
    found = Participant(draft.role, draft.key, fallback, draft.name, identity_id, state)
    if identity_id is None and (firm := firm_behind(found, who)) is not None:
        return found._replace(identity_id=firm, state="organization")
    return found


def _resolve(draft: ParticipantDraft, who: Who) -> tuple[int | None, State]:
    holders = who.holders.get(draft.key, ())
    people, firms = _of_kind(holders, person=True), _of_kind(holders, person=False)
    if len(firms) == 1 and (not people or who.shared(draft.key)):
        return firms[0].identity_id, "organization"
    if len(people) > 1 and draft.name:
        people = [p for p in people if who.agree(draft.name, p.display_name)] or people
    if len(people) == 1:
        return people[0].identity_id, "resolved"
    if len(firms) == 1:
        return firms[0].identity_id, "organization"
    return None, "ambiguous" if people or firms else "unknown"


def _of_kind(holders: Sequence[Holder], *, person: bool) -> list[Holder]:
    return [h for h in holders if (h.entity == "person") is person]
