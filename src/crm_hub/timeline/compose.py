"""One event out of all the sources that tell it: the same mail from three mailboxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.model.events import VISIBILITIES

_STRICTNESS = {word: place for place, word in enumerate(VISIBILITIES)}


@dataclass(frozen=True, slots=True)
class Source:
    """One source record's telling of an event. order: its source key; teller: its stream."""

    record_id: int
    order: str
    draft: EventDraft
    teller: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the timeline shows it: the winning source's words, everybody's participants."""

    winner: Source
    occurred_at_us: int
    seq: int
    visibility: str
    participants: list[ParticipantDraft]


def compose(sources: Sequence[Source]) -> Event:
    """Return the event that `sources` tell; the same for any order of them.

    The latest revision wins (SEQUENCE of a meeting, so that a short cancellation beats a long
    invitation), then the fullest text, then the source key. The strictest visibility wins always.
    """
    ranked = sorted(sources, key=_rank) if len(sources) > 1 else sources
    winner = ranked[0]
    participants: dict[tuple[str, str], ParticipantDraft] = {}
    for source in ranked:
        for one in source.draft.participants:
            known = participants.setdefault((one.role, one.key or one.name), one)
            if one.name and not known.name:
                participants[one.role, one.key] = one
    return Event(
        winner,
        winner.draft.occurred_at_us,
        seq_of(winner.draft, winner.order),
        _strictest(sources),
        list(participants.values()),
    )


def _strictest(sources: Sequence[Source]) -> str:
    if len(sources) == 1:
        return sources[0].draft.visibility
    return min((s.draft.visibility for s in sources), key=lambda v: _STRICTNESS.get(v, 0))


def _rank(source: Source) -> tuple[int, int, str, str]:
    draft = source.draft
    revision = -1 if draft.seq is None else draft.seq
    return (-revision, -len(draft.body), source.order, draft.entry)


def seq_of(draft: EventDraft, order: str) -> int:
    """Return what orders events of the same instant: the source's own number, else a fixed one.

    The fixed one comes from the event's key, so that it is the same in every load.
    """
    if draft.seq is not None:
        return draft.seq
    mark = draft.key or f"{order}/{draft.entry}"
    return int.from_bytes(blake2b(mark.encode(), digest_size=6).digest(), "big")
