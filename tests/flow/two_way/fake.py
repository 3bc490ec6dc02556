"""Systems in memory that a hub reads and writes, with the vices of real ones.

The drop-in connector of a test hub re-exports `connector`; it finds its side by name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, Field

from crm_hub.model.errors import Throttled, Unavailable
from crm_hub.sdk import (
    Caps,
    Change,
    Checkpoint,
    CheckReport,
    Connector,
    Manifest,
    Outcome,
    Page,
    Ref,
    StreamInfo,
    Window,
    Write,
)
from tests.flow.two_way.in_flight import InFlight

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIDES: dict[str, Side] = {}
Reformat = Literal["none", "truncate", "lower", "reorder", "spaces"]
Payload = dict[str, Any]


@dataclass
class Clock:
    """The world's time in microseconds; each look moves it on."""

    us: int = 1_800_000_000_000_000

    def tick(self, us: int = 1_000_000) -> int:
        self.us += us
        return self.us

    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.tick(1000))


@dataclass
class Row:
    payload: Payload
    at_us: int
    version: int
    seq: int
    ext: str = ""
    gone: bool = False
    into: str | None = None
    edited: int = 0


@dataclass
class Side:
    """One far side. Its users call add, edit and drop; the connector reads and writes.

    skew_us, grain_us: its clock is wrong by so much and as coarse as that. has_times,
    has_versions: what it says of a record. flaky: its versions change though nothing else did.
    faults: what goes wrong with the next calls, one each; "lost", "late" and "busy" wait for a push.
    """

    name: str
    clock: Clock
    guard: Any = "version"
    idempotency: Any = "external_id"
    has_times: bool = True
    has_versions: bool = True
    flaky: bool = False
    skew_us: int = 0
    grain_us: int = 1
    reformat: Reformat = "none"
    batch_size: int = 1
    delta: bool = False
    can_fetch: bool = True
    many: tuple[str, ...] = ("email",)
    can_delete: bool = True
    rows: dict[str, Row] = field(default_factory=dict)
    old: dict[str, Row] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    stale: int = 0
    pushed: list[Write] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    calls: int = 0
    before_call: Any = None
    counter: int = 0
    seq: int = 0
    late_us: int = 2_000_000

    def __post_init__(self) -> None:
        SIDES[self.name] = self
        self.in_flight = InFlight(self)

    # what its users do

    def add(self, **payload: Any) -> str:
        self.counter += 1
        key = f"{self.name}{self.counter}"
        self._put(key, {"id": key, **payload})
        return key

    def edit(self, key: str, **changes: Any) -> None:
        self.in_flight.arrive()
        row = self.rows[key]
        payload = {**row.payload, **changes}
        payload = {k: v for k, v in payload.items() if v not in (None, "", [])}
        self._put(key, payload, row.ext).edited += 1

    def drop(self, key: str) -> None:
        self.in_flight.arrive()
        self._put(key, {}, gone=True).edited += 1

    def merge(self, loser: str, winner: str) -> None:
        """Take two records for one, as a user would: one is gone, the other tells of it."""
        self.drop(loser)
        self.rows[loser].into = winner

    def live(self) -> dict[str, Payload]:
        return {k: r.payload for k, r in self.rows.items() if not r.gone}

    def _put(self, key: str, payload: Payload, ext: str = "", gone: bool = False) -> Row:
        before = self.rows.get(key)
        if before is not None:
            self.old[key] = before
        self.seq += 1
        at = (self.clock.tick(7) + self.skew_us) // self.grain_us * self.grain_us
        version = 1 if before is None else before.version + 1
        edited = 0 if before is None else before.edited
        row = Row(copy.deepcopy(payload), at, version, self.seq, ext, gone, edited=edited)
        self.rows[key] = row
        return row

    # what the connector does

    def change(self, key: str, *, is_compared: bool = False) -> Change:
        """is_compared: the hub may write by what it is told, so that this is never out of date."""
        row = self.rows[key]
        # A feed that tells of a change and shows what was before would never be right again.
        if self.stale and key in self.old and not self.delta and not is_compared:
            self.stale -= 1
            row = self.old[key]
        at = EPOCH + timedelta(microseconds=row.at_us) if self.has_times else None
        if row.gone:
            return Change(key, None, at, merged_into=row.into)
        self.seq += self.flaky
        version = f"{row.version}" + (f".{self.seq}" if self.flaky else "")
        return Change(key, copy.deepcopy(row.payload), at, version if self.has_versions else None)

    def _now_version(self, row: Row) -> str | None:
        return f"{row.version}" if self.has_versions and not self.flaky else None

    def write(self, one: Write) -> Outcome:
        self.pushed.append(one)
        return self.carry_out(one)

    def carry_out(self, one: Write) -> Outcome:
        """Do what a request says, whoever hears of it."""
        if one.id is None:
            return self._create(one)
        row = self.rows.get(one.id)
        if row is None or row.gone:
            return Outcome("gone", one.id)
        checked = self.guard in ("etag", "version", "modified_at") and one.guard is not None
        if checked and str(one.guard).partition(".")[0] != str(row.version):
            current = self.change(one.id)
            return Outcome("conflict", one.id, current.version, current.payload)
        if one.operation == "delete":
            self._put(one.id, {}, gone=True)
            return Outcome("applied", one.id)
        if refused := {n: "not accepted" for n, v in one.fields.items() if v == "reject me"}:
            return Outcome("rejected", one.id, reasons=refused)
        stored = self._stored(one.fields)
        payload = {k: v for k, v in {**row.payload, **stored}.items() if v not in (None, "", [])}
        if payload != row.payload:
            row = self._put(one.id, payload, row.ext)
        return Outcome("applied", one.id, self._now_version(row))

    def _create(self, one: Write) -> Outcome:
        if self.idempotency in ("native", "external_id"):
            for key, row in self.rows.items():
                if row.ext == one.idempotency_key:
                    return Outcome("duplicate", key, self._now_version(row))
        self.counter += 1
        key = f"{self.name}{self.counter}"
        payload = {k: v for k, v in self._stored(one.fields).items() if v not in (None, "", [])}
        row = self._put(key, {"id": key, **payload}, one.idempotency_key)
        self.created.append(one.idempotency_key)
        return Outcome("applied", key, self._now_version(row))

    def _stored(self, fields: Any) -> Payload:
        return {name: self._as_stored(value) for name, value in fields.items()}

    def _as_stored(self, value: Any) -> Any:
        if isinstance(value, list):
            found = [self._as_stored(v) for v in value]
            return found[::-1] if self.reformat == "reorder" else found
        if not isinstance(value, str):
            return value
        found = {"truncate": value[:20], "lower": value.lower(), "spaces": f" {value} "}
        return found.get(self.reformat, value)

    def call(self, is_push: bool = False) -> str:
        self.calls += 1
        if self.before_call is not None:
            self.before_call()
        self.in_flight.arrive()
        waits = self.faults and self.faults[0] in ("lost", "late", "busy") and not is_push
        return self.faults.pop(0) if self.faults and not waits else ""


class FakeSettings(BaseModel):
    side: str = Field(title="Side", description="Which side of the world.")
    mapping: str = Field("", title="Mapping", description="A mapping file of its own.")


class FakeConnector(Connector[FakeSettings]):
    manifest = Manifest("fake", "1", "Fake", FakeSettings)

    @property
    def side(self) -> Side:
        return SIDES[self.settings.side]

    def check(self) -> CheckReport:
        return CheckReport("fake")

    def discover(self) -> list[StreamInfo]:
        side = self.side
        caps = Caps(
            read="delta" if side.delta else "full",
            deletes="tombstone" if side.delta else "reconcile",
            write=frozenset({"upsert", "delete"} if side.can_delete else {"upsert"}),
            guard=side.guard,
            idempotency=side.idempotency,
            batch_size=side.batch_size,
        )
        types = dict.fromkeys(side.many, "array")
        return [StreamInfo("contacts", caps=caps, fields=types)]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        side = self.side
        if side.call() == "down":
            raise Unavailable("the side is down")
        if side.delta:
            after = checkpoint["seq"] if checkpoint else 0
            keys = sorted((r.seq, k) for k, r in side.rows.items() if r.seq > after)
            yield Page([side.change(k) for _, k in keys], {"seq": side.seq})
            return
        changes = [side.change(k) for k, r in side.rows.items() if not r.gone]
        yield Page([c for c in changes if not c.deleted], {"done": True}, complete=True)

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        side = self.side
        if not side.can_fetch:
            return super().fetch(refs)
        if side.call() == "down":
            raise Unavailable("the side is down")
        found = []
        for ref in refs:
            key = ref.id
            if not key:
                wanted = ref.hint["external_id"]
                key = next((k for k, r in side.rows.items() if r.ext == wanted), "")
            if key in side.rows:
                found.append((ref.stream, side.change(key, is_compared=side.guard == "compare")))
            elif key:
                found.append((ref.stream, Change(key, None)))
        return found

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        side = self.side
        fault = side.call(is_push=True)
        if fault == "down":
            raise Unavailable("the side is down")
        if fault == "late":
            side.pushed += writes
            for one in writes:
                side.in_flight.add(one, side.late_us)
            raise Unavailable("no answer came in time")
        if fault == "busy":
            raise Throttled("too many requests", retry_after_s=30)
        outcomes = [side.write(one) for one in writes]
        if fault == "lost":
            raise Unavailable("the answer was lost")
        return outcomes


connector = FakeConnector
