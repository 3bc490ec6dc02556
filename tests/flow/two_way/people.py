"""What people do in the systems of a world: the rules of machine.py that the hub has no part in.

edits says which values still count: those that nobody has replaced knowingly.
"""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.flow.two_way.fake import Side
from tests.flow.two_way.resting import FIELDS, Resting, plain


class People(Resting):
    """People who add, edit and delete; numbers makes what they write unique.

    blanked: what stood in a field of which somebody made a blank that the hub may not have seen.
    """

    numbers: itertools.count[int]
    blanked: dict[tuple[str, str], str]

    def _sync(self, name: str) -> None:
        raise NotImplementedError

    def _push(self, name: str) -> None:
        raise NotImplementedError

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
        if name == "department":
            self._write_over_a_blank(side, key)
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
        emails = plain(side.live()[key].get("email", [])) if key is not None else ()
        twin = next(
            (k for k, p in other.live().items() if set(plain(p.get("email", []))) & set(emails)),
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
        self._write_over_a_blank(side, key)
        side.edit(key, **{n: before.get(n) for n in FIELDS})

    @rule(at=st.integers(0, 2), which=st.integers(0, 9))
    def blank_a_field_that_a_blank_does_not_clear(self, at: int, which: int) -> None:
        side = self._side(at)
        key = self._record(side, which)
        if key is None:
            return
        value = plain(side.live()[key].get("department"))
        elsewhere = [
            p for s in self.world.sides.values() if s is not side for p in s.live().values()
        ]
        if value not in {plain(p.get("department")) for p in elsewhere}:
            self._replaced(value)  # nobody else has it: what the hub never saw cannot come back
        self.blanked[side.name, key] = value
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
        self._write_over_a_blank(side, key)
        side.drop(key)

    def _write_over_a_blank(self, side: Side, key: str) -> None:
        """Whoever replaces a blank of their own saw what stood there before it."""
        self._replaced(self.blanked.pop((side.name, key), None))

    def _replaced(self, value: Any) -> None:
        """Somebody saw this value and put another in its place: it is not lost."""
        self.edits.pop(str(value).strip(), None)
