"""Step 8 for one connection: writes due are sent, and what became of each is stored.

A write is committed as sent before it is sent. Killed in between, the next run finds it so,
and reads back instead of sending it again. Before: planning. After: confirming.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from crm_hub.flow.farside import FarSide
from crm_hub.flow.finding import PARTIES
from crm_hub.flow.hub import Hub
from crm_hub.flow.inbound import Inbound, SyncReport
from crm_hub.flow.lanes import unfit
from crm_hub.flow.planning import plan_again
from crm_hub.flow.sending import Sender
from crm_hub.flow.tracking import LOOK_AGAIN
from crm_hub.flow.two_way import UNPLANNED, approve, possible_routes, unapproved
from crm_hub.flow.uncertain import Uncertain
from crm_hub.model.errors import ConfigError, MassWrite
from crm_hub.model.routes import Route
from crm_hub.sdk import Connector
from crm_hub.store import Briefs, Outbox, RouteRow, WriteRow

BATCH = 200
GROUP = 25
"""How many writes are committed together; so many at most are uncertain after a crash."""
_MOST_FAILURES = 3
_MOST_SENDS = 3
"""How often one run sends for the same lane: an endless "conflict" must not hold the run."""


def push(hub: Hub, name: str, *, yes: bool = False, many: bool = False) -> SyncReport | None:
    """Send what is due to a connection; None when the hub writes nothing there.

    yes: approves the first plan unseen. many: goes on above the caps of creates and deletes.
    """
    if name not in hub.written_to():
        return None
    if hub.connection(name).paused:
        return SyncReport(name, error=paused(name))
    inbound = Inbound(hub, name)
    inbound.kind = "push"
    outbound = Outbound(hub, inbound, yes=yes, many=many)
    return inbound.recorded(outbound.run)


def paused(name: str) -> ConfigError:
    """Return what is said instead of writing to a paused connection."""
    return ConfigError(
        f"{name} is paused: nothing is written there, and what is due waits",
        remedy=f"To go on: crm-hub resume {name}",
    )


def mark_of(kind: str, doc: Mapping[str, Any]) -> bytes:
    """Return what tells a write from any other to the same place."""
    said = orjson.dumps([kind, doc], option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=16).digest()


class Outbound:
    """One run of writes to one connection."""

    def __init__(
        self,
        hub: Hub,
        inbound: Inbound,
        *,
        yes: bool = False,
        many: bool = False,
        marks: Mapping[str, bytes] | None = None,
    ) -> None:
        """yes, many: see `push`. marks: lane → mark of the writes that alone are sent, None for
        whatever is due."""
        self.hub, self.inbound, self.name = hub, inbound, inbound.name
        self._yes, self._many, self._marks = yes, many, marks
        self._sends: Counter[str] = Counter()
        self._failures = 0
        self._far = FarSide(hub, inbound)

    def run(self) -> None:
        """Settle what is uncertain, then send what is due."""
        if not self._open():
            return
        connector = self.hub.connector(self.name)
        self._mend()
        self._refresh_briefs()
        uncertain = Uncertain(self._far)
        uncertain.look(connector)
        uncertain.find_out(connector)
        self._brake()
        while not self.hub.stopping():
            due = self._due()
            if not due or not self._send_all(connector, due):
                break
        self._say_what_is_unknown()
        self._say_what_is_left()

    def _say_what_is_unknown(self) -> None:
        with self.hub.store.read() as db:
            rows = Outbox(db).open_rows(self.name, "unknown")
        if rows:
            self.inbound.report.notes.append(
                f"{len(rows)} writes got no answer; they are looked up before anything is repeated"
            )

    # before anything is sent --------------------------------------------------------------

    def _open(self) -> bool:
        """Tell whether there is anything to do; a first plan has to be approved."""
        with self.hub.store.read() as db:
            repo = Outbox(db)
            stored = {r.stream: r for r in repo.routes() if r.connection == self.name}
            waits = bool(repo.has_due(self.name) or repo.to_look_at(self.name, LOOK_AGAIN))
        self._far.routes = self._known_routes(stored)
        if self._yes or not self._far.routes:
            new = unapproved(self.hub, self.name, stored)
            if new and not self._yes:
                self.inbound.report.notes.append(
                    "nothing is written there before its first plan is approved: "
                    f"crm-hub preview {self.name}"
                )
                return False
            if new:
                approve(self.hub, new)
                return self._planned()
        if any(stored[s].digest == UNPLANNED for s in self._far.routes):
            return self._planned()
        for route in self._far.routes.values():
            self._far.sections[route.stream] = self.hub.plan(self.name).sections[route.section.name]
        if not waits and self._makes:
            with self.hub.store.read() as db:
                waits = bool(Briefs(db).due(self.inbound.now_us(), 1))
        changed = any(stored[s].digest != r.section.digest for s, r in self._far.routes.items())
        return waits or changed

    def _known_routes(self, stored: Mapping[str, RouteRow]) -> dict[str, Route]:
        """Return the approved routes by stream, those too that another process has approved."""
        for _ in range(2):
            two_way = self.hub.tools.two_way
            known = [] if two_way is None else list(two_way.routes.values())
            found = {r.stream: r for r in known if r.connection == self.name}
            if stored.keys() <= found.keys():
                break
            self.hub.forget_tools()
        return found

    def _planned(self) -> bool:
        """Make the first plan of what was approved, whole, and look anew what there is to do."""
        from crm_hub.flow.preview import plan_everything

        plan_everything(self.hub, self.name, self.inbound)
        self._yes = False
        return self._open()

    def _mend(self) -> None:
        """After a change of the mapping, what was set aside is planned and tried again."""
        with self.hub.store.read() as db:
            stored = {r.stream: r for r in Outbox(db).routes() if r.connection == self.name}
        if all(stored[s].digest == r.section.digest for s, r in self._far.routes.items()):
            return
        rows = [r for r in possible_routes(self.hub, self.name) if r.stream in stored]
        with self.inbound.transaction() as db:
            repo, moment = Outbox(db), self.inbound.moment(db)
            repo.approve([r._replace(approved_at_us=stored[r.stream].approved_at_us) for r in rows])
            identities = set(repo.waken(self.name, moment.now_us))
            identities.update(row.identity_id for row in repo.open_rows(self.name, "due"))
            identities.update(unfit(db, self._far.routes.values()))
            plan_again(db, self.hub.tools, sorted(identities), moment)
            if self._makes:
                Briefs(db).touch_all(sorted(PARTIES))
        self.hub.forget_tools()

    @property
    def _makes(self) -> bool:
        return any(route.section.makes for route in self._far.routes.values())

    def _refresh_briefs(self) -> None:
        """Plan those whose brief may say something else by now, each once a push at most."""
        while self._makes and not self.hub.stopping():
            with self.hub.store.read() as db:
                numbers = Briefs(db).due(self.inbound.now_us(), BATCH)
            if not numbers:
                return
            with self.inbound.transaction() as db:
                Briefs(db).looked_at(dict.fromkeys(numbers))  # planning notes the next look
                plan_again(db, self.hub.tools, numbers, self.inbound.moment(db))

    def _brake(self) -> None:
        """Stop before a run creates or deletes more records than it may."""
        with self.hub.store.read() as db:
            due = Outbox(db).open_rows(self.name, "due")
        found = Counter((row.stream, row.kind) for row in due)
        for stream, route in self._far.routes.items():
            for kind, most in (("create", route.creates), ("delete", route.deletes)):
                count = found[stream, kind]
                count += found[stream, "archive"] if kind == "delete" else 0
                if count > most and not self._many:
                    raise MassWrite(
                        f"{self.name}: {count} records of {stream} would be {kind}d, and one run "
                        f"may {kind} {most}. Nothing was sent.",
                        remedy=f"Look at them: crm-hub preview {self.name}. If they are right: "
                        f"crm-hub push {self.name} --many, or raise `{kind}s` in hub.yaml.",
                    )

    def _due(self) -> list[WriteRow]:
        """Return the next writes to send; those that may not be sent stand in no one's way."""
        after, now_us = 0, self.inbound.now_us()
        with self.hub.store.read() as db:
            while rows := Outbox(db).open_rows(self.name, "due", now_us, BATCH * 2, after):
                if found := [row for row in rows if self._may_send(row)]:
                    return found[:BATCH]
                after = rows[-1].id
        return []

    def _may_send(self, row: WriteRow) -> bool:
        if self._sends[row.lane] >= _MOST_SENDS or row.stream not in self._far.routes:
            return False
        return self._is_planned(row)

    def _is_planned(self, row: WriteRow) -> bool:
        return self._marks is None or self._marks.get(row.lane) == mark_of(row.kind, row.doc)

    def _say_what_is_left(self) -> None:
        """Tell of what has become due since the plan was looked at."""
        if self._marks is None:
            return
        with self.hub.store.read() as db:
            due = Outbox(db).open_rows(self.name, "due", self.inbound.now_us())
        if left := sum(not self._is_planned(row) for row in due):
            self.inbound.report.notes.append(
                f"{left} writes became due after the plan was looked at; the next push sends them"
            )

    # sending ------------------------------------------------------------------------------

    def _send_all(self, connector: Connector[Any], due: Sequence[WriteRow]) -> bool:
        """Send writes in batches of what the stream takes; False when the lane is parked."""
        sender = Sender(self._far)
        by_stream: dict[str, list[WriteRow]] = {}
        for row in due:
            by_stream.setdefault(row.stream, []).append(row)
        for stream, rows in by_stream.items():
            size = max(GROUP, self._far.routes[stream].ability.batch_size)
            for start in range(0, len(rows), size):
                if self.hub.stopping():
                    return False
                batch = rows[start : start + size]
                self._sends.update(row.lane for row in batch)
                if not sender.send(connector, self._far.routes[stream], batch):
                    self._failures += 1
                    if sender.wants_rest or self._failures >= _MOST_FAILURES:
                        return False
        return True
