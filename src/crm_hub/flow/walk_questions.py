"""Joining by likeness within a component, and the questions that stay open after a batch.

A question stands as long as its two records are two people's, nobody ruled on them, and what they
say still weighs as much; so the open questions are a function of the set, like the people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from crm_hub.flow.batch import Moment, Tools
from crm_hub.flow.walk_alike import Alike
from crm_hub.flow.walk_components import Groups
from crm_hub.flow.walk_kept import pair_of
from crm_hub.flow.walk_records import Batch, Node
from crm_hub.resolve import Cluster
from crm_hub.resolve.alike import Held, join_alike
from crm_hub.resolve.cluster import Borders
from crm_hub.resolve.kinds import KINDS
from crm_hub.store import Db, Likeness, ReviewRow


def join(
    alike: Alike,
    component: Sequence[Node],
    pieces: list[Cluster],
    borders: Callable[[], Borders],
    tools: Tools,
) -> list[Cluster]:
    """Return the clusters of a component after its pieces have joined by likeness."""
    if not alike.liked:
        return pieces  # as in all of a hub before its first rebuild
    by_id = {n.record_id: n for n in component}
    liked = alike.liked_among(by_id)
    if not liked:
        return pieces
    out: list[Cluster] = []
    apart = borders().apart
    for entity, kind in KINDS.items():
        mine = [one for one in pieces if by_id[one.record_ids[0]].entity == entity]
        here = {r for one in mine for r in one.record_ids}
        order = {r: str(by_id[r].source) for r in here}
        found, held = join_alike(
            mine,
            [pair for pair in liked if pair.a in here],
            order,
            lambda record: alike.profile(by_id[record]),
            apart,
            alike.scorer(kind),
            kind,
            tools.rules.bands,
        )
        out += found
        alike.asked |= {pair_of(*h.pair[:2]): h for h in held}
    return out + [one for one in pieces if by_id[one.record_ids[0]].entity not in KINDS]


class Turn(NamedTuple):
    """What a batch does to the open questions: stale ones by number, and the pairs to ask about."""

    stale: list[int]
    fresh: list[Held]


def turn(db: Db, batch: Batch, groups: Groups) -> Turn:
    """Return what becomes of the questions about the records of a batch."""
    alike = groups.alike
    stored = Likeness(db).questions_of([*batch.nodes, *batch.gone])
    if not stored and not alike.asked:
        return Turn([], [])
    wanted = {
        pair: held for pair, held in alike.asked.items()
        if _is_open(batch, groups, held.pair.a, held.pair.b)
    }  # fmt: skip
    kept = set()
    stale = []
    for row in stored:
        pair = pair_of(row.a_record, row.b_record)
        if alike.stands(*pair):
            # A record that was not loaded is of somebody with whom none of these has joined.
            if batch.nodes.keys() >= {*pair} and not _is_open(batch, groups, *pair):
                stale.append(row.id)
            continue
        held = wanted.get(pair)
        if held is not None and pair not in kept and row.millibits == round(held.pair.bits * 1000):
            kept.add(pair)
        else:
            stale.append(row.id)
    return Turn(stale, [wanted[pair] for pair in sorted(wanted.keys() - kept)])


def ask(db: Db, batch: Batch, groups: Groups, moment: Moment) -> None:
    """Bring the open questions about the records of a batch up to date."""
    repo, found = Likeness(db), turn(db, batch, groups)
    repo.drop_questions(found.stale)
    repo.ask([_row(batch, groups.alike, held, moment) for held in found.fresh])


def _is_open(batch: Batch, groups: Groups, a: int, b: int) -> bool:
    """Whether two records are two people's, and nobody has ruled that they are."""
    one, other = (groups.alike.node(batch, record) for record in (a, b))
    if one is None or other is None or one.identity_id == other.identity_id:
        return False
    for ruling in groups.ruled.on((a, b)):
        sides = ((ruling.left, ruling.right), (ruling.right, ruling.left))
        if not ruling.same and any(a in left and b in right for left, right in sides):
            return False
    return True


def _row(batch: Batch, alike: Alike, held: Held, moment: Moment) -> ReviewRow:
    steps = [step._asdict() for step in alike.waterfall(batch, held.pair)]
    doc = {"reason": held.reason, "waterfall": steps}
    millibits = round(held.pair.bits * 1000)
    return ReviewRow(0, held.pair.a, held.pair.b, millibits, doc, moment.now_us)
