"""A model of two and three systems drives the real engine: it comes to rest and loses no edit.

What people and the hub do, and what goes wrong, are rules; resting.py says what must hold then.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from crm_hub.flow.inbound import sync
from crm_hub.flow.outbound import push
from crm_hub.flow.rulings import same, split, unlink
from crm_hub.model.errors import ConfigError
from tests.flow.hubs import ids
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.people import People
from tests.flow.two_way.resting import plain
from tests.flow.two_way.worlds import World

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

PROFILES: list[dict[str, Any]] = [
    {},
    {"guard": "etag", "has_times": False, "idempotency": "none"},
    {"guard": "compare", "has_versions": False, "reformat": "lower"},
    {"flaky": True, "grain_us": 1_000_000},
    {"guard": "none", "has_versions": False, "has_times": False, "reformat": "spaces"},
    {"delta": True, "reformat": "truncate", "skew_us": 420_000_000, "idempotency": "native"},
    {"batch_size": 5, "skew_us": -420_000_000, "reformat": "reorder", "idempotency": "none"},
]
FAULTS = ["down", "lost", "late", "busy", ""]


class Died(BaseException):
    """The process is gone."""


class Countdown:
    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Died


_templates: dict[tuple[str, ...], Path] = {}


def _world(sides: list[Side]) -> World:
    """Return a world in a fresh folder; the empty hub is built once and copied."""
    names = tuple(s.name for s in sides)
    folder = Path(tempfile.mkdtemp(dir=MEMORY))
    if names not in _templates:
        template = Path(tempfile.mkdtemp(dir=MEMORY)) / "hub"
        first = World(template, sides)
        with first.hub.store.read():
            pass
        first.hub.close()
        _templates[names] = template
    shutil.copytree(_templates[names], folder / "hub")
    return World.of(folder / "hub", sides)


class TwoWay(People, RuleBasedStateMachine):
    """worlds, steps: how many there were in this process, for those who want to know."""

    worlds = 0
    steps = 0

    @initialize(
        profiles=st.lists(st.sampled_from(PROFILES), min_size=2, max_size=3),
        approved=st.booleans(),
    )
    def begin(self, profiles: list[dict[str, Any]], approved: bool) -> None:
        TwoWay.worlds += 1
        clock = Clock()
        sides = [Side(n, clock, **p) for n, p in zip("abc", profiles, strict=False)]
        self.world = _world(sides)
        self.numbers = itertools.count(1)
        self.edits = {}
        self.blanked = {}
        self.fresh: set[str] = set()
        if approved:
            self.world.push(yes=True)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.hub.close()
            shutil.rmtree(self.world.folder.parent, ignore_errors=True)

    # what goes wrong ----------------------------------------------------------------------

    @rule(at=st.integers(0, 2), fault=st.sampled_from(FAULTS))
    def trouble(self, at: int, fault: str) -> None:
        self._side(at).faults.append(fault)

    @rule(at=st.integers(0, 2))
    def stale(self, at: int) -> None:
        side = self._side(at)
        if (side.has_times and side.grain_us == 1) or side.name in self.fresh:
            side.stale = 1

    @rule(n=st.integers(1, 12), at=st.integers(0, 2), commits=st.booleans())
    def crash(self, n: int, at: int, commits: bool) -> None:
        world = self.world
        countdown = Countdown(n)
        if commits:
            world.hub.store.before_commit = countdown
        for side in world.sides.values():
            side.before_call = None if commits else countdown
        try:
            self._sync(self._side(at).name)
            self._push(self._side(at).name)
        except Died:
            pass
        for side in world.sides.values():
            side.before_call = None
        world.hub.close()
        world.open()

    # what the hub does --------------------------------------------------------------------

    def _sync(self, name: str) -> None:
        self.fresh.discard(name)
        list(sync(self.world.hub, [name], accept_deletes=True))

    def _push(self, name: str) -> None:
        before = len(self.world.sides[name].pushed)
        push(self.world.hub, name, yes=True, many=True)
        if len(self.world.sides[name].pushed) > before:
            self.fresh.add(name)

    @rule(at=st.integers(0, 2))
    def pull_one(self, at: int) -> None:
        self._sync(self._side(at).name)

    @rule(at=st.integers(0, 2))
    def push_one(self, at: int) -> None:
        self._push(self._side(at).name)

    @rule(at=st.integers(0, 2), fault=st.sampled_from(["lost", "late"]))
    def push_without_an_answer(self, at: int, fault: str) -> None:
        """The hub has news of every side, and the call that writes them to one is cut off."""
        for name in self.world.sides:
            self._sync(name)
        side = self._side(at)
        side.faults = [fault]
        self._push(side.name)
        side.faults.clear()

    @rule()
    def time_passes(self) -> None:
        self.world.clock.tick(3_600_000_000)

    @precondition(lambda self: hasattr(self, "world"))
    @rule()
    def quiet(self) -> None:
        self._come_to_rest()

    @rule(at=st.integers(0, 2), which=st.integers(0, 9), name=st.sampled_from(["title", "first"]))
    def edit_in_peace(self, at: int, which: int, name: str) -> None:
        """Nobody else does anything: the edit arrives everywhere, and nothing is in dispute.

        Unless the edit shows two people to be one, as a name that agrees now does: their records
        meet for the first time, and what is written over of them is said.
        """
        self._come_to_rest()
        side = self._side(at)
        key = self._record(side, which)
        if key is None:
            return
        record = f"{side.name}/contacts#{key}"
        were, had = ids(self.world.hub), self._payloads()
        before = {c.id for c in self.world.conflicts()}
        had_open = {c.identity_id for c in self.world.conflicts("open")}
        value = f"v{next(self.numbers)}"
        self._replaced(side.live()[key].get(name))
        side.edit(key, **{name: value})
        sent = {s.name: len(s.pushed) for s in self.world.sides.values()}
        self._come_to_rest(days=0)
        found = ids(self.world.hub)
        mates = {k: p for k, p in self._payloads().items() if found[k] == found[record]}
        held = [plain(payload.get(name)) for payload in mates.values()]
        said = [c for c in self.world.conflicts() if c.id not in before]
        met = {k for k in mates if k in had and were[k] != were[record]}
        if met:
            disputed = had_open & {were[k] for k in met | {record}}
            # Whoever edits a value knows what stood there: that is not said.
            stood = {
                plain(v)
                for k in mates.keys() & had.keys()
                for n, v in had[k].items()
                if k in met or n != name
            }
            self._said_once(said, value, held, None if disputed else stood)
            return
        assert set(held) == {value}, f"{name}={value} did not arrive: {held}"
        if found[record] not in had_open:
            assert not said, said
            # A version that moved without a change costs a second try of the same write.
            writes = {
                (s.name, w.id) for s in self.world.sides.values() for w in s.pushed[sent[s.name] :]
            }
            assert len(writes) <= len(held) - 1

    # what people rule ----------------------------------------------------------------------

    def _two(self, at: int, which: int, other: int) -> tuple[str, str] | None:
        """Return the source keys of two records, None where there are no two."""
        side, elsewhere = self._side(at), self._side(at + other % 2)
        one, two = self._record(side, which), self._record(elsewhere, other)
        if one is None or two is None or (side, one) == (elsewhere, two):
            return None
        return f"{side.name}/contacts#{one}", f"{elsewhere.name}/contacts#{two}"

    @rule(at=st.integers(0, 2), which=st.integers(0, 9), other=st.integers(0, 9))
    def link(self, at: int, which: int, other: int) -> None:
        two = self._two(at, which, other)
        if two is not None:
            with suppress(ConfigError):  # they are one already, or the hub has not read them yet
                same(self.world.hub, *two)

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def unlink(self, at: int, which: int) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is not None:
            with suppress(ConfigError):  # it stands alone
                unlink(self.world.hub, f"{side.name}/contacts#{key}")

    @rule(
        at=st.integers(0, 2),
        which=st.integers(0, 9),
        other=st.integers(0, 9),
        between=st.sampled_from(["", "pull", "push", "rest", "crash"]),
        by_split=st.booleans(),
    )
    def unlink_undoes_link(
        self, at: int, which: int, other: int, between: str, by_split: bool
    ) -> None:
        """Two people are made one by mistake, and two again: everything is as it was."""
        self._come_to_rest()
        two = self._two(at, which, other)
        if two is None:
            return
        were, held = ids(self.world.hub), self._held()
        if were[two[0]] == were[two[1]]:
            return
        try:
            same(self.world.hub, *two)
        except ConfigError:
            return
        side = self._side(at)
        if between == "rest":
            self._come_to_rest(days=0)
        elif between == "crash":
            self.crash(n=1 + which, at=at, commits=other % 2 == 0)
        elif between:
            self._sync(side.name)
        if between == "push":
            self._push(side.name)
        if by_split:
            split(self.world.hub, two[0])
        else:
            unlink(self.world.hub, two[1])
        self._come_to_rest(days=0 if between != "crash" else 1)
        assert self._held() == held, f"{two}\n{held}\n{self._held()}"
        assert ids(self.world.hub) == were, (two, were, ids(self.world.hub))

    @invariant()
    def count(self) -> None:
        TwoWay.steps += 1
