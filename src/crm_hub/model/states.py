"""What the hub remembers of each field of a record that takes part in two-way sync: its base.

Shared by landing (is it an echo?), merge (whose value is newer?) and outbox (what is to be
written?), which do not import each other. docs/adr/0011 says why it is cut this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

ABSENT: Any = type("Absent", (), {"__repr__": lambda _self: "ABSENT"})()
"""Stands where None would be a value."""


@dataclass(slots=True)
class Awaited:
    """A write of ours that was confirmed and has not been read back yet; used up by one echo.

    before: what stood there until then. at_us: the record's own time of change until then.
    until_us: when the hub stops waiting. looks: how often the old value was seen since.
    """

    before: Any
    at_us: int | None
    until_us: int
    looks: int = 0


@dataclass(slots=True)
class FieldState:
    """One field of one record.

    stamp: when its value was made, by the edit it comes from. rendering: how the far side writes
    the value, where that differs. copied: the hub wrote it. person: somebody chose it.
    cleared: an edit took the value away. added, removed: stamps of single items of a list.
    bounces: how often the far side has put the value `bounced` in place of ours. undone: a value
    that was taken back and is not written again.
    """

    stamp: int | None = None
    rendering: Any = ABSENT
    copied: bool = False
    person: bool = False
    cleared: bool = False
    added: dict[str, int | None] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    awaited: Awaited | None = None
    bounced: Any = ABSENT
    bounces: int = 0
    undone: Any = ABSENT

    def restored(self, stamp: int | None, undone: Any) -> FieldState:
        """Return the state once the value of before our write, of that stamp, is back.

        undone: our value, where it must not be written again.
        """
        return replace(
            self, stamp=stamp, rendering=ABSENT, undone=undone, copied=False, person=False,
            cleared=False, added={},
        )  # fmt: skip

    def item_stamp(self, item_mark: str) -> int | None:
        """Return the stamp of one item of a list."""
        return self.added.get(item_mark, self.stamp)


@dataclass(slots=True)
class RecordState:
    """All fields of a record. version: the far side's mark after our last write.

    near: echoes that were recognised by likeness only. digest: of the values it belongs to; a
    state of other values is out of date (the hub was not two-way for a while).
    """

    fields: dict[str, FieldState] = field(default_factory=dict)
    version: str | None = None
    near: int = 0
    digest: str = ""

    def entry(self, name: str) -> FieldState:
        """Return the state of a field, a fresh one where there is none."""
        found = self.fields.get(name)
        if found is None:
            found = self.fields[name] = FieldState()
        return found

    def spell_out(self, values: Mapping[str, Any], changed_at_us: int | None) -> None:
        """Give every field that has a value a stamp of its own: so far it was the record's time."""
        for name in values:
            if name not in self.fields:
                self.fields[name] = FieldState(changed_at_us)

    @property
    def awaits(self) -> bool:
        """Whether a write of ours has not been read back yet."""
        return any(one.awaited is not None for one in self.fields.values())


FieldStates = Mapping[str, FieldState]


def mark(item: Any) -> str:
    """Return what makes an item of a list the same item: text without case, else its JSON."""
    return item.lower() if isinstance(item, str) else orjson.dumps(
        item, option=orjson.OPT_SORT_KEYS
    ).decode()  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two canonical values are equal; lists are when they hold the same items."""
    if isinstance(one, list) and isinstance(other, list):
        return {mark(i) for i in one} == {mark(i) for i in other}
    return bool(one == other)


_SHORT = {
    "rendering": "r", "copied": "h", "person": "p", "cleared": "c", "added": "i", "removed": "x",
    "bounced": "b", "bounces": "n", "undone": "u",
}  # fmt: skip


def dump(state: RecordState) -> str:
    """Return the stored form."""
    doc: dict[str, Any] = {"d": state.digest, "f": {k: _out(f) for k, f in state.fields.items()}}
    if state.version is not None:
        doc["v"] = state.version
    if state.near:
        doc["n"] = state.near
    return orjson.dumps(doc, option=orjson.OPT_SORT_KEYS).decode()


def load(text: str) -> RecordState:
    """Return a state from its stored form."""
    doc = orjson.loads(text)
    fields = {name: _in(one) for name, one in doc["f"].items()}
    return RecordState(fields, doc.get("v"), doc.get("n", 0), doc["d"])


def _out(one: FieldState) -> dict[str, Any]:
    doc: dict[str, Any] = {"s": one.stamp}
    for name, short in _SHORT.items():
        value = getattr(one, name)
        if value is not ABSENT and (value or name in ("rendering", "bounced", "undone")):
            doc[short] = value
    if one.awaited is not None:
        a = one.awaited
        doc["w"] = [a.before, a.at_us, a.until_us, a.looks]
    return doc


def _in(doc: dict[str, Any]) -> FieldState:
    given = {name: doc[short] for name, short in _SHORT.items() if short in doc}
    awaited = Awaited(*doc["w"]) if "w" in doc else None
    return FieldState(stamp=doc["s"], awaited=awaited, **given)
