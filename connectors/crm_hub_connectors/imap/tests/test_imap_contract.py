"""The contract suite on a real Dovecot, through a proxy that breaks the line where asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from crm_hub_connectors.imap import session
from crm_hub_connectors.imap.connector import ImapConnector
from crm_hub_connectors.imap.tests.chaos import ChaosProxy, Fault, chaos
from crm_hub_connectors.imap.tests.mailbox import mail
from crm_hub_connectors.imap.uids import id_of, key_of

from crm_hub.sdk.formats.mail_message import message_marks
from crm_hub.sdk.testing.contract import CANARY, WRONG, ContractSuite, Exempt, Harness
from crm_hub.sdk.testing.harness import Alteration, Source
from crm_hub.sdk.testing.servers.dovecot import Dovecot, dovecot
from crm_hub.sdk.testing.servers.process import Unobtainable, free_port

PAGE = 50


class SmallPages(ImapConnector):
    """The connector as it is, with pages small enough to cut a small mailbox into several."""

    page_items = PAGE


class DovecotSource(Source):
    """One user's mailbox; his mail program moves and deletes messages."""

    numbers = count(1)

    def __init__(self, server: Dovecot, proxy: ChaosProxy) -> None:
        self.dovecot = server
        self.proxy = proxy
        self.user = f"user{next(self.numbers)}@clearwater.example"
        self.files: dict[str, Path] = {}
        self.next = count(1)

    def settings(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1", "port": self.proxy.port, "tls": "none",
            "username": self.user, "password": CANARY,
        }  # fmt: skip

    def bad_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": WRONG}

    def dead_settings(self) -> dict[str, Any]:
        return {**self.settings(), "port": free_port()}

    def ids(self) -> Set[str]:
        return set(self.files)

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        # All mail of one minute has one Date and one time of arrival.
        numbers = [next(self.next) for _ in range(count)]
        return self._deliver([mail(number * 60 if same_stamp else number) for number in numbers])

    def _deliver(self, messages: list[bytes]) -> list[str]:
        ids = []
        for message in messages:
            message_id, date = message_marks(message)
            ids.append(id_of(key_of(message_id, date or "")))
        names = self.dovecot.deliver("INBOX", messages, self.user)
        folder = self.dovecot.maildir("INBOX", self.user) / "cur"
        self.files.update({id: folder / name for id, name in zip(ids, names, strict=True)})
        return ids

    def change(self, id: str) -> None:
        self.dovecot.deliver("Archive", [], self.user)
        before = self.files[id]
        after = self.dovecot.maildir("Archive", self.user) / "cur" / before.name
        self.files[id] = before.rename(after)

    def delete(self, id: str) -> None:
        self.files.pop(id).unlink()

    def alter(self, how: Alteration) -> None:
        number = next(self.next)
        message = mail(number)
        if how == "field added":
            message = message.replace(b"Subject:", b"X-Favourite-Water: still\r\nSubject:")
        elif how == "field removed":
            message = message.replace(b"Subject: Order %d\r\n" % number, b"")
        else:
            message = message.replace(b"To: ", b"To: undisclosed-recipients:; (").replace(
                b"text/plain", b"text"
            )
        self._deliver([message])

    def breaks(self) -> Mapping[str, Callable[[], None]]:
        return {
            name: lambda faults=faults: self.proxy.faults.extend(faults)
            for name, faults in {
                "a line cut before the greeting": [Fault(0)] * 3,
                "a line cut in the log-in": [Fault(60)] * 2,
                "a line cut in the list of folders": [Fault(700)] * 2,
                "a line cut in mid-body": [Fault(4_000), Fault(5_100)],
                "a reset in mid-body": [Fault(4_000, "reset"), Fault(6_000, "reset")],
                "a reset before the greeting": [Fault(0, "reset")],
                "silence in mid-body": [Fault(4_000, "hush")],
                "a goodbye in mid-pull": [Fault(4_000, say=b"* BYE shutting down\r\n")],
                "a slow line that is cut": [Fault(9_000, delay_s=0.01)],
                "a web server on the port": [Fault(0, say=b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            }.items()
        }


class ImapHarness(Harness):
    connector = SmallPages
    stream = "mail"
    page_size = PAGE
    memory_records = 8_000
    exempt: Mapping[int, str] = {
        10: "a password, no token",
        22: "mail servers do not merge messages",
    }
    server: Dovecot | None = None

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        if self.server is None:
            raise Exempt("there is no Dovecot here")
        with ExitStack() as stack:
            source = DovecotSource(self.server, stack.enter_context(chaos(self.server.port)))
            source.add(records)
            yield source


@pytest.fixture(autouse=True, scope="module")
def _dovecot() -> Iterator[None]:
    before, session.READ_S = session.READ_S, 0.7
    try:
        with dovecot(password=CANARY) as server:
            ImapHarness.server = server
            yield
    except Unobtainable as why:
        pytest.skip(str(why))
    finally:
        session.READ_S = before
        ImapHarness.server = None


class TestImapContract(ContractSuite):
    harness = ImapHarness()
