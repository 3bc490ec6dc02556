"""Steps 3 to 4 for one batch: canonical records, their match keys and references are stored.

Before: mapping. After: walk_components, which gets the records as nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from crm_hub.flow.batch import MappedRecord, Tools
from crm_hub.flow.walk_drafts import drafts_of, name_of
from crm_hub.flow.walk_lookup import Bears, Holds, Looked
from crm_hub.model.ids import SourceKey
from crm_hub.resolve import NameForm, claimed, joining
from crm_hub.resolve.marks import MARK, Numbers, read_mark
from crm_hub.resolve.near import NEAR, near_keys
from crm_hub.store import Held, Identities, Row
from crm_hub.store.match_keys import NAME, Entry, entries_of, joined, split


@dataclass(slots=True, init=False, eq=False)
class Node:
    """A record in memory: its keys, its values, and the identity it has had so far.

    entity to references: as in Draft. name_key: the key of its whole name, "" without one. near: by
    what it is found where it is written otherwise, in a hub that was rebuilt. read, form: its
    values and its name, once somebody asked for them.
    """

    record_id: int
    source: SourceKey
    entity: str
    changed_at_us: int | None
    data: str
    keys: list[str]
    claimed: list[str]
    joining: list[str]
    held: str
    mark: Numbers
    shown: str
    references: Sequence[tuple[str, str, str, int | None, int | None]]
    name_key: str
    read: dict[str, Any] | None
    form: NameForm | None
    identity_id: int | None
    home_id: int | None
    near: Sequence[str]

    def __init__(self, record_id: int, source: SourceKey, draft: tuple[Any, ...]) -> None:
        """draft: a Draft, or the same as a plain tuple."""
        self.record_id, self.source = record_id, source
        # In one go, for there is one of each record that comes.
        (
            self.entity, self.changed_at_us, self.data, self.keys, self.claimed, self.joining,
            self.held, self.mark, self.shown, self.references,
        ) = draft  # fmt: skip
        self.name_key = _name_key(self.keys)
        self.read = self.form = self.identity_id = self.home_id = None
        self.near = ()

    @property
    def values(self) -> dict[str, Any]:
        if self.read is None:
            self.read = orjson.loads(self.data)
        return self.read

    @property
    def alike(self) -> Sequence[str]:
        """The keys of those who may be alike: its whole name, and what is near."""
        return [name, *self.near] if (name := self.name_key) else self.near

    @property
    def name(self) -> NameForm:
        if self.form is None:
            self.form = name_of(self.entity, self.values)
        return self.form


@dataclass(slots=True)
class Batch:
    """What a batch concerns: its records and those they meet, by number.

    touched: the keys, names and near aside, that records held before or, once settled, hold now.
    rows: canonical records to store. keys_added, entries: what they are to be found by once the
    batch has met the records that hold it already, as text and as hashes.
    names_gone: (key, record) of names that records no longer have, and of what was near.
    marks_before: the marks that stored records of the batch had until now.
    aside: nodes that hold a key of others and stay who they are (walk_expansion.py).
    looked, looked_names: the keys and the names that the store was asked for already.
    """

    nodes: dict[int, Node] = field(default_factory=dict)
    dirty: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    lost_identities: set[int] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    keys_added: list[tuple[str, int]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    names_gone: set[tuple[str, int]] = field(default_factory=set)
    marks_before: dict[int, Numbers] = field(default_factory=dict)
    aside: set[int] = field(default_factory=set)
    looked: Looked[Holds] = field(default_factory=Looked)
    looked_names: Looked[Bears] = field(default_factory=Looked)

    def add_new(self, nodes: Sequence[Node]) -> None:
        """Take in records that the store does not hold; pure."""
        self.rows += map(_row, nodes)
        keys = [(key, one.record_id) for one in nodes for key in (*one.keys, *one.near)]
        self.add_changed(nodes, keys)

    def add_changed(self, nodes: Sequence[Node], keys: Sequence[tuple[str, int]]) -> None:
        """Take in records, and keys that they have from now on: (key, record)."""
        self.keys_added += keys
        self.entries += entries_of(keys, {node.record_id: node.mark for node in nodes})
        self.nodes.update((node.record_id, node) for node in nodes)
        self.dirty += [node.record_id for node in nodes]


def store_canonical(
    repo: Identities, tools: Tools, mapped: Sequence[MappedRecord], batch: Batch
) -> Batch:
    """Write canonical records and references of what changed; return it as a batch of nodes.

    batch: holds those of the records already that are new and came with a node.
    """
    near = _Near(repo, tools)
    if batch.nodes:
        batch = near.added(batch)
    stored = _Stored(repo, [m.landed.record_id for m in mapped if not m.landed.is_new])
    rows = _Rows()
    records = [m.record for m in mapped if m.node is None and m.record is not None]
    drafts = iter(drafts_of(records, tools.rules))
    new, changed = [], []
    for landed, source, record, _events, node in mapped:
        number = landed.record_id
        if number in batch.nodes:
            continue
        held = stored.records.get(number)
        if node is None:
            if record is None:
                if held is not None:
                    _lose(batch, held)
                continue
            node = Node(number, source, next(drafts))
            node.read = record.values
        node.near = near.of(node)
        if held is None:
            new.append(node)
        elif not _changed(node, held, stored, rows):
            continue
        else:
            _let_go(batch, held, split(held.keys), node.alike)
            changed.append(node)
        if number in stored.links:
            identity_id, node.home_id = stored.links[number]
            node.identity_id = None if held is None else identity_id
    batch.add_new(new)
    batch.add_changed(changed, rows.keys_added)
    repo.save_canonical(batch.rows, rows.changed)
    repo.remove_keys(rows.keys_removed)
    repo.mark_names(rows.names_kept, {node.record_id: node.mark for node in changed})
    repo.save_references(
        rows.references_replaced,
        [row for node in batch.nodes.values() for row in _references(node)],
    )
    repo.drop_records(batch.gone)
    return batch


_ALIKE = (NAME, NEAR)


class _Near:
    """Gives records what is near, where likeness was measured; before, nothing looks for it."""

    def __init__(self, repo: Identities, tools: Tools) -> None:
        self._repo, self._tools = repo, tools
        self._measured: bool | None = None

    def of(self, node: Node) -> Sequence[str]:
        if node.entity != "person":
            return ()
        if self._measured is None:
            self._measured = self._repo.is_measured("person")
        return near_of(node, self._tools) if self._measured else ()

    def added(self, batch: Batch) -> Batch:
        """Return a batch of new records with what is near them."""
        for node in batch.nodes.values():
            node.near = self.of(node)
        if not self._measured:
            return batch
        again = Batch()
        again.add_new([*batch.nodes.values()])
        return again


def near_of(node: Node, tools: Tools) -> list[str]:
    """Return by what a node is found where it is written otherwise."""
    if node.entity != "person":
        return []
    return near_keys(node.name, node.mark, node.values.get("email") or (), tools.rules)


class _Stored:
    """What the store already holds of the records of a batch that are not new."""

    def __init__(self, repo: Identities, record_ids: Sequence[int]) -> None:
        self.records = {h.record_id: h for h in repo.held(record_ids)}
        self.links = repo.links_of(record_ids)
        self.references: dict[int, set[Row]] = defaultdict(set)
        for row in repo.references_of(self.records):
            self.references[row[0]].add(row)


@dataclass(slots=True)
class _Rows:
    """Rows to write for a batch, by what becomes of them.

    names_kept: (key, record) of those whose mark is another one now.
    """

    changed: list[Row] = field(default_factory=list)
    keys_added: list[tuple[str, int]] = field(default_factory=list)
    keys_removed: list[Row] = field(default_factory=list)
    names_kept: list[tuple[str, int]] = field(default_factory=list)
    references_replaced: list[int] = field(default_factory=list)


def _lose(batch: Batch, held: Held) -> None:
    batch.gone.append(held.record_id)
    _let_go(batch, held, split(held.keys), ())
    if held.identity_id is not None:
        batch.lost_identities.add(held.identity_id)


def _let_go(batch: Batch, held: Held, keys: Sequence[str], alike: Iterable[str]) -> None:
    """Note what a stored record had until now. alike: the names and near keys that it keeps."""
    batch.touched.update(claimed(keys))
    batch.marks_before[held.record_id] = read_mark(keys)
    had = {key for key in keys if key[:2] in _ALIKE}
    batch.names_gone.update((key, held.record_id) for key in had.difference(alike))


def _changed(node: Node, held: Held, stored: _Stored, rows: _Rows) -> bool:
    """Note what differs from what is stored of a record; tell whether anything does."""
    references = {*_references(node)}
    keys = split(held.keys)
    had, has = {*keys}, {*split(node.held), *node.near}
    is_same = (held.entity, held.changed_at_us, held.data) == (
        node.entity, node.changed_at_us, node.data
    )  # fmt: skip
    if is_same and had == has and references == stored.references.get(node.record_id, set()):
        return False
    rows.changed.append(_row(node))
    rows.keys_added += [(k, node.record_id) for k in (*node.keys, *node.near) if k not in had]
    rows.keys_removed += [(key, node.record_id) for key in had - has if key[:2] != MARK]
    if read_mark(keys) != node.mark:
        rows.names_kept += [(key, node.record_id) for key in had & has if key[:2] == NAME]
    rows.references_replaced.append(node.record_id)
    return True


def _references(node: Node) -> Iterable[Row]:
    """Return (record, relation, entity, key) of what a record refers to, each once."""
    if not node.references:
        return ()
    return dict.fromkeys((node.record_id, *link) for link in node.references)


def _row(node: Node) -> Row:
    held = joined((node.held, *node.near)) if node.near else node.held
    return (node.record_id, node.entity, node.changed_at_us, node.data, held)


def _name_key(keys: Sequence[str]) -> str:
    last = keys[-1] if keys else ""
    return last if last[:2] == NAME else next((key for key in keys if key[:2] == NAME), "")


def held_node(held: Held, tools: Tools) -> Node:
    """Return a stored record as a node."""
    found = split(held.keys)
    keys = [key for key in found if key[:2] != MARK and key[:2] != NEAR]
    source = SourceKey(held.connection, held.stream, held.key)
    node = Node(
        held.record_id, source,
        (
            held.entity, held.changed_at_us, held.data, keys, claimed(keys),
            joining(keys, held.entity, tools.rules), held.keys, read_mark(found), "", (),
        ),
    )  # fmt: skip
    node.identity_id, node.home_id = held.identity_id, held.home_id
    node.near = [key for key in found if key[:2] == NEAR]
    if tools.near is not None:
        node.near = near_of(node, tools)
    return node
