"""What a person decides about who is who: records are one, are not, or no longer are.

A ruling holds for ever, whatever comes in and in whatever order. Taking one back restores what
was before: links, ids, golden values, events; what had been written elsewhere is repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crm_hub.flow.batch import Moment
from crm_hub.flow.hub import Hub
from crm_hub.flow.named import Side, key_of, listed, parts_of, side_of
from crm_hub.flow.regroup import regroup
from crm_hub.flow.repairs import let_go, rehome, repair
from crm_hub.model.errors import ConfigError
from crm_hub.model.ids import public_id
from crm_hub.model.values import to_us
from crm_hub.store import Db, Held, Identities, Machinery, Outbox, RulingRow, Rulings


class Outcome(NamedTuple):
    """An identity after a ruling: its id, name and the source keys of its records."""

    id: str
    name: str
    records: list[str]


@dataclass(slots=True)
class Ruled:
    """What a ruling did. taken_back: numbers of rulings that no longer stand.

    overrules: earlier ones that it contradicts, and that count again when it is taken back.
    repairs: writes that are now due because of it. left: (record, why it stays as it is).
    """

    number: int = 0
    taken_back: list[int] = field(default_factory=list)
    overrules: list[int] = field(default_factory=list)
    outcome: list[Outcome] = field(default_factory=list)
    repairs: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


def same(hub: Hub, one: str, other: str, *, who: str = "", reason: str = "") -> Ruled:
    """Rule that two records or identities are one, for ever.

    one, other: a source key (`crm/contacts#17`), or an id, address, number or name.
    Raises: ConfigError when they are one already, or cannot be.
    """
    with hub.store.write() as db:
        return same_in(db, hub, side_of(hub, db, one), side_of(hub, db, other), who, reason)


def same_in(db: Db, hub: Hub, left: Side, right: Side, who: str, reason: str) -> Ruled:
    """Rule within a transaction that two sides are one."""
    if left.identity_id == right.identity_id and _anchored(db, left, right):
        raise ConfigError(
            f"{left.shown} and {right.shown} are one already",
            remedy="To hold apart what is one: crm-hub identity split, or crm-hub unlink",
        )
    if left.entity != right.entity:
        raise ConfigError(
            f"{left.shown} is a {left.entity} and {right.shown} a {right.entity}; "
            "they cannot be one",
            remedy="Name two people, or two organizations.",
        )
    repo, identities = Rulings(db), Identities(db)
    records = (*left.records, *right.records)
    against = [
        row.id for row in repo.of(records)
        if row.kind == "different" and _crosses(row, left.records, right.records)
    ]  # fmt: skip
    # An earlier ruling stays, and counts again when this one is taken back.
    sides = (left.records, right.records) if against else (left.meant, right.meant)
    if left.identity_id == right.identity_id:  # keys joined them: only these two are held
        sides = ((left.anchor,), (right.anchor,))
    row = RulingRow(0, "same", "standing", to_us(hub.now()), who, reason, {}, sides)
    found = Ruled(repo.add(row).id, overrules=against)

    def work(moment: Moment) -> set[int]:
        links = {row[0]: row for row in identities.link_rows(records)}
        settled = regroup(db, hub.tools, records, moment)
        # What else moves because of it, an undo moves back too.
        links |= {row[0]: row for row in settled.moved or ()}
        named = [side.anchor for side in (left, right) if side.named]
        repo.keep(found.number, {"links": [list(row) for row in links.values()], "named": named})
        return settled.members.keys() & settled.changed

    return _carried_out(db, hub, found, work)


def _anchored(db: Db, left: Side, right: Side) -> bool:
    """Whether a standing ruling makes them one: what keys alone join may come apart again."""
    if not left.named and not right.named:
        return True
    return left.anchor == right.anchor or any(
        row.kind == "same" and {left.anchor, right.anchor} <= {r for s in row.sides for r in s}
        for row in Rulings(db).of([left.anchor])
    )


def never(hub: Hub, one: str, other: str, *, who: str = "", reason: str = "") -> Ruled:
    """Rule that two records or identities are not one, and never shall be."""
    with hub.store.write() as db:
        left, right = side_of(hub, db, one), side_of(hub, db, other)
        both = left.named and right.named and left.anchor != right.anchor
        if left.identity_id == right.identity_id and not both:
            raise ConfigError(
                f"{left.shown} and {right.shown} are one at present",
                remedy="Say which records are somebody else: crm-hub identity split",
            )
        return apart_in(db, hub, left.meant, right.meant, who, reason)


def unlink(hub: Hub, record: str, *, who: str = "", reason: str = "") -> Ruled:
    """Rule that a source record does not belong where it is.

    Where it came in by a ruling, that ruling is taken back, with all that it brought; else the
    record alone leaves. Raises: ConfigError when it stands alone.
    """
    with hub.store.write() as db:
        side = side_of(hub, db, record)
        if not side.named:
            raise ConfigError(
                f"{record} is not a source record", remedy=f"Name one of: {listed(db, side)}"
            )
        made = [row for row in _made(db, side) if _named_in(row, side.anchor)]
        if made:
            return undo_in(db, hub, made[-1], who, reason)
        return _part(db, hub, side, (side.anchor,), who, reason)


def split(
    hub: Hub, whom: str, parts: Sequence[str] = (), *, who: str = "", reason: str = ""
) -> Ruled:
    """Take the last ruling back that made `whom` one; or rule that some records are another.

    parts: source keys, or ids that were merged into `whom`: their records leave together.
    Raises: ConfigError when nobody ruled and no parts are named.
    """
    with hub.store.write() as db:
        side = side_of(hub, db, whom)
        if parts:
            return _part(db, hub, side, parts_of(db, side, parts), who, reason)
        made = _made(db, side)
        if not made:
            raise ConfigError(
                f"nobody merged {side.shown} by hand",
                remedy=f"Name the records that are somebody else: {listed(db, side)}",
            )
        return undo_in(db, hub, made[-1], who, reason)


def undo_in(db: Db, hub: Hub, row: RulingRow, who: str, reason: str) -> Ruled:
    """Take back that two were one: both stand again as they were, and stay apart."""
    was = {link[0]: link[1] for link in row.doc["links"]}
    sides = [was.get(side[0]) for side in row.sides]
    left, right = ([r for r, number in was.items() if number == side] for side in sides)
    return apart_in(db, hub, left, right, who, reason, [row])


def apart_in(
    db: Db,
    hub: Hub,
    left: Sequence[int],
    right: Sequence[int],
    who: str,
    reason: str,
    undone: Sequence[RulingRow] = (),
) -> Ruled:
    """Rule within a transaction that no record of `left` is one with any of `right`."""
    repo, identities = Rulings(db), Identities(db)
    records = [*left, *right]
    found = {row.id: row for row in undone}
    for row in repo.of(records):
        if row.kind == "same" and _crosses(row, left, right):
            found[row.id] = row
    undone = [found[number] for number in sorted(found)]
    repo.withdraw(row.id for row in undone)
    since_us = min((one.at_us for one in undone), default=0)
    row = RulingRow(
        0, "different", "standing", to_us(hub.now()), who, reason, {"since_us": since_us},
        (tuple(left), tuple(right)),
    )  # fmt: skip
    ruled = Ruled(repo.add(row).id, taken_back=[one.id for one in undone])
    before = {link[0]: link for one in reversed(undone) for link in one.doc["links"]}
    numbers = {number for number, _ in identities.links_of({*records, *before}).values()}
    there = {record for record, _ in identities.records_of(numbers)}

    def work(moment: Moment) -> set[int]:
        parts = ([r for r in left if r in there], [r for r in right if r in there])
        dropped = let_go(db, hub.tools, parts, since_us)
        # Before anything is planned, so that what is to be taken back is not carried on.
        ruled.left += repair(db, hub.tools, parts, since_us, moment)
        was = _ids_again(identities, before, there)
        settled = regroup(db, hub.tools, sorted(there), moment, was=was, touched=dropped)
        _restore_links(identities, before)
        rehome(db, [*parts[0], *parts[1]])
        return settled.members.keys() & settled.changed

    return _carried_out(db, hub, ruled, work)


def _ids_again(repo: Identities, before: dict[int, list[Any]], there: set[int]) -> dict[int, int]:
    """Return the ids that records had before a ruling that is undone, where nobody else has them.

    there: the records that are one now.
    """
    was = {record: link[1] for record, link in before.items() if record in there}
    busy = {number for record, number in repo.records_of(was.values()) if record not in there}
    return {record: number for record, number in was.items() if number not in busy}


def _restore_links(repo: Identities, before: dict[int, list[Any]]) -> None:
    """Put back how and since when records belonged, where they are what they were again."""
    now = {row[0]: row for row in repo.link_rows(before)}
    back = [
        tuple(link)
        for record, link in before.items()
        if record in now and now[record][1:3] == tuple(link[1:3]) and now[record] != tuple(link)
        and now[record][4] != "revoked"
    ]  # fmt: skip
    repo.save_links([], back)


def _part(db: Db, hub: Hub, side: Side, leaving: Sequence[int], who: str, reason: str) -> Ruled:
    staying = [r for r in side.records if r not in leaving]
    if not staying:
        raise ConfigError(
            f"{side.shown} has no other record", remedy="There is nothing to take it out of."
        )
    return apart_in(db, hub, leaving, staying, who, reason)


def _carried_out(db: Db, hub: Hub, found: Ruled, work: Callable[[Moment], set[int]]) -> Ruled:
    """Do the work of a ruling as a run, and tell what came of it."""
    machinery, now_us = Machinery(db), to_us(hub.now())
    first = Outbox(db).last()
    run_id = machinery.start_run("identity", "", now_us)
    changed = work(Moment(run_id, now_us, None, True))
    machinery.end_run(run_id, now_us, "done", "", {"identities": len(changed)})
    found.repairs = len(Outbox(db).after(first))
    held: dict[int, list[Held]] = {}
    for one in Identities(db).held_by_identity(changed):
        held.setdefault(one.identity_id or 0, []).append(one)
    for number, row in sorted(Identities(db).identities(held).items()):
        records = sorted(map(key_of, held[number]))
        found.outcome.append(Outcome(public_id(row.entity, number), row.display_name, records))
    return found


def _made(db: Db, side: Side) -> list[RulingRow]:
    """Return the standing rulings that made two identities one, the oldest first."""
    there = set(side.records)
    return [
        row for row in Rulings(db).of(side.records)
        if row.kind == "same" and _joined(row)
        and all(there.intersection(found) for found in row.sides)
    ]  # fmt: skip


def _named_in(row: RulingRow, record: int) -> bool:
    """Whether a ruling names a record, alone or with all those of its person."""
    return (record,) in row.sides or record in row.doc.get("named", ())


def _joined(row: RulingRow) -> bool:
    """Whether a ruling joined two identities; those that keys had joined it only holds."""
    was = {link[0]: link[1] for link in row.doc["links"]}
    return len({was.get(side[0]) for side in row.sides}) > 1


def _crosses(row: RulingRow, left: Iterable[int], right: Iterable[int]) -> bool:
    here, there = set(left), set(right)
    a, b = (set(side) for side in row.sides)
    return bool((a & here and b & there) or (a & there and b & here))
