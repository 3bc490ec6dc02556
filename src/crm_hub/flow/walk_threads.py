"""The end of step 6 for one batch: which conversation each of its messages belongs to.

A fixed number of look-ups a batch, none where no event speaks of a conversation. What was joined
stays joined when a message goes: only the order of what is known decides, never what is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, count

import orjson

from crm_hub.store import Db, MessageRow, Row, ThreadStore
from crm_hub.timeline import (
    Event,
    Message,
    Source,
    Thread,
    Threads,
    nearest,
    read_message,
    tokens,
    wanted,
)

MOST_ALIKE = 64
"""A subject that one person shares with more messages a month than this finds nothing by them."""


def walk_threads(
    db: Db,
    events: Mapping[int, Event],
    sources: Mapping[int, Sequence[Source]],
    known: Collection[int],
    free: Collection[str],
) -> dict[int, int]:
    """Give every event that speaks of a conversation its conversation; part of T2.

    Returns event → thread. known: those of the events that were stored before this batch.
    """
    messages = [
        found
        for number, event in events.items()
        if (found := read_message(number, event, sources[number], free))
    ]
    return _Walk(db).run(messages, known) if messages else {}


class _Walk:
    def __init__(self, db: Db) -> None:
        self.db = db
        self.repo = ThreadStore(db)
        self.first = db.next_id("thread")
        self.fresh = count(self.first)
        self.threads = Threads((), lambda: next(self.fresh))
        self.before: dict[int, Row] = {}
        self.thread_of: dict[int, int] = {}
        self.wanted: dict[int, list[int]] = {}

    def run(self, messages: Sequence[Message], known: Collection[int]) -> dict[int, int]:
        told = self.repo.messages(m.event_id for m in messages if m.event_id in known)
        found = self._join(messages, told)
        asked = self.repo.waiting(found)
        self._load(asked)
        heads = self._heads(self.threads.searching(asked))
        full = self._find_parents(heads)
        self._save(heads, full)
        return self.thread_of

    def _load(self, ids: Iterable[int]) -> None:
        missing = [number for number in ids if number not in self.threads]
        rows = self.repo.around(missing)
        self.before.update({row.id: tuple(row) for row in rows})
        self.threads.load(Thread(*row) for row in rows)

    def _join(self, messages: Sequence[Message], told: Mapping[int, MessageRow]) -> set[int]:
        """Put each message into its thread and store it; return the tokens of all of them."""
        thread_of = self.repo.of_keys({key for m in messages for key in m.keys})
        stored = set(thread_of)
        self._load({*thread_of.values(), *(row.thread_id for row in told.values())})
        new, changed, added, again = [], [], [], []
        for message in messages:
            before = told.get(message.event_id)
            number = self.threads.add(message, thread_of, before and before.thread_id)
            self.thread_of[message.event_id] = before.thread_id if before else number
            row = _row(message, number)
            mine = [(token, message.event_id) for token in tokens(message)]
            if before is None:
                new.append(row)
                added += mine
            elif tuple(before[2:]) != row[2:]:
                changed.append((*row[:1], before.thread_id, *row[2:]))
                again += mine
        keys = [(key, number) for key, number in thread_of.items() if key not in stored]
        self.repo.save_messages(keys, new, changed, added, again)
        if changed:
            self._count_again({row[1] for row in changed})
        return {token for token, _ in chain(added, again)}

    def _count_again(self, ids: Iterable[int]) -> None:
        """Read the first message of threads anew in which a stored message is told otherwise."""
        members: dict[int, list[MessageRow]] = defaultdict(list)
        roots = {self.threads.root(number).id for number in ids}
        parts = [t.id for t in self.threads.all() if self.threads.root(t.id).id in roots]
        for row in self.repo.messages_of(parts):
            members[self.threads.root(row.thread_id).id].append(row)
        for number, rows in members.items():
            head = min(rows, key=lambda row: (row.at_us, row.seq))
            self.threads.reset(
                number, any(r.opens for r in rows), (head.at_us, head.seq, head.event_id)
            )

    def _heads(self, searching: Sequence[Thread]) -> dict[int, Message]:
        """Return the first message of each thread that looks for an older one."""
        rows = self.repo.messages(t.head_event_id for t in searching)
        return {t.id: _message(rows[t.head_event_id]) for t in searching}

    def _find_parents(self, heads: Mapping[int, Message]) -> set[int]:
        """Give each of these threads the one its head answers; return the tokens that are full."""
        self.wanted = {number: wanted(head) for number, head in heads.items()}
        asked = {token for found in self.wanted.values() for token in found}
        full = self.repo.full(asked, MOST_ALIKE)
        by_token: dict[int, list[MessageRow]] = defaultdict(list)
        for token, row in self.repo.by_tokens(asked - full):
            by_token[token].append(row)
        parents: dict[int, int | None] = {}
        for number, head in heads.items():
            found = {
                row.event_id: row
                for token in self.wanted[number]
                for row in by_token.get(token, ())
                if row.at_us <= head.at_us
            }
            newest = sorted(found.values(), key=_moment, reverse=True)
            best = nearest(head, map(_message, newest))
            parents[number] = found[best.event_id].thread_id if best else None
        self._load({parent for parent in parents.values() if parent is not None})
        for number, parent in parents.items():
            self.threads.root(number).parent_id = parent
        return full

    def _save(self, heads: Mapping[int, Message], full: set[int]) -> None:
        self.threads.settle()
        rows = [r for t in self.threads.all() if self.before.get(t.id) != (r := t.row())]
        self.repo.save_threads(
            [row for row in rows if row[0] not in self.before],
            [row for row in rows if row[0] in self.before],
        )
        self.db.take_ids("thread", next(self.fresh) - self.first)
        looked = self.threads.looks
        waiting = [
            (token, number)
            for number in heads
            if number in looked
            for token in dict.fromkeys(self.wanted[number])
            if token not in full
        ]
        self.repo.save_waiting([n for n in looked if n < self.first], full, waiting)


def _moment(row: MessageRow) -> tuple[int, int]:
    return row.at_us, row.seq


def _row(message: Message, thread_id: int) -> Row:
    about = message[7:] if message.before else message[7:-1]
    people = orjson.dumps(about).decode() if message.people else ""
    return (
        message.event_id, thread_id, message.at_us, message.seq, message.opens, message.forwards,
        message.subject, people,
    )  # fmt: skip


def _message(row: MessageRow) -> Message:
    people, firms, *more = orjson.loads(row.people) if row.people else ((), ())
    return Message(
        row.event_id, row.at_us, row.seq, (), row.opens, row.forwards, row.subject,
        people, firms, *more,
    )  # fmt: skip
