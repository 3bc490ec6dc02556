"""Step 6, beside the places: what the senders' own signatures below the mails of a batch tell.

A row for each mail that has one, so that a mail that goes takes its own away. Of a mail that some
mailbox shows in part alone, nothing is read; nor of our own and of what programs write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import orjson

from crm_hub.flow.batch import MappedRecord, Tools
from crm_hub.flow.walk_tellings import Tellings, stored_sources
from crm_hub.resolve.signature import read_signature
from crm_hub.store import Db, Events, Row, Signatures
from crm_hub.timeline import Event, Source, compose


def walk_signatures(db: Db, tools: Tools, told: Tellings, events: Mapping[int, Event]) -> None:
    """Write what the signatures of the events of a batch tell."""
    rows = _rows(tools, events)
    old = {number for number in told.touched if number < told.first}
    if rows or old:
        Signatures(db).save(old, rows)


def sign_unchanged(
    db: Db,
    repo: Events,
    tools: Tools,
    mapped: Sequence[MappedRecord],
    done: Collection[int],
) -> None:
    """In a replay, read the signatures of mails that are told as before; write what differs.

    The reading may have become another; a hub from before signatures were read has none.
    """
    records = [one.landed.record_id for one in mapped if one.events]
    numbers = {row.event_id for row in repo.sources_of_records(records)}.difference(done)
    sources: dict[int, list[Source]] = defaultdict(list)
    for number, source in stored_sources(repo, numbers):
        sources[number].append(source)
    found = {row[0]: row for row in _rows(tools, {n: compose(s) for n, s in sources.items()})}
    stored = Signatures(db).stored(numbers)
    moved = {n for n in numbers if found.get(n) != stored.get(n)}
    if moved:
        Signatures(db).save(sorted(moved), [found[n] for n in sorted(moved & found.keys())])


def _rows(tools: Tools, events: Mapping[int, Event]) -> list[Row]:
    rows = (_row(tools, number, event) for number, event in events.items())
    return [row for row in rows if row is not None]


def _row(tools: Tools, number: int, event: Event) -> Row | None:
    draft = event.winner.draft
    if draft.type[:6] != "email." or event.visibility != "full" or not draft.body:
        return None
    if draft.attributes.get("automated"):
        return None
    sender = next((p for p in event.participants if p.role == "from"), None)
    if sender is None or not sender.name or sender.key[:2] != "e:" or tools.is_own(sender.key):
        return None
    signed = read_signature(draft.body, sender.name)
    return None if signed is None else (number, sender.key, orjson.dumps(tuple(signed)).decode())
