"""Real servers that a sync reads while it is killed: what stands there, and how it changes."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crm_hub_connectors.caldav.tests.sources import entry
from crm_hub_connectors.imap.tests.mailbox import mail
from imapclient import IMAPClient

from crm_hub.sdk.testing.servers.cyrus import Cyrus, cyrus
from crm_hub.sdk.testing.servers.dovecot import Dovecot, dovecot
from crm_hub.sdk.testing.servers.radicale import radicale
from crm_hub.sdk.testing.servers.tryton import DATABASE, USER, Erp, tryton
from crm_hub.sdk.testing.servers.tryton_data import Books
from crm_hub.sdk.testing.servers.xandikos import Xandikos, xandikos


class Place(ABC):
    """One server with something on it. `settings` are the connection's, but for the password."""

    connector: str
    settings: dict[str, Any]
    password: str

    @abstractmethod
    def edit(self, rng: random.Random) -> None:
        """Let its users work for a while: more comes, some changes, little goes."""


class Mailbox(Place):
    """Three mail folders of a Dovecot; its second client flags, moves and expunges."""

    connector = "imap"
    folders = ("INBOX", "Sent", "Projects")

    def __init__(self, server: Dovecot, rng: random.Random) -> None:
        self.server, self.count = server, 0
        self.password = server.password
        self.settings = {
            "host": server.host, "port": server.port, "tls": "none", "username": server.user,
        }  # fmt: skip
        for folder in self.folders:
            self._deliver(folder, 80, rng)

    def edit(self, rng: random.Random) -> None:
        for folder in self.folders:
            self._deliver(folder, rng.randrange(12), rng)
        with IMAPClient(self.server.host, self.server.port, ssl=False) as client:
            client.login(self.server.user, self.password)
            here, there = rng.sample(self.folders, 2)
            client.select_folder(here)
            uids = client.search()
            client.add_flags(rng.sample(uids, 10), [rb"\Seen", rb"\Flagged"])
            gone = rng.sample(uids, 6)
            client.move(gone[:3], there)
            client.delete_messages(gone[3:])
            client.expunge()

    def _deliver(self, folder: str, count: int, rng: random.Random) -> None:
        numbers = range(self.count, self.count + count)
        self.count += count
        us = "Ann <ann@clearwater.example>"
        self.server.deliver(
            folder,
            [
                mail(
                    n,
                    sender=us if folder == "Sent" else "",
                    to=f"p{n % 50}@firm{n % 7}.example" if folder == "Sent" else us,
                    more=f"In-Reply-To: <m{rng.randrange(n)}@firm.example>" if n % 3 == 1 else "",
                )
                for n in numbers
            ],
            self.server.user,
        )


class Calendar(Place):
    """A calendar that is changed by PUT and DELETE."""

    connector = "caldav"

    def __init__(
        self, server: Xandikos | Cyrus, user: str, password: str, rng: random.Random
    ) -> None:
        self.server, self.count, self.names = server, 0, list[str]()
        self.password = password
        self.settings = {"url": server.url, "username": user}
        self._add(120, rng)

    def edit(self, rng: random.Random) -> None:
        self._add(rng.randrange(8), rng)
        for name in rng.sample(self.names, 10):
            self.write(name, self._text(name, rng))
        for name in rng.sample(self.names, 3):
            self.names.remove(name)
            self.remove(name)

    def write(self, name: str, text: str) -> None:
        self.server.put(self.server.calendar + name, text)

    def remove(self, name: str) -> None:
        self.server.delete(self.server.calendar + name)

    def _add(self, count: int, rng: random.Random) -> None:
        for _ in range(count):
            self.count += 1
            self.names.append(f"visit-{self.count:06}.ics")
            self.write(self.names[-1], self._text(self.names[-1], rng))

    def _text(self, name: str, rng: random.Random) -> str:
        guest = rng.randrange(40)
        attendee = f"ATTENDEE;CN=Guest {guest}:mailto:g{guest}@firm{guest % 5}.example"
        weekly = ["RRULE:FREQ=WEEKLY;COUNT=4"] if rng.random() < 0.2 else []
        organizer = "ORGANIZER:mailto:ann@clearwater.example"
        uid = f"{name}@clearwater.example"
        return entry(rng.randrange(500), "Visit", organizer, attendee, *weekly, uid=uid)


class DiskCalendar(Calendar):
    """A calendar of a Radicale, whose objects are files that it looks at anew each time."""

    def __init__(self, folder: Path, settings: dict[str, Any], password: str, rng: Any) -> None:
        self.folder, self.count, self.names = folder, 0, []
        self.settings, self.password = settings, password
        self._add(120, rng)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_bytes(text.encode())

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()


class Office(Place):
    """A Tryton: parties with contacts, sales and opportunities."""

    connector = "tryton"

    def __init__(self, erp: Erp, rng: random.Random) -> None:
        self.books, self.count, self.parties = Books(erp), 0, list[int]()
        self.password = erp.password(USER)
        self.settings = {"url": erp.url, "database": DATABASE, "username": USER}
        self._add(40)

    def edit(self, rng: random.Random) -> None:
        self._add(rng.randrange(1, 5))
        for party in rng.sample(self.parties, 5):
            self.books.erp.model("party.party", "write", [party], {"name": f"Named {rng.random()}"})
        gone = rng.choice(self.parties)
        self.parties.remove(gone)
        self.books.erp.model("party.party", "delete", [gone])

    def _add(self, count: int) -> None:
        for _ in range(count):
            self.count += 1
            mailbox = f"p{self.count}@firm{self.count % 7}.example"
            self.parties.append(self.books.party(f"Person {self.count}", email=mailbox))
        # Who has ordered cannot be deleted, so that these are not among `parties`.
        buyer = self.books.party(f"Buyer {self.count}", phone=f"+49431555{self.count:04}")
        self.books.sale(buyer, [("1", f"{self.count}.50", "0.19")])


@contextmanager
def on_dovecot(rng: random.Random) -> Iterator[Place]:
    with dovecot() as server:
        yield Mailbox(server, rng)


@contextmanager
def on_radicale(rng: random.Random) -> Iterator[Place]:
    with radicale() as server:
        folder = server.collection("work").folder
        yield DiskCalendar(
            folder, {"url": server.url, "username": server.user}, server.password, rng
        )


@contextmanager
def on_xandikos(rng: random.Random) -> Iterator[Place]:
    with xandikos() as server:
        yield Calendar(server, "ann", "not-asked-for", rng)


@contextmanager
def on_cyrus(rng: random.Random) -> Iterator[Place]:
    with cyrus() as server:
        yield Calendar(server, server.user, server.password, rng)


@contextmanager
def on_tryton(rng: random.Random) -> Iterator[Place]:
    with tryton() as erp:
        yield Office(erp, rng)
