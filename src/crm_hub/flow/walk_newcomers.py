"""Steps 4 and 5 for new records that meet nobody: each is an identity of its own, in one pass.

Most records of a first load are such. What walk_components, walk_identities and walk_golden make
of one by the long way is the same, row by row (tests/flow/test_newcomers.py).
"""

from __future__ import annotations

from crm_hub.flow.batch import Moment, Walked
from crm_hub.flow.walk_alike import of_a_name
from crm_hub.flow.walk_records import Batch, Node
from crm_hub.merge.golden import dump_single
from crm_hub.store import Db, Identities, Likeness, Row


def take_newcomers(db: Db, repo: Identities, batch: Batch) -> list[Node]:
    """Take out of a batch, and return, the new records that meet nobody.

    They share no joining key with anybody, and nobody of their name is worth comparing with them.
    """
    first: dict[str, int] = {}
    met: set[str] = set()
    asked: list[str] = []
    for node in batch.nodes.values():
        for key in node.joining:
            if first.setdefault(key, node.record_id) != node.record_id:
                met.add(key)
        if node.home_id is None:
            asked += node.joining
    if not asked:
        return []
    names = {n.name_key for n in batch.nodes.values() if n.home_id is None} - {""}
    held = Likeness(db).named({*asked, *names})  # one question for both
    met = (met | {key for key, _, _ in held if key[:2] != "n:"}) - repo.shared(asked)
    found = [n for n in batch.nodes.values() if n.home_id is None and met.isdisjoint(n.joining)]
    alike = of_a_name(batch, names, [row for row in held if row[0] in names])
    found = [n for n in found if n.record_id not in alike]
    for node in found:
        del batch.nodes[node.record_id]
    alone = {node.record_id for node in found}
    batch.dirty = [record_id for record_id in batch.dirty if record_id not in alone]
    return found


def welcome(
    db: Db, repo: Identities, newcomers: list[Node], moment: Moment, walked: Walked
) -> range:
    """Store an identity for each of these records, and return their numbers."""
    run_id, now_us = moment.run_id, moment.now_us
    first = db.take_ids("identity", len(newcomers))
    links: list[Row] = []
    identities: list[Row] = []
    log: list[Row] = []
    for number, node in enumerate(newcomers, first):
        record_id, entity = node.record_id, node.entity
        links.append((record_id, number, number, "alone", "auto", now_us))
        identities.append(
            (number, entity, node.shown, None, dump_single(node.data, record_id), now_us)
        )
        log.append((number, run_id, now_us, "created", "{}"))
        walked.counts[entity] += 1
    repo.save_links(links, [])
    repo.save_identities(identities, [])
    repo.log_changes(log)
    return range(first, first + len(newcomers))
