"""What one message says about its conversation, as numbers that can be looked up.

Two messages that stand under one key are one conversation. Which keys a message stands under
depends on the message alone, so the same messages give the same conversations in any order.
Source: docs/adr/0010; RFC 5322 section 3.6.4.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from crm_hub.model.canonical import EventDraft, ParticipantDraft
from crm_hub.sdk.formats.mailtext import subject_key, subject_mark, subject_marks, without_mark
from crm_hub.timeline.compose import Event, Source, seq_of

MOST_PEOPLE = 20
MOST_ASKED = 8
WINDOW_US = 30 * 86_400_000_000
"""An answer without ids is looked for so far back."""
Keys = dict[int, None]


class Message(NamedTuple):
    """An event of a conversation. It is older than another when (at_us, seq) is smaller.

    keys: what it stands under. opens: it answers nothing. forwards: it says so in its subject.
    subject: what stands for its subject, None when the subject may not find anything.
    people: who took part, the sender first. firms: the domain of each, 0 for a free-mail one.
    crowd: the mailing list it went through, which is one of its people too; 0 for none.
    telling: the subject is one that hardly comes twice, because of a number or its length.
    passed: it was forwarded on its way, so that those it came from need not be among its people.
    words: its subject to the letter, marks and all; answered: that without the outermost mark.
    before: subjects that its own may have grown from, each with whether that one is telling.
    """

    event_id: int
    at_us: int
    seq: int
    keys: tuple[int, ...]
    opens: bool
    forwards: bool
    subject: int | None
    people: tuple[int, ...]
    firms: tuple[int, ...]
    crowd: int = 0
    telling: bool = False
    passed: bool = False
    words: int = 0
    answered: int = 0
    before: tuple[tuple[int, bool], ...] = ()


def read_message(
    event_id: int, event: Event, sources: Sequence[Source], free: Collection[str]
) -> Message | None:
    """Return what all tellings of an event say together; None: nothing about a conversation."""
    keys: Keys = {}
    opens, by_subject, crowd = True, True, ""
    first: tuple[int, int, str] | None = None
    for source in sources:
        draft = source.draft
        if not (draft.by_subject or draft.conversation or draft.message_ids or draft.replies_to):
            continue
        about = _about(draft.subject)
        _add_keys(keys, draft, about)
        if draft.replies_to or (about.answers and draft.by_subject):
            opens = False
        by_subject = by_subject and draft.by_subject
        crowd = crowd or draft.mailing_list
        seq = event.seq if source is event.winner else seq_of(draft, source.order)
        here = (draft.occurred_at_us, seq, draft.subject)
        if first is None or here < first:
            first = here
    if first is None:
        return None
    at_us, seq, words = first
    about = _about(words)
    forwards = about.mark == "forward"
    people, firms = _people(event.participants, free) if by_subject else ((), ())
    if not people:
        return Message(event_id, at_us, seq, tuple(keys), opens, forwards, None, (), ())
    among = _person("l:" + crowd) if crowd else 0
    if among:
        people, firms = (people[0], among, *people[1:]), (firms[0], 0, *firms[1:])
    return Message(
        event_id, at_us, seq, tuple(keys), opens, forwards, about.topic, people, firms, among,
        about.telling, not opens and about.passed, about.words, about.answered,
        () if opens else _before(about.subject),
    )  # fmt: skip


class _About(NamedTuple):
    """What a subject says. mark, subject: the first mark and what is left without marks.

    stem, stems, topic, words, answered: numbers, see `_stem`, `_stems`, `_topic`, `_letters`.
    """

    mark: str
    answers: bool
    subject: str
    stem: int
    stems: tuple[int, ...]
    topic: int
    telling: bool
    passed: bool
    words: int
    answered: int


@lru_cache(maxsize=16_384)
def _about(subject: str) -> _About:
    mark, rest = _subject(subject)
    answers = bool(mark) or _WAS.search(rest) is not None
    return _About(
        mark, answers, rest, _word(_stem(rest)), _stems(rest, bool(mark)), _word(_topic(rest)),
        _is_telling(rest), "forward" in subject_marks(subject), *_letters(subject),
    )  # fmt: skip


def _add_keys(keys: Keys, draft: EventDraft, about: _About) -> None:
    """Add the keys of one telling.

    An answer belongs to the message it answers whatever its subject. Through older messages,
    and when somebody wrote another subject without a mark, only where the subjects have
    something in common: the reply button is used for new topics too.
    """
    if draft.conversation:
        keys[_number("c", draft.conversation)] = None
    for one in draft.message_ids:
        number = _id(one)
        keys[number] = None
        keys[mixed(number, about.stem)] = None
    if not draft.replies_to:
        return
    answered = [_id(one) for one in draft.replies_to]
    if not draft.by_subject:
        keys.update(dict.fromkeys(answered))
        return
    for alike in about.stems:
        for number in answered:
            keys[mixed(number, alike)] = None
    if about.mark:
        keys[answered[-1]] = None


_WAS = re.compile(r"[(\[]\s*(?:was|war|vorher|était|era)\s*:\s*(.{1,200}?)\s*[)\]]?\s*\Z")
_BEFORE_COLON = re.compile(r"[^:]{1,30}:\s+(?=\S)")


def _stem(subject: str) -> str:
    """Return how a subject begins: two words, so that what is added at its end does not count."""
    return " ".join(subject.split(" ", 2)[:2])


def _stems(subject: str, is_answer: bool) -> tuple[int, ...]:
    """Return the beginnings that an answer may have in common with what it answers.

    `Accepted: Site visit` and `New date (was: Site visit)` have that of `Site visit` too; and
    without a mark `Order 4711 has left` has that of `Order`.
    """
    found = {_stem(subject): None}
    if ":" in subject:
        found[_stem(subject_key(_BEFORE_COLON.sub("", subject, count=1)))] = None
        if was := _WAS.search(subject):
            found[_stem(subject_key(was[1]))] = None
    if not is_answer:
        found[subject.partition(" ")[0]] = None
    return tuple(map(_word, found))


def _subject(subject: str) -> tuple[str, str]:
    """Return (mark, subject without marks); `Urgent: Re: Pump` is an answer too."""
    mark, rest = subject_mark(subject), subject_key(subject)
    if not mark and (inner := subject_mark(_BEFORE_COLON.sub("", subject, count=1))):
        mark = inner if ":" in rest else ""
    return mark, rest


def _topic(subject: str) -> str:
    """Return the subject that an answer without ids is looked for under: the one before it."""
    if was := _WAS.search(subject):
        return subject_key(was[1])
    after = _BEFORE_COLON.sub("", subject, count=1)
    return subject_key(after) if subject_mark(after) else subject


MOST_WORDS_LESS = 3
_TAGS = re.compile(r"(?:\s*\[[^\[\]]{1,40}\])*\s*(?=\S)")


def _letters(subject: str) -> tuple[int, int]:
    """Return what stands for a subject to the letter, and for what its outermost mark was put to.

    Mail programs pile up marks: `AW: Re: Pump` answers `Re: Pump`, of whatever conversation.
    """
    whole = _without_tags(subject)
    inner = whole[len(whole) - len(without_mark(whole)) :]
    return _brief(whole), _brief(_without_tags(inner))


def _brief(text: str) -> int:
    """Return 32 bits of a hash: it is compared with a few others, never looked up."""
    return _word(" ".join(text.lower().split())) >> 32


def _without_tags(subject: str) -> str:
    return subject[match.end() :] if (match := _TAGS.match(subject)) else subject


@lru_cache(maxsize=8_192)
def _before(subject: str) -> tuple[tuple[int, bool], ...]:
    """Return the subjects this one may have grown from: words before a colon, words at its end.

    Two words must be left of it: one alone says nothing.
    """
    own = _topic(subject)
    found: dict[str, None] = {}
    rest = subject
    while (less := subject_key(_BEFORE_COLON.sub("", rest, count=1))) != rest:
        found[less] = None
        rest = less
    for one in (subject, *list(found)):
        words = one.split()
        for count in range(1, min(MOST_WORDS_LESS, len(words) - 2) + 1):
            found[" ".join(words[:-count])] = None
    found.pop(own, None)
    return tuple((_word(one), _is_telling(one)) for one in found)


_NUMBER = re.compile(r"\d{4}")


def _is_telling(subject: str) -> bool:
    """Whether two different conversations of a month hardly have this subject."""
    return len(subject) >= 30 or (" " in subject and _NUMBER.search(subject) is not None)


def _people(
    participants: Sequence[ParticipantDraft], free: Collection[str]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return (people, firms); nobody where there is no sender with an address."""
    sender = ""
    found: dict[str, None] = {}
    for one in participants:
        if not sender and one.role == "from":
            sender = one.key
        if one.key[:2] == "e:":
            found[one.key] = None
    if sender[:2] != "e:":
        return (), ()
    if next(iter(found)) != sender:
        found = {sender: None, **found}
    listed = [_known(key) for key in list(found)[:MOST_PEOPLE]]
    return (
        tuple([person for person, _, _ in listed]),
        tuple([0 if domain in free else firm for _, domain, firm in listed]),
    )


@lru_cache(maxsize=32_768)
def _known(key: str) -> tuple[int, str, int]:
    domain = key.rpartition("@")[2]
    return _person(key), domain, _person(domain)


def tokens(message: Message) -> list[int]:
    """Return what a message is found by when ids are lost: subject, one of its people, month."""
    if message.subject is None:
        return []
    subject = mixed(message.subject, _month(message.at_us // WINDOW_US))
    return [mixed(subject, one) for one in message.people[:MOST_ASKED]]


def wanted(head: Message) -> list[int]:
    """Return the tokens of all messages that `head` may answer."""
    if head.subject is None:
        return []
    month = head.at_us // WINDOW_US
    people = head.people[:MOST_ASKED]
    return [
        mixed(subject, one)
        for topic in (head.subject, *[topic for topic, _ in head.before])
        for subject in (mixed(topic, _month(month)), mixed(topic, _month(month - 1)))
        for one in people
    ]


@lru_cache(maxsize=1_024)
def _month(number: int) -> int:
    return _number("t", str(number))


def mixed(one: int, other: int) -> int:
    """Return one number of two, as good as a hash of both because they are hashes."""
    number = (one * _ODD ^ other) & _ALL
    return number - _ALL - 1 if number >> 63 else number


_ODD, _ALL = 0x9E3779B97F4A7C15, 0xFFFF_FFFF_FFFF_FFFF


@lru_cache(maxsize=65_536)
def _id(one: str) -> int:
    return _number("i", one)


@lru_cache(maxsize=16_384)
def _word(stem: str) -> int:
    return _number("w", stem)


@lru_cache(maxsize=32_768)
def _person(key: str) -> int:
    return _number("p", key)


def _number(kind: str, text: str) -> int:
    raw = f"{kind}\x1f{text}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "big", signed=True)
