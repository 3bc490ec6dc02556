"""What the steps of one walk hand to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_hub.model.canonical import CanonicalRecord, Drift, EventDraft
from crm_hub.model.entities import ENTITIES
from crm_hub.model.ids import SourceKey
from crm_hub.model.routes import Route
from crm_hub.model.rules import IdentityRules, Survivorship

if TYPE_CHECKING:
    from crm_hub.flow.walk_records import Node
    from crm_hub.merge import MergeMember
    from crm_hub.resolve.profile import Profile

MANY = {
    entity: frozenset(name for name, spec in fields.items() if spec.many)
    for entity, fields in ENTITIES.items()
}


Made = tuple[tuple[Any, ...] | None, Sequence[EventDraft], Sequence[Drift]]
"""A record's draft as a plain tuple (None: it is no entity), its events and its drifts."""


class Landed(NamedTuple):
    """A source record that has landed and waits to be walked; payload None = gone.

    made: what the helper process made of it, if it did.
    """

    record_id: int
    key: str
    payload: dict[str, Any] | None
    changed_at_us: int | None
    is_new: bool
    made: Made | None = None


class MappedRecord(NamedTuple):
    """A landed record after mapping.

    Both `record` and `node` are None when it is (no longer) an entity; `node` stands alone when
    the helper process made it.
    """

    landed: Landed
    source: SourceKey
    record: CanonicalRecord | None
    events: Sequence[EventDraft]
    node: Node | None = None


class BriefRules(NamedTuple):
    """What briefs are made by. zone: of the company's days. timeline_url: "" or with `{id}`."""

    zone: str
    timeline_url: str


@dataclass(frozen=True, slots=True)
class TwoWay:
    """Where the hub writes to. routes: by connection and stream.

    entities: what any route writes. steady: the connections whose records have an id of their own.
    briefs: None where no route takes what the hub makes itself.
    """

    routes: dict[tuple[str, str], Route]
    entities: frozenset[str]
    steady: frozenset[str]
    briefs: BriefRules | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """The rules a hub walks by.

    own: the company's own addresses and domains. exclusive: strong ids by scope and name of
    which one identity has only one. systems: connection → the names survivorship may rank it by.
    silent: connections that are only written to, whose values count for nothing.
    two_way: None for a hub that writes nowhere. measured: entity → when and what was measured of
    its records, in place of what the store keeps; near: who is found by what is near, where the
    store does not keep it yet; both for a trial. said: what a record says by itself, by its number
    and its stored values, where a rebuild has it at hand.
    """

    rules: IdentityRules
    survivorship: Survivorship
    own: frozenset[str] = frozenset()
    exclusive: frozenset[tuple[str, str]] = frozenset()
    systems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    two_way: TwoWay | None = None
    silent: frozenset[str] = frozenset()
    measured: Mapping[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    near: Callable[[Iterable[str]], Iterable[tuple[str, int]]] | None = None
    said: Callable[[int, str], Profile | None] | None = None

    def is_own(self, key: str) -> bool:
        """Whether a match key is one of the company's own addresses."""
        if key[:2] != "e:":
            return False
        return key[2:] in self.own or key.rpartition("@")[2] in self.own

    def systems_of(self, connection: str) -> tuple[str, ...]:
        """Return the names survivorship may rank a connection by, also once it was taken out."""
        return self.systems.get(connection, (connection,))

    def speaking(self, members: Sequence[MergeMember]) -> list[MergeMember]:
        """Return the members whose values count; all where none of them does."""
        if not self.silent:
            return list(members)
        found = [m for m in members if not self.silent.intersection(m.systems[:1])]
        return found or list(members)


@dataclass(slots=True)
class Walked:
    """What walking a batch did. moved: match keys whose identity may now be another one."""

    counts: Counter[str] = field(default_factory=Counter)
    moved_keys: set[str] = field(default_factory=set)
    moved_identities: set[int] = field(default_factory=set)


REPLAYED = -1
"""Stands for `late_before_us` where stored records are walked once more: nothing in them is new."""


class Moment(NamedTuple):
    """The run a walk belongs to and its instant; events older than `late_before_us` are late.

    is_own: what is walked is the hub's own doing, and a delete in it goes nowhere.
    """

    run_id: int
    now_us: int
    late_before_us: int | None
    is_own: bool = False

    @property
    def is_replay(self) -> bool:
        return self.late_before_us == REPLAYED
