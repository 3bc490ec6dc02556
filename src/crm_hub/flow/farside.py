"""What the hub takes in from a far side while it writes there, and what it stores of each write.

Before: outbound, sending and uncertain, which talk to the connector. After: confirming, planning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import orjson

from crm_hub.flow.batch import Moment
from crm_hub.flow.confirming import Made, confirm_creates, confirm_updates
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound
from crm_hub.flow.land import land
from crm_hub.flow.lanes import TAKEN_AWAY
from crm_hub.flow.planning import plan_settled_lanes
from crm_hub.flow.walk import walk
from crm_hub.flow.written import holds, like
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import ConfigError, NotSupported, Throttled, TransientError
from crm_hub.model.records import Change
from crm_hub.model.routes import Route
from crm_hub.observe import redact
from crm_hub.outbox import life
from crm_hub.sdk import Connector, Outcome, Ref
from crm_hub.store import Db, DeadLetter, Landings, Machinery, Outbox, Sent, WriteRow

PUSH_STEP = "push"
_SAID = {"create": "created", "delete": "deleted", "archive": "archived"}


class FarSide:
    """One connection during one run of writes. routes, sections: by stream.

    counts: created, updated, deleted, archived, conflicts, unknown, dead.
    """

    def __init__(self, hub: Hub, inbound: Inbound) -> None:
        self.hub, self.inbound, self.name = hub, inbound, inbound.name
        self.routes: dict[str, Route] = {}
        self.sections: dict[str, SectionPlan] = {}

    @property
    def counts(self) -> Counter[str]:
        return self.inbound.report.counts

    def is_untouched(self, route: Route, known: Sent, change: Change) -> bool:
        """Whether a record says nothing that the hub does not know."""
        if change.payload is None:
            return False
        section = self.sections[route.stream]
        now, then = section.map(change.payload), section.map(orjson.loads(known.payload))
        if now.record is None or then.record is None:
            return bool(change.payload == orjson.loads(known.payload))
        fields = now.record.values.keys() | then.record.values.keys()
        return all(like(then.record.values.get(f), now.record.values.get(f)) for f in fields)

    def put_back(self, rows: Sequence[WriteRow], error: Exception, *, certain: bool) -> None:
        """A call failed. certain: nothing was done at the far side; else nobody knows."""
        reason = redact(str(getattr(error, "message", error)))
        wished_s = getattr(error, "retry_after_s", None)
        self.counts["unknown"] += 0 if certain else len(rows)
        with self.hub.store.write() as db:
            now_us = self.inbound.now_us()
            state = "due" if certain else "unknown"
            late = [
                row._replace(
                    state=state, reason=reason,
                    due_at_us=now_us + life.wait_us(row.tries, wished_s),
                    tries=row.tries + (certain and not isinstance(error, Throttled)),
                )
                for row in rows
            ]  # fmt: skip
            Outbox(db).save([row for row in late if row.tries < life.MOST_TRIES])
            self.bury(db, [row for row in late if row.tries >= life.MOST_TRIES])
        self.inbound.report.notes.append(f"{len(rows)} writes wait: {reason}")

    def confirm(
        self, db: Db, route: Route, done: Sequence[tuple[WriteRow, Outcome]], moment: Moment
    ) -> None:
        """Store writes that were made: what they changed, and that they are over."""
        rows = [
            row._replace(
                state="confirmed", settled_at_us=moment.now_us, run_id=moment.run_id, reason=""
            )
            for row, _ in done
        ]
        Outbox(db).save(rows)
        made: dict[str, list[Made]] = defaultdict(list)
        for row, outcome in done:
            if row.kind == "create" and not outcome.id:
                raise ConfigError(f"{self.name}: the connector gave no id for a created record")
            made[row.kind].append(Made(row, outcome.id or "", outcome.version))
            said = _SAID.get(row.kind, "updated")
            self.counts[said] += 1
        section = self.sections[route.stream]
        if made["create"]:
            confirm_creates(db, self.hub, route, section, made["create"], moment)
        if made["delete"]:
            known = Outbox(db).sent([one.row.record_id or 0 for one in made["delete"]])
            gone = [Change(one.key, None) for one in known.values()]
            self.walk_in(db, route, gone, moment._replace(is_own=True))
        changed = [*made["update"], *made["restore"], *made["archive"]]
        confirm_updates(db, route, changed, moment.now_us)
        machinery = Machinery(db)
        letters = machinery.dead_keys(self.name, route.stream, PUSH_STEP)
        machinery.revive([letters[row.lane] for row, _ in done if row.lane in letters])

    def reject(self, db: Db, row: WriteRow, outcome: Outcome) -> None:
        reason = "; ".join(f"{f}: {why}" for f, why in outcome.reasons.items()) or "rejected"
        self.bury(db, [row._replace(reason=redact(reason))])

    def bury(self, db: Db, rows: Sequence[WriteRow]) -> None:
        now_us = self.inbound.now_us()
        Outbox(db).save([row._replace(state="dead") for row in rows])
        self.counts["dead"] += len(rows)
        Machinery(db).bury(
            [
                DeadLetter(
                    0, row.connection, row.stream, row.lane, PUSH_STEP, row.reason,
                    "Correct the value or the mapping, or send it as it is: crm-hub dead retry.",
                    "", None, None, now_us, 1,
                )
                for row in rows
            ]
        )  # fmt: skip

    def key_of(self, row: WriteRow) -> str:
        with self.hub.store.read() as db:
            known = Outbox(db).sent([row.record_id or 0])
        return next((one.key for one in known.values()), "")

    def fetched(self, connector: Connector[Any], route: Route, key: str) -> Change | None:
        try:
            found = connector.fetch([Ref(route.stream, key)])
        except (NotSupported, TransientError):
            return None
        return next((change for _, change in found), None)

    def keeps_delete(self, route: Route, row: WriteRow, change: Change) -> bool:
        """Put a delete back that was not made, where its record says nothing new; tell whether.

        Nothing else would plan it again: the record whose deletion caused it is long gone.
        """
        with self.hub.store.read() as db:
            known = Outbox(db).sent([row.record_id or 0]).get(row.record_id or 0)
        if row.kind not in TAKEN_AWAY or known is None:
            return False
        if not self.is_untouched(route, known, change) or row.tries >= life.MOST_TRIES:
            return False
        self.take(route, [change], [row])  # its version may be another by now
        with self.inbound.transaction() as db:
            Outbox(db).save([row._replace(state="due", due_at_us=self.inbound.now_us())])
        return True

    def settle(self, row: WriteRow, state: str, reason: str) -> None:
        with self.inbound.transaction() as db:
            Outbox(db).save([_over(row, state, reason, self.inbound.moment(db))])

    def settle_by(
        self, route: Route, row: WriteRow, state: str, reason: str, change: Change
    ) -> None:
        """A write is over because of what was found at the far side: take that in as `take` does.

        In one transaction: a write that is over and was not planned again would be lost.
        """
        with self.inbound.transaction() as db:
            moment = self.inbound.moment(db)
            Outbox(db).save([_over(row, state, reason, moment)])
            self._taken(db, route, [change], [row], moment)

    def take(self, route: Route, changes: Sequence[Change], rows: Sequence[WriteRow]) -> None:
        """Land and walk what was found at the far side, then plan the lanes of these writes."""
        with self.inbound.transaction() as db:
            self._taken(db, route, changes, rows, self.inbound.moment(db))

    def _taken(
        self,
        db: Db,
        route: Route,
        changes: Sequence[Change],
        rows: Sequence[WriteRow],
        moment: Moment,
    ) -> None:
        self.walk_in(db, route, changes, moment)
        plan_settled_lanes(db, self.hub.tools, rows, moment)

    def walk_in(self, db: Db, route: Route, changes: Sequence[Change], moment: Moment) -> None:
        landings = Landings(db)
        stream = landings.stream(route.connection, route.stream)
        if stream is None:
            return
        landed = land(db, stream, changes, moment.now_us, None)
        for change in changes:
            known = landings.known(stream.id, [change.id]).get(change.id)
            if known is not None and change.version is not None:
                Outbox(db).set_version(known[0], change.version)
        if landed.landing_id:
            walk(db, self.hub.tools, stream, self.sections[route.stream], landed.landed, moment)
            landings.walked(landed.landing_id)

    def is_gone(self, route: Route, key: str) -> None:
        """The far side, asked for this record alone, does not have it: no stale list says so."""
        with self.hub.store.write() as db:
            stream = Landings(db).stream(route.connection, route.stream)
            known = {} if stream is None else Landings(db).known(stream.id, [key])
            states = Outbox(db).states([number for number, *_ in known.values()])
            for state in states.values():
                for entry in state.fields.values():
                    entry.awaited = None
            Outbox(db).save_states(states)

    def late_confirm(self, route: Route, row: WriteRow, change: Change) -> None:
        """The write had been made: confirm it, and take in what stands there now."""
        with self.inbound.transaction() as db:
            moment = self.inbound.moment(db)
            outcome = Outcome("applied", change.id, change.version)
            self.confirm(db, route, [(row, outcome)], moment)
            self.walk_in(db, route, [change], moment)
            plan_settled_lanes(db, self.hub.tools, [row], moment)

    def holds(self, route: Route, row: WriteRow, change: Change) -> bool:
        """Whether a record holds what was written, be it reformatted."""
        if change.payload is None:
            return False
        if row.kind == "archive":
            return route.section.put(change.payload, life.raws(row.doc)) == change.payload
        found = self.sections[route.stream].map(change.payload).record
        return holds(row, {} if found is None else found.values)


def _over(row: WriteRow, state: str, reason: str, moment: Moment) -> WriteRow:
    return row._replace(
        state=state, settled_at_us=moment.now_us, run_id=moment.run_id, reason=reason
    )
