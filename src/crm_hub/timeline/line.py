"""What a page of a timeline shows of an event, as it lies ready to be read.

Written by the walk, read by key: a page then reads one narrow row an event, however long the
words of its sources are. What the event's visibility hides is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from crm_hub.timeline.compose import Event, Source
from crm_hub.timeline.place import Participant

SNIPPET = 200


def shown(event: Event, sources: Sequence[Source], late: bool) -> str:
    """Return type, lateness, subject, snippet, attributes and who tells it, as JSON."""
    draft = event.winner.draft
    is_told = event.visibility != "metadata"
    snippet = ""
    if event.visibility == "full":
        snippet = draft.snippet or " ".join(draft.body[: 2 * SNIPPET].split())[:SNIPPET]
    tellers = sorted({s.teller for s in sources}) if len(sources) > 1 else [sources[0].teller]
    return orjson.dumps(
        [
            draft.type,
            late,
            draft.subject if is_told else "",
            snippet,
            draft.attributes if is_told else {},
            tellers,
        ]
    ).decode()


def people(participants: Iterable[Participant]) -> str:
    """Return who takes part, as JSON: `role name`, or [role, identity, address] of the nameless.

    The name of an identity may change without the event; so it is looked up when it is read.
    """
    return orjson.dumps(
        [
            f"{p.role} {p.name or p.key.rpartition(':')[2]}"
            if p.name or not p.identity_id
            else (p.role, p.identity_id, p.key.rpartition(":")[2])
            for p in participants
        ]
    ).decode()
