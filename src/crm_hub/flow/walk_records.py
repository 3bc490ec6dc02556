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
from crm_hub.flow.walk_lookup import Looked
from crm_hub.model.ids import SourceKey
from crm_hub.resolve import NameForm, claimed, joining
from crm_hub.resolve.marks import MARK, Mark, read_mark
from crm_hub.resolve.near import NEAR, near_keys
from crm_hub.store import Held, Identities, Row
from crm_hub.store.match_keys import joined, split


@dataclass(slots=True)
class Node:
    """A record in memory: its keys, its values, and the identity it has had so far.

    claimed, joining, data, held, mark, shown, references: as in Draft. name_key: the key of its
    whole name, "" without one. near: by what it is found where it is written otherwise, in a hub
    that was rebuilt. read, form: its values and its name, once somebody asked for them.
    """

    record_id: int
    source: SourceKey
    entity: str
    changed_at_us: int | None
    keys: list[str]
    claimed: list[str]
    joining: list[str]
    data: str
    held: str
    mark: Mark
    name_key: str
    shown: str = ""
    references: Sequence[tuple[str, str, str, int | None, int | None]] = ()
    read: dict[str, Any] | None = None
    form: NameForm | None = None
    identity_id: int | None = None
    home_id: int | None = None
    near: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        if self.read is None:
            self.read = orjson.loads(self.data)
        return self.read

    @property
    def alike(self) -> list[str]:
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
    keys_added: key rows to store once the batch has met the records that already hold them.
    names_gone: (key, record) of names that records no longer have, and of what was near.
    marks_before: the marks that stored records of the batch had until now.
    looked: what the store was asked for already.
    """

    nodes: dict[int, Node] = field(default_factory=dict)
    dirty: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    lost_identities: set[int] = field(default_factory=set)
    keys_added: list[Row] = field(default_factory=list)
    names_gone: set[tuple[str, int]] = field(default_factory=set)
    marks_before: dict[int, Mark] = field(default_factory=dict)
    looked: Looked = field(default_factory=Looked)


def store_canonical(repo: Identities, tools: Tools, mapped: Sequence[MappedRecord]) -> Batch:
    """Write canonical records and references of what changed; return it as a batch of nodes."""
    batch, finds_near = Batch(), _Near(repo, tools)
    stored = _Stored(repo, [m.landed.record_id for m in mapped if not m.landed.is_new])
    rows = _Rows()
    records = [m.record for m in mapped if m.node is None and m.record is not None]
    drafts = iter(drafts_of(records, tools.rules))
    for landed, source, record, _events, node in mapped:
        held = stored.records.get(landed.record_id)
        if node is None:
            if record is None:
                if held is not None:
                    _lose(batch, held)
                continue
            node = node_of(landed.record_id, source, next(drafts))
            node.read = record.values
        node.near = finds_near.of(node)
        references = {(node.record_id, *link) for link in node.references}
        if held is None:
            rows.new.append(_row(node))
            rows.keys_added += [(key, node.record_id) for key in (*node.keys, *node.near)]
        elif not _changed(node, references, held, stored, rows):
            continue
        else:
            _let_go(batch, held, split(held.keys), node.alike)
        if node.record_id in stored.links:
            identity_id, node.home_id = stored.links[node.record_id]
            node.identity_id = None if held is None else identity_id
        rows.references += references
        batch.nodes[node.record_id] = node
        batch.dirty.append(node.record_id)
    repo.save_canonical(rows.new, rows.changed)
    repo.remove_keys(rows.keys_removed)
    repo.save_references(rows.references_replaced, rows.references)
    repo.drop_records(batch.gone)
    batch.keys_added = rows.keys_added
    return batch


_ALIKE = ("n:", NEAR)


class _Near:
    """Gives records what is near, where likeness was measured; before, nothing looks for it."""

    def __init__(self, repo: Identities, tools: Tools) -> None:
        self._repo, self._tools = repo, tools
        self._measured: bool | None = None

    def of(self, node: Node) -> list[str]:
        if node.entity != "person":
            return []
        if self._measured is None:
            self._measured = self._repo.is_measured("person")
        return near_of(node, self._tools) if self._measured else []


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
    """Rows to write for a batch, by what becomes of them."""

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    keys_added: list[Row] = field(default_factory=list)
    keys_removed: list[Row] = field(default_factory=list)
    references: list[Row] = field(default_factory=list)
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


def _changed(node: Node, references: set[Row], held: Held, stored: _Stored, rows: _Rows) -> bool:
    """Note what differs from what is stored of a record; tell whether anything does."""
    had, has = set(split(held.keys)), {*node.keys, *node.near, node.mark.text()}
    is_same = (held.entity, held.changed_at_us, held.data) == (
        node.entity, node.changed_at_us, node.data
    )  # fmt: skip
    if is_same and had == has and references == stored.references.get(node.record_id, set()):
        return False
    rows.changed.append(_row(node))
    rows.keys_added += [(k, node.record_id) for k in (*node.keys, *node.near) if k not in had]
    rows.keys_removed += [(key, node.record_id) for key in had - has if key[:2] != MARK]
    rows.references_replaced.append(node.record_id)
    return True


def _row(node: Node) -> Row:
    held = joined((node.held, *node.near)) if node.near else node.held
    return (node.record_id, node.entity, node.changed_at_us, node.data, held)


def node_of(record_id: int, source: SourceKey, draft: tuple[Any, ...]) -> Node:
    """Return the node of a record's draft (a Draft, or as a plain tuple)."""
    entity, changed_at_us, data, keys, claimed, joining, held, mark, shown, references = draft
    return Node(
        record_id, source, entity, changed_at_us, keys, claimed, joining, data, held, Mark(*mark),
        _name_key(keys), shown, references,
    )  # fmt: skip


def _name_key(keys: Sequence[str]) -> str:
    last = keys[-1] if keys else ""
    return last if last[:2] == "n:" else next((key for key in keys if key[:2] == "n:"), "")


def held_node(held: Held, tools: Tools) -> Node:
    """Return a stored record as a node."""
    found = split(held.keys)
    keys = [key for key in found if key[:2] != MARK and key[:2] != NEAR]
    node = Node(
        held.record_id, SourceKey(held.connection, held.stream, held.key), held.entity,
        held.changed_at_us, keys, claimed(keys), joining(keys, held.entity, tools.rules),
        held.data, held.keys, read_mark(found), _name_key(keys),
        identity_id=held.identity_id, home_id=held.home_id,
        near=[key for key in found if key[:2] == NEAR],
    )  # fmt: skip
    if tools.near is not None:
        node.near = near_of(node, tools)
    return node
