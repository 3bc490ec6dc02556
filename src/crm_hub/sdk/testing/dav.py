"""Calendars and address books on real servers, as sources and harnesses of the contract suite.

What they hold is said by a class of the connector's tests (`Things`); where they lie, by the ones
here: on a Radicale, whose files are changed on disk as its own PUT does, or on a server that is
changed by PUT and DELETE. All stand behind the fault server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from itertools import count
from typing import Any, ClassVar, Literal, TypeVar

from crm_hub.sdk.testing.contract import CANARY, WRONG, Alteration, Exempt, Harness, Source
from crm_hub.sdk.testing.fault_server import FaultServer
from crm_hub.sdk.testing.relay import forward
from crm_hub.sdk.testing.servers import free_port
from crm_hub.sdk.testing.servers.cyrus import Cyrus
from crm_hub.sdk.testing.servers.process import Unobtainable
from crm_hub.sdk.testing.servers.radicale import Radicale, radicale
from crm_hub.sdk.testing.servers.xandikos import Xandikos

CASES = (2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 21)
"""The cases in which servers differ: those run on Xandikos and Cyrus too."""


class Things(Source):
    """A collection of things that are written as text.

    kind, work, title: of the collection. named: the beginning of each name, before six digits.
    """

    kind: ClassVar[Literal["calendar", "addressbook"]]
    work: ClassVar[str]
    title: ClassVar[str]
    named: ClassVar[str]
    suffix: ClassVar[str]
    media_type: ClassVar[str]
    server: FaultServer

    def text(self, number: int, title: str = "", at: datetime | None = None, line: str = "") -> str:
        """Return a thing. at: when it was changed last; line: one more property."""
        raise NotImplementedError

    def without(self, text: str) -> str:
        """Return a thing without a property that it had."""
        raise NotImplementedError

    odd_line: ClassVar[str]
    """A property with a value that is none."""

    def put(self, name: str, text: str) -> None:
        raise NotImplementedError

    def raw(self, id: str) -> bytes | None:
        """Return what the server holds under a name."""
        raise NotImplementedError

    def __init__(self) -> None:
        self._numbers = count(1)

    def settings(self) -> dict[str, Any]:
        url = self.server.url if self.server else ""
        return {"url": url, "username": "ann", "password": CANARY}

    def bad_settings(self) -> dict[str, Any]:
        return {**self.settings(), "password": WRONG}

    def dead_settings(self) -> dict[str, Any]:
        return {**self.settings(), "url": f"http://127.0.0.1:{free_port()}"}

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        names = []
        for _ in range(count):
            number = next(self._numbers)
            names.append(f"{self.named}{number:06d}{self.suffix}")
            self.put(names[-1], self.text(number, at=at))
        return names

    def change(self, id: str) -> None:
        self.put(id, self.text(self._number(id), f"Moved {next(self._numbers)}"))

    def alter(self, how: Alteration) -> None:
        lines = {"field added": "X-NEW-FIELD;X-PARAM=1:news", "field retyped": self.odd_line}
        id = min(self.ids())
        text = self.text(self._number(id), line=lines.get(how, ""))
        self.put(id, self.without(text) if how == "field removed" else text)

    def _number(self, id: str) -> int:
        return int(id[len(self.named) : len(self.named) + 6])


class OnRadicale(Things):
    """A collection of a Radicale; its files are changed on disk, as its own PUT does."""

    def __init__(self, behind: Radicale, server: FaultServer) -> None:
        super().__init__()
        self.server, self.radicale = server, behind
        self.collection = behind.collection(self.work, kind=self.kind, title=self.title)

    def ids(self) -> Set[str]:
        return self.collection.names()

    def put(self, name: str, text: str) -> None:
        self.collection.write(name, text)

    def raw(self, id: str) -> bytes | None:
        path = self.collection.folder / id
        return path.read_bytes() if path.exists() else None

    def delete(self, id: str) -> None:
        self.collection.remove(id)


class ByPut(Things):
    """The collection of a Xandikos or a Cyrus, changed by PUT and DELETE."""

    def __init__(self, behind: Xandikos | Cyrus, server: FaultServer) -> None:
        super().__init__()
        self.server, self.behind = server, behind
        self.path: str = behind.calendar if self.kind == "calendar" else behind.addressbook

    def bad_settings(self) -> dict[str, Any]:
        if isinstance(self.behind, Xandikos):
            raise Exempt("this Xandikos asks for no password")
        return super().bad_settings()

    def ids(self) -> Set[str]:
        return self.behind.names(self.path)

    def put(self, name: str, text: str) -> None:
        self.behind.put(self.path + name, text, self.media_type)

    def raw(self, id: str) -> bytes | None:
        return self.behind.get(self.path + id)

    def delete(self, id: str) -> None:
        self.behind.delete(self.path + id)


Made = TypeVar("Made", bound=OnRadicale)


@contextmanager
def on_radicale(kind: type[Made], records: int) -> Iterator[Made]:
    """Yield a Radicale with a collection of so many things. Raises: Unobtainable."""
    with radicale(password=CANARY) as behind, FaultServer() as server:
        forward(server, behind.url)
        source = kind(behind, server)
        source.add(records)
        if records > 1_000:
            behind.index(source.collection.path)
        yield source


class DavHarness(Harness):
    """A harness on a Radicale. things: the source."""

    page_size = 10
    # Radicale itself needs 3 ms to index an object for the first time.
    memory_records = 2_000
    things: ClassVar[type[OnRadicale]]

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        import pytest

        try:
            with on_radicale(self.things, records) as source:
                yield source
        except Unobtainable as reason:
            pytest.skip(str(reason))


class OtherHarness(Harness):
    """A harness on a server that `start` gives. others: the source."""

    page_size = 10
    others: ClassVar[type[ByPut]]
    start: Callable[..., AbstractContextManager[Any]]

    @contextmanager
    def source(self, records: int, page_size: int) -> Iterator[Source]:
        import pytest

        try:
            with self.start() as behind, FaultServer() as server:
                forward(server, behind.url)
                source = self.others(behind, server)
                source.add(records)
                yield source
        except Unobtainable as reason:
            pytest.skip(str(reason))
