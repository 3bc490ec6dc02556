"""Everyday mail: orders, bills, dates and thanks, in threads with quotes and signatures."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from typing import NamedTuple

from .erp import orders_of
from .filler import FILLER
from .message import Mail, mail, multipart, part, quote
from .world import NEW_YORK, OWN_DOMAIN, SNAPSHOT, Person, number, pick

_THREADS = 43
_ORDERS = ("Clearwater Orders", f"orders@{OWN_DOMAIN}")
_BILLING = ("Clearwater Billing", f"billing@{OWN_DOMAIN}")
_OUR_SIGNATURE = "\n-- \nClearwater Water Delivery\n(718) 555-0101 | www.clearwater.example\n"


class Topic(NamedTuple):
    """A kind of thread: who of us answers, and what is written; {order} and {day} are filled in."""

    desk: tuple[str, str]
    subject: str
    ask: str
    answer: str
    thanks: str


_TOPICS = (
    Topic(_ORDERS, "More bottles please",
          "Hello,\n\ncould you add four bottles to our next delivery? We had visitors all week.\n",
          "Hello {given},\n\nfour more bottles are on the van for {day}.\n",
          "Perfect, thank you.\n"),
    Topic(_BILLING, "Question about the bill for {order}",
          "Hi,\n\nthe bill for {order} shows one cooler rental, but our cooler went back last\n"
          "month. Can you check?\n",
          "Hi {given},\n\nyou are right about {order}. A credit will be on your next bill.\n",
          "Thanks for the quick answer!\n"),
    Topic(_ORDERS, "Change of delivery day",
          "Good morning,\n\nwe are closed on {day}. Could the driver come a day later?\n",
          "Good morning {given},\n\nno problem, the delivery moves by one day.\n", ""),
    Topic(_ORDERS, "Cooler is leaking",
          "Hi,\n\nthe cooler drips since this morning, there is a puddle under it.\n"
          "From what I can see it is the left tap.\n",
          "Hi {given},\n\nplease close the left tap and pull the plug. A technician comes\n"
          "on {day}.\n",
          "The technician was here, all dry now. Thank you!\n"),
    Topic(_ORDERS, "Pause deliveries",
          "Hello,\n\nplease pause our deliveries for two weeks, we are travelling.\n",
          "Hello {given},\n\npaused. The next delivery is on {day}.\n", ""),
    Topic(_BILLING, "Receipt for {order}",
          "Hello,\n\nour accountant needs a receipt for {order}. Could you send one?\n", "", ""),
)  # fmt: skip


def _body(text: str, number_: int) -> bytes:
    """Return the text as one of the body shapes mail programs use."""
    shape = number_ % 4
    if shape == 0:
        return part(text, encoding="quoted-printable")
    if shape == 1 and text.isascii():
        return part(text, charset="us-ascii", encoding="7bit")
    if shape == 2:
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.split("\n") if line)
        page = f"<html><body>{paragraphs}</body></html>\n"
        boundary = f"alt-{number_:08x}"
        return multipart(
            "alternative",
            boundary,
            [part(text), part(page, "text/html", encoding="quoted-printable")],
        )
    return part(text, encoding="base64" if shape == 3 else "8bit")


def _signature(person: Person) -> str:
    lines = [person.name]
    if person.firm:
        lines += [person.title, person.firm.name]
    return "\n" + "\n".join(lines) + "\n"


def _thread(index: int) -> list[Mail]:
    seed = number("thread", index)
    person = FILLER[(index * 5 + 1) % len(FILLER)]
    topic = pick(_TOPICS, "topic", index)
    start = datetime(2025, 11, 4, tzinfo=NEW_YORK) + timedelta(
        days=seed % 130, hours=8 + seed // 7 % 9, minutes=seed // 11 % 60
    )
    bought = [order for order, day in orders_of(person) if day < start.date()]
    words = {
        "order": bought[-1] if bought else "last month",
        "day": f"{start + timedelta(days=3):%A}",
        "given": person.given,
    }
    subject = topic.subject.format(**words)
    them, stem = (person.name, person.email), f"{seed:x}.{index}"
    first_id = f"{stem}@{person.email.partition('@')[2]}"
    ask = topic.ask.format(**words) + _signature(person)
    mails = [mail(start, them, [topic.desk], subject, _body(ask, seed), first_id)]
    if topic.answer:
        at = start + timedelta(minutes=25 + seed % 200)
        answer = topic.answer.format(**words) + _OUR_SIGNATURE
        quoted = answer + quote(ask, start, person.name)
        second_id = f"{stem}.r@mail.{OWN_DOMAIN}"
        mails.append(mail(at, topic.desk, [them], f"Re: {subject}", _body(quoted, seed // 4),
                          second_id, replies_to=[first_id]))  # fmt: skip
        if topic.thanks:
            quoted = topic.thanks + _signature(person) + quote(answer, at, topic.desk[0])
            again = pick(("Re: ", "RE: ", "Re: Re: "), index)
            mails.append(mail(at + timedelta(hours=2), them, [topic.desk], again + subject,
                              _body(quoted, seed // 16), f"{stem}.t@{first_id.partition('@')[2]}",
                              replies_to=[first_id, second_id]))  # fmt: skip
    return [one for one in mails if one.at < SNAPSHOT]


def daily() -> list[Mail]:
    """Return the everyday mail of four months."""
    return [one for index in range(_THREADS) for one in _thread(index)]
