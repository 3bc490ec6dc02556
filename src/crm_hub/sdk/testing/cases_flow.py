"""Cases 16, 19 and 20: webhooks, times, stopping and memory."""

from __future__ import annotations

import dataclasses
import gc
import os
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_hub.model.errors import HookRefused
from crm_hub.sdk.contract import Connector, HookRequest, StreamInfo
from crm_hub.sdk.testing.bench import NOW, Bench, bench, must, need_reading
from crm_hub.sdk.testing.harness import WRONG, Exempt, Harness, MiniHub

_MEMORY_GROWTH_BYTES = 6_000_000
_MEMORY_PAGE = 500
# Both sides of the lost and of the doubled hour of America/New_York in 2026.
_EDGES = [
    datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
    datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
]


def webhooks(harness: Harness) -> list[str]:
    """16: a genuine webhook is read; changed, unsigned, old, replayed, foreign ones are not."""
    with bench(harness, harness.page_size) as b:
        if not b.stream.caps.webhooks:
            raise Exempt("it receives no webhooks")
        connector = b.connect()
        good = b.source.hook(NOW, harness.secret)
        reply = connector.verify_hook(good)
        must(200 <= reply.status < 300, f"a genuine webhook was answered with {reply.status}")
        must(reply.keep, "a genuine webhook was not kept")
        told = _told(connector, good)
        must(told, "a genuine webhook gave neither changes nor references")
        notes = _unknown(connector, b)
        notes += _forged(connector, b, good)
        notes += _old(connector, b)
        _replayed(connector, good, told)
    return notes


def _told(connector: Connector[Any], post: HookRequest) -> set[tuple[str, str]]:
    batch = connector.parse_hook(post)
    changed = {(stream, change.id) for stream, change in batch.changes}
    return changed | {(ref.stream, ref.id) for ref in batch.refs}


def _unknown(connector: Connector[Any], b: Bench) -> list[str]:
    try:
        post = b.source.unknown_hook(NOW, b.harness.secret)
    except Exempt as exempt:
        return [f"unknown event: {exempt}"]
    reply = connector.verify_hook(post)
    must(reply.status < 300, f"an unknown event was answered with {reply.status}, not ignored")
    if reply.keep:
        batch = connector.parse_hook(post)
        must(not batch.changes, "an unknown event became a change")
        must(not batch.refs, "an unknown event became a reference")
        must(batch.ignored, "an unknown event was ignored without a reason")
    return []


def _forged(connector: Connector[Any], b: Bench, good: HookRequest) -> list[str]:
    proof = b.harness.hook_proof
    if proof == "none":
        return ["forgeries: posts carry no proof"]
    _refused(connector, b.source.hook(NOW, WRONG), "signed with another secret")
    if proof == "shared_secret":
        return ["flipped byte: the proof is a shared secret and does not cover the body"]
    for what, body in _changed_bodies(good.body):
        _refused(connector, dataclasses.replace(good, body=body), what)
    bare = {k: v for k, v in good.headers.items() if k in ("content-type", "host")}
    _refused(connector, dataclasses.replace(good, headers=bare), "without a signature")
    return []


def _changed_bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    for place in sorted({0, len(body) // 3, len(body) // 2, len(body) - 1}):
        flipped = bytes([body[place] ^ 1])
        yield f"with byte {place} flipped", body[:place] + flipped + body[place + 1 :]
    # Means the same when parsed, yet it is not what was signed.
    yield "with a blank added at the end", body + b" "
    yield "with a line break added in front", b"\n" + body


def _refused(connector: Connector[Any], post: HookRequest, what: str) -> None:
    try:
        connector.verify_hook(post)
    except HookRefused as refused:
        must(400 <= refused.status < 500, f"a post {what} was refused with {refused.status}")
        return
    raise AssertionError(f"a post {what} was accepted")


def _old(connector: Connector[Any], b: Bench) -> list[str]:
    if b.harness.hook_proof == "none" or not b.harness.hook_is_timed:
        return ["old posts: the proof covers no time"]
    for hours in (-2, 2):
        at = NOW + timedelta(hours=hours)
        _refused(
            connector, b.source.hook(at, b.harness.secret), f"signed {hours:+d} hours from now"
        )
    return []


def _replayed(connector: Connector[Any], good: HookRequest, told: set[tuple[str, str]]) -> None:
    """A copy within the age limit is refused, or names the same records: it has no new effect."""
    try:
        connector.verify_hook(good)
    except HookRefused:
        return
    must(_told(connector, good) == told, "a replayed webhook gave other records: a second effect")


def times(harness: Harness) -> list[str]:
    """19: every time is aware, and right on both sides of a change of the clocks."""
    with bench(harness, harness.page_size) as b:
        need_reading(b)
        found = _times(b)
        if all(moment is None for moment in found.values()):
            raise Exempt("its records carry no time of change")
        for moment in _EDGES:
            try:
                (id,) = b.source.add(1, at=moment)
            except Exempt as exempt:
                return [f"DST: {exempt}"]
            seen = _times(b)[id]
            is_right = seen is not None and abs((seen - moment).total_seconds()) < 1
            must(is_right, f"{moment.isoformat()} was read as {seen}")
    return []


def _times(b: Bench) -> dict[str, datetime | None]:
    found = {c.id: c.changed_at for p in b.connect().pull(b.stream, None) for c in p.changes}
    for id, moment in found.items():
        is_naive = moment is not None and moment.tzinfo is None
        must(not is_naive, f"{id!r} came with a time that has no zone: {moment}")
    return found


def stops(harness: Harness) -> list[str]:
    """20: the pull stops between pages when asked, and memory stays flat."""
    with bench(harness, harness.page_size * 4 + 1) as b:
        need_reading(b)
        whole = b.whole()
        wants_stop = False
        hub = MiniHub(whole)
        connector = b.connect(stopping=lambda: wants_stop)
        after = 0
        for page in connector.pull(b.stream, None):
            hub.commit(page)
            after += wants_stop
            wants_stop = True
        must(after <= 1, f"{after} more pages came after the hub asked to stop")
        b.same_ids(hub, "a stop between pages")
        fresh = MiniHub()
        fresh.checkpoint = hub.checkpoint
        fresh.records = dict(hub.records)
        b.settle(fresh)
        b.same_ids(fresh, "a stop and a resume")
    _memory(harness)
    return []


def _memory(harness: Harness) -> None:
    records = int(os.environ.get("CRM_HUB_SUITE_RECORDS", harness.memory_records))
    with bench(harness, records, max(_MEMORY_PAGE, harness.page_size)) as b:
        connector, stream = b.connect(), b.stream
        before, most, count = _traced(connector, stream)
    must(count == records, f"{count} of {records} records came")
    grown = most - before
    must(
        grown < _MEMORY_GROWTH_BYTES,
        f"memory grew by {grown / 1e6:.1f} MB over {records} records: keep one page at a time",
    )


def _traced(connector: Connector[Any], stream: StreamInfo) -> tuple[int, int, int]:
    """Return bytes held before the pull, the most held at a page, and how many records came."""
    count, most = 0, 0
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for page in connector.pull(stream, None):
            count += len(page.changes)
            del page
            most = max(most, tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return before, most, count
