"""What holds of any world once nobody does anything more: it is at rest, equal, and lost nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from crm_hub.sdk import Write
from crm_hub.store import ConflictRow, Outbox
from tests.flow.hubs import ids
from tests.flow.two_way.fake import Side
from tests.flow.two_way.worlds import World

FIELDS = ("title", "department", "phone", "first")


class Resting:
    """A world, and what people have put into it. edits: value → field, of those that still count."""

    world: World
    edits: dict[str, str]
    people: dict[str, int]
    joined: set[str]

    def _come_to_rest(self, days: int = 1) -> None:
        world = self.world
        for side in world.sides.values():
            side.faults.clear()
            side.stale = 0
        world.clock.tick(days * 86_400_000_000)
        self._two_quiet_rounds()
        self._nothing_doubled()
        assert world.waiting() == 0, f"{world.open_writes()}\n{world.show()}"
        self._equal()
        self._nothing_lost()

    def _two_quiet_rounds(self) -> None:
        """Pull and push twice: the second time nothing is written.

        But for two cases. Where a write of the first round shows two people to be one, say because
        their names agree now, that is seen when it is read back, and only then can the two be made
        equal. And a create whose answer was lost is sent again as it was planned; what it says and
        nobody else says any more reaches the others when it is there. So the second round may write
        to the records of people that became one since the first pull, or got such a record, and to
        no others; it may create and delete nothing. The third writes nothing.
        """
        self.people, self.joined = {}, set()
        under_way = {
            row.identity_id for row in self.world.open_writes()
            if row.kind == "create" and row.state != "due"
        }  # fmt: skip
        first, second = self._round(), self._round()
        late = {key for key, number in ids(self.world.hub).items() if number in under_way}
        strange = [
            (name, one)
            for name, one in second
            if one.operation != "upsert" or f"{name}/contacts#{one.id}" not in self.joined | late
        ]
        assert not strange, f"{len(first)} writes, then {strange}\n{self.world.show()}"
        third = self._round() if second else []
        assert not third, f"{len(first)} writes, {second}, then {third}\n{self.world.show()}"

    def _round(self) -> list[tuple[str, Write]]:
        """Pull and push once; return what was written, and note who became one."""
        world = self.world
        sent = {side.name: len(side.pushed) for side in world.sides.values()}
        world.pull()
        self._note_who_became_one()
        world.push()
        self._note_who_became_one()
        world.clock.tick(120_000_000)
        return [(s.name, one) for s in world.sides.values() for one in s.pushed[sent[s.name] :]]

    def _note_who_became_one(self) -> None:
        found, were = ids(self.world.hub), defaultdict(set)
        for key, before in self.people.items():
            if key in found:
                were[found[key]].add(before)
        self.joined |= {key for key, number in found.items() if len(were[number]) > 1}
        self.people = found

    def _nothing_doubled(self) -> None:
        """Each record that was created is one that the hub knows to have created, once."""
        for side in self.world.sides.values():
            known = self._creates(side.name)
            stamps = [row.ext for row in side.rows.values() if row.ext and not row.gone]
            made = set(stamps)
            assert len(stamps) == len(made), f"doubled at {side.name}: {side.live()}"
            assert made <= known.keys(), f"the hub does not know {made - known.keys()}"
            assert len(set(known.values())) == len(known), f"created twice: {known}"

    def _creates(self, connection: str) -> dict[str, str]:
        """Return the keys of the creates that were confirmed, and their lanes."""
        with self.world.hub.store.read() as db:
            rows = Outbox(db).listed(connection, "confirmed", 1_000_000)
        return {row.key: row.lane for row in rows if row.kind == "create"}

    def _held(self) -> dict[str, dict[str, Any]]:
        """Return what the sides hold as each would store it, by source key."""
        return {
            f"{side.name}/contacts#{key}": {name: _stored(side, one) for name, one in row.items()}
            for side in self.world.sides.values()
            for key, row in side.live().items()
        }

    def _equal(self) -> None:
        """Records of one identity hold the same, but where a conflict is open."""
        found = ids(self.world.hub)
        opened = {(c.identity_id, c.field) for c in self.world.conflicts("open")}
        names = {"first": "given_name", "last": "family_name"}
        groups: dict[int, list[dict[str, Any]]] = {}
        for side in self.world.sides.values():
            for key, payload in side.live().items():
                groups.setdefault(found[f"{side.name}/contacts#{key}"], []).append(payload)
        for identity, payloads in groups.items():
            # Sides that hold one phone number may each keep another of those that are known.
            for name in ("title", "department", "first", "last", "email"):
                if (identity, names.get(name, name)) in opened:
                    continue
                values = {plain(p.get(name)) for p in payloads}
                assert len(values) == 1, f"{name} differs: {payloads}"

    def _nothing_lost(self) -> None:
        there = {
            (name, str(payload.get(name, "")).strip())
            for side in self.world.sides.values()
            for payload in side.live().values()
            for name in FIELDS
        }
        logged: set[str] = set()
        whole = False
        for conflict in self.world.conflicts():
            whole = whole or conflict.field == "(record)"
            logged.add(str(conflict.doc.get("lost")))
            logged.update(str(v) for v in conflict.doc.get("values", {}).values())
        for value, name in self.edits.items():
            assert (name, value) in there or value in logged or whole, (
                f"{name}={value} is lost\n{self.world.show()}\n{self.world.conflicts()}"
            )

    def _payloads(self) -> dict[str, dict[str, Any]]:
        """Return what the sides hold, by source key."""
        sides = self.world.sides.values()
        return {f"{s.name}/contacts#{k}": p for s in sides for k, p in s.live().items()}

    def _said_once(
        self,
        said: list[ConflictRow],
        value: str,
        held: list[str],
        stood: set[Any] | None,
    ) -> None:
        """An edit made two people one: it arrived or is logged, and so is, once, what gives way.

        stood: the values that may give way unseen; None where something was in dispute before.
        """
        lost = [(c.field, plain(c.doc["lost"])) for c in said if c.state == "decided"]
        open_ = {plain(v) for c in said for v in c.doc.get("values", {}).values()}
        told = {one for _, one in lost}
        assert set(held) == {value} or value in told | open_, f"{value} did not arrive: {held}"
        if stood is not None:
            assert len(lost) == len(set(lost)), f"said twice: {said}"
            assert told <= {value, *stood}, f"said of what was replaced knowingly: {said}"


def _stored(side: Side, value: Any) -> Any:
    """Return a value as the side stores it when it is written back there."""
    found = plain(value)
    return found[:20].strip() if side.reformat == "truncate" and isinstance(found, str) else found


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(sorted(str(v).strip().lower() for v in value))
    return "" if value is None else str(value).strip().lower()
