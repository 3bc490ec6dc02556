"""What the hub writes to, as plain values: outbound fields of a section, and a stream's abilities.

The mapping room compiles them, the outbox room plans by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from crm_hub.model.entities import MADE

DeletePolicy = Literal["ignore", "unlink", "archive", "propagate"]


class Unfit(ValueError):
    """A canonical value that the target cannot take. The text says why, without the value."""


@dataclass(frozen=True, slots=True)
class OutField:
    """One canonical field on its way out.

    paths: where it is written in the target's payload. many: it holds a list. whole: the target
    takes the whole list, as one text; otherwise as a list or as one item, as it stands there.
    render: canonical value → path → value as the target writes it; raises Unfit. believe: payload
    → payload with these renderings in their places. pushed_only: what the target says is not read.
    """

    name: str
    paths: tuple[str, ...]
    many: bool
    whole: bool
    clears: bool
    pushed_only: bool
    render: Callable[[Any], dict[str, Any]]
    found: Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class OutSection:
    """What of a section can be written.

    entities: which identities its records are. create_when: fields that must have a value for a
    record to be created; None: none is ever created. constants: entity → what a new record must
    say to be one. archive: path → value that puts a record away. put: (payload, path → value) → a
    copy of the payload with the values in it.
    """

    name: str
    entities: frozenset[str]
    fields: Mapping[str, OutField]
    delete: DeletePolicy
    create_when: tuple[str, ...] | None
    never_when: Mapping[str, str]
    constants: Mapping[str, Mapping[str, Any]]
    archive: Mapping[str, Any]
    digest: str
    put: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]

    @property
    def makes(self) -> bool:
        """Whether it takes what the hub makes itself: a brief, the address of a timeline."""
        return not MADE.isdisjoint(self.fields)


class Ability(NamedTuple):
    """What a stream can do, as it was when its plan was approved. types: path → JSON type.

    tells_deletes: it names what is gone, so that a record it has never shown may be gone as well.
    """

    write: frozenset[str]
    guard: str
    idempotency: str
    batch_size: int
    types: Mapping[str, str] = {}
    tells_deletes: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A stream the hub writes to. creates, deletes: how many of them one run may make.

    only: field → the values of those it is for, none for everybody.
    """

    connection: str
    stream: str
    section: OutSection
    ability: Ability
    creates: int = 1000
    deletes: int = 50
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
