"""Small hubs between sides in memory, and what a test asks of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crm_hub.config import add_connection, create
from crm_hub.flow.clashes import EVERYTHING
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import SyncReport, sync
from crm_hub.flow.outbound import push
from crm_hub.registry import Entry, Registry
from crm_hub.store import ConflictRow, Outbox, WriteRow
from tests.flow.two_way.fake import SIDES, Clock, Side

MAPPING = """\
version: 1
connector: fake
streams:
  contacts:
    entity: person
    identity: [{strong: side_id, at: id}, {match: email}, {match: phone}]
    fields:
      given_name: {at: first, dir: both}
      family_name: {at: last, dir: both}
      title: {at: title, dir: both, blank: clears}
      department: {at: department, dir: both}
      email: {at: email, dir: both}
      phone: {at: phone, dir: both}
      note: {at: note, dir: both, longest: 200}
    create: {when: [family_name, email], never_when: {department: secret}}
    delete: propagate
"""


_found: dict[str, Entry] = {}


class Remembered(Registry):
    """A registry that looks up each connector once: in a model of many hubs it is the slow part."""

    def get(self, name: str) -> Entry:
        if name not in _found:
            _found[name] = super().get(name)
        return _found[name]

    def mapping_text(self, name: str) -> str | None:
        return self.get(name).mapping_text


class World:
    """A hub and its sides. Every connection may be written to unless it is named in `read_only`."""

    remembers = False

    def __init__(
        self,
        folder: Path,
        sides: Sequence[Side],
        *,
        mapping: str = MAPPING,
        mappings: dict[str, str] | None = None,
        read_only: Sequence[str] = (),
        store: str = "sqlite:///hub.db",
    ) -> None:
        self.folder, self.sides = folder, {s.name: s for s in sides}
        self.clock = sides[0].clock
        create(folder, own=["ours.example"], store=store)
        drop_in = folder / "connectors" / "fake"
        drop_in.mkdir(parents=True)
        (drop_in / "connector.py").write_text("from tests.flow.two_way.fake import connector\n")
        (drop_in / "mapping.yaml").write_text(mapping)
        for name in self.sides:
            settings: dict[str, Any] = {"side": name}
            if mappings and name in mappings:
                (folder / f"{name}.yaml").write_text(mappings[name])
                settings["mapping"] = f"{name}.yaml"
            add_connection(folder, name, "fake", settings)
        path = folder / "hub.yaml"
        text = path.read_text()
        for name in self.sides:
            if name not in read_only:
                text = text.replace(f"  {name}:\n", f"  {name}:\n    direction: both\n")
        path.write_text(text)
        self.hub = self.open()

    @classmethod
    def of(cls, folder: Path, sides: Sequence[Side]) -> World:
        """Return the world of a hub's folder that is there already, with these sides."""
        world = cls.__new__(cls)
        world.folder, world.sides = folder, {s.name: s for s in sides}
        world.clock = sides[0].clock
        SIDES.update(world.sides)
        world.remembers = True
        world.hub = world.open()
        return world

    def open(self) -> Hub:
        """Open the hub anew, as after a crash."""
        self.hub = Hub(self.folder, now=self.clock.now)
        if self.remembers:
            self.hub.registry = Remembered([self.folder / "connectors"])
        return self.hub

    def pull(self, *names: str) -> None:
        for report in sync(self.hub, names, accept_deletes=True):
            assert report.error is None, report.error

    def push(self, *names: str, yes: bool = True) -> list[SyncReport]:
        found = [push(self.hub, name, yes=yes, many=True) for name in names or self.sides]
        reports = [one for one in found if one is not None]
        for report in reports:
            assert report.error is None, report.error
        return reports

    def round(self, yes: bool = True) -> int:
        """Pull from all sides, push to all sides; return how many writes were sent."""
        before = self.sent
        self.pull()
        self.push(yes=yes)
        self.clock.tick(120_000_000)
        return self.sent - before

    @property
    def sent(self) -> int:
        return sum(len(side.pushed) for side in self.sides.values())

    def settle(self, rounds: int = 8) -> int:
        """Run rounds until one sends nothing; return how many it took."""
        for number in range(1, rounds + 1):
            if not self.round() and not self.waiting():
                return number
        raise AssertionError(f"still writing after {rounds} rounds: {self.show()}")

    def waiting(self) -> int:
        """Return how many writes are not over, dead ones left out."""
        with self.hub.store.read() as db:
            counts = Outbox(db).counts()
        return sum(n for (_, state), n in counts.items() if state != "dead")

    def open_writes(self) -> list[WriteRow]:
        with self.hub.store.read() as db:
            repo = Outbox(db)
            states = ("due", "sent", "unknown")
            return [row for name in self.sides for s in states for row in repo.open_rows(name, s)]

    def conflicts(self, state: str | None = None) -> list[ConflictRow]:
        with self.hub.store.read() as db:
            return Outbox(db).conflicts(state)

    def lived_on(self) -> list[str]:
        """Return why records were kept that had been deleted elsewhere."""
        return [c.doc["why"] for c in self.conflicts() if c.field == EVERYTHING]

    def show(self) -> str:
        found = {name: side.live() for name, side in self.sides.items()}
        return json.dumps(found, indent=1)


def only(side: Side) -> dict[str, Any]:
    """Return the one record of a side, without its id."""
    (payload,) = side.live().values()
    return {k: v for k, v in payload.items() if k != "id"}


def clock() -> Clock:
    return Clock()
