"""Mails that share a Message-ID become the same events in whatever order and batches they come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from crm_hub.flow.batch import Landed, MappedRecord, Moment, Walked
from crm_hub.flow.walk_events import _compose
from crm_hub.flow.walk_tellings import tell
from crm_hub.model.canonical import EventDraft
from crm_hub.model.ids import SourceKey
from crm_hub.store import Db, Events, Store
from crm_hub.store.schema import source_record, stream
from tests.rooms.test_twins import COPIES, OTHERS

CASES = [*COPIES.values(), *OTHERS.values()]


class _Back(Exception):
    """Leaves the store as it was."""


def _feed(db: Db, batch: list[tuple[int, EventDraft | None]], known: set[int]) -> None:
    mapped = [
        MappedRecord(
            Landed(n, f"r{n}", None, None, n not in known), SourceKey("box", "mail", f"r{n}"), None,
            [] if draft is None else [draft],
        )
        for n, draft in batch
    ]  # fmt: skip
    known |= {n for n, _ in batch}
    repo = Events(db)
    _compose(repo, tell(db, repo, mapped), Moment(1, 1, None), Walked())


def _parts(db: Db) -> set[frozenset[int]]:
    out: dict[int, set[int]] = defaultdict(set)
    for event, record in db.conn.execute(text("SELECT event_id, record_id FROM event_source")):
        out[event].add(record)
    kept = {row[0] for row in db.conn.execute(text("SELECT id FROM event"))}
    assert kept == out.keys(), "an event without a telling, or a telling without its event"
    return {frozenset(part) for part in out.values()}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_batch_and_history_gives_the_same_events(tmp_path: Path, data) -> None:
    drafts = data.draw(st.lists(st.sampled_from(CASES), min_size=1, max_size=8))
    found = list(enumerate([replace(d, attributes={"n": n}) for n, d in enumerate(drafts)], 1))
    store = Store("sqlite:///hub.db", tmp_path).open()
    results = []
    for order in (found, data.draw(st.permutations(found))):
        try:
            with store.write() as db:
                db.insert(stream, [(1, "box", "mail", "mail", None, None, 0, None, None)])
                db.insert(
                    source_record,
                    [(n, 1, f"r{n}", bytes([n]), None, 0, 0, False, "{}") for n, _ in found],
                )
                known: set[int] = set()
                if results:  # some were something else before, or had gone
                    before = data.draw(st.lists(st.sampled_from(CASES), max_size=len(found)))
                    _feed(db, list(enumerate(before, 1)), known)
                    _feed(db, [(n, None) for n in data.draw(st.sets(st.sampled_from(sorted(known))))]
                          if known else [], known)  # fmt: skip
                size = data.draw(st.integers(1, len(found)))
                for start in range(0, len(order), size):
                    _feed(db, list(order[start : start + size]), known)
                results.append(_parts(db))
                raise _Back
        except _Back:
            pass
    store.close()
    assert results[0] == results[1]
