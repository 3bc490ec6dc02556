"""Steps 4 and 5 for one batch: keys, components, clusters, ids, golden records.

Only records that share a key with another need the slow path; the rest become an identity
of their own at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

import orjson

from crm_hub.flow.batch import MANY, Landed, MappedRecord, Moment, Tools, Walked
from crm_hub.flow.walk_memberships import refresh_memberships
from crm_hub.merge import MergeMember, diff, display_name, golden
from crm_hub.merge.golden import Golden, dump_single, load
from crm_hub.model.canonical import CanonicalRecord
from crm_hub.resolve import (
    Cluster,
    Member,
    NameForm,
    assign,
    cluster,
    joins,
    keys_of,
    organization_form,
    person_form,
)
from crm_hub.store import EMPTY_GOLDEN, Db, Held, Identities, Row


@dataclass(slots=True)
class _Node:
    """A record in memory: its keys, its values, and the identity it has had so far."""

    record_id: int
    order: str
    connection: str
    entity: str
    changed_at_us: int | None
    values: dict[str, Any]
    keys: list[str]
    data: str
    identity_id: int | None = None
    home_id: int | None = None


@dataclass(slots=True)
class _Batch:
    nodes: dict[int, _Node] = field(default_factory=dict)
    dirty: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    lost_identities: set[int] = field(default_factory=set)


def walk_identities(
    db: Db, tools: Tools, mapped: Sequence[MappedRecord], moment: Moment, walked: Walked
) -> None:
    """Resolve and merge a batch of mapped records; part of T2."""
    repo = Identities(db)
    batch = _store_canonical(repo, tools, mapped)
    if not batch.dirty and not batch.gone:
        return
    groups = _components(repo, tools, batch)
    clusters, changed = _settle(db, repo, tools, batch, groups, moment, walked)
    _merge(repo, tools, batch, clusters, changed, moment, walked)
    walked.moved_keys.update(key for key in batch.touched if key[:2] != "n:")
    refresh_memberships(repo, changed, batch.touched, walked)


# canonical records and keys ---------------------------------------------------------------


def _store_canonical(repo: Identities, tools: Tools, mapped: Sequence[MappedRecord]) -> _Batch:
    """Write canonical records, keys and references of what changed; return it as nodes."""
    batch = _Batch()
    old_ids = [m.landed.record_id for m in mapped if not m.landed.is_new]
    before = {h.record_id: h for h in repo.held(old_ids)}
    old_keys = _by_record(repo.keys_of(before)) if before else {}
    old_refs = _references(repo, before)
    links = repo.links_of(old_ids)
    new_rows: list[Row] = []
    changed_rows: list[Row] = []
    keys_added: list[Row] = []
    keys_removed: list[Row] = []
    refs: list[Row] = []
    refs_replaced: list[int] = []
    for source, landed, record in ((m.source, m.landed, m.record) for m in mapped):
        held = before.get(landed.record_id)
        if record is None:
            if held is not None:
                batch.gone.append(landed.record_id)
                batch.touched.update(old_keys.get(landed.record_id, ()))
                if held.identity_id is not None:
                    batch.lost_identities.add(held.identity_id)
            continue
        node = _node(landed, str(source), source.connection, record, tools)
        row = (node.record_id, node.entity, node.changed_at_us, node.data)
        references = {(node.record_id, *link) for link in record.links}
        if held is None:
            new_rows.append(row)
            keys_added.extend((key, node.record_id) for key in node.keys)
        else:
            had = set(old_keys.get(node.record_id, ()))
            same = had == set(node.keys) and references == old_refs.get(node.record_id, set())
            if same and _same(held, row):
                continue
            changed_rows.append(row)
            keys_added.extend((key, node.record_id) for key in node.keys if key not in had)
            keys_removed.extend((key, node.record_id) for key in had if key not in node.keys)
            refs_replaced.append(node.record_id)
            batch.touched |= had
        if node.record_id in links:
            node.identity_id, node.home_id = links[node.record_id]
            if held is None:
                node.identity_id = None
        refs.extend(references)
        batch.nodes[node.record_id] = node
        batch.dirty.append(node.record_id)
        batch.touched.update(node.keys)
    repo.save_canonical(new_rows, changed_rows)
    repo.save_keys(keys_added, keys_removed)
    repo.save_references(refs_replaced, refs)
    repo.drop_records(batch.gone)
    return batch


def _same(held: Held, row: tuple[Any, ...]) -> bool:
    return (held.entity, held.changed_at_us, held.data) == (row[1], row[2], row[3])


def _node(
    landed: Landed, order: str, connection: str, record: CanonicalRecord, tools: Tools
) -> _Node:
    keys = keys_of(record.claims, _name(record.entity, record.values), tools.rules)
    data = orjson.dumps(record.values, option=orjson.OPT_SORT_KEYS).decode()
    return _Node(
        landed.record_id, order, connection, record.entity, record.changed_at_us,
        record.values, keys, data,
    )  # fmt: skip


def _held_node(held: Held, keys: list[str]) -> _Node:
    return _Node(
        held.record_id, f"{held.connection}/{held.stream}#{held.key}", held.connection,
        held.entity, held.changed_at_us, orjson.loads(held.data), keys, held.data,
        held.identity_id, held.home_id,
    )  # fmt: skip


def _name(entity: str, values: dict[str, Any]) -> NameForm:
    return person_form(values) if entity == "person" else organization_form(values)


def _by_record(pairs: Iterable[tuple[str, int]]) -> dict[int, list[str]]:
    out: dict[int, list[str]] = defaultdict(list)
    for key, record_id in pairs:
        out[record_id].append(key)
    return out


def _references(repo: Identities, record_ids: Iterable[int]) -> dict[int, set[tuple[Any, ...]]]:
    out: dict[int, set[tuple[Any, ...]]] = defaultdict(set)
    for row in repo.references_of(record_ids):
        out[row[0]].add(row)
    return out


# components -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Groups:
    """Connected records: nodes by component, holders of each joining key, lone records."""

    components: list[list[_Node]]
    holders: dict[str, list[int]]
    lone: list[_Node]


def _components(repo: Identities, tools: Tools, batch: _Batch) -> _Groups:
    """Load every record connected with the batch, and split all of them into components."""
    holders: dict[str, set[int]] = defaultdict(set)
    for node in batch.nodes.values():
        for key in _joining(node, tools):
            holders[key].add(node.record_id)
    _expand(repo, tools, batch, holders)
    shared = _demote(repo, tools, batch, holders)
    linked = {k: sorted(ids) for k, ids in holders.items() if len(ids) > 1 and k not in shared}
    return _split(batch, linked)


def _expand(repo: Identities, tools: Tools, batch: _Batch, holders: dict[str, set[int]]) -> None:
    """Load records that share a key or an identity with those in memory, until none is new."""
    frontier = {key for key in batch.touched if key[:2] != "n:"}
    identities = {n.identity_id for n in batch.nodes.values() if n.identity_id is not None}
    identities |= batch.lost_identities
    asked_keys: set[str] = set()
    asked_identities: set[int] = set()
    while frontier or identities:
        asked_keys |= frontier
        asked_identities |= identities
        found = {r for _, r in repo.holders(frontier - repo.shared(frontier))}
        found |= {r for r, _ in repo.records_of(identities)}
        fresh = found - batch.nodes.keys()
        keys = _by_record(repo.keys_of(fresh))
        frontier, identities = set(), set()
        for held in repo.held(fresh):
            node = _held_node(held, keys.get(held.record_id, []))
            batch.nodes[held.record_id] = node
            if held.identity_id is not None and held.identity_id not in asked_identities:
                identities.add(held.identity_id)
            for key in _joining(node, tools):
                holders[key].add(node.record_id)
                if key not in asked_keys:
                    frontier.add(key)


def _joining(node: _Node, tools: Tools) -> Iterator[str]:
    return (key for key in node.keys if joins(key, node.entity, tools.rules))


def _demote(
    repo: Identities, tools: Tools, batch: _Batch, holders: dict[str, set[int]]
) -> set[str]:
    """Return the keys that too many differently named records hold, and store the news."""
    cap = tools.rules.holders_cap
    was = repo.shared(k for k, ids in holders.items() if len(ids) > 1)
    demoted = {
        key: len(ids)
        for key, ids in holders.items()
        if len(ids) > cap and key not in was and _names(batch, ids) > cap
    }
    repo.set_shared(demoted, ())
    return was | demoted.keys()


def _names(batch: _Batch, record_ids: Iterable[int]) -> int:
    nodes = (batch.nodes[r] for r in record_ids)
    return len({_name(n.entity, n.values).whole for n in nodes})


def _split(batch: _Batch, holders: dict[str, list[int]]) -> _Groups:
    parent = {r: r for ids in holders.values() for r in ids}

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    by_identity: dict[int, int] = {}
    for ids in holders.values():
        for other in ids[1:]:
            parent[root(other)] = root(ids[0])
    for node in batch.nodes.values():
        if node.identity_id is not None:
            parent.setdefault(node.record_id, node.record_id)
            first = by_identity.setdefault(node.identity_id, node.record_id)
            parent[root(node.record_id)] = root(first)
    components: dict[int, list[_Node]] = defaultdict(list)
    lone = []
    for record_id, node in batch.nodes.items():
        if record_id in parent:
            components[root(record_id)].append(node)
        else:
            lone.append(node)
    return _Groups(list(components.values()), holders, lone)


# clusters and ids -------------------------------------------------------------------------


def _settle(
    db: Db,
    repo: Identities,
    tools: Tools,
    batch: _Batch,
    groups: _Groups,
    moment: Moment,
    walked: Walked,
) -> tuple[dict[int, list[_Node]], set[int]]:
    """Give every record its identity; return members by identity, and the changed identities."""
    first = db.next_id("identity")
    fresh = count(first)
    free = _free_homes(repo, batch)
    members: dict[int, list[_Node]] = {}
    changed: set[int] = set()
    new_links: list[Row] = []
    moved_links: list[Row] = []
    for node in groups.lone:
        number = _own_home(node, free) or next(fresh)
        members[number] = [node]
        changed.add(number)
        _link(node, number, "alone", moment, new_links, moved_links)
    for component in groups.components:
        found = _cluster(tools, component, groups.holders)
        before = {n.record_id: n.identity_id for n in component if n.identity_id is not None}
        homes = {n.record_id: n.home_id for n in component if n.home_id in free}
        result = assign(found, before, homes, fresh)
        by_id = {n.record_id: n for n in component}
        for one in found:
            number = result.identity_of[one.record_ids[0]]
            members[number] = [by_id[r] for r in one.record_ids]
            for record_id in one.record_ids:
                node = by_id[record_id]
                if node.identity_id == number:
                    continue
                if node.identity_id is not None:
                    changed.add(node.identity_id)
                    walked.moved_identities.add(node.identity_id)
                    walked.moved_keys.update(node.keys)
                changed.add(number)
                _link(node, number, one.methods[record_id], moment, new_links, moved_links)
        free -= result.revived
        repo.redirect(result.redirects)
    db.take_ids("identity", next(fresh) - first)
    changed.update(n.identity_id for r in batch.dirty if (n := batch.nodes[r]).identity_id)
    repo.save_links(new_links, moved_links)
    changed |= batch.lost_identities
    walked.moved_identities |= batch.lost_identities
    return members, changed


def _free_homes(repo: Identities, batch: _Batch) -> set[int]:
    """Return the first ids of records that nobody stands under now: a split may revive them."""
    present = {n.identity_id for n in batch.nodes.values()}
    homes = {n.home_id for n in batch.nodes.values() if n.home_id is not None} - present
    return homes - {identity for _, identity in repo.records_of(homes)}


def _own_home(node: _Node, free: set[int]) -> int | None:
    if node.home_id not in free:
        return None
    free.discard(node.home_id)
    return node.home_id


def _link(
    node: _Node,
    number: int,
    method: str,
    moment: Moment,
    new_links: list[Row],
    moved_links: list[Row],
) -> None:
    rows = new_links if node.home_id is None else moved_links
    node.home_id = node.home_id or number
    node.identity_id = number
    rows.append((node.record_id, number, node.home_id, method, "auto", moment.now_us))


def _cluster(
    tools: Tools, component: Sequence[_Node], holders: dict[str, list[int]]
) -> list[Cluster]:
    members = [
        Member(n.record_id, n.order, n.entity, _name(n.entity, n.values), _exclusive(n, tools))
        for n in component
    ]
    keys = set(chain.from_iterable(n.keys for n in component)) & holders.keys()
    return cluster(members, {key: holders[key] for key in sorted(keys)})


def _exclusive(node: _Node, tools: Tools) -> tuple[tuple[str, str], ...]:
    if not tools.exclusive:
        return ()
    found = []
    for key in node.keys:
        if key[:2] == "s:":
            _, scope, name, value = key.split(":", 3)
            if (scope, name) in tools.exclusive:
                found.append((f"{scope}:{name}", value))
    return tuple(found)


# golden records ---------------------------------------------------------------------------


def _merge(
    repo: Identities,
    tools: Tools,
    batch: _Batch,
    clusters: dict[int, list[_Node]],
    changed: set[int],
    moment: Moment,
    walked: Walked,
) -> None:
    stored = repo.identities(changed)
    new_rows: list[Row] = []
    changed_rows: list[Row] = []
    log: list[Row] = []
    for number in sorted(changed):
        members = clusters.get(number)
        before = stored.get(number)
        if members is None:
            _close(repo, before, changed_rows, log, moment)
            continue
        record, row = _golden_row(tools, number, members, moment)
        if before is None:
            new_rows.append(row)
            log.append((number, moment.run_id, moment.now_us, "created", "{}"))
            walked.counts[members[0].entity] += 1
        elif before[1:5] != row[1:5]:
            changed_rows.append(row)
            difference = orjson.dumps(diff(load(before.golden).values, record.values)).decode()
            kind = "changed" if before.redirect_to is None else "split"
            log.append((number, moment.run_id, moment.now_us, kind, difference))
    repo.save_identities(new_rows, changed_rows)
    repo.log_changes(log)


def _golden_row(
    tools: Tools, number: int, nodes: Sequence[_Node], moment: Moment
) -> tuple[Golden, tuple[Any, ...]]:
    entity = nodes[0].entity
    if len(nodes) == 1:
        record = Golden(nodes[0].values, nodes[0].record_id)
        text = dump_single(nodes[0].data, nodes[0].record_id)
    else:
        rules = tools.survivorship.get(entity, {})
        record = golden([merge_member(n, tools) for n in nodes], rules, MANY[entity])
        text = record.dump()
    name = display_name(entity, record.values)
    return record, (number, entity, name, None, text, moment.now_us)


def merge_member(node: _Node, tools: Tools) -> MergeMember:
    """Return a record as the merge room takes it."""
    systems = tools.systems.get(node.connection, (node.connection,))
    return MergeMember(node.record_id, node.order, systems, node.changed_at_us, node.values)


def _close(
    repo: Identities,
    before: Any,
    changed_rows: list[Row],
    log: list[Row],
    moment: Moment,
) -> None:
    """An identity without records: it redirects (a merge), or it is empty (all were deleted)."""
    if before is None:
        return
    kind = "merged" if before.redirect_to is not None else "emptied"
    if kind == "emptied":
        changed_rows.append((*before[:3], None, EMPTY_GOLDEN, moment.now_us))
    log.append((before.id, moment.run_id, moment.now_us, kind, "{}"))
