"""Cases 5 to 9, 18 and 21: what must hold while records are pulled page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from crm_hub.model.errors import NotSupported, Throttled
from crm_hub.model.records import Change, Page, Window
from crm_hub.sdk.testing import fault_server as faults
from crm_hub.sdk.testing.bench import Bench, bench, must, need_reading
from crm_hub.sdk.testing.harness import Alteration, Exempt, Harness, MiniHub

_MOST_KILLS = 8
_MOST_PLACES = 4


@contextmanager
def _reading(harness: Harness, pages: int = 3) -> Iterator[Bench]:
    """Yield a bench whose stream holds a little more than `pages` full pages."""
    with bench(harness, harness.page_size * pages + 1) as b:
        need_reading(b)
        yield b


def kill_and_resume(harness: Harness) -> list[str]:
    """5: killed after every page and resumed from the checkpoint: the union is all there is."""
    with _reading(harness) as b:
        whole = b.whole()
        pages = MiniHub().pull(b.connect(), b.stream)
        must(
            pages >= 3,
            f"{harness.page_size * 3 + 1} records came in {pages} pages; the case needs 3: "
            "set page_size to what the connector really gives as one page",
        )
        for kill_after in range(1, min(pages, _MOST_KILLS) + 1):
            hub = MiniHub()
            hub.pull(b.connect(), b.stream, pages=kill_after)
            b.settle(hub)
            b.same_ids(hub, f"a kill after page {kill_after} and a resume")
            must(hub.records == whole, f"after a kill after page {kill_after} payloads differ")
        hub = MiniHub()
        for _ in range(2 * pages):
            # Killed after every single page: each call commits one.
            if hub.pull(b.connect(), b.stream, pages=1) == 0:
                break
        b.settle(hub)
        b.same_ids(hub, "a kill after every single page")
    return []


def equal_stamps(harness: Harness) -> list[str]:
    """6: records with equal times of change across a page edge: none is lost."""
    with _reading(harness, pages=2) as b:
        if b.stream.caps.read == "full":
            raise Exempt("a full read knows no cursor of time")
        for kill_after in (None, 1, 2):
            hub = MiniHub()
            b.settle(hub)
            b.source.add(harness.page_size + 3, same_stamp=True)
            hub.pull(b.connect(), b.stream, pages=kill_after)
            b.settle(hub)
            b.same_ids(hub, f"equal stamps over a page edge (kill after page {kill_after})")
            b.source.add(1, same_stamp=True)
            b.settle(hub)
            b.same_ids(hub, "a late record with the stamp of the checkpoint")
        for kill_after in (1, 2, 3):
            hub = MiniHub()
            hub.pull(b.connect(), b.stream, pages=kill_after)
            b.settle(hub)
            b.same_ids(hub, f"a first pull over equal stamps, killed after page {kill_after}")
    return []


def change_is_seen(harness: Harness) -> list[str]:
    """7: a changed record comes in the next pull."""
    with _reading(harness) as b:
        hub = MiniHub()
        b.settle(hub)
        for id in (min(b.source.ids()), max(b.source.ids()), b.source.add(1)[0]):
            before = hub.records.get(id)
            b.source.change(id)
            b.settle(hub)
            must(hub.records.get(id) != before, f"the change of {id!r} was not in the next pull")
        b.same_ids(hub, "three changes")
    return []


def delete_is_seen(harness: Harness) -> list[str]:
    """8: a delete is told or swept; half a sweep deletes nothing."""
    with _reading(harness) as b:
        whole = b.whole()
        pages = MiniHub().pull(b.connect(), b.stream)
        for kill_after in range(1, min(pages, _MOST_KILLS)):
            hub = MiniHub(whole)
            hub.pull(b.connect(), b.stream, pages=kill_after)
            b.same_ids(hub, f"half a snapshot ({kill_after} of {pages} pages)")
            b.settle(hub)
            b.same_ids(hub, f"half a snapshot ({kill_after} of {pages} pages) and the other half")
        _delete(b)
    return []


def _delete(b: Bench) -> None:
    deletes = b.stream.caps.deletes
    hub = MiniHub()
    b.settle(hub)
    b.settle(hub)
    b.same_ids(hub, "a second pull with nothing changed")
    if deletes == "none":
        raise Exempt("the source never tells of deletes (caps.deletes is none)")
    for gone in (min(b.source.ids()), max(b.source.ids())):
        b.source.delete(gone)
        b.settle(hub)
        if deletes == "reconcile" and gone in hub.records:
            hub.checkpoint = None  # the engine's own sweep: everything once more
            b.settle(hub)
        must(gone not in hub.records, f"the delete of {gone!r} was neither told nor swept")
        b.same_ids(hub, "a delete")


def bad_network(harness: Harness) -> list[str]:
    """9: throttling, errors, resets, cut and foreign answers: nothing is lost."""
    with _reading(harness) as b:
        if b.source.server is None:
            return _broken_line(b)
        whole, server = b.whole(), b.source.server
        before = len(server.calls)
        MiniHub().pull(b.connect(), b.stream)
        calls = len(server.calls) - before
        for name, fault in _faults().items():
            for place in range(min(calls, _MOST_PLACES)):
                # Once is healed inside the client; twelve in a row outlast its retries.
                for times in (1, 12):
                    server.script(*[None] * place, *[fault] * times)
                    hub = MiniHub(whole if times == 1 else None)
                    b.settle(hub)
                    server.calm()
                    b.same_ids(hub, f"{name} ({times} times, at call {place + 1})")
                    must(not server.failures, f"the source itself broke: {server.failures}")
        _long_wait(b, server)
    return []


def _broken_line(b: Bench) -> list[str]:
    """Play the faults of a source that is no HTTP server, on a first pull and on a later one."""
    for name, fault in b.source.breaks().items():
        hub = MiniHub()
        for what in ("a first pull", "a later pull"):
            before = len(hub.errors)
            fault()
            b.settle(hub)
            must(len(hub.errors) > before, f"{name} broke nothing in {what}")
            b.same_ids(hub, f"{name} in {what}")
            b.source.add(b.harness.page_size)
    return []


def _faults() -> dict[str, faults.Fault]:
    return {
        "429 with seconds": faults.status(429, retry_after="2"),
        "429 with a date": faults.status(429, retry_after="Tue, 10 Mar 2026 12:00:05 GMT"),
        "429 without a header": faults.status(429),
        "503": faults.status(503, retry_after="-5"),
        "500": faults.status(500),
        "502 with a page": faults.html_page(502),
        "a reset before the headers": faults.reset_before_headers(),
        "a reset after the headers": faults.reset_after_headers(),
        "a cut body": faults.cut_body(),
        "truncated JSON": faults.truncated_json(),
        "an HTML page with 200": faults.html_page(),
    }


def _long_wait(b: Bench, server: faults.FaultServer) -> None:
    """A long Retry-After parks the lane: Throttled with the wait, instead of a sleeping worker."""
    server.always(faults.status(429, retry_after="7200"))
    hub = MiniHub()
    ended = hub.attempt(b.connect(), b.stream)
    server.calm()
    must(not ended, "a pull that was only ever throttled came to a proper end")
    error = hub.errors[-1]
    kind = type(error).__name__
    must(isinstance(error, Throttled), f"429 became {kind}, not Throttled")
    must(error.retry_after_s == 7200, f"Retry-After 7200 became {error.retry_after_s}")
    must(not any(s > 3600 for s in b.waited_s), "it slept for hours instead of raising Throttled")


def altered_form(harness: Harness) -> list[str]:
    """18: a field added, removed or retyped: the pull goes on."""
    notes: list[str] = []
    hows: tuple[Alteration, ...] = ("field added", "field removed", "field retyped")
    for how in hows:
        with _reading(harness) as b:
            hub = MiniHub()
            b.settle(hub)
            try:
                b.source.alter(how)
            except Exempt as exempt:
                notes.append(f"{how}: {exempt}")
                continue
            for known in (hub, MiniHub()):
                b.settle(known)
                missing = b.source.ids() - known.records.keys()
                # A record may be set aside, but never vanish.
                must(len(missing) <= len(known.rejects), f"after a {how} records are missing")
    if len(notes) == len(hows):
        raise Exempt("; ".join(notes))
    return notes


def window_pull(harness: Harness) -> list[str]:
    """21: a window pull gives its span only and leaves the checkpoint alone."""
    with _reading(harness) as b:
        hub = MiniHub()
        b.settle(hub)
        times = _times(b)
        changed = b.source.add(1)[0]
        connector = b.connect()
        always = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        try:
            pages = list(connector.pull(b.stream, None, always))
        except NotSupported as error:
            raise Exempt(f"it offers no window: {error.message}") from None
        _keeps_out_of_the_way(pages)
        if times:
            found = {change.id for page in pages for change in page.changes}
            lost = times.keys() - found
            must(not lost, f"a window over all time misses {sorted(lost)[:5]}")
            _only_inside(connector.pull, b, times)
        nothing = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 1, 2, tzinfo=UTC))
        early = [c.id for page in connector.pull(b.stream, None, nothing) for c in page.changes]
        must(not early, f"a window in 1990 gave {early[:5]}")
        hub.attempt(connector, b.stream)
        must(changed in hub.records, "after a window pull the live pull missed a new record")
    return []


def _times(b: Bench) -> dict[str, datetime]:
    pages = b.connect().pull(b.stream, None)
    return {
        c.id: c.changed_at for page in pages for c in page.changes if c.changed_at and c.payload
    }


def _keeps_out_of_the_way(pages: list[Page]) -> None:
    must(all(page.checkpoint is None for page in pages), "a window pull gave a checkpoint")
    must(not any(page.complete for page in pages), "a window pull claimed a whole snapshot")


def _only_inside(pull: Callable[..., Iterator[Page]], b: Bench, times: dict[str, datetime]) -> None:
    middle = sorted(times.values())[len(times) // 2]
    half = Window(min(times.values()), middle)
    pages = list(pull(b.stream, None, half))
    _keeps_out_of_the_way(pages)
    found = {change.id for page in pages for change in page.changes} & times.keys()
    # A source that keeps whole seconds may be one off at either end.
    slack = timedelta(seconds=1)
    inside = {i for i, t in times.items() if half.since + slack <= t < half.until - slack}
    outside = {i for i, t in times.items() if t < half.since - slack or t >= half.until + slack}
    must(not inside - found, f"a window misses {sorted(inside - found)[:5]}")
    must(not found & outside, f"a window gave records outside it: {sorted(found & outside)[:5]}")


def merge_is_followed(harness: Harness) -> list[str]:
    """22: a merge on the far side is followed: the loser is gone, and it is told into which."""
    with bench(harness, harness.page_size) as b:
        need_reading(b)
        hub = MiniHub()
        hub.pull(b.connect(), b.stream)
        loser, winner = sorted(b.source.ids())[:2]
        b.source.merge(loser, winner)
        known = None if hub.checkpoint is None else json.loads(hub.checkpoint)
        told: dict[str, Change] = {}
        for page in b.connect().pull(b.stream, known):
            hub.commit(page)
            told |= {change.id: change for change in page.changes}
        b.same_ids(hub, "a merge on the far side")
        must(loser in told, "nothing tells what became of the merged record")
        into = told[loser].merged_into
        must(into == winner, f"the merged record is told to be in {into}, not in {winner}")
    return []
