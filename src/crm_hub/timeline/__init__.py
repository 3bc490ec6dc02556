"""Step 6: event drafts become one event each, placed with the right identities.

Pure. Before it: the mapping room's drafts. After it: the store's timeline.
"""

from crm_hub.timeline.compose import Event, Source, compose, seq_of
from crm_hub.timeline.evidence import Message, read_message, tokens, wanted
from crm_hub.timeline.group import Mark, Near, Span, group
from crm_hub.timeline.line import people, shown
from crm_hub.timeline.place import Holder, Participant, Who, fallback_key, firm_behind, place
from crm_hub.timeline.thread import Thread, Threads, nearest
from crm_hub.timeline.twins import alike

__all__ = [
    "Event",
    "Holder",
    "Mark",
    "Message",
    "Near",
    "Participant",
    "Source",
    "Span",
    "Thread",
    "Threads",
    "Who",
    "alike",
    "compose",
    "fallback_key",
    "firm_behind",
    "group",
    "nearest",
    "people",
    "place",
    "read_message",
    "seq_of",
    "shown",
    "tokens",
    "wanted",
]
