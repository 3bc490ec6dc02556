"""Forms and webhooks: kept raw at the door, walked later like any page.

The door answers 200 once the raw request is durable. Draining turns kept requests into
changes; they are landed, settled and walked in one transaction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from crm_hub.flow.hub import Hub
from crm_hub.flow.land import Page, bury_rejects, land
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import ConfigError, HookRefused, HubError, RecordError
from crm_hub.model.records import Change
from crm_hub.model.values import to_us
from crm_hub.observe import logger
from crm_hub.sdk import Connector, HookReply, HookRequest, Ref, StreamInfo
from crm_hub.store import Db, DeadLetter, Landings, Machinery, StreamRow

if TYPE_CHECKING:
    from crm_hub.flow.inbound import Inbound

_log = logger("flow")
BATCH = 200
PARSE_STEP = "parse"
SHORTEST_SECRET = 8  # a shorter one may stand in a body by chance

Sections = dict[str, SectionPlan | None]


class Door:
    """What the HTTP receiver asks: is this request genuine, and keep these."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._connectors: dict[str, Connector[Any]] = {}

    def verify(self, connection: str, request: HookRequest) -> HookReply:
        """Return the answer for a genuine request. Raises: HookRefused with the HTTP status."""
        return self._connector(connection).verify_hook(request)

    def keep(self, batch: Sequence[tuple[str, HookRequest]]) -> None:
        """Store raw requests; they are durable when this returns.

        A connection's own secret in a body (Google sends its key there) is blanked first: it has
        done its work in `verify`, and the database shall hold none.
        """
        kept = [(name, _without(self._secrets(name), request)) for name, request in batch]
        with self._hub.store.write() as db:
            Machinery(db).keep(kept)

    def _secrets(self, name: str) -> list[bytes]:
        values = vars(self._connector(name).settings).values()
        secrets = (one.get_secret_value() for one in values if isinstance(one, SecretStr))
        return [secret.encode() for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def _connector(self, name: str) -> Connector[Any]:
        found = self._connectors.get(name)
        if found is None:
            if name not in self._hub.config.connections:
                raise HookRefused("there is no such door", status=404)
            try:
                found = self._hub.connector(name)
            except ConfigError as error:
                _log.error("%s cannot receive: %s", name, error.message)
                raise HookRefused("this door is closed", status=503) from None
            self._connectors[name] = found
        return found


def _without(secrets: Sequence[bytes], request: HookRequest) -> HookRequest:
    body = request.body
    for secret in secrets:
        body = body.replace(secret, b"***")
    return request if body == request.body else replace(request, body=body)


def drain(
    inbound: Inbound,
    connector: Connector[Any],
    streams: dict[str, StreamInfo],
    sections: Sections,
) -> None:
    """Walk the requests that wait in the inbox of a connection, oldest first."""
    after = 0
    while not inbound.hub.stopping():
        with inbound.hub.store.read() as db:
            due = Machinery(db).due_requests(inbound.name, after, BATCH)
        if not due:
            return
        after = due[-1][0]
        _drain_batch(inbound, connector, due, streams, sections)


def _drain_batch(
    inbound: Inbound,
    connector: Connector[Any],
    due: Sequence[tuple[int, HookRequest]],
    streams: dict[str, StreamInfo],
    sections: Sections,
) -> None:
    changes: dict[str, list[Change]] = defaultdict(list)
    refs: list[tuple[int, Ref]] = []
    states: dict[str, list[int]] = defaultdict(list)
    letters: list[DeadLetter] = []
    for number, request in due:
        try:
            batch = connector.parse_hook(request)
        except RecordError as error:
            letters.append(_letter(inbound, number, error))
            states["dead"].append(number)
            continue
        states["ignored" if batch.ignored else "done"].append(number)
        for stream, change in batch.changes:
            changes[stream].append(change)
        refs.extend((number, ref) for ref in batch.refs)
    for stream, change in _fetched(inbound, connector, refs, letters):
        changes[stream].append(change)
    _land_all(inbound, _Landing(inbound, changes, streams, sections, states, letters))


def _fetched(
    inbound: Inbound,
    connector: Connector[Any],
    refs: Sequence[tuple[int, Ref]],
    letters: list[DeadLetter],
) -> list[tuple[str, Change]]:
    """Return the records behind thin webhooks; one that cannot be had is set aside alone.

    A fetch that fails for now leaves the whole batch due: it is asked again at the next sync.
    """
    if not refs:
        return []
    try:
        return connector.fetch([ref for _, ref in refs])
    except RecordError:
        found = []
        for number, ref in refs:
            try:
                found.extend(connector.fetch([ref]))
            except RecordError as error:
                letters.append(_letter(inbound, number, error))
        return found


def _land_all(inbound: Inbound, work: _Landing) -> None:
    """Land what came and walk it in one transaction: a form is there after one commit.

    Where walking fails, what came is landed alone first, and waits to be walked.
    """
    try:
        with inbound.transaction() as db:
            pages = work.land(db)
            for stream, section, page in pages:
                work.counts.update(inbound.walk_in(db, stream, section, page, None))
    except HubError:
        raise
    except Exception:  # noqa: BLE001 - whatever it was, it shows again when they are walked alone
        _log.exception("%s: what came is kept, and walked by itself", inbound.name)
        with inbound.transaction() as db:
            pages = work.land(db)
        for stream, section, page in pages:
            inbound.walk_landed(stream, section, page, None)
    inbound.report.counts.update(work.counts)


class _Landing:
    """Requests of the inbox that become landed records. counts: what that amounts to."""

    def __init__(
        self,
        inbound: Inbound,
        changes: dict[str, list[Change]],
        streams: dict[str, StreamInfo],
        sections: Sections,
        states: dict[str, list[int]],
        letters: list[DeadLetter],
    ) -> None:
        self._inbound, self._changes, self._streams = inbound, changes, streams
        self._sections, self._states, self._letters = sections, states, letters
        self.counts: Counter[str] = Counter()

    def land(self, db: Db) -> list[tuple[StreamRow, SectionPlan, Page]]:
        """Store what is news and settle the requests; return what is to be walked."""
        inbound, counts = self._inbound, Counter({"dead": len(self._letters)})
        now_us = inbound.now_us()
        inbound.in_run(db)
        repo = Landings(db)
        pages = []
        for name, found in self._changes.items():
            shape = self._streams[name].shape if name in self._streams else name
            stream = repo.stream(inbound.name, name) or repo.add_stream(inbound.name, name, shape)
            section = self._sections.get(name)
            page = land(db, stream, found, now_us, None, walked=section is not None)
            bury_rejects(db, stream, page.result.rejects, now_us)
            if section is not None:
                pages.append((stream, section, page))
            counts["pulled"] += len(found)
            counts["new"] += len(page.result.new)
            counts["changed"] += len(page.result.changed)
            counts["unchanged"] += page.result.unchanged + page.result.repeats + page.result.stale
            counts["dead"] += len(page.result.rejects)
        machinery = Machinery(db)
        machinery.bury(self._letters)
        for state, numbers in self._states.items():
            machinery.settle(numbers, state)
        self.counts = counts
        return pages


def _letter(inbound: Inbound, number: int, error: RecordError) -> DeadLetter:
    return DeadLetter(
        0, inbound.name, "inbox", f"request {number}", PARSE_STEP, error.message, error.remedy,
        "", None, number, to_us(inbound.hub.now()), 1,
    )  # fmt: skip
