"""Ledgers that read wrongly: what they list, skip, repeat, swallow."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from crm_hub.model.errors import ConfigError, Throttled, Unavailable
from crm_hub.model.records import Change, Checkpoint, Page, Window
from crm_hub.sdk.contract import Caps, CheckReport, StreamInfo
from crm_hub.sdk.testing.example import LedgerConnector, LedgerSettings

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
