"""Records as the merge room takes them: those of a batch, and those that are only stored."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from crm_hub.flow.batch import Tools
from crm_hub.merge import MergeMember
from crm_hub.model.ids import SourceKey
from crm_hub.model.states import FieldStates
from crm_hub.store import Held

if TYPE_CHECKING:
    from crm_hub.flow.walk_records import Node

_NOTHING: FieldStates = MappingProxyType({})
_OF_NONE: Mapping[int, FieldStates] = MappingProxyType({})


def node_member(
    node: Node, tools: Tools, states: Mapping[int, FieldStates] = _OF_NONE
) -> MergeMember:
    """Return a record of a batch. states: of single fields, by record."""
    return MergeMember(
        node.record_id, str(node.source), tools.systems_of(node.source.connection),
        node.changed_at_us, node.values, states.get(node.record_id, _NOTHING),
    )  # fmt: skip


def held_member(held: Held, tools: Tools, states: FieldStates = _NOTHING) -> MergeMember:
    """Return a stored record. states: of its fields."""
    order = str(SourceKey(held.connection, held.stream, held.key))
    systems, values = tools.systems_of(held.connection), orjson.loads(held.data)
    return MergeMember(held.record_id, order, systems, held.changed_at_us, values, states)
