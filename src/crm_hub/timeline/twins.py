"""Different mails under one Message-ID are different events; copies of one mail are one.

Ids are made by programs, and some make the same one again: for each invoice, for each recipient.
Copies of one mail differ too: a list adds a footer and a tag to the subject, a gateway a banner,
a mailbox keeps HTML where another keeps text. So tellings that share an id are compared by what
transport leaves alone, and those that are alike, directly or through others, are one event:

- written at the same second and beginning with the same words; or
- written at the same second, to the same people, with the same subject, and the words of the
  shorter one stand in the longer one for the most part, or are few; or
- from the same sender, with the same subject and beginning, within two hours.

What is alike does not depend on the order of arrival. Source: docs/adr/0016.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations

from crm_hub.model.canonical import EventDraft
from crm_hub.sdk.formats.mailtext import subject_key

BEGINNING = 200
MOST_COMPARED = 30
"""Of one second, one subject and the same people, so many are compared word by word."""
MOST_WORDS = 3_000
FEW_WORDS = 8
_SECOND_US = 1_000_000
_HOUR_US = 3_600 * _SECOND_US


def alike(drafts: Sequence[EventDraft]) -> list[list[int]]:
    """Return which of the tellings of one id are one event, by their places, each once."""
    if len(drafts) == 1:
        return [[0]]
    up = list(range(len(drafts)))

    def top(one: int) -> int:
        while up[one] != one:
            up[one] = up[up[one]]
            one = up[one]
        return one

    first: dict[Hashable, int] = {}
    close: dict[Hashable, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        exact, near = _marks(draft)
        for mark in exact:
            up[top(place)] = top(first.setdefault(mark, place))
        close[near].append(place)
    for found in close.values():
        tops = list(dict.fromkeys(map(top, found)))
        for one, other in combinations(tops[:MOST_COMPARED], 2):
            if top(one) != top(other) and _related(drafts[one].body, drafts[other].body):
                up[top(other)] = top(one)
    groups: dict[int, list[int]] = defaultdict(list)
    for place in range(len(drafts)):
        groups[top(place)].append(place)
    return list(groups.values())


def _marks(draft: EventDraft) -> tuple[list[Hashable], Hashable]:
    """Return the marks of which one in common is enough, and the one that asks for more."""
    second, hour = draft.occurred_at_us // _SECOND_US, draft.occurred_at_us // _HOUR_US
    begins = _beginning(draft.body)
    subject = subject_key(draft.subject)
    sender = next((p.key or p.name for p in draft.participants if p.role == "from"), "")
    exact: list[Hashable] = [(sender, subject, begins, hour), (sender, subject, begins, hour + 1)]
    if begins:
        exact.append((second, begins))
    to = frozenset(p.key or p.name for p in draft.participants if p.role == "to")
    return exact, (second, subject, to)


def _beginning(body: str) -> str:
    """Return the first words, without what a conversion from HTML may do to them."""
    return "".join(_words(body[: 2 * BEGINNING]))[:BEGINNING]


def _words(text: str) -> Iterator[str]:
    return ("".join(filter(str.isalnum, word)) for word in text.casefold().split())


def _related(one: str, other: str) -> bool:
    """Whether the words of the shorter text stand in the longer one, most of them."""
    few, many = sorted((set(_words(t[: 8 * MOST_WORDS])) - {""} for t in (one, other)), key=len)
    return len(few) < FEW_WORDS or 2 * len(few & many) >= len(few)
