"""What planning is given, golden values and target records, and what it gives: drafts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from crm_hub.model.routes import Route
from crm_hub.model.states import FieldStates

Kind = Literal["create", "update", "delete", "archive", "restore"]


class Wanted(NamedTuple):
    """The golden value of a field. is_open: nobody knows which value is right.

    origin: the record that it is from; None for one that the hub makes.
    """

    value: Any
    stamp: int | None
    items: Mapping[str, int | None]
    is_open: bool
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A record at a far side. payload: as last read, or as believed since our last write."""

    record_id: int
    route: Route
    values: Mapping[str, Any]
    states: FieldStates
    changed_at_us: int | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A write that is wanted.

    fields: by canonical field {to, was, stamp, was_stamp, items, raw, base, from}; raw and base by
    path, from: the record that a single value is from, where it is known.
    constants: of a record to be created, what makes it one of its kind; of one to be archived, what
    puts it away. anchor: the record that a created one is held together with.
    """

    route: Route
    lane: str
    identity_id: int
    record_id: int | None
    kind: Kind
    name: str
    fields: dict[str, dict[str, Any]]
    constants: dict[str, Any] = field(default_factory=dict)
    anchor: int | None = None

    def doc(self) -> dict[str, Any]:
        """Return what is stored of it."""
        doc: dict[str, Any] = {"fields": self.fields, "name": self.name}
        if self.kind in ("create", "archive"):
            doc["constants"] = self.constants
        if self.kind == "create":
            doc["anchor"] = self.anchor
        return doc


class Problem(NamedTuple):
    """A field that cannot be written: to which record (None: one to be created), and why."""

    route: Route
    record_id: int | None
    field: str
    reason: str


@dataclass(slots=True)
class Drafts:
    """What an identity needs at all far sides. loops: what a far side keeps putting back."""

    writes: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    loops: list[tuple[int, str]] = field(default_factory=list)


def record_lane(record_id: int) -> str:
    """Return the lane of a record's writes."""
    return f"r:{record_id}"


def create_lane(identity_id: int, route: Route) -> str:
    """Return the lane in which an identity's record is created in a stream."""
    return f"i:{identity_id}:{route.connection}/{route.stream}"
