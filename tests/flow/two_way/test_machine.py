"""A model of two and three systems drives the real engine: it comes to rest and loses no edit.

CRM_HUB_MACHINE_EXAMPLES says how many worlds are tried. scripts/soak tries many more, others each
time; CRM_HUB_MACHINE_SEEDS=1,2 repeats a hunt.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from crm_hub.store import ConflictRow
from tests.flow.hubs import ids
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World

EXAMPLES = int(os.environ.get("CRM_HUB_MACHINE_EXAMPLES", "25"))
STEPS = int(os.environ.get("CRM_HUB_MACHINE_STEPS", "30"))
SCALE = int(os.environ.get("CRM_HUB_SOAK_SCALE", "1"))
FIELDS = ("title", "department", "phone", "first")
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


class TwoWay(RuleBasedStateMachine):
    """steps: how many were taken in this process, for those who want to know."""

    steps = 0

    @initialize(
        profiles=st.lists(st.sampled_from(PROFILES), min_size=2, max_size=3),
        approved=st.booleans(),
    )
    def begin(self, profiles: list[dict[str, Any]], approved: bool) -> None:
        clock = Clock()
        sides = [Side(n, clock, **p) for n, p in zip("abc", profiles, strict=False)]
        self.world = _world(sides)
        self.numbers = itertools.count(1)
        self.edits: dict[str, str] = {}
        self.known_lost: set[str] = set()
        self.fresh: set[str] = set()
        self.people_changed = False
        self.people: dict[str, int] = {}
        if approved:
            self.world.push(yes=True)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.hub.close()
            shutil.rmtree(self.world.folder.parent, ignore_errors=True)

    # what people do -----------------------------------------------------------------------

    def _side(self, at: int) -> Side:
        return list(self.world.sides.values())[at % len(self.world.sides)]

    def _record(self, side: Side, at: int) -> str | None:
        keys = sorted(side.live())
        return keys[at % len(keys)] if keys else None

    @rule(at=st.integers(0, 2))
    def add(self, at: int) -> None:
        number = next(self.numbers)
        self._side(at).add(first=f"f{number}", last=f"l{number}", email=[f"p{number}@x.example"])

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def add_the_same_person_elsewhere(self, at: int, which: int) -> None:
        side, other = self._side(at), self._side(at + 1)
        key = self._record(side, which)
        if key is None:
            return
        payload = {k: v for k, v in side.live()[key].items() if k in ("last", "email")}
        emails = {str(e).strip().lower() for e in payload.get("email", [])}
        theirs = {str(e).strip().lower() for p in other.live().values() for e in p.get("email", [])}
        if emails and not emails & theirs:
            other.add(**payload)

    @rule(at=st.integers(0, 2), which=st.integers(0, 9), name=st.sampled_from(FIELDS))
    def edit(self, at: int, which: int, name: str) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is None:
            return
        number = next(self.numbers)
        value = f"+1212555{number:04d}" if name == "phone" else f"v{number}"
        self._replaced(side.live()[key].get(name))
        self.edits[value] = name
        side.edit(key, **{name: value})

    @rule(
        at=st.integers(0, 2),
        which=st.integers(0, 9),
        name=st.sampled_from(["title", "first"]),
        between=st.sampled_from(["", "time", "pull", "push"]),
    )
    def two_edits_at_once(self, at: int, which: int, name: str, between: str) -> None:
        """Two people edit the same field of the same person on two sides."""
        side, other = self._side(at), self._side(at + 1)
        key = self._record(side, which)
        emails = _plain(side.live()[key].get("email", [])) if key is not None else ()
        twin = next(
            (k for k, p in other.live().items() if set(_plain(p.get("email", []))) & set(emails)),
            None,
        )
        if key is None or twin is None:
            return
        for where, one in ((side, key), (other, twin)):
            value = f"v{next(self.numbers)}"
            self._replaced(where.live()[one].get(name))
            self.edits[value] = name
            where.edit(one, **{name: value})
            if between == "time":
                self.world.clock.tick(2_000_000)
            elif between:
                self._sync(where.name)
            if between == "push":
                self._push(other.name)

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def edit_a_long_text(self, at: int, which: int) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is not None:
            number = next(self.numbers)
            side.edit(key, note=f"Note {number:04d} of many words that go on and on")

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def put_back_what_stood_there_before(self, at: int, which: int) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is None or key not in side.old or side.old[key].gone:
            return
        before, now = side.old[key].payload, side.live()[key]
        for name in FIELDS:
            if before.get(name) != now.get(name):
                self._replaced(now.get(name))
        side.edit(key, **{n: before.get(n) for n in FIELDS})

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def blank_a_field_that_a_blank_does_not_clear(self, at: int, which: int) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is None:
            return
        value = _plain(side.live()[key].get("department"))
        elsewhere = [
            p for s in self.world.sides.values() if s is not side for p in s.live().values()
        ]
        if value not in {_plain(p.get("department")) for p in elsewhere}:
            self._replaced(value)  # nobody else has it: what the hub never saw cannot come back
        side.edit(key, department=None)

    @rule(at=st.integers(0, 2), which=st.integers(0, 9), add=st.booleans())
    def edit_the_addresses(self, at: int, which: int, add: bool) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is None:
            return
        emails = list(side.live()[key].get("email", []))
        if add:
            emails.append(f"p{next(self.numbers)}@y.example")
        elif len(emails) > 1:
            emails.pop(0)
        side.edit(key, email=emails)

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def drop(self, at: int, which: int) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is None:
            return
        for name in FIELDS:
            self._replaced(side.live()[key].get(name))
        side.drop(key)

    def _replaced(self, value: Any) -> None:
        """Somebody saw this value and put another in its place: it is not lost."""
        self.edits.pop(str(value).strip(), None)

    # what goes wrong ----------------------------------------------------------------------

    @rule(at=st.integers(0, 2), fault=st.sampled_from(["down", "lost", "busy", ""]))
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
        held = [_plain(payload.get(name)) for payload in mates.values()]
        said = [c for c in self.world.conflicts() if c.id not in before]
        met = {k for k in mates if k in had and were[k] != were[record]}
        if met:
            disputed = had_open & {were[k] for k in met | {record}}
            # Whoever edits a value knows what stood there: that is not said.
            stood = {
                _plain(v)
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

    def _said_once(
        self,
        said: list[ConflictRow],
        value: str,
        held: list[str],
        stood: set[Any] | None,
    ) -> None:
        """An edit made two people one: it arrived or is logged, and so is, once, what gives way.

        stood: the values that may give way unseen; None where something was in dispute before.
        """
        lost = [(c.field, _plain(c.doc["lost"])) for c in said if c.state == "decided"]
        open_ = {_plain(v) for c in said for v in c.doc.get("values", {}).values()}
        told = {one for _, one in lost}
        assert set(held) == {value} or value in told | open_, f"{value} did not arrive: {held}"
        if stood is not None:
            assert len(lost) == len(set(lost)), f"said twice: {said}"
            assert told <= {value, *stood}, f"said of what was replaced knowingly: {said}"

    def _payloads(self) -> dict[str, dict[str, Any]]:
        """Return what the sides hold, by source key."""
        sides = self.world.sides.values()
        return {f"{s.name}/contacts#{k}": p for s in sides for k, p in s.live().items()}

    @invariant()
    def count(self) -> None:
        TwoWay.steps += 1

    def _come_to_rest(self, days: int = 1) -> None:
        world = self.world
        for side in world.sides.values():
            side.faults.clear()
            side.stale = 0
        world.clock.tick(days * 86_400_000_000)
        self.people_changed, self.people = False, {}
        sent = [self._round() for _ in range(2)]
        if self.people_changed:  # a write made two people one: what follows goes out a round later
            sent.append(self._round())
        assert sent[-1] == 0, f"writes in quiet rounds: {sent}\n{world.show()}"
        for side in world.sides.values():
            assert len(side.created) == len(set(side.created)), f"doubled at {side.name}"
        assert world.waiting() == 0, f"{sent} {world.open_writes()}\n{world.show()}"
        self._equal()
        self._nothing_lost()

    def _round(self) -> int:
        """Pull and push once; note whether a write changed who is who."""
        world, before = self.world, self.world.sent
        world.pull()
        known = ids(world.hub)
        world.push()
        now = ids(world.hub)
        for before_it in (self.people, known):
            changed = any(now.get(key) not in (None, one) for key, one in before_it.items())
            self.people_changed = self.people_changed or changed
        self.people = now
        world.clock.tick(120_000_000)
        return world.sent - before

    def _equal(self) -> None:
        """Records of one identity hold the same, but where a conflict is open."""
        found = ids(self.world.hub)
        opened = {(c.identity_id, c.field) for c in self.world.conflicts("open")}
        names = {"first": "given_name", "last": "family_name"}
        groups: dict[int, list[dict[str, Any]]] = {}
        for side in self.world.sides.values():
            for key, payload in side.live().items():
                groups.setdefault(found[f"{side.name}/contacts#{key}"], []).append(payload)
        for identity, payloads in groups.items():
            # Sides that hold one phone number may each keep another of those that are known.
            for name in ("title", "department", "first", "last", "email"):
                if (identity, names.get(name, name)) in opened:
                    continue
                values = {_plain(p.get(name)) for p in payloads}
                assert len(values) == 1, f"{name} differs: {payloads}"

    def _nothing_lost(self) -> None:
        there = {
            (name, str(payload.get(name, "")).strip())
            for side in self.world.sides.values()
            for payload in side.live().values()
            for name in FIELDS
        }
        logged: set[str] = set()
        whole = False
        for conflict in self.world.conflicts():
            whole = whole or conflict.field == "(record)"
            logged.add(str(conflict.doc.get("lost")))
            logged.update(str(v) for v in conflict.doc.get("values", {}).values())
        for value, name in self.edits.items():
            assert (name, value) in there or value in logged or whole, (
                f"{name}={value} is lost\n{self.world.show()}\n{self.world.conflicts()}"
            )


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(sorted(str(v).strip().lower() for v in value))
    return "" if value is None else str(value).strip().lower()


class TestShort(TwoWay.TestCase):  # type: ignore[name-defined,misc]
    """The same worlds each time; the hunt of hunt.py tries others."""

    settings = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        stateful_step_count=STEPS,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.soak
def test_the_long_hunt_breaks_no_promise() -> None:
    """A hundred thousand steps, as many hunts at a time as there are cores, each with its seed."""
    given = os.environ.get("CRM_HUB_MACHINE_SEEDS")
    seeds = [int(one) for one in given.split(",")] if given else [
        random.SystemRandom().randrange(10**9) for _ in range(os.cpu_count() or 1)
    ]  # fmt: skip
    worlds = -(-3600 * SCALE // len(seeds))
    hunts = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.flow.two_way.hunt", str(seed), str(worlds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for seed in seeds
    ]
    told = [hunt.communicate()[0] for hunt in hunts]
    for text in told:
        print(text)
    assert not any(hunt.returncode for hunt in hunts), "\n".join(told)
    steps = sum(int(n) for text in told for n in re.findall(r": (\d+) steps", text))
    assert steps >= 100_000 * SCALE
