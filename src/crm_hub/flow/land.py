"""T1: a page becomes stored source records and the next checkpoint, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import orjson

from crm_hub.flow.batch import Landed
from crm_hub.flow.holding import claim_key
from crm_hub.landing import Arrival, Landing, Ready, compare, fold
from crm_hub.model.ids import bounded
from crm_hub.model.records import Change, Reject
from crm_hub.model.values import clean_text
from crm_hub.store import Db, DeadLetter, Landings, Machinery, Outbox, StreamRow

PULL_STEP = "pull"


class Page(NamedTuple):
    """What T1 made of a page: the landing's number (0 when nothing is news) and its records.

    keys: the keys of all records of the page, news or not.
    """

    landing_id: int
    landed: list[Landed]
    result: Landing
    keys: Collection[str] = ()


def land(
    db: Db,
    stream: StreamRow,
    changes: Sequence[Change],
    now_us: int,
    late_before_us: int | None,
    *,
    walked: bool = True,
    ready: Mapping[int, Ready] = MappingProxyType({}),
) -> Page:
    """Store what is news in `changes`, and queue it to be walked.

    walked: false for a stream without a mapping, whose records are kept raw only.
    ready: what the helper process made of the changes, by the id() of the change.
    """
    repo = Landings(db)
    latest, result = fold(changes)
    compare(latest, repo.known(stream.id, latest), result, ready)
    numbers = repo.add(_new_rows(stream.id, result.new, now_us)) if result.new else ()
    result.seen_ids.extend(numbers)
    replaced = [one for one in result.changed if not one.deleted]
    gone = [one for one in result.changed if one.deleted]
    repo.replace([_changed_row(one, now_us) for one in replaced])
    repo.tombstone([one.id for one in gone if one.id is not None], now_us)
    landed = [
        Landed(number, key, payload, changed_at_us, True, made)
        for number, (_, key, _, _, changed_at_us, _, payload, made) in zip(
            numbers, result.new, strict=True
        )
    ]
    landed += [
        Landed(one.id or 0, one.key, one.payload, one.changed_at_us, False, one.made)
        for one in result.changed
    ]
    landed += _winners(db, stream, latest, landed)
    landing_id = queue(repo, stream, landed, late_before_us) if walked else 0
    return Page(landing_id, landed, result, latest.keys())


def _winners(
    db: Db, stream: StreamRow, changes: Mapping[str, Change], landed: Sequence[Landed]
) -> list[Landed]:
    """Let records into which others were merged stand for them; return those to be walked again.

    Whom the hub kept equal with the merged one, it keeps equal with the other from now on.
    """
    merged = {
        key: bounded(clean_text(one.merged_into))
        for key, one in changes.items()
        if one.payload is None and one.merged_into
    }
    if not merged:
        return []
    repo, outbox = Landings(db), Outbox(db)
    known = {key: row[0] for key, row in repo.known(stream.id, {*merged, *merged.values()}).items()}
    into = {known[k]: known[w] for k, w in merged.items() if k in known and w in known and k != w}
    rows = [(into[record], value) for record, value in outbox.claims(into)]
    outbox.add_claims(rows, [(claim_key(value), record) for record, value in rows])
    again = {record for record, _ in rows} - {one.record_id for one in landed}
    return reload(repo, sorted(again), is_new=False).get(stream.id, [])


def queue(
    repo: Landings, stream: StreamRow, landed: Sequence[Landed], late_before_us: int | None
) -> int:
    """Remember `landed` as due; return the landing's number, 0 when there is nothing."""
    if not landed:
        return 0
    return repo.queue(stream.id, [one.record_id for one in landed], late_before_us)


def grown(stream: StreamRow, landed: Page, told: int | None) -> StreamRow:
    """Return the stream with what its source holds now: where none tells, by what came and went."""
    if told is not None or stream.source_count is None:
        return stream
    return stream._replace(source_count=max(0, stream.source_count + landed.result.growth))


def sweep(
    db: Db, stream: StreamRow, gone: Sequence[int], now_us: int, late_before_us: int | None
) -> Page:
    """Mark records that a whole snapshot no longer holds as deleted, and queue them."""
    repo = Landings(db)
    landed = [Landed(r.id, r.key, None, r.changed_at_us, False) for r in repo.records(gone)]
    repo.tombstone(gone, now_us)
    return Page(queue(repo, stream, landed, late_before_us), landed, Landing())


def reload(repo: Landings, record_ids: Sequence[int], *, is_new: bool) -> dict[int, list[Landed]]:
    """Return stored records by stream, as the walk takes them."""
    out: dict[int, list[Landed]] = {}
    for raw in repo.records(record_ids):
        payload = None if raw.deleted else orjson.loads(raw.payload)
        out.setdefault(raw.stream_id, []).append(
            Landed(raw.id, raw.key, payload, raw.changed_at_us, is_new)
        )
    return out


def bury_rejects(db: Db, stream: StreamRow, rejects: Sequence[Reject], now_us: int) -> None:
    """Set aside what a connector could not read."""
    Machinery(db).bury(
        [
            DeadLetter(
                0, stream.connection, stream.name, r.id or r.place, PULL_STEP,
                f"{r.reason} ({r.place})", r.remedy, r.excerpt[:2000], None, None, now_us, 1,
            )
            for r in rejects
        ]
    )  # fmt: skip


def cure(db: Db, stream: StreamRow, keys: Collection[str], rejects: Sequence[Reject]) -> None:
    """Take out the dead letters of records that a page now gives without a reject."""
    machinery = Machinery(db)
    dead = machinery.dead_keys(stream.connection, stream.name, PULL_STEP)
    still = {r.id or r.place for r in rejects}
    machinery.revive([n for key, n in dead.items() if key in keys and key not in still])


def _new_rows(stream_id: int, new: Sequence[Arrival], now_us: int) -> list[tuple[object, ...]]:
    return [
        (stream_id, key, digest, version, changed_at_us, now_us, False, text)
        for _, key, digest, version, changed_at_us, text, _, _ in new
    ]


def _changed_row(one: Arrival, now_us: int) -> tuple[object, ...]:
    return (one.hash, one.version, one.changed_at_us, now_us, False, one.text, one.id)
