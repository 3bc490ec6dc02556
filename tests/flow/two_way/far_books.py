"""A hub between real servers that people edit with programs of their own, at random.

Each server holds one collection. What a person does there is done by another library than the
hub's (vobject, icalendar), and stored as that program's PUT would store it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from crm_hub.config import add_connection, create
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push
from crm_hub.sdk.testing.servers.radicale import Collection, Radicale, radicale
from crm_hub.sdk.testing.servers.xandikos import Xandikos, xandikos
from crm_hub.store import Machinery

_MARK = re.compile(rb"(?<![A-Za-z])no-(\d+)-")
START = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Thing(Protocol):
    """What one kind of collection holds, and how a person's program changes it."""

    connector: str
    kind: str
    setting: str
    suffix: str
    media_type: str
    mapping: str

    def new(self, number: int, rng: random.Random, now: datetime) -> bytes: ...
    def edit(self, raw: bytes, number: int, rng: random.Random, now: datetime) -> bytes: ...
    def said(self, raw: bytes) -> Any: ...


class Side:
    """One collection on one server."""

    def __init__(self, name: str, settings: Mapping[str, str]) -> None:
        self.name, self.settings = name, dict(settings)

    def names(self) -> set[str]:
        raise NotImplementedError

    def get(self, name: str) -> bytes:
        raise NotImplementedError

    def put(self, name: str, raw: bytes) -> None:
        raise NotImplementedError

    def delete(self, name: str) -> None:
        raise NotImplementedError

    def all(self) -> dict[str, bytes]:
        return {name: self.get(name) for name in sorted(self.names())}


class RadicaleSide(Side):
    def __init__(self, name: str, server: Radicale, collection: Collection, setting: str) -> None:
        chosen = collection.path.rstrip("/").rpartition("/")[2]
        super().__init__(name, {"url": server.url, "username": "ann", setting: chosen})
        self._collection = collection

    def names(self) -> set[str]:
        return self._collection.names()

    def get(self, name: str) -> bytes:
        return (self._collection.folder / name).read_bytes()

    def put(self, name: str, raw: bytes) -> None:
        self._collection.write(name, raw.decode())

    def delete(self, name: str) -> None:
        self._collection.remove(name)


class XandikosSide(Side):
    def __init__(self, name: str, server: Xandikos, path: str, setting: str, media: str) -> None:
        chosen = path.rstrip("/").rpartition("/")[2]
        settings = {"url": server.url, "username": "ann", setting: chosen}
        if setting == "calendars":  # it does scheduling; none of the guests is one of its users
            settings["inform_guests"] = "true"
        super().__init__(name, settings)
        self._server, self._path, self._media = server, path, media

    def names(self) -> set[str]:
        return self._server.names(self._path)

    def get(self, name: str) -> bytes:
        return self._server.get(self._path + name) or b""

    def put(self, name: str, raw: bytes) -> None:
        self._server.put(self._path + name, raw.decode(), self._media)

    def delete(self, name: str) -> None:
        self._server.delete(self._path + name)


@contextmanager
def three_sides(thing: Thing) -> Iterator[list[Side]]:
    """Yield a Radicale, a Xandikos and another Radicale. Raises: Unobtainable."""
    with ExitStack() as stack:
        one, three = (stack.enter_context(radicale(password="radicale-secret")) for _ in range(2))
        two = stack.enter_context(xandikos())
        path = two.calendar if thing.kind == "calendar" else two.addressbook
        kind: Any = thing.kind
        yield [
            RadicaleSide("one", one, one.collection("shared", kind=kind), thing.setting),
            XandikosSide("two", two, path, thing.setting, thing.media_type),
            # A name with a blank and an umlaut, which each program spells in its own way.
            RadicaleSide("three", three, three.collection("Büro shared", kind=kind), thing.setting),
        ]


class Between:
    """A hub between the sides, and the people who edit there."""

    def __init__(self, folder: Path, thing: Thing, sides: list[Side], seed: int) -> None:
        self.thing, self.sides = thing, {side.name: side for side in sides}
        self.rng, self.now = random.Random(seed), START
        self.numbers: dict[tuple[str, str], int] = {}
        self._count = 0
        self._touched: set[int] = set()
        self._deleted: set[int] = set()
        self.done: Counter[str] = Counter()
        create(folder, own=["clearwater.example"])
        secret = folder / "password"
        secret.write_text("radicale-secret", "utf-8")
        secret.chmod(0o600)
        (folder / "mappings").mkdir(exist_ok=True)
        (folder / "mappings" / f"{thing.connector}.yaml").write_text(thing.mapping, "utf-8")
        for side in sides:
            settings = {**side.settings, "password": f"file:{secret}"}
            add_connection(folder, side.name, thing.connector, settings)
        path = folder / "hub.yaml"
        text = path.read_text("utf-8")
        for side in sides:
            text = text.replace(f"  {side.name}:\n", f"  {side.name}:\n    direction: both\n")
        path.write_text(text, "utf-8")
        self.hub = Hub(folder, now=self._tick)

    def _tick(self) -> datetime:
        self.now += timedelta(milliseconds=5)
        return self.now

    # people -------------------------------------------------------------------------------

    def someone_edits(self) -> None:
        """Somebody adds, changes or deletes something on one of the sides.

        What was deleted on one side is not edited on another: that is decided for the edit, and
        leaves the sides unequal.
        """
        side = self.rng.choice(list(self.sides.values()))
        self.now += timedelta(seconds=self.rng.randint(2, 90))
        known = {self._number(side, name): name for name in sorted(side.names())}
        whole = [n for n in sorted(known) if n not in self._touched | self._deleted]
        here = [n for n in sorted(known) if n not in self._deleted]
        dice = self.rng.random()
        if not here or dice < 0.2:
            self._count += 1
            raw = self.thing.new(self._count, self.rng, self.now)
            side.put(f"made-{self._count}{self.thing.suffix}", raw)
            self._touched.add(self._count)
            self.done["added"] += 1
        elif dice < 0.32 and len(whole) > 5:
            number = self.rng.choice(whole)
            side.delete(known[number])
            self._touched.add(number)
            self._deleted.add(number)
            self.done["deleted"] += 1
        else:
            number = self.rng.choice(here)
            raw = self.thing.edit(side.get(known[number]), number, self.rng, self.now)
            side.put(known[number], raw)
            self._touched.add(number)
            self.done["edited"] += 1

    def _number(self, side: Side, name: str) -> int:
        """Return which thing this is, by the mark that every one carries in its text."""
        key = (side.name, name)
        if key not in self.numbers:
            self.numbers[key] = number_in(side.get(name))
        return self.numbers[key]

    # the hub ------------------------------------------------------------------------------

    def round(self) -> int:
        """Pull from all, write to all; return how many writes were made."""
        for report in sync(self.hub, list(self.sides), accept_deletes=True):
            assert report.error is None, report.error
        made = 0
        for name in self.sides:
            report = push(self.hub, name, yes=True, many=True)
            if report is None:
                continue
            assert report.error is None, report.error
            assert not report.counts["dead"], self._letters(name)
            made += sum(report.counts[word] for word in ("created", "updated", "deleted"))
        self.now += timedelta(minutes=2)
        self._touched.clear()
        return made

    def _letters(self, name: str) -> list[str]:
        with self.hub.store.read() as db:
            return [str(one) for one in Machinery(db).dead(name)]

    def settle(self, most: int = 8) -> list[int]:
        """Run rounds until one writes nothing; return the writes of each."""
        made = []
        for _ in range(most):
            made.append(self.round())
            if not made[-1]:
                return made
        raise AssertionError(f"still writing after {most} rounds: {made}")

    def states(self) -> dict[str, list[Any]]:
        """Return what each side says, in an order of its own."""
        return {
            name: sorted((self.thing.said(raw) for raw in side.all().values()), key=repr)
            for name, side in self.sides.items()
        }


def number_in(raw: bytes) -> int:
    """Return the number in the mark `no-17-` of a text."""
    found = _MARK.search(raw)
    assert found is not None, raw
    return int(found[1])
