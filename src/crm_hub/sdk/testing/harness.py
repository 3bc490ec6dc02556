"""What an author tells the contract suite about one connector: a Harness and a Source.

The Harness says which connector it is and how to get a fresh source system; the Source is that
system for one test: it can be filled, changed and broken from the outside, as the far side's
own users would.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Set
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, NoReturn

from crm_hub.model.errors import CheckpointExpired, TransientError
from crm_hub.model.records import Page, Payload, Reject
from crm_hub.sdk.contract import Connector, HookRequest, StreamInfo
from crm_hub.sdk.testing.fault_server import FaultServer

CANARY = "canary-K7vQ2xw9Zt4s"
WRONG = "wrong-canary-P3mN8yb6"

Alteration = Literal["field added", "field removed", "field retyped"]


class Exempt(Exception):
    """Raised by a harness or a case: this does not apply to the connector, for this reason."""


class Source(ABC):
    """A fresh source system with records in it. Ids are those the connector gives its changes.

    A method that is not overridden fails the cases which need it. Where something cannot be in
    this system at all, override it and raise Exempt with the reason, which is then printed.
    """

    server: FaultServer | None = None
    """The HTTP server behind it, for connectors that make calls."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return good settings; every secret in them is `Harness.secret`."""

    def bad_settings(self) -> dict[str, Any]:
        """Return settings whose every secret is `WRONG`, so that the system refuses them."""
        _missing("bad_settings")

    def dead_settings(self) -> dict[str, Any]:
        """Return settings for a host that is down, or a folder that is not there."""
        _missing("dead_settings")

    def ids(self) -> Set[str]:
        """Return the ids of the records that live in the stream now."""
        _missing("ids")

    def add(
        self, count: int = 1, *, same_stamp: bool = False, at: datetime | None = None
    ) -> list[str]:
        """Add records; return their ids.

        same_stamp: all carry the very time of change that the newest record had before.
        at: this time of change, written the way the system writes its times.
        """
        _missing("add")

    def change(self, id: str) -> None:
        """Change a field of this record, as a user would."""
        _missing("change")

    def delete(self, id: str) -> None:
        """Delete this record, as a user would."""
        _missing("delete")

    def alter(self, how: Alteration) -> None:
        """Let one record change its form: a field new, gone, or of another JSON type."""
        _missing("alter")

    def expire_token(self) -> None:
        """Let the access token that is in use be refused from now on, as when its time is over."""
        _missing("expire_token")

    def refreshes(self) -> int:
        """Return how often a new access token was given out for a refresh token."""
        _missing("refreshes")

    def merge(self, loser: str, winner: str) -> None:
        """Merge one record into another, as a user would: the loser is gone, the winner changes."""
        _missing("merge")

    # A source whose stream can be written to also says:

    def new_fields(self) -> Mapping[str, Any]:
        """Return path → value of a record that can be created."""
        _missing("new_fields")

    def changed_fields(self, id: str) -> Mapping[str, Any]:
        """Return path → value of a change of this record, other than what stands there."""
        _missing("changed_fields")

    def bad_fields(self) -> Mapping[str, Any]:
        """Return path → value that the system refuses."""
        _missing("bad_fields")

    def held(self, id: str) -> Mapping[str, Any] | None:
        """Return what the system itself holds of this record, by the same paths; None: gone."""
        _missing("held")

    def moves(self) -> Set[str]:
        """Return what the system itself changes of a record that is written to."""
        return frozenset({"updated_at", "rev", "version", "etag"})

    def breaks(self) -> Mapping[str, Callable[[], None]]:
        """Return name → what breaks the line to a source that speaks something else than HTTP.

        Each lets the next conversations end badly for a while, so that a pull fails at least once
        and some later one comes through.
        """
        raise Exempt("it makes no HTTP calls that a fault server could break")

    def hook(self, at: datetime, secret: str) -> HookRequest:
        """Return a genuine webhook about one record, sent at `at`, proven with `secret`."""
        _missing("hook")

    def unknown_hook(self, at: datetime, secret: str) -> HookRequest:
        """Return a genuine webhook of a kind the connector has no use for."""
        _missing("unknown_hook")


def _missing(name: str) -> NoReturn:
    raise NotImplementedError(f"the harness's Source has no {name}(); write it or raise Exempt")


class Harness(ABC):
    """One connector under test.

    stream: the name of the stream under test; "" for the first one.
    page_size: the fewest records that the connector can be made to give as one page.
    hook_proof: what proves a webhook genuine; hook_is_timed: whether its proof covers a time.
    exempt: case number → why it does not apply, where the suite cannot know it from the Caps.
    """

    connector: type[Connector[Any]]
    stream: str = ""
    page_size: int = 10
    secret: str = CANARY
    memory_records: int = 20_000
    hook_proof: Literal["signature", "shared_secret", "none"] = "signature"
    hook_is_timed: bool = True
    exempt: Mapping[int, str] = {}

    @abstractmethod
    def source(self, records: int, page_size: int) -> AbstractContextManager[Source]:
        """Return a fresh source with this many records, in pages of `page_size` if it can."""


class MiniHub:
    """The least of a hub for one stream: commits page by page, sweeps after whole snapshots."""

    def __init__(self, records: Mapping[str, Payload] | None = None) -> None:
        self.records: dict[str, Payload] = dict(records or {})
        self.rejects: list[Reject] = []
        self.errors: list[TransientError] = []
        self.checkpoint: str | None = None
        self._seen: set[str] = set()

    def pull(
        self, connector: Connector[Any], stream: StreamInfo, *, pages: int | None = None
    ) -> int:
        """Pull and commit, at most `pages` pages (then the connector is killed); return how many.

        The checkpoint goes through JSON, as it does in a store.
        """
        self._seen = set()
        count = 0
        if pages == 0:
            return 0
        known = None if self.checkpoint is None else json.loads(self.checkpoint)
        flow = connector.pull(stream, known)
        for page in flow:
            self.commit(page)
            count += 1
            if count == pages:
                break
        if close := getattr(flow, "close", None):
            close()
        return count

    def commit(self, page: Page) -> None:
        for change in page.changes:
            self._seen.add(change.id)
            if change.payload is None:
                self.records.pop(change.id, None)
            else:
                self.records[change.id] = change.payload
        self.rejects += page.rejects
        if page.complete:
            self.records = {k: v for k, v in self.records.items() if k in self._seen}
        if page.checkpoint is not None:
            self.checkpoint = json.dumps(page.checkpoint)

    def attempt(self, connector: Connector[Any], stream: StreamInfo) -> bool:
        """Pull to the end; False when a transient error came in between, which is noted."""
        try:
            self.pull(connector, stream)
        except TransientError as error:
            self.errors.append(error)
            if isinstance(error, CheckpointExpired):
                self.checkpoint = None
            return False
        return True
