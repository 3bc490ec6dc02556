"""Who of the store bears the names of a batch, or is near them, and is worth comparing.

Part of step 4, for walk_alike and walk_newcomers. A name that too many bear is a crowd's; where a
batch makes it one, or no longer one, all who bear it are looked at anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from crm_hub.flow.walk_records import Batch, Node
from crm_hub.resolve.marks import CROWD, Mark, read_mark, worth_comparing
from crm_hub.resolve.near import NEAR, NEAR_CROWD


class Bearers:
    """All who bear a name, or hold what is near one. marks: record → where and for whom it is."""

    def __init__(self, key: str) -> None:
        self.marks: dict[int, Mark] = {}
        self._is_near = key[:2] == NEAR
        self._most = NEAR_CROWD if self._is_near else CROWD
        self._agreeing: dict[int, list[int]] | None = None

    def is_crowd(self, count: int) -> bool:
        """Tell whether so many bearers are a crowd."""
        return count > self._most

    def worth(self, node: Node) -> Iterable[int]:
        """Return those who are worth comparing with a node."""
        crowded = self.is_crowd(len(self.marks))
        if self._is_near:
            return () if crowded else self.marks.keys() - {node.record_id}
        others = self._agree(node.mark) if crowded else self.marks
        return (
            record for record in others
            if record != node.record_id
            and worth_comparing(node.mark, self.marks[record], crowded=crowded)
        )  # fmt: skip

    def _agree(self, mark: Mark) -> set[int]:
        """Return the bearers who share a place, firm or domain; a crowd is not gone through."""
        if self._agreeing is None:
            self._agreeing = defaultdict(list)
            for record, other in self.marks.items():
                for part in {*other} - {0}:
                    self._agreeing[part].append(record)
        return {record for part in {*mark} - {0} for record in self._agreeing.get(part, ())}


def bearers_of(
    batch: Batch, names: set[str], stored: Iterable[tuple[str, int, list[str]]]
) -> tuple[dict[str, Bearers], set[str]]:
    """Return who bears each of these names.

    names: keys of names and of what is near. stored: what the store holds of them: (key, record,
    the record's keys). Also returned: the names that a batch makes crowded, or no longer crowded.
    """
    of_name = {key: Bearers(key) for key in names}
    for key, record, keys in stored:
        of_name[key].marks[record] = read_mark(keys)
    before = {key: len(found.marks) for key, found in of_name.items()}
    for key, _ in batch.names_gone:
        if key in before:
            before[key] += 1
    for node in batch.nodes.values():
        for key in node.alike:
            if key in of_name:
                of_name[key].marks[node.record_id] = node.mark
    turned = {
        key for key, found in of_name.items()
        if found.is_crowd(before[key]) != found.is_crowd(len(found.marks))
    }  # fmt: skip
    return of_name, turned


def of_a_name(
    batch: Batch, names: set[str], stored: Iterable[tuple[str, int, list[str]]]
) -> set[int]:
    """Return the nodes that meet somebody of their name, or whose name becomes a crowd's.

    names: keys of names and of what is near. stored: the records that have them in the store.
    """
    of_name, turned = bearers_of(batch, names, stored)
    several = {key for key, found in of_name.items() if len(found.marks) > 1}
    return {
        node.record_id
        for node in batch.nodes.values()
        if any(
            key in turned or (key in several and any(True for _ in of_name[key].worth(node)))
            for key in node.alike
        )
    }
