"""Ledgers that take no care: of signatures, secrets, strange payloads, times, memory, windows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from crm_hub.model.errors import Unavailable
from crm_hub.model.records import Change, Page
from crm_hub.sdk import webhooks
from crm_hub.sdk.contract import CheckReport, HookReply, HookRequest, StreamInfo
from crm_hub.sdk.testing.example import LedgerConnector

Pages = Iterator[Page]


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
