"""Steps 4 and 5 for new records that meet nobody: each is an identity of its own, in one pass.

Most records of a first load are such. What walk_components, walk_identities and walk_golden make
of one by the long way is the same, row by row (tests/flow/test_newcomers.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain

from crm_hub.flow.batch import Moment, Walked
from crm_hub.flow.walk_lookup import Bears
from crm_hub.flow.walk_names import of_a_name
from crm_hub.flow.walk_records import Batch, Node
from crm_hub.merge.golden import dump_single
from crm_hub.store import CROWDED, Db, Identities, Likeness, Row, SharedKeys


def take_newcomers(db: Db, batch: Batch) -> list[Node]:
    """Take out of a batch, and return, the new records that meet nobody.

    They share no joining key with anybody, and nobody of their name is worth comparing with them.
    """
    new = [node for node in batch.nodes.values() if node.home_id is None]
    asked = list(chain.from_iterable(node.joining for node in new))
    if not asked:
        return []
    named = [(key, node) for node in batch.nodes.values() for key in node.alike]
    new_names = {key for key, node in named if node.home_id is None}
    held_by = Counter(chain.from_iterable(node.joining for node in batch.nodes.values()))
    met = {key for key, count in held_by.items() if count > 1}
    likeness = Likeness(db)
    met.update(row[0] for row in batch.looked.look(likeness.holders, {*asked}))
    bearers = batch.looked_names.look(likeness.named, new_names)
    met -= SharedKeys(db).of_kind(CROWDED, met)
    found = [n for n in new if met.isdisjoint(n.joining)]
    names = _of_several(batch, named, bearers) & new_names
    if names:
        alike = of_a_name(batch, names, [row for row in bearers if row[0] in names])
        found = [n for n in found if n.record_id not in alike]
    for node in found:
        del batch.nodes[node.record_id]
    alone = {node.record_id for node in found}
    batch.dirty = [record_id for record_id in batch.dirty if record_id not in alone]
    return found


def _of_several(
    batch: Batch, named: Iterable[tuple[str, Node]], stored: Iterable[Bears]
) -> set[str]:
    """Return the names that more than one record bears, or did before the batch."""
    bearers = Counter(key for key, _ in named)
    several = {key for key, count in bearers.items() if count > 1}
    several.update(row[0] for row in stored)
    several.update(key for key, _ in batch.names_gone)
    return several


def welcome(
    db: Db, repo: Identities, newcomers: list[Node], moment: Moment, walked: Walked
) -> range:
    """Store an identity for each of these records, and return their numbers."""
    run_id, now_us = moment.run_id, moment.now_us
    first = db.take_ids("identity", len(newcomers))
    links: list[Row] = []
    identities: list[Row] = []
    for number, node in enumerate(newcomers, first):
        record_id, entity = node.record_id, node.entity
        links.append((record_id, number, number, "alone", "auto", now_us))
        identities.append(
            (number, entity, node.shown, None, dump_single(node.data, record_id), now_us, run_id)
        )
        walked.counts[entity] += 1
    repo.save_links(links, [])
    repo.save_identities(identities, [])
    return range(first, first + len(newcomers))
