"""T3: what a write that was made changes in the store: base, believed payload, the write itself.

Before: outbound, which knows the outcome. After: planning, which looks at the lane again.
"""

from __future__ import annotations

from typing import Any

import orjson

from crm_hub.flow.batch import Moment
from crm_hub.flow.hub import Hub
from crm_hub.flow.land import land
from crm_hub.flow.planning import claim_key
from crm_hub.flow.tracking import UNREAD, digest, is_of
from crm_hub.flow.walk import walk
from crm_hub.mapping import SectionPlan
from crm_hub.model.records import Change
from crm_hub.model.routes import Route
from crm_hub.model.states import ABSENT, Awaited, FieldState, RecordState, mark
from crm_hub.outbox.life import raws
from crm_hub.store import Db, Held, Identities, Landings, Outbox, StreamRow, WriteRow

AWAITED_US = 7 * 86_400_000_000


def confirm_update(db: Db, route: Route, row: WriteRow, version: str | None, now_us: int) -> None:
    """A record holds what was written: its values, its base and its payload say so."""
    held = {h.record_id: h for h in Identities(db).held([row.record_id or 0])}
    repo = Outbox(db)
    known = repo.sent(held)
    for number, record in held.items():
        state = repo.states([number]).get(number)
        if state is None or not is_of(state, record):
            state = RecordState()
        _write_over(record, row, state, known[number].changed_at_us, now_us, db)
        state.version = version
        payload = route.section.put(orjson.loads(known[number].payload), raws(row.doc))
        repo.believe(number, orjson.dumps(payload).decode(), version, UNREAD)
        repo.save_states({number: state})


def _write_over(
    record: Held, row: WriteRow, state: RecordState, at_us: int | None, now_us: int, db: Db
) -> None:
    values: dict[str, Any] = orjson.loads(record.data)
    state.spell_out(values, record.changed_at_us)
    for name, change in row.doc["fields"].items():
        entry = state.entry(name)
        if change.get("pushed"):
            entry.rendering = change["raw"]
            continue
        shown = values.get(name) if entry.rendering is ABSENT else entry.rendering
        entry.awaited = Awaited(shown, at_us, now_us + AWAITED_US)
        if row.kind == "restore":
            _restored(entry, change)
        else:
            _copied(entry, change)
        if change["to"] in (None, []):
            values.pop(name, None)
        else:
            values[name] = change["to"]
    text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
    state.digest = digest(text)
    row_out = (record.record_id, record.entity, record.changed_at_us, text)
    Identities(db).save_canonical([], [row_out])


def _copied(entry: FieldState, change: dict[str, Any]) -> None:
    """The value came from elsewhere, and so did its stamp."""
    entry.stamp = change["stamp"]
    entry.rendering = entry.undone = ABSENT
    entry.copied, entry.person = True, False
    entry.cleared = change["to"] in (None, [])
    entry.added = dict(change["items"])
    if isinstance(change["to"], list):
        there = {mark(item) for item in change["to"]}
        entry.removed = {m: at for m, at in entry.removed.items() if m not in there}


def _restored(entry: FieldState, change: dict[str, Any]) -> None:
    """The value of before our write is back, with its stamp; ours is not written again."""
    entry.stamp = change["stamp"]
    entry.rendering = ABSENT
    entry.undone = change["undone"]
    entry.copied = entry.person = entry.cleared = False
    entry.added = {}


def confirm_create(
    db: Db,
    hub: Hub,
    route: Route,
    section: SectionPlan,
    row: WriteRow,
    key: str,
    version: str | None,
    moment: Moment,
) -> None:
    """A record was created: it lands as we wrote it, belonging to its identity."""
    repo, landings = Outbox(db), Landings(db)
    stream = landings.stream(route.connection, route.stream) or landings.add_stream(
        route.connection, route.stream, section.name
    )
    known = landings.known(stream.id, [key])
    if not known:
        payload = route.section.put({}, raws(row.doc))
        landed = land(db, stream, [Change(key, payload, None, version)], moment.now_us, None)
        record_id = landed.landed[0].record_id
        _hold(repo, row, record_id)
        walk(db, hub.tools, stream, section, landed.landed, moment)
        landings.walked(landed.landing_id)
    else:
        record_id = known[key][0]
        _hold(repo, row, record_id)
        _walk_again(db, hub, stream, section, record_id, moment)
    written = row._replace(record_id=record_id)
    if not known:
        confirm_update(db, route, written, version, moment.now_us)


def _hold(repo: Outbox, row: WriteRow, record_id: int) -> None:
    """Hold a new record together with the record that most of its values come from."""
    anchor = row.doc.get("anchor")
    if anchor is None:
        return
    value = min((v for _, v in repo.claims([anchor])), default=f"r{anchor}")
    # The new record gets its key from the walk that follows.
    repo.add_claims([(anchor, value), (record_id, value)], [(claim_key(value), anchor)])


def _walk_again(
    db: Db, hub: Hub, stream: StreamRow, section: SectionPlan, record_id: int, moment: Moment
) -> None:
    from crm_hub.flow.land import reload

    found = reload(Landings(db), [record_id], is_new=False).get(stream.id, [])
    walk(db, hub.tools, stream, section, found, moment)
