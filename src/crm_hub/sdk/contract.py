"""What a connector is. The engine plans from Caps, never from isinstance.

A connector has no sleep, retry, secret handling or database: all of that comes
through its Context. Only `check`, `discover` and `pull` are required, and a
connector that only receives (`caps.read == "none"` on each stream) needs no pull.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel

from crm_hub.model.errors import NotSupported
from crm_hub.model.records import Change, Checkpoint, Page, Window
from crm_hub.observe import logger

if TYPE_CHECKING:
    from crm_hub.sdk.http import HttpClient
    from crm_hub.sdk.tokens import GrantStore

Read = Literal["none", "full", "since", "delta"]
Deletes = Literal["none", "tombstone", "reconcile"]
Guard = Literal["none", "etag", "version", "modified_at", "compare"]
Idempotency = Literal["none", "native", "external_id"]
Operation = Literal["upsert", "delete", "merge"]

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Caps:
    """What one stream can do.

    read: "none" (it only receives), "full" (a snapshot each time), "since" (changed since a
        time) or "delta" (the source keeps a cursor).
    deletes: never told, told one by one, or found by comparing whole snapshots.
    guard: what a write can be made conditional on; "compare" = the engine reads, compares, writes.
    idempotency: what makes a repeated send harmless; "none" = the engine looks the record up first.
    live: the source tells by itself that there is news (IMAP IDLE): `wait` returns when it does.
    """

    read: Read = "full"
    deletes: Deletes = "none"
    write: frozenset[Operation] = frozenset()
    guard: Guard = "none"
    idempotency: Idempotency = "none"
    batch_size: int = 1
    webhooks: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of records as `discover` finds it.

    name: unique in the connection. shape: which section of the mapping file reads it
    (default: the name). guess: how the shape was recognised, printed for the admin.
    fields: path → JSON type, for drift reports and lint. section: a proposal for a mapping
    section in mapping-file form, used when the mapping files have none for this shape.
    """

    name: str
    shape: str = ""
    caps: Caps = Caps()
    fields: Mapping[str, str] = field(default_factory=dict)
    guess: str = ""
    section: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.shape:
            object.__setattr__(self, "shape", self.name)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The far side's published limit, and the answer headers that report what is left."""

    requests: int
    per_s: float
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A connector's visiting card.

    settings: a pydantic model; secrets are `SecretStr`, every field titled and described.
    docs: where the vendor describes the interface used. asks_when_gone: a stream that was read and
    is no longer discovered stops the connection with a question, as a mass delete does; otherwise
    its records stay.
    """

    id: str
    version: str
    title: str
    settings: type[BaseModel]
    summary: str = ""
    rate_limits: tuple[RateLimit, ...] = ()
    docs: tuple[str, ...] = ()
    asks_when_gone: bool = False


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a successful check found: the account, its scopes, the clock skew, a sample.

    lines: what the admin should know, one thought a line.
    """

    account: str
    lines: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    clock_skew_s: float | None = None
    sample: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One change to make on the far side: only the changed fields, and the base we believed.

    id: None to create a record. fields, base: path as the mapping writes it → value in the far
    side's words; None clears. guard: the Change.version that was last seen or given by an Outcome;
    a record of another version is not written, but answered with `conflict`. None: no condition.
    idempotency_key: the same for every send of this write. A far side that takes no key stores it
    with a new record, where `fetch` finds it.
    """

    operation: Operation
    stream: str
    id: str | None
    fields: Mapping[str, Any]
    base: Mapping[str, Any]
    guard: str | None
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write.

    id: of the record, the new one after a create. version: the record's mark after the write, as
    the next pull will show it; None where that is not known. `duplicate`: the key was known.
    current: the far side's present payload on a conflict. reasons: path → why, on a rejection.
    """

    result: Literal["applied", "duplicate", "conflict", "rejected", "gone"]
    id: str | None = None
    version: str | None = None
    current: Mapping[str, Any] | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A webhook or form post as it came in: the raw bytes, headers lower-cased."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class HookReply:
    """What the door answers, and whether the request is kept in the inbox."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Ref:
    """A record to fetch: stream and id, with what a thin webhook said about it.

    Without id: the record that was created with the key `hint["external_id"]`, if there is one.
    """

    stream: str
    id: str
    hint: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookBatch:
    """What one kept request holds: whole changes, or references to fetch, by stream."""

    changes: Sequence[tuple[str, Change]] = ()
    refs: Sequence[Ref] = ()
    ignored: str = ""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """All a connector gets from the hub: clock, log, HTTP, its hub's folder and locale.

    now: the current instant, aware. http: makes a client with retry, caps and redaction.
    base_dir: relative paths in settings start here. region: ISO 3166 code for phone numbers
    without a country. zone: IANA zone for times without one. stopping: true once the hub wants
    to stop; a connector looks at it between pages. grants: where a renewed OAuth grant is kept.
    """

    connection: str
    base_dir: Path
    now: Callable[[], datetime] = _utc_now
    log: logging.Logger = field(default_factory=lambda: logger("connector"))
    http: Callable[..., HttpClient] | None = None
    region: str = "US"
    zone: str = "UTC"
    stopping: Callable[[], bool] = lambda: False
    grants: GrantStore | None = None


class Connector(Generic[S]):
    """Base of every connector. A subclass names its `manifest` and implements what it can."""

    manifest: ClassVar[Manifest]

    def __init__(self, settings: S, context: Context) -> None:
        self.settings = settings
        self.context = context

    def check(self) -> CheckReport:
        """Return what the account is and can do. Raises: AuthRefused, Unavailable, ConfigError."""
        raise NotImplementedError

    def discover(self) -> list[StreamInfo]:
        """Return the streams, the same list in the same order each time nothing changed."""
        raise NotImplementedError

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        """Yield pages of changes after `checkpoint`; all there is when it is None.

        No page at all means: nothing changed. A `window` pull gives that span of time only, and
        its pages carry no checkpoint.
        Raises: CheckpointExpired, AuthRefused, Throttled, Unavailable.
        """
        raise NotSupported(f"{self.manifest.id} cannot be pulled")

    def wait(self, timeout_s: float) -> bool:
        """Return True as soon as the source has news, False when `timeout_s` pass without any.

        Asked of connectors with a stream whose Caps say `live`, between pulls and from the same
        thread, a few seconds at a time. Only a hint: the flow pulls in regular intervals all the
        same.
        """
        raise NotSupported(f"{self.manifest.id} cannot wait for news")

    def close(self) -> None:
        """Let go of what was held between pulls, such as a session; called once, at the end."""
        return

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        """Return (stream, change) for each of `refs`; a tombstone where it is gone.

        Nothing for a ref without id whose key no record carries.
        """
        raise NotSupported(f"{self.manifest.id} cannot fetch single records")

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        """Return one outcome for each write, in order; never raises for a single record."""
        raise NotSupported(f"{self.manifest.id} cannot be written to")

    def verify_hook(self, request: HookRequest) -> HookReply:
        """Return the door's answer once the request is proven genuine over its raw bytes.

        Raises: HookRefused with the HTTP status for anything that is not.
        """
        raise NotSupported(f"{self.manifest.id} receives no webhooks")

    def parse_hook(self, request: HookRequest) -> HookBatch:
        """Return what a kept request holds. Raises: RecordError when it cannot be read."""
        raise NotSupported(f"{self.manifest.id} receives no webhooks")

    def subscribe(self, url: str, secret: str) -> datetime | None:
        """Register `url` at the far side; return when that must be renewed, None for never."""
        raise NotSupported(f"{self.manifest.id} has no webhook subscription")
