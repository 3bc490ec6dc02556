"""Step 8 for one connection: writes due are sent, and what became of each is stored.

A write is committed as sent before it is sent. Killed in between, the next run finds it so,
and reads back instead of sending it again. Before: planning. After: confirming.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from crm_hub.flow.batch import Moment
from crm_hub.flow.confirming import confirm_create, confirm_update
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, SyncReport
from crm_hub.flow.land import land
from crm_hub.flow.planning import plan_again
from crm_hub.flow.tracking import LOOK_AGAIN
from crm_hub.flow.two_way import approve, possible_routes, unapproved, written_to
from crm_hub.flow.walk import walk
from crm_hub.landing.echo import is_reformat
from crm_hub.mapping import SectionPlan
from crm_hub.model.errors import ConfigError, MassWrite, NotSupported, Throttled, TransientError
from crm_hub.model.records import Change
from crm_hub.model.routes import Route
from crm_hub.model.states import same
from crm_hub.observe import logger, redact
from crm_hub.outbox import life
from crm_hub.sdk import Connector, Outcome, Ref, Write
from crm_hub.store import Db, DeadLetter, Landings, Machinery, Outbox, Sent, WriteRow

_log = logger("flow")
BATCH = 200
PUSH_STEP = "push"
_MOST_SENDS = 3
"""How often one run sends for the same lane: a far side that always answers "conflict" must not hold it."""


def push(hub: Hub, name: str, *, yes: bool = False, many: bool = False) -> SyncReport | None:
    """Send what is due to a connection; None when the hub writes nothing there.

    yes: approves the first plan unseen. many: goes on above the caps of creates and deletes.
    """
    if name not in written_to(hub):
        return None
    inbound = Inbound(hub, name)
    inbound.kind = "push"
    outbound = Outbound(hub, inbound, yes=yes, many=many)
    return inbound.recorded(outbound.run)


class Outbound:
    """One run of writes to one connection. counts: created, updated, deleted, conflicts, unknown, dead."""

    def __init__(self, hub: Hub, inbound: Inbound, *, yes: bool = False, many: bool = False):
        self.hub, self.inbound, self.name = hub, inbound, inbound.name
        self._yes, self._many = yes, many
        self._sends: Counter[str] = Counter()
        self._routes: dict[str, Route] = {}
        self._sections: dict[str, SectionPlan] = {}

    @property
    def counts(self) -> Counter[str]:
        return self.inbound.report.counts

    def run(self) -> None:
        """Settle what is uncertain, then send what is due."""
        if not self._open():
            return
        connector = self.hub.connector(self.name)
        self._mend()
        self._look(connector)
        self._find_out(connector)
        self._brake()
        while not self.hub.stopping():
            due = self._due()
            if not due or not self._send_all(connector, due):
                return

    # before anything is sent --------------------------------------------------------------

    def _open(self) -> bool:
        """Tell whether there is anything to do; a first plan has to be approved."""
        two_way = self.hub.tools.two_way
        known = [] if two_way is None else list(two_way.routes.values())
        self._routes = {r.stream: r for r in known if r.connection == self.name}
        if self._yes or not self._routes:
            new = unapproved(self.hub, self.name)
            if new and not self._yes:
                self.inbound.report.notes.append(
                    "nothing is written there before its first plan is approved: "
                    f"crm-hub preview {self.name}"
                )
                return False
            if new:
                from crm_hub.flow.preview import plan_everything

                approve(self.hub, new)
                plan_everything(self.hub, self.name, self.inbound)
                return self._open_again()
        for route in self._routes.values():
            self._sections[route.stream] = self.hub.plan(self.name).sections[route.section.name]
        with self.hub.store.read() as db:
            repo = Outbox(db)
            waits = repo.has_due(self.name) or repo.to_look_at(self.name, LOOK_AGAIN)
            stored = {r.stream: r for r in repo.routes() if r.connection == self.name}
        changed = any(stored[s].digest != r.section.digest for s, r in self._routes.items())
        return bool(waits) or changed

    def _open_again(self) -> bool:
        self._yes = False
        return self._open()

    def _mend(self) -> None:
        """After a change of the mapping, what was set aside is planned and tried again."""
        with self.hub.store.read() as db:
            stored = {r.stream: r for r in Outbox(db).routes() if r.connection == self.name}
        if all(stored[s].digest == r.section.digest for s, r in self._routes.items()):
            return
        rows = [r for r in possible_routes(self.hub, self.name) if r.stream in stored]
        with self.hub.store.write() as db:
            repo, moment = Outbox(db), self.inbound.moment(db)
            repo.approve([r._replace(approved_at_us=stored[r.stream].approved_at_us) for r in rows])
            identities = repo.waken(self.name, moment.now_us)
            plan_again(db, self.hub.tools, identities, moment)
        self.hub.forget_tools()

    def _brake(self) -> None:
        """Stop before a run creates or deletes more records than it may."""
        with self.hub.store.read() as db:
            due = Outbox(db).open_rows(self.name, "due")
        found = Counter((row.stream, row.kind) for row in due)
        for stream, route in self._routes.items():
            for kind, most in (("create", route.creates), ("delete", route.deletes)):
                count = found[stream, kind]
                if count > most and not self._many:
                    raise MassWrite(
                        f"{self.name}: {count} records of {stream} would be {kind}d, and one run "
                        f"may {kind} {most}. Nothing was sent.",
                        remedy=f"Look at them: crm-hub preview {self.name}. If they are right: "
                        f"crm-hub push {self.name} --many, or raise `{kind}s` in hub.yaml.",
                    )

    def _due(self) -> list[WriteRow]:
        with self.hub.store.read() as db:
            now_us = self.inbound.now_us()
            rows = Outbox(db).open_rows(self.name, "due", now_us, limit=BATCH * 2)
        found = [r for r in rows if self._sends[r.lane] < _MOST_SENDS and r.stream in self._routes]
        return found[:BATCH]

    # sending ------------------------------------------------------------------------------

    def _send_all(self, connector: Connector[Any], due: Sequence[WriteRow]) -> bool:
        """Send writes in batches of what the stream takes; False when the lane is parked."""
        by_stream: dict[str, list[WriteRow]] = {}
        for row in due:
            by_stream.setdefault(row.stream, []).append(row)
        for stream, rows in by_stream.items():
            size = max(1, self._routes[stream].ability.batch_size)
            for start in range(0, len(rows), size):
                if self.hub.stopping():
                    return False
                if not self._send(connector, self._routes[stream], rows[start : start + size]):
                    return False
        return True

    def _send(self, connector: Connector[Any], route: Route, rows: Sequence[WriteRow]) -> bool:
        self._sends.update(row.lane for row in rows)
        with self.hub.store.read() as db:
            known = Outbox(db).sent([r.record_id for r in rows if r.record_id is not None])
        versions = {number: one.version for number, one in known.items()}
        rows = self._compared(connector, route, rows, known, versions)
        if not rows:
            return True
        rows = [row._replace(state="sent", tries=row.tries + 1) for row in rows]
        with self.hub.store.write() as db:
            self.inbound.in_run(db)
            Outbox(db).save(rows)
        writes = [_write(row, known, versions, route) for row in rows]
        try:
            outcomes = connector.push(writes)
        except Throttled as error:
            self._put_back(rows, error, certain=len(rows) == 1)
            return False
        except (TransientError, ConfigError) as error:
            self._put_back(rows, error, certain=False)
            if isinstance(error, ConfigError):
                raise
            return True
        self._store(connector, route, rows, outcomes)
        return True

    def _compared(
        self,
        connector: Connector[Any],
        route: Route,
        rows: Sequence[WriteRow],
        known: dict[int, Sent],
        versions: dict[int, str | None],
    ) -> list[WriteRow]:
        """Where the far side checks no guard, or none is known, read first: send what is untouched."""
        guarded = route.ability.guard in life.RACE_GUARDS
        asked = [
            row
            for row in rows
            if row.record_id in known and not (guarded and versions[row.record_id] is not None)
        ]
        if not asked:
            return list(rows)
        refs = [Ref(route.stream, known[row.record_id or 0].key) for row in asked]
        try:
            found = {change.id: change for _, change in connector.fetch(refs)}
        except NotSupported:
            return list(rows)
        except TransientError as error:
            self._put_back(asked, error, certain=True)
            return [row for row in rows if row not in asked]
        moved: list[WriteRow] = []
        for row in asked:
            number = row.record_id or 0
            change = found.get(known[number].key)
            if change is None or not self._is_untouched(route, known[number], change):
                moved.append(row)
                gone = Change(known[number].key, None)
                self._take(route, [change or gone], [row.identity_id])
            else:
                versions[number] = change.version
        return [row for row in rows if row not in moved]

    def _is_untouched(self, route: Route, known: Sent, change: Change) -> bool:
        """Whether a record says nothing that the hub does not know."""
        if change.payload is None:
            return False
        section = self._sections[route.stream]
        now, then = section.map(change.payload), section.map(orjson.loads(known.payload))
        if now.record is None or then.record is None:
            return change.payload == orjson.loads(known.payload)
        fields = now.record.values.keys() | then.record.values.keys()
        return all(_like(then.record.values.get(f), now.record.values.get(f)) for f in fields)

    def _put_back(self, rows: Sequence[WriteRow], error: Exception, *, certain: bool) -> None:
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
                    tries=row.tries if not certain or isinstance(error, Throttled) else row.tries + 1,
                )
                for row in rows
            ]  # fmt: skip
            Outbox(db).save([row for row in late if row.tries < life.MOST_TRIES])
            self._bury(db, [row for row in late if row.tries >= life.MOST_TRIES])
        self.inbound.report.notes.append(f"{len(rows)} writes wait: {reason}")

    def _store(
        self,
        connector: Connector[Any],
        route: Route,
        rows: Sequence[WriteRow],
        outcomes: Sequence[Outcome],
    ) -> None:
        """T3: store what became of each write, and plan its lane again."""
        later: list[tuple[WriteRow, Outcome]] = []
        with self.hub.store.write() as db:
            moment = self.inbound.moment(db)
            settled = []
            for row, outcome in zip(rows, outcomes, strict=True):
                if outcome.result in ("applied", "duplicate"):
                    self._confirm(db, route, row, outcome.id, outcome.version, moment)
                    settled.append(row.identity_id)
                elif outcome.result == "rejected":
                    self._reject(db, row, outcome)
                else:
                    later.append((row, outcome))
            plan_again(db, self.hub.tools, settled, moment)
        for row, outcome in later:
            self._conflict(connector, route, row, outcome)

    def _confirm(
        self,
        db: Db,
        route: Route,
        row: WriteRow,
        key: str | None,
        version: str | None,
        moment: Moment,
    ) -> None:
        done = row._replace(
            state="confirmed", settled_at_us=moment.now_us, run_id=moment.run_id, reason=""
        )
        Outbox(db).save([done])
        section = self._sections[route.stream]
        if row.kind == "create":
            if not key:
                raise ConfigError(f"{self.name}: the connector gave no id for a created record")
            confirm_create(db, self.hub, route, section, row, key, version, moment)
        elif row.kind == "delete":
            self._gone(db, route, row, moment)
        else:
            confirm_update(db, route, row, version, moment.now_us)
        self.counts[{"create": "created", "delete": "deleted"}.get(row.kind, "updated")] += 1
        machinery = Machinery(db)
        letters = machinery.dead_keys(self.name, route.stream, PUSH_STEP)
        machinery.revive([n for k, n in letters.items() if k == _letter_key(row)])

    def _gone(self, db: Db, route: Route, row: WriteRow, moment: Moment) -> None:
        known = Outbox(db).sent([row.record_id or 0])
        changes = [Change(one.key, None) for one in known.values()]
        self._walk_in(db, route, changes, moment)

    def _reject(self, db: Db, row: WriteRow, outcome: Outcome) -> None:
        reason = "; ".join(f"{f}: {why}" for f, why in outcome.reasons.items()) or "rejected"
        self._bury(db, [row._replace(reason=redact(reason))])

    def _bury(self, db: Db, rows: Sequence[WriteRow]) -> None:
        now_us = self.inbound.now_us()
        Outbox(db).save([row._replace(state="dead") for row in rows])
        self.counts["dead"] += len(rows)
        Machinery(db).bury(
            [
                DeadLetter(
                    0, row.connection, row.stream, _letter_key(row), PUSH_STEP, row.reason,
                    "Correct the value where it comes from, or the mapping; then: crm-hub dead retry.",
                    "", None, None, now_us, 1,
                )
                for row in rows
            ]
        )  # fmt: skip

    # what others did ----------------------------------------------------------------------

    def _conflict(
        self, connector: Connector[Any], route: Route, row: WriteRow, outcome: Outcome
    ) -> None:
        """The record is not what we believed: take in what it is now, and plan anew."""
        self.counts["conflicts"] += 1
        key = outcome.id or self._key_of(row)
        if outcome.result == "gone":
            self._settle(row, "conflict", "the record is gone")
            self._take(route, [Change(key, None)], [row.identity_id])
            return
        change = self._fetched(connector, route, key)
        if change is None and outcome.current is not None:
            change = Change(key, dict(outcome.current), None, outcome.version)
        if change is None:
            self._put_back([row], TransientError("the record was changed there"), certain=True)
            return
        if row.kind != "delete" and self._holds(route, row, change):
            self._late_confirm(route, row, change)
            return
        self._settle(row, "conflict", "the record was changed there meanwhile")
        self._take(route, [change], [row.identity_id])

    def _key_of(self, row: WriteRow) -> str:
        with self.hub.store.read() as db:
            known = Outbox(db).sent([row.record_id or 0])
        return next((one.key for one in known.values()), "")

    def _fetched(self, connector: Connector[Any], route: Route, key: str) -> Change | None:
        try:
            found = connector.fetch([Ref(route.stream, key)])
        except (NotSupported, TransientError):
            return None
        return next((change for _, change in found), None)

    def _settle(self, row: WriteRow, state: str, reason: str) -> None:
        with self.hub.store.write() as db:
            moment = self.inbound.moment(db)
            done = row._replace(
                state=state, settled_at_us=moment.now_us, run_id=moment.run_id, reason=reason
            )
            Outbox(db).save([done])

    def _take(self, route: Route, changes: Sequence[Change], identities: Sequence[int]) -> None:
        """Land and walk what was found at the far side, then plan these identities again."""
        with self.hub.store.write() as db:
            moment = self.inbound.moment(db)
            self._walk_in(db, route, changes, moment)
            plan_again(db, self.hub.tools, identities, moment)

    def _walk_in(self, db: Db, route: Route, changes: Sequence[Change], moment: Moment) -> None:
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
            walk(db, self.hub.tools, stream, self._sections[route.stream], landed.landed, moment)
            landings.walked(landed.landing_id)

    # what is uncertain ---------------------------------------------------------------------

    def _look(self, connector: Connector[Any]) -> None:
        """Look once more at records of which a stale copy may have been read."""
        with self.hub.store.read() as db:
            places = Outbox(db).to_look_at(self.name, LOOK_AGAIN)
        for stream, key in places:
            route = self._routes.get(stream)
            if route is not None and (change := self._fetched(connector, route, key)) is not None:
                self._take(route, [change], [])

    def _find_out(self, connector: Connector[Any]) -> None:
        """Settle writes whose fate nobody knows, by reading back; never by sending them again."""
        with self.hub.store.write() as db:
            repo = Outbox(db)
            now_us = self.inbound.now_us()
            left = repo.open_rows(self.name, "sent")
            repo.save([r._replace(state="unknown", due_at_us=now_us) for r in left])
            unknown = repo.open_rows(self.name, "unknown", now_us)
        for row in unknown:
            route = self._routes.get(row.stream)
            if route is not None and not self.hub.stopping():
                self._find_out_one(connector, route, row)

    def _find_out_one(self, connector: Connector[Any], route: Route, row: WriteRow) -> None:
        if row.kind == "create" and route.ability.idempotency in ("native", "external_id"):
            self._again(row)  # the key makes a second send harmless
            return
        hint = {"external_id": row.key} if row.kind == "create" else {}
        ref = Ref(route.stream, "" if row.kind == "create" else self._key_of(row), hint)
        try:
            found = [change for _, change in connector.fetch([ref])]
        except NotSupported:
            self._park(row)
            return
        except TransientError as error:
            self._put_back([row], error, certain=False)
            return
        change = next((one for one in found if one.payload is not None), None)
        if row.kind == "create":
            if change is None:
                self._again(row)
            else:
                self._late_confirm(route, row, change)
        elif change is None:
            self._settle(row, "confirmed" if row.kind == "delete" else "conflict", "it is gone")
            self._take(route, [Change(ref.id, None)], [row.identity_id])
        elif row.kind != "delete" and self._holds(route, row, change):
            self._late_confirm(route, row, change)
        else:
            self._settle(row, "conflict", "it was not made, or was changed since")
            self._take(route, [change], [row.identity_id])

    def _park(self, row: WriteRow) -> None:
        with self.hub.store.write() as db:
            reason = "nobody knows whether it was made, and the connector cannot look"
            later = self.inbound.now_us() + life.wait_us(row.tries + 4)
            Outbox(db).save([row._replace(reason=reason, due_at_us=later)])

    def _again(self, row: WriteRow) -> None:
        with self.hub.store.write() as db:
            due = row._replace(state="due", due_at_us=self.inbound.now_us())
            if row.tries >= life.MOST_TRIES:
                self._bury(db, [row._replace(reason=row.reason or "no answer came")])
            else:
                Outbox(db).save([due])

    def _late_confirm(self, route: Route, row: WriteRow, change: Change) -> None:
        """The write had been made: confirm it, and take in what stands there now."""
        with self.hub.store.write() as db:
            moment = self.inbound.moment(db)
            self._confirm(db, route, row, change.id, change.version, moment)
            self._walk_in(db, route, [change], moment)
            plan_again(db, self.hub.tools, [row.identity_id], moment)

    def _holds(self, route: Route, row: WriteRow, change: Change) -> bool:
        """Whether a record holds what was written, be it reformatted."""
        if change.payload is None:
            return False
        found = self._sections[route.stream].map(change.payload).record
        values = {} if found is None else found.values
        return all(
            change_of.get("pushed") or _like(change_of["to"] or None, values.get(name))
            for name, change_of in row.doc["fields"].items()
        )


def _like(written: Any, found: Any) -> bool:
    return same(written, found) or (found is not None and is_reformat(written, found))


def _letter_key(row: WriteRow) -> str:
    return row.lane


def _write(
    row: WriteRow, known: dict[int, Sent], versions: dict[int, str | None], route: Route
) -> Write:
    number = row.record_id
    key = None if number is None else known[number].key
    operation = "delete" if row.kind == "delete" else "upsert"
    guarded = route.ability.guard != "none" and number is not None
    return Write(
        operation, row.stream, key, life.raws(row.doc), life.bases(row.doc),
        versions.get(number or 0) if guarded else None, row.key,
    )  # type: ignore[arg-type]  # fmt: skip
