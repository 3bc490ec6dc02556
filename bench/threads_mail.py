"""Mail with a known truth: conversations between a firm and its customers, with every usual trap.

Shares are the constants below. Everything comes from one seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from typing import NamedTuple

LOST = 0.07  # an answer without References and In-Reply-To
ONLY_IN_REPLY_TO = 0.15  # people whose program writes no References
REWRITTEN = 0.02  # a gateway gave the message another id; answers name the first one
ABSENT = 0.04  # in none of our mailboxes: deleted, or between others
FORWARD = 0.04
FORWARD_WITHOUT_IDS = 0.3
HIJACKED = 0.02  # conversations begun with the reply button under another one
HIJACK_KEEPS_MARK = 0.1
DRIFT = 0.015  # answers that change the subject and stay on the topic
DRIFT_WITHOUT_MARK = 0.3
OTHER_HAND = 0.03  # a colleague answers, or the same person from another address
TAGGED = 0.1  # a gateway puts [EXT] before the subject of mail from outside
AUTOMATED, LISTED = 0.12, 0.04  # kinds of conversations

REPLY_MARKS = ["Re:", "RE:", "AW:", "SV:", "Antw:", "Re[2]:", "VS:", "Odp:", "RIF:", "回复："]
FORWARD_MARKS = ["Fwd:", "FW:", "WG:", "TR:", "VB:", "RV:", "I:"]
GENERIC = ["Hello", "Invoice", "Question", "Meeting", "Hi", "Thanks", "Request", "Order", ""]
TOPICS = ["Delivery dates", "Quote for filters", "Spare parts", "Service visit", "Price list",
          "Complaint", "Bestellung", "Angebot", "Rechnung", "Leverans"]  # fmt: skip
WORDS = "pump filter valve hose seal motor sensor cable panel gasket nozzle tank rotor".split()
NOTICES = ["Your invoice", "Weekly report", "Backup finished", "Password expires", "Newsletter"]
START = datetime(2025, 1, 1, 8, 0, tzinfo=UTC)
FREE = ["gmail.com", "outlook.com", "gmx.de"]


class Person(NamedTuple):
    """Somebody who writes, and how their mail program does it."""

    name: str
    address: str
    other: str
    reply: str
    forward: str
    references: bool


@dataclass(slots=True)
class Mail:
    """A message as it was sent, before any mailbox got it."""

    number: int
    conversation: int
    at: datetime
    sender: Person
    to: list[Person]
    subject: str
    message_id: str
    references: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    is_answer: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """One copy of a message in one mailbox."""

    number: int
    conversation: int
    mailbox: str
    message_id: str
    references: tuple[str, ...]
    is_answer: bool
    lost: bool
    raw: bytes


class World:
    """The people, and the mail they have written so far."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.ours = [self._person(f"own{i}", "clearwater.example") for i in range(6)]
        self.ours += [self._person("sales", "clearwater.example")]
        self.theirs = [
            self._person(f"c{i}", FREE[i % 3] if i % 8 == 0 else f"firm{i // 3}.example")
            for i in range(90)
        ]
        self.group = Person("users", "users@lists.example", "", "", "", True)
        self.mails: list[Mail] = []
        self.numbers = 0
        self.conversations = 0

    def _person(self, name: str, domain: str) -> Person:
        pick = self.rng.choice
        return Person(
            name, f"{name}@{domain}", f"{name}.private@{domain}",
            pick(REPLY_MARKS[:2] * 3 + REPLY_MARKS), pick(FORWARD_MARKS),
            self.rng.random() >= ONLY_IN_REPLY_TO,
        )  # fmt: skip

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def send(self, conversation: int, at: datetime, sender: Person, to: list[Person],
             subject: str) -> Mail:  # fmt: skip
        """Return a message that answers nothing yet, added to what was written."""
        self.numbers += 1
        mark = f"{self.rng.getrandbits(48):x}.{self.numbers}@{sender.address.partition('@')[2]}"
        mail = Mail(self.numbers, conversation, at, sender, to, subject, mark)
        self.mails.append(mail)
        return mail

    def begin(self, at: datetime) -> None:
        """Write one whole conversation."""
        self.conversations += 1
        draw = self.rng.random()
        if draw < AUTOMATED:
            self._notice(at)
        elif draw < AUTOMATED + LISTED:
            self._list(at)
        else:
            self._talk(at)

    def _notice(self, at: datetime) -> None:
        rng = self.rng
        robot = Person("noreply", f"noreply@shop{rng.randrange(4)}.example", "", "", "", True)
        mail = self.send(self.conversations, at, robot, [rng.choice(self.ours)],
                         rng.choice(NOTICES))  # fmt: skip
        mail.headers = ["Auto-Submitted: auto-generated"]

    def _list(self, at: datetime) -> None:
        members = self.rng.sample(self.theirs[:12], 4)
        group = self.group
        subject = f"[users] {self._subject()}"
        told = [self.send(self.conversations, at, members[0], [group], subject)]
        for _ in range(self._length() - 1):
            at = self._later(at)
            parent, sender = self.rng.choice(told[-3:]), self.rng.choice(members)
            to = [group, parent.sender] if self.chance(0.5) else [group]
            told.append(self._answer(parent, at, sender, to))
        for mail in told:
            mail.headers = ["List-Id: <users.lists.example>", "Precedence: list"]

    def _talk(self, at: datetime) -> None:
        rng = self.rng
        own, customer = rng.choice(self.ours), rng.choice(self.theirs)
        people = [own, customer]
        if self.chance(0.25):
            people.append(rng.choice(self.ours + self.theirs))
        first = own if self.chance(0.4) else customer
        others = [p for p in dict.fromkeys(people) if p is not first]
        told = [self.send(self.conversations, at, first, others, self._subject())]
        if self.chance(HIJACKED):
            self._hijack(told[0], own, customer)
        for _ in range(self._length() - 1):
            at = self._later(at)
            told.append(self._next(told, at))

    def _hijack(self, mail: Mail, own: Person, customer: Person) -> None:
        """Let a new conversation begin with the reply button under an older one."""
        older = [
            m
            for m in self.mails
            if {own, customer} <= {m.sender, *m.to}
            and m.conversation != mail.conversation
            and _bare(m.subject) != mail.subject
        ]
        if older:
            self._refer(mail, self.rng.choice(older[-10:]))
            if self.chance(HIJACK_KEEPS_MARK):
                mail.subject = f"{mail.sender.reply} {mail.subject}"

    def _next(self, told: list[Mail], at: datetime) -> Mail:
        parent = told[-1] if self.chance(0.8) else self.rng.choice(told)
        if self.chance(FORWARD):
            return self._forwarded(parent, at)
        people = list(dict.fromkeys([parent.sender, *parent.to]))
        sender = self.rng.choice([p for p in parent.to if p in people] or people)
        if self.chance(0.08):
            sender = parent.sender  # writes once more before anybody answers
        if self.chance(OTHER_HAND):
            sender = self._other_hand(sender)
        to = [p for p in people if p.name != sender.name] or [parent.sender]
        return self._answer(parent, at, sender, to)

    def _other_hand(self, sender: Person) -> Person:
        if self.chance(0.5) or sender.address.endswith(tuple(FREE)):
            return sender._replace(address=sender.other)
        firm = sender.address.partition("@")[2]
        colleagues = [p for p in self.ours + self.theirs if p.address.endswith("@" + firm)]
        return self.rng.choice(colleagues)

    def _answer(self, parent: Mail, at: datetime, sender: Person, to: list[Person]) -> Mail:
        subject = _marked(sender.reply, parent.subject)
        if self.chance(DRIFT):
            subject = self._drifted(_bare(parent.subject))
            if not self.chance(DRIFT_WITHOUT_MARK):
                subject = f"{sender.reply} {subject}"
        mail = self.send(parent.conversation, at, sender, to, subject)
        mail.is_answer = True
        if self.chance(LOST):
            mail.lost = True
        else:
            self._refer(mail, parent)
        return mail

    def _drifted(self, subject: str) -> str:
        word, draw = self.rng.choice(WORDS), self.rng.random()
        if draw < 0.4:
            return f"{subject} {word} confirmed".strip()
        if draw < 0.7:
            return f"{word.title()}: {subject}"
        return f"{word} {self.rng.choice(WORDS)} (was: {subject})" if draw < 0.85 else word

    def _forwarded(self, parent: Mail, at: datetime) -> Mail:
        sender = self.rng.choice([parent.sender, *parent.to])
        to = [self.rng.choice([p for p in self.ours if p != sender])]
        mail = self.send(parent.conversation, at, sender, to,
                         f"{sender.forward} {parent.subject}")  # fmt: skip
        mail.is_answer = True
        if self.chance(FORWARD_WITHOUT_IDS):
            mail.lost = True
        else:
            self._refer(mail, parent)
        return mail

    def _refer(self, mail: Mail, parent: Mail) -> None:
        mail.chain = [*parent.chain, parent.message_id]
        mail.references = mail.chain if mail.sender.references else mail.chain[-1:]

    def _subject(self) -> str:
        rng, draw = self.rng, self.rng.random()
        if draw < 0.2:
            return rng.choice(GENERIC)
        if draw < 0.45:
            return rng.choice(TOPICS)
        return f"{rng.choice(WORDS)} {rng.choice(WORDS)} {rng.randrange(10_000, 99_999)}"

    def _length(self) -> int:
        return min(40, 1 + int(self.rng.expovariate(1 / 3.2)))

    def _later(self, at: datetime) -> datetime:
        return at + timedelta(minutes=min(60_000.0, self.rng.lognormvariate(5.7, 1.5)))


def _bare(subject: str) -> str:
    marks = (*REPLY_MARKS, *FORWARD_MARKS)
    while found := next((mark for mark in marks if subject.startswith(mark)), ""):
        subject = subject.removeprefix(found).strip()
    return subject


def _marked(mark: str, subject: str) -> str:
    """Return a subject as mail programs answer it: each knows its own mark, so marks pile up."""
    return subject if subject.startswith(mark) else f"{mark} {subject}".strip()


def letters(seed: int, conversations: int) -> list[Letter]:
    """Return the copies that lie in our mailboxes, in no order of time."""
    world = World(seed)
    days = 365 * conversations / 3_000
    starts = sorted(
        START + timedelta(days=world.rng.uniform(0, days)) for _ in range(conversations)
    )
    for at in starts:
        world.begin(at)
    out: list[Letter] = []
    for mail in world.mails:
        boxes = [p for p in world.ours if p in (mail.sender, *mail.to)]
        if world.group in mail.to:
            boxes.append(world.ours[0])  # who reads the list
        if boxes and not world.chance(ABSENT):
            out += _copies(world, mail, boxes)
    world.rng.shuffle(out)
    return out


def _copies(world: World, mail: Mail, boxes: list[Person]) -> list[Letter]:
    shown, original = mail, ""
    if world.chance(REWRITTEN):
        shown = replace(mail, message_id=f"gw{world.rng.getrandbits(60):x}@gateway.example")
        original = mail.message_id
    if mail.sender not in world.ours and world.chance(TAGGED):
        shown = replace(shown, subject=f"[EXT] {shown.subject}")
    # Of a rewritten id, half keep the first one where Gmail keeps it.
    keeps = bool(original) and world.chance(0.5)
    extra = [f"X-Google-Original-Message-ID: <{original}>"] if keeps else []
    return [_letter(shown, box.name, extra) for box in boxes]


def _letter(mail: Mail, mailbox: str, extra: list[str]) -> Letter:
    lines = [
        f"From: {mail.sender.name} <{mail.sender.address}>",
        "To: " + ", ".join(f"<{p.address}>" for p in mail.to),
        f"Date: {format_datetime(mail.at)}",
        f"Message-ID: <{mail.message_id}>",
        f"Subject: {Header(mail.subject, 'utf-8').encode() if mail.subject else ''}",
        *mail.headers,
        *extra,
    ]
    if mail.references:
        lines.append(f"In-Reply-To: <{mail.references[-1]}>")
        if mail.sender.references:
            lines.append("References: " + "\n ".join(f"<{one}>" for one in mail.references))
    raw = "\n".join([*lines, "", f"Message {mail.number}.", ""]).encode()
    return Letter(
        mail.number, mail.conversation, mailbox, mail.message_id, tuple(mail.references),
        mail.is_answer, mail.lost, raw,
    )  # fmt: skip
