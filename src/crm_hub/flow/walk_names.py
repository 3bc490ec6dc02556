"""Who of the store bears the names of a batch, or is near them, and is worth comparing.

Part of step 4, for walk_alike and walk_newcomers. A name that too many bear is a crowd's; where a
batch makes it one, or no longer one, all who bear it are looked at anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_hub.flow.walk_records import Batch, Node
from crm_hub.resolve.marks import CROWD, Mark, read_mark, worth_comparing
from crm_hub.resolve.near import NEAR, NEAR_CROWD


def marks_of(
    batch: Batch, names: set[str], stored: Iterable[tuple[str, int, list[str]]]
) -> tuple[dict[str, dict[int, Mark]], set[str]]:
    """Return the marks of all records of these names, by key and record.

    names: keys of names and of what is near. stored: what the store holds of them: (key, record,
    the record's keys). Also returned: the names that a batch makes crowded, or no longer crowded.
    """
    of_name: dict[str, dict[int, Mark]] = {key: {} for key in names}
    for key, record, keys in stored:
        of_name[key][record] = read_mark(keys)
    before = {key: len(found) for key, found in of_name.items()}
    for key, _ in batch.names_gone:
        if key in before:
            before[key] += 1
    for node in batch.nodes.values():
        for key in node.alike:
            if key in of_name:
                of_name[key][node.record_id] = node.mark
    turned = {
        k for k, found in of_name.items() if (before[k] > _crowd(k)) != (len(found) > _crowd(k))
    }
    return of_name, turned


def _crowd(key: str) -> int:
    return NEAR_CROWD if key[:2] == NEAR else CROWD


def worth(node: Node, key: str, others: dict[int, Mark]) -> Iterable[int]:
    """Return those of the holders of a key that are worth comparing with a node."""
    crowded = len(others) > _crowd(key)
    if key[:2] == NEAR:
        return () if crowded else others.keys() - {node.record_id}
    return (
        record for record, other in others.items()
        if record != node.record_id and worth_comparing(node.mark, other, crowded=crowded)
    )  # fmt: skip


def of_a_name(
    batch: Batch, names: set[str], stored: Iterable[tuple[str, int, list[str]]]
) -> set[int]:
    """Return the nodes that meet somebody of their name, or whose name becomes a crowd's.

    names: keys of names and of what is near. stored: the records that have them in the store.
    """
    of_name, turned = marks_of(batch, names, stored)
    several = {key for key, found in of_name.items() if len(found) > 1}
    return {
        node.record_id
        for node in batch.nodes.values()
        if any(
            key in turned or (key in several and any(True for _ in worth(node, key, of_name[key])))
            for key in node.alike
        )
    }
