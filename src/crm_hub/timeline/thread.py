"""Messages become conversations: by ids first, then by subject where ids were lost.

Two steps. Messages that share a key are one *thread* (a connected component: any order gives
the same). A thread in which nobody opens is the rest of a conversation whose ids were lost:
its first message looks for the nearest older message with the same subject between the same
people, and its thread then belongs to that one's. As each thread has at most one such parent,
always an older one, the threads form trees; a tree is a conversation.
Source: docs/adr/0010.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crm_hub.timeline.evidence import WINDOW_US, Message


@dataclass(slots=True)
class Thread:
    """Messages joined by ids, as stored.

    now_id: the conversation it belongs to. root_id: the thread it became part of, or itself.
    Of a root: opens: one of its messages answers nothing; head_*: its first message;
    parent_id: the thread its head answers, found by subject.
    """

    id: int
    now_id: int
    root_id: int
    opens: bool
    head_at_us: int
    head_seq: int
    head_event_id: int
    parent_id: int | None = None

    def row(self) -> tuple[Any, ...]:
        """Return it as it is stored."""
        return (
            self.id, self.now_id, self.root_id, self.opens,
            self.head_at_us, self.head_seq, self.head_event_id, self.parent_id,
        )  # fmt: skip


class Threads:
    """The threads around a batch. `known` must hold every thread of each conversation it holds."""

    def __init__(self, known: Iterable[Thread], fresh: Callable[[], int]) -> None:
        self._of: dict[int, Thread] = {}
        self._fresh = fresh
        self.looks: set[int] = set()
        self.load(known)

    def load(self, known: Iterable[Thread]) -> None:
        """Take in further threads; one that is here stays as it is."""
        for thread in known:
            self._of.setdefault(thread.id, thread)

    def __contains__(self, number: int) -> bool:
        return number in self._of

    def all(self) -> list[Thread]:
        """Return every thread, the oldest first."""
        return [self._of[number] for number in sorted(self._of)]

    def root(self, number: int) -> Thread:
        """Return the thread that a thread is part of now."""
        thread = self._of[number]
        while thread.root_id != thread.id:
            thread = self._of[thread.root_id]
        return thread

    def add(self, message: Message, thread_of: dict[int, int], told: int | None = None) -> int:
        """Put a message into its thread, joining threads where it bridges; return the thread.

        thread_of: key → thread, of every key of the batch that is known; the message's are added.
        told: the thread in which the message is stored already.
        """
        found = {self.root(thread_of[k]).id for k in message.keys if k in thread_of}
        if told is not None:
            found.add(self.root(told).id)
        head = (message.at_us, message.seq, message.event_id)
        if not found:
            number = self._fresh()
            self._of[number] = Thread(number, number, number, message.opens, *head)
            self.looks.add(number)
        else:
            number = min(found)
            for other in sorted(found - {number}):
                self._join(self._of[number], self._of[other])
            self._grow(self._of[number], message.opens, head)
        for key in message.keys:
            thread_of.setdefault(key, number)
        return number

    def _join(self, into: Thread, other: Thread) -> None:
        other.root_id, other.parent_id = into.id, None
        self._grow(into, other.opens, (other.head_at_us, other.head_seq, other.head_event_id))
        self.looks |= {into.id, other.id}

    def _grow(self, thread: Thread, opens: bool, head: tuple[int, int, int]) -> None:
        if opens and not thread.opens:
            thread.opens = True
            self.looks.add(thread.id)
        if head[:2] < (thread.head_at_us, thread.head_seq):
            thread.head_at_us, thread.head_seq, thread.head_event_id = head
            self.looks.add(thread.id)

    def reset(self, number: int, opens: bool, head: tuple[int, int, int]) -> None:
        """Let a thread begin where its messages now say."""
        thread = self.root(number)
        thread.opens = opens
        thread.head_at_us, thread.head_seq, thread.head_event_id = head
        self.looks.add(thread.id)

    def searching(self, asked: Iterable[int]) -> list[Thread]:
        """Return the threads that have to look for a parent, of those changed and those asked."""
        roots = {self.root(number).id for number in {*self.looks, *asked}}
        found = []
        for number in sorted(roots):
            if self._of[number].opens:
                self._of[number].parent_id = None
            else:
                found.append(self._of[number])
        return found

    def settle(self) -> None:
        """Give every thread its conversation: the oldest number in its tree."""
        top: dict[int, int] = {}
        for number in self._of:
            top[number] = self._top(number)
        oldest: dict[int, int] = {}
        for number in sorted(self._of):
            oldest.setdefault(top[number], number)
        for number, thread in self._of.items():
            thread.root_id = self.root(number).id
            thread.now_id = oldest[top[number]]

    def _top(self, number: int) -> int:
        thread = self.root(number)
        seen = {thread.id}
        while thread.parent_id is not None:
            thread = self.root(thread.parent_id)
            if thread.id in seen:  # only where a stored message changed its time
                return min(seen)
            seen.add(thread.id)
        return thread.id


def nearest(head: Message, candidates: Iterable[Message]) -> Message | None:
    """Return the message that `head` answers, by all we know of it without ids.

    One whose subject it repeats to the letter, else one of its subject, else one of a subject
    that its own may have grown from. candidates: the newest first.
    """
    if head.subject is None:
        return None
    listed = list(candidates)
    alike = [one for one in listed if one.subject == head.subject]
    literal = [one for one in alike if one.words in (head.answered, head.words)]
    for one in literal:
        if answers(head, one, is_telling=head.telling or head.passed):
            return one
    for topic, is_telling in ((head.subject, head.telling), *head.before):
        for one in listed:
            if one.subject == topic and answers(head, one, is_telling=is_telling):
                return one
    return None


def answers(head: Message, one: Message, *, is_telling: bool) -> bool:
    """Whether `head` can be an answer to, or a forward of, an older message of its subject.

    is_telling: one person in common is enough.
    """
    if not (one.at_us, one.seq) < (head.at_us, head.seq) or head.at_us - one.at_us > WINDOW_US:
        return False
    if head.forwards:
        return head.people[0] in one.people
    if head.crowd and head.crowd == one.crowd:
        return True
    if len(set(head.people) & set(one.people)) >= (1 if is_telling else 2):
        return True
    # Somebody else of the firm that was written to answers, or the same person under another
    # address. Inside one firm that would be anybody.
    firm = head.firms[0]
    return one.people[0] in head.people and firm in one.firms[1:] and firm not in (0, one.firms[0])
