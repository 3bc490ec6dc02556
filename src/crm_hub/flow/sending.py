"""One batch of writes: compared where the far side checks nothing, sent, its outcomes stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_hub.flow.farside import FarSide
from crm_hub.flow.lanes import TAKEN_AWAY
from crm_hub.flow.planning import plan_settled_lanes
from crm_hub.model.errors import (
    ConfigError,
    HubError,
    NotSupported,
    Throttled,
    TransientError,
)
from crm_hub.model.records import Change
from crm_hub.model.routes import Route
from crm_hub.outbox import life
from crm_hub.sdk import Connector, Outcome, Ref, Write
from crm_hub.sdk.contract import Operation
from crm_hub.store import Outbox, Sent, WriteRow


class Sender:
    """Sends batches of one stream's writes."""

    def __init__(self, far: FarSide) -> None:
        self._far = far
        self.wants_rest = False

    def send(self, connector: Connector[Any], route: Route, rows: Sequence[WriteRow]) -> bool:
        """Send writes of one stream; False when a call failed, and `wants_rest` when it was busy.

        All are committed as sent first, and their outcomes together: two commits for many calls.
        """
        with self._far.hub.store.read() as db:
            known = Outbox(db).sent([r.record_id for r in rows if r.record_id is not None])
        versions = {number: one.version for number, one in known.items()}
        rows = self._compared(connector, route, rows, known, versions)
        if not rows:
            return True
        # Found so by a later run, it is not looked up at once: a request may arrive late.
        look_at_us = self._far.inbound.now_us() + life.wait_us(1)
        rows = [
            row._replace(state="sent", tries=row.tries + 1, due_at_us=look_at_us) for row in rows
        ]
        with self._far.inbound.transaction() as db:
            self._far.inbound.in_run(db)
            Outbox(db).save(rows)
        size, made, goes_on = max(1, route.ability.batch_size), [], True
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            writes = [_write(row, known, versions, route) for row in batch]
            try:
                made += list(zip(batch, connector.push(writes), strict=True))
            except (TransientError, ConfigError) as error:
                self._store(connector, route, made)
                self._failed(batch, rows[start + size :], error)
                if isinstance(error, ConfigError):
                    raise
                made, goes_on = [], False
                break
        self._store(connector, route, made)
        return goes_on

    def _failed(
        self, batch: Sequence[WriteRow], unsent: Sequence[WriteRow], error: HubError
    ) -> None:
        """A call failed: nobody knows what became of its writes, and those after it stay due."""
        self.wants_rest = isinstance(error, Throttled)
        refused = self.wants_rest and len(batch) == 1
        self._far.put_back(batch, error, certain=refused)
        with self._far.hub.store.write() as db:
            now_us = self._far.inbound.now_us()
            wished_s = getattr(error, "retry_after_s", None)
            later_us = now_us + (life.wait_us(1, wished_s) if wished_s else 0)
            back = [r._replace(state="due", tries=r.tries - 1, due_at_us=later_us) for r in unsent]
            Outbox(db).save(back)

    def _compared(
        self,
        connector: Connector[Any],
        route: Route,
        rows: Sequence[WriteRow],
        known: dict[int, Sent],
        versions: dict[int, str | None],
    ) -> list[WriteRow]:
        """Return what is untouched; read first where the far side checks no guard."""
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
            self._far.put_back(asked, error, certain=True)
            return [row for row in rows if row not in asked]
        moved: list[WriteRow] = []
        for row in asked:
            number = row.record_id or 0
            change = found.get(known[number].key)
            if change is None:
                moved.append(row)
                silent = TransientError("the far side says nothing of the record")
                self._far.put_back([row], silent, certain=True)
            elif change.payload is None:
                moved.append(row)
                gone = "confirmed" if row.kind in TAKEN_AWAY else "conflict"
                self._far.settle_by(route, row, gone, "gone", change)
            elif not self._far.is_untouched(route, known[number], change):
                moved.append(row)
                self._far.take(route, [change], [row])
            else:
                versions[number] = change.version
        return [row for row in rows if row not in moved]

    def _store(
        self,
        connector: Connector[Any],
        route: Route,
        made: Sequence[tuple[WriteRow, Outcome]],
    ) -> None:
        """T3: store what became of each write, and plan its lane again."""
        if not made:
            return
        later: list[tuple[WriteRow, Outcome]] = []
        with self._far.inbound.transaction() as db:
            moment = self._far.inbound.moment(db)
            done = []
            for row, outcome in made:
                if outcome.result in ("applied", "duplicate"):
                    done.append((row, outcome))
                elif outcome.result == "rejected":
                    self._far.reject(db, row, outcome)
                else:
                    later.append((row, outcome))
            self._far.confirm(db, route, done, moment)
            plan_settled_lanes(db, self._far.hub.tools, [row for row, _ in done], moment)
        for row, outcome in later:
            self._conflict(connector, route, row, outcome)

    def _conflict(
        self, connector: Connector[Any], route: Route, row: WriteRow, outcome: Outcome
    ) -> None:
        """The record is not what we believed: take in what it is now, and plan anew."""
        self._far.counts["conflicts"] += 1
        key = outcome.id or self._far.key_of(row)
        if outcome.result == "gone":
            self._far.settle_by(route, row, "conflict", "the record is gone", Change(key, None))
            return
        change = self._far.fetched(connector, route, key)
        if change is None and outcome.current is not None:
            change = Change(key, dict(outcome.current), None, outcome.version)
        if change is None:
            self._far.put_back([row], TransientError("the record was changed there"), certain=True)
            return
        if row.kind != "delete" and self._far.holds(route, row, change):
            self._far.late_confirm(route, row, change)
            return
        if self._far.keeps_delete(route, row, change):
            return
        self._far.settle_by(
            route, row, "conflict", "the record was changed there meanwhile", change
        )


def _write(
    row: WriteRow, known: dict[int, Sent], versions: dict[int, str | None], route: Route
) -> Write:
    number = row.record_id
    key = None if number is None else known[number].key
    operation: Operation = "delete" if row.kind == "delete" else "upsert"
    guarded = route.ability.guard != "none" and number is not None
    return Write(
        operation, row.stream, key, life.raws(row.doc), life.bases(row.doc),
        versions.get(number or 0) if guarded else None, row.key,
    )  # fmt: skip
