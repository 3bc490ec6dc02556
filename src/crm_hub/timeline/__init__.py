"""Step 6: event drafts become one event each, placed with the right identities.

Pure. Before it: the mapping room's drafts. After it: the store's timeline.
"""

from crm_hub.timeline.compose import Event, Source, compose, seq_of
from crm_hub.timeline.group import Near, Span, group
from crm_hub.timeline.place import Holder, Participant, Who, fallback_key, place

__all__ = [
    "Event",
    "Holder",
    "Near",
    "Participant",
    "Source",
    "Span",
    "Who",
    "compose",
    "fallback_key",
    "group",
    "place",
    "seq_of",
]
