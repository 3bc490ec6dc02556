"""Broken copies of the ledger connector: each has one fault seen in real connectors.

BROKEN names the case that must catch it. When the suite stops catching one, the suite is wrong.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from crm_hub.model.errors import ConfigError, Throttled, Unavailable
from crm_hub.model.records import Change, Checkpoint, Page, Window
from crm_hub.sdk import webhooks
from crm_hub.sdk.contract import Caps, CheckReport, HookReply, HookRequest, Outcome, StreamInfo
from crm_hub.sdk.http import Grant, HttpClient, RenewedGrant
from crm_hub.sdk.testing.example import LedgerConnector, LedgerHarness, LedgerSettings
from crm_hub.sdk.testing.example_oauth import OAuthLedger, OAuthLedgerHarness
from crm_hub.sdk.testing.example_push import WritableLedger, WritableLedgerHarness

Pages = Iterator[Page]
_counter = itertools.count()


class PlainSecret(LedgerConnector):
    class Settings(LedgerSettings):
        token: str = Field(title="Token", description="In clear")  # type: ignore[assignment]

    manifest = dataclasses.replace(LedgerConnector.manifest, settings=Settings)


class Undescribed(LedgerConnector):
    class Settings(BaseModel):
        url: str
        token: SecretStr
        signing_secret: SecretStr

    manifest = dataclasses.replace(LedgerConnector.manifest, settings=Settings)


class BadCredentialIsTrouble(LedgerConnector):
    def check(self) -> CheckReport:
        try:
            return super().check()
        except ConfigError as error:
            raise Unavailable(error.message) from None


class NeverLooks(LedgerConnector):
    def check(self) -> CheckReport:
        return CheckReport(account="always fine")


class ShuffledDiscovery(LedgerConnector):
    def discover(self) -> list[StreamInfo]:
        (entries,) = super().discover()
        return [dataclasses.replace(entries, guess=f"look-up {next(_counter)}")]


class DoubledKeys(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, window):
            yield dataclasses.replace(page, changes=page.changes + page.changes[:1])


class EmptyKey(LedgerConnector):
    def _change(self, item: Any) -> Change:
        return dataclasses.replace(super()._change(item), id="")


class SkipsLastPage(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        pages = list(super().pull(stream, checkpoint, window))
        yield from pages[:-1] if len(pages) > 1 else pages


class CheckpointBeforePage(LedgerConnector):
    """Stores where the next page will end, before that page was handed over."""

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        pages = list(super().pull(stream, checkpoint, window))
        marks = [page.checkpoint for page in pages[1:]] + [page.checkpoint for page in pages[-1:]]
        for page, mark in zip(pages, marks, strict=True):
            yield dataclasses.replace(page, checkpoint=mark)


class LosesEqualStamps(LedgerConnector):
    """Goes on from "later than the last time seen" after each page."""

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        if window is not None:
            yield from super().pull(stream, checkpoint, window)
            return
        since = checkpoint["after"] if checkpoint else "1970"
        with self._http() as http:
            while not self.context.stopping():
                # The "~" sorts after any zone, so it makes the bound exclusive.
                params = {"since": since + "~" if since != "1970" else since, "tombstones": "1"}
                found = http.json("entries", params=params)
                if found["items"]:
                    since = found["items"][-1]["updated_at"]
                yield Page([self._change(i) for i in found["items"]], {"after": since})
                if found["next"] is None:
                    return


class NeverSeesChanges(LedgerConnector):
    """Keeps reading from the end of its first listing by id."""

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        known = set(checkpoint["known"]) if checkpoint and "known" in checkpoint else set()
        inner = {k: v for k, v in checkpoint.items() if k != "known"} if checkpoint else None
        for page in super().pull(stream, inner, window):
            fresh = [c for c in page.changes if c.id not in known or c.deleted]
            known |= {c.id for c in page.changes}
            mark = page.checkpoint and {**page.checkpoint, "known": sorted(known)}
            yield dataclasses.replace(page, changes=fresh, checkpoint=mark)


class IgnoresTombstones(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, window):
            live = [change for change in page.changes if not change.deleted]
            yield dataclasses.replace(page, changes=live)


class Snapshots(LedgerConnector):
    """Honest: lists everything each time, and says `complete` after a whole listing only."""

    def discover(self) -> list[StreamInfo]:
        caps = Caps(read="full", deletes="reconcile", webhooks=True)
        return [StreamInfo("entries", caps=caps)]

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Pages:
        is_resumed = bool(checkpoint and checkpoint["next"])
        mark = checkpoint if is_resumed else None
        for page in super().pull(stream, mark, window):
            live = [change for change in page.changes if not change.deleted]
            ended = page.checkpoint is not None and page.checkpoint["next"] is None
            complete = ended and self._is_whole(is_resumed)
            yield dataclasses.replace(page, changes=live, complete=complete)

    def _is_whole(self, is_resumed: bool) -> bool:
        return not is_resumed


class HalfSweeps(Snapshots):
    def _is_whole(self, is_resumed: bool) -> bool:
        return True


class EveryPageComplete(Snapshots):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, window):
            yield dataclasses.replace(page, complete=window is None)


class SwallowsHtml(LedgerConnector):
    """Takes whatever does not parse for an empty list."""

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        try:
            yield from super().pull(stream, checkpoint, window)
        except Unavailable as error:
            if "without whole JSON" not in error.message:
                raise


class SwallowsThrottling(LedgerConnector):
    """Takes 429 for the end of the list."""

    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        try:
            yield from super().pull(stream, checkpoint, window)
        except Throttled:
            return


class DropsRetryAfter(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        try:
            yield from super().pull(stream, checkpoint, window)
        except Throttled as error:
            raise Unavailable(error.message) from None


class SignsParsedBody(LedgerConnector):
    """Verifies over the parsed body written again, so whatever parses alike passes."""

    def verify_hook(self, request: HookRequest) -> HookReply:
        try:
            body = json.dumps(json.loads(request.body)).encode()
        except ValueError:
            body = request.body
        return super().verify_hook(dataclasses.replace(request, body=body))


class NoSignature(LedgerConnector):
    def verify_hook(self, request: HookRequest) -> HookReply:
        return HookReply()


class AcceptsOldPosts(LedgerConnector):
    def verify_hook(self, request: HookRequest) -> HookReply:
        header = request.headers.get("ledger-signature", "")
        secret = self.settings.signing_secret.get_secret_value()
        now = self.context.now()
        webhooks.check_timestamped(request.body, header, secret, now, age_limit_s=1e9)
        return HookReply()


class UnknownEventsBreak(LedgerConnector):
    def parse_hook(self, request: HookRequest) -> Any:
        batch = super().parse_hook(request)
        if batch.ignored:
            raise KeyError("unknown event")
        return batch


class LeaksInError(LedgerConnector):
    def check(self) -> CheckReport:
        try:
            return super().check()
        except Unavailable as error:
            token = self.settings.token.get_secret_value()
            raise Unavailable(f"GET /me?token={token} failed: {error.message}") from None


class LeaksInCause(LedgerConnector):
    """The message is clean, but the error it came from is not."""

    def check(self) -> CheckReport:
        try:
            return super().check()
        except Unavailable as error:
            raise error from ValueError(self.settings.token.get_secret_value())


class LeaksInLog(LedgerConnector):
    def check(self) -> CheckReport:
        self.context.log.debug("asking with %s", self.settings.token.get_secret_value())
        return super().check()


class LeaksInRepr(LedgerConnector):
    def __repr__(self) -> str:
        return f"Ledger({self.settings.token.get_secret_value()})"


class BreaksOnRetyped(LedgerConnector):
    def _change(self, item: Any) -> Change:
        if "amount" in item:
            item["amount"] + 1
        return super()._change(item)


class BreaksOnRemoved(LedgerConnector):
    def _change(self, item: Any) -> Change:
        if not item.get("deleted"):
            item["amount"]
        return super()._change(item)


class NaiveTimes(LedgerConnector):
    def _change(self, item: Any) -> Change:
        change = super()._change(item)
        return dataclasses.replace(change, changed_at=change.changed_at.replace(tzinfo=None))  # type: ignore[union-attr]


class WrongZone(LedgerConnector):
    """Right in winter only."""

    def _change(self, item: Any) -> Change:
        change = super()._change(item)
        moment = change.changed_at
        assert moment is not None
        if 3 < moment.month < 11 or (moment.month == 3 and moment.hour == 7):
            moment = moment.replace(hour=moment.hour - 1)
        return dataclasses.replace(change, changed_at=moment)


class NeverStops(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        self.context = dataclasses.replace(self.context, stopping=lambda: False)
        yield from super().pull(stream, checkpoint, window)


class HoldsEverything(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in list(super().pull(stream, checkpoint, window)):
            if self.context.stopping():
                return
            yield page


class WindowMovesCheckpoint(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, window):
            last = page.changes[-1].changed_at if page.changes else None
            mark = {"since": str(last), "next": None}
            yield dataclasses.replace(page, checkpoint=page.checkpoint or mark)


class IgnoresWindow(LedgerConnector):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, None):
            mark = page.checkpoint if window is None else None
            yield dataclasses.replace(page, checkpoint=mark)


# connectors that write


class ForgetsTheKey(WritableLedger):
    """Makes a new record for each send."""

    def push(self, writes: Any) -> list[Outcome]:
        keys = (f"{one.idempotency_key}-{next(_counter)}" for one in writes)
        return super().push(
            [
                dataclasses.replace(one, idempotency_key=key)
                for one, key in zip(writes, keys, strict=True)
            ]
        )


class RepeatsLookNew(WritableLedger):
    """Says `applied` where the record was there already."""

    def push(self, writes: Any) -> list[Outcome]:
        return [
            dataclasses.replace(one, result="applied") if one.result == "duplicate" else one
            for one in super().push(writes)
        ]


class IgnoresTheGuard(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return super().push([dataclasses.replace(one, guard=None) for one in writes])


class ConflictLooksApplied(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return [
            dataclasses.replace(one, result="applied") if one.result == "conflict" else one
            for one in super().push(writes)
        ]


class WritesWholeRecords(WritableLedger):
    """Sends back all it knows of a record beside what was asked."""

    def push(self, writes: Any) -> list[Outcome]:
        whole = [dataclasses.replace(one, fields={"amount": 0, **one.fields}) for one in writes]
        return super().push(whole)


class DropsAField(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        kept = [{k: v for k, v in one.fields.items() if k != "note"} for one in writes]
        return super().push(
            [dataclasses.replace(one, fields=f) for one, f in zip(writes, kept, strict=True)]
        )


class RaisesForOne(WritableLedger):
    """One bad record stops the batch."""

    def push(self, writes: Any) -> list[Outcome]:
        found = super().push(writes)
        if any(one.result == "rejected" for one in found):
            raise ConfigError("a write was rejected")
        return found


class NamesNoField(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return [dataclasses.replace(one, reasons={}) for one in super().push(writes)]


class OldVersionAfterWrite(WritableLedger):
    """Gives the version of before the write, so that every echo looks like an edit."""

    def push(self, writes: Any) -> list[Outcome]:
        found = super().push(writes)
        return [
            dataclasses.replace(one, version=write.guard) if one.result == "applied" else one
            for one, write in zip(found, writes, strict=True)
        ]


class ForeignId(WritableLedger):
    def push(self, writes: Any) -> list[Outcome]:
        return [dataclasses.replace(one, id="entry") for one in super().push(writes)]


class MergeLooksDeleted(WritableLedger):
    """Tells that a record is gone, and not into which it was merged."""

    def _change(self, item: Any) -> Change:
        return super()._change(item)._replace(merged_into=None)


class MergeGoesUnseen(WritableLedger):
    def pull(self, stream: StreamInfo, checkpoint: Any, window: Any = None) -> Pages:
        for page in super().pull(stream, checkpoint, window):
            kept = [change for change in page.changes if change.merged_into is None]
            yield dataclasses.replace(page, changes=kept)


# connectors behind OAuth


class RenewsInEachThread(OAuthLedger):
    """Each client has a grant of its own, as it was when the connector was made."""

    def _http(self) -> HttpClient:
        assert self.context.grants is not None
        kept = self.context.grants.load() or Grant("", self.settings.token.get_secret_value())
        return self._client(auth=RenewedGrant(kept, self._renew, self.context.grants.save))


class ForgetsTheGrant(OAuthLedger):
    """Keeps the new grant in memory alone."""

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self._tokens._save = lambda grant: None


class UsesBeforeSaving(OAuthLedger):
    """Takes a grant into use whether or not it could be saved."""

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        save = self._tokens._save

        def careless(grant: Grant) -> None:
            with contextlib.suppress(Unavailable):
                save(grant)

        self._tokens._save = careless


class NeverRenews(OAuthLedger):
    def _http(self) -> HttpClient:
        token = self._tokens.get() or self._tokens.refresh("")
        return self._client(headers={"authorization": f"Bearer {token}"})


BROKEN: dict[type[LedgerConnector], int] = {
    PlainSecret: 1,
    Undescribed: 1,
    BadCredentialIsTrouble: 2,
    NeverLooks: 2,
    ShuffledDiscovery: 3,
    DoubledKeys: 4,
    EmptyKey: 4,
    SkipsLastPage: 5,
    CheckpointBeforePage: 5,
    LosesEqualStamps: 6,
    NeverSeesChanges: 7,
    IgnoresTombstones: 8,
    HalfSweeps: 8,
    EveryPageComplete: 8,
    SwallowsHtml: 9,
    SwallowsThrottling: 9,
    DropsRetryAfter: 9,
    RenewsInEachThread: 10,
    ForgetsTheGrant: 10,
    UsesBeforeSaving: 10,
    NeverRenews: 10,
    ForgetsTheKey: 11,
    RepeatsLookNew: 11,
    IgnoresTheGuard: 12,
    ConflictLooksApplied: 12,
    WritesWholeRecords: 13,
    DropsAField: 13,
    RaisesForOne: 14,
    NamesNoField: 14,
    OldVersionAfterWrite: 15,
    ForeignId: 15,
    SignsParsedBody: 16,
    NoSignature: 16,
    AcceptsOldPosts: 16,
    UnknownEventsBreak: 16,
    LeaksInError: 17,
    LeaksInCause: 17,
    LeaksInLog: 17,
    LeaksInRepr: 17,
    BreaksOnRetyped: 18,
    BreaksOnRemoved: 18,
    NaiveTimes: 19,
    WrongZone: 19,
    NeverStops: 20,
    HoldsEverything: 20,
    WindowMovesCheckpoint: 21,
    IgnoresWindow: 21,
    MergeLooksDeleted: 22,
    MergeGoesUnseen: 22,
}


def harness_of(connector: type[LedgerConnector]) -> LedgerHarness:
    """Return the ledger's harness with another connector under test."""
    harness = LedgerHarness()
    if issubclass(connector, WritableLedger):
        harness = WritableLedgerHarness()
    elif issubclass(connector, OAuthLedger):
        harness = OAuthLedgerHarness()
    harness.connector = connector
    return harness
