"""Writes whose fate nobody knows, and records of which a stale copy may have been read."""

from __future__ import annotations

from typing import Any

from crm_hub.flow.farside import FarSide
from crm_hub.flow.lanes import TAKEN_AWAY
from crm_hub.flow.tracking import LOOK_AGAIN
from crm_hub.model.errors import NotSupported, TransientError
from crm_hub.model.records import Change
from crm_hub.model.routes import Route
from crm_hub.outbox import life
from crm_hub.sdk import Connector, Ref
from crm_hub.store import Identities, Outbox, WriteRow


class Uncertain:
    """Settles what is uncertain by reading back; never by sending it again."""

    def __init__(self, far: FarSide) -> None:
        self._far = far

    def look(self, connector: Connector[Any]) -> None:
        """Look once more at records of which a stale copy may have been read, or none at all."""
        with self._far.hub.store.read() as db:
            places = Outbox(db).to_look_at(self._far.name, LOOK_AGAIN)
        for stream, key in places:
            route = self._far.routes.get(stream)
            if (
                route is not None
                and (change := self._far.fetched(connector, route, key)) is not None
            ):
                if change.payload is None:
                    self._far.is_gone(route, key)
                self._far.take(route, [change], [])

    def find_out(self, connector: Connector[Any]) -> None:
        """Settle writes whose fate nobody knows, by reading back; never by sending them again."""
        with self._far.hub.store.write() as db:
            repo = Outbox(db)
            left = repo.open_rows(self._far.name, "sent")
            repo.save([row._replace(state="unknown") for row in left])
            unknown = repo.open_rows(self._far.name, "unknown", self._far.inbound.now_us())
        for row in unknown:
            route = self._far.routes.get(row.stream)
            if route is not None and not self._far.hub.stopping():
                self._find_out_one(connector, route, row)

    def _find_out_one(self, connector: Connector[Any], route: Route, row: WriteRow) -> None:
        wanted, has_key = self._is_wanted(row), route.ability.idempotency != "none"
        if row.kind == "create" and has_key and wanted:
            self._again(row)  # the key makes a second send harmless
            return
        hint = {"external_id": row.key} if row.kind == "create" else {}
        ref = Ref(route.stream, "" if row.kind == "create" else self._far.key_of(row), hint)
        try:
            found = [change for _, change in connector.fetch([ref])]
        except NotSupported:
            self._again(row) if row.kind == "create" and has_key else self._park(row)
            return
        except TransientError as error:
            self._far.put_back([row], error, certain=False)
            return
        change = next((one for one in found if one.payload is not None), None)
        if row.kind == "create":
            if change is None and not wanted:
                self._far.settle(row, "conflict", "not made; its source was deleted meanwhile")
            elif change is None:
                self._again(row)
            else:
                self._far.late_confirm(route, row, change)
        elif change is None:
            gone = "confirmed" if row.kind in TAKEN_AWAY else "conflict"
            self._far.settle_by(route, row, gone, "it is gone", Change(ref.id, None))
        elif row.kind != "delete" and self._far.holds(route, row, change):
            self._far.late_confirm(route, row, change)
        elif not self._far.keeps_delete(route, row, change):
            self._far.settle_by(
                route, row, "conflict", "it was not made, or was changed since", change
            )

    def _is_wanted(self, row: WriteRow) -> bool:
        """Whether anybody is left whose record was to be created."""
        with self._far.hub.store.read() as db:
            repo = Identities(db)
            return bool(repo.records_of([repo.follow(row.identity_id)]))

    def _park(self, row: WriteRow) -> None:
        with self._far.hub.store.write() as db:
            reason = "nobody knows whether it was made, and the connector cannot look"
            later = self._far.inbound.now_us() + life.wait_us(row.tries + 4)
            Outbox(db).save([row._replace(reason=reason, due_at_us=later)])

    def _again(self, row: WriteRow) -> None:
        with self._far.hub.store.write() as db:
            due = row._replace(state="due", due_at_us=self._far.inbound.now_us())
            if row.tries >= life.MOST_TRIES:
                self._far.bury(db, [row._replace(reason=row.reason or "no answer came")])
            else:
                Outbox(db).save([due])
