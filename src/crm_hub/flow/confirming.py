"""T3: what a write that was made changes in the store: base, believed payload, the write itself.

Before: outbound, which knows the outcome. After: planning, which looks at the lane again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from crm_hub.flow.batch import Moment
from crm_hub.flow.holding import hold_created
from crm_hub.flow.hub import Hub
from crm_hub.flow.land import land, reload
from crm_hub.flow.tracking import UNREAD, digest, is_of
from crm_hub.flow.walk import walk
from crm_hub.flow.written import write_over
from crm_hub.mapping import SectionPlan
from crm_hub.model.records import Change
from crm_hub.model.routes import Route
from crm_hub.model.states import RecordState
from crm_hub.outbox.life import raws
from crm_hub.store import Db, Identities, Landings, Outbox, WriteRow


class Made(NamedTuple):
    """A write that was made: the record's key at the far side and its version after it."""

    row: WriteRow
    key: str
    version: str | None


def confirm_updates(db: Db, route: Route, made: Sequence[Made], now_us: int) -> None:
    """Records hold what was written: their values, bases and payloads say so."""
    repo, identities = Outbox(db), Identities(db)
    numbers = [one.row.record_id or 0 for one in made]
    held = {h.record_id: h for h in identities.held(numbers)}
    known, states = repo.sent(held), repo.states(held)
    values, beliefs, saved = [], [], {}
    for row, _key, version in made:
        record = held.get(row.record_id or 0)
        if record is None:
            continue
        number = record.record_id
        state = states.get(number)
        if state is None or not is_of(state, record):
            state = RecordState()
        text = write_over(record, row, state, known[number].changed_at_us, now_us)
        state.digest = digest(text)
        state.version = version
        payload = route.section.put(orjson.loads(known[number].payload), raws(row.doc))
        values.append((number, record.entity, record.changed_at_us, text, record.keys))
        beliefs.append((orjson.dumps(payload).decode(), version, UNREAD, number))
        saved[number] = state
    identities.save_canonical([], values)
    repo.believe(beliefs)
    repo.save_states(saved)


def confirm_creates(
    db: Db,
    hub: Hub,
    route: Route,
    section: SectionPlan,
    made: Sequence[Made],
    moment: Moment,
) -> None:
    """Records were created: they land as we wrote them, belonging to their identities.

    One that was pulled before its creation was confirmed is walked again, now held together with
    the record it was made from.
    """
    landings = Landings(db)
    stream = landings.stream(route.connection, route.stream) or landings.add_stream(
        route.connection, route.stream, section.name
    )
    known = landings.known(stream.id, [one.key for one in made])
    there = [one for one in made if one.key in known]
    new = [one for one in made if one.key not in known]
    changes = [
        Change(one.key, route.section.put({}, raws(one.row.doc)), None, one.version) for one in new
    ]
    landed = land(db, stream, changes, moment.now_us, None)
    numbers = {one.key: one.record_id for one in landed.landed}
    numbers |= {one.key: known[one.key][0] for one in there}
    hold_created(db, [(one.row, numbers[one.key]) for one in made])
    again = reload(landings, [numbers[one.key] for one in there], is_new=False)
    walk(db, hub.tools, stream, section, [*landed.landed, *again.get(stream.id, ())], moment)
    landings.walked(landed.landing_id)
    written = [
        Made(one.row._replace(record_id=numbers[one.key]), one.key, one.version) for one in new
    ]
    confirm_updates(db, route, written, moment.now_us)
