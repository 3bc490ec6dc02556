"""Who of the store bears the names of a batch, or is near them, and is worth comparing.

Part of step 4, for walk_alike and walk_newcomers. A name that too many bear is a crowd's, and so is
a place or firm of that name; where a batch makes it one, or no longer one, all whom that concerns
are looked at anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from crm_hub.flow.walk_lookup import Bears
from crm_hub.flow.walk_records import Batch, Node
from crm_hub.resolve.marks import CROWD, SILENT, Numbers, worth_comparing
from crm_hub.resolve.near import NEAR, NEAR_CROWD


class Namesakes:
    """All who bear a name, or hold what is near one. marks: record → where and for whom it is;
    nodes: those of the batch.

    A place or firm that more than a crowd of them share tells them apart no better than the name.
    turned: those to be looked at anew, since their name or place became a crowd's, or no longer is.
    """

    __slots__ = ("_agreeing", "_is_near", "_most", "marks", "nodes", "turned")

    def __init__(self, key: str) -> None:
        self.marks: dict[int, Numbers] = {}
        self.nodes: list[Node] = []
        self.turned: set[int] = set()
        self._is_near = key[:2] == NEAR
        self._most = NEAR_CROWD if self._is_near else CROWD
        self._agreeing: dict[int, list[int]] | None = None

    def is_crowd(self, count: int) -> bool:
        """Tell whether so many bearers are a crowd."""
        return count > self._most

    def meets(self, node: Node) -> bool:
        """Tell whether somebody is worth comparing with a node."""
        if self._is_near or self.is_crowd(len(self.marks)):
            return any(True for _ in self.worth(node))
        number, mark = node.record_id, node.mark
        for record, other in self.marks.items():
            if record != number and worth_comparing(mark, other):
                return True
        return False

    def worth(self, node: Node) -> Iterable[int]:
        """Return those who are worth comparing with a node."""
        crowded = self.is_crowd(len(self.marks))
        if self._is_near:
            return () if crowded else self.marks.keys() - {node.record_id}
        others = self._agree(node.mark) if crowded else self.marks
        mark = self._telling(node.mark) if crowded else node.mark
        return (
            record for record in others
            if record != node.record_id
            and worth_comparing(mark, self.marks[record], crowded=crowded)
        )  # fmt: skip

    def turn(self, before: Mapping[int, Numbers]) -> None:
        """Find who is to be looked at anew. before: who bore the name before the batch."""
        if self.is_crowd(len(before)) != self.is_crowd(len(self.marks)):
            self.turned = {*self.marks}
        elif self.is_crowd(len(self.marks)) and not self._is_near:
            was, now = _by_part(before), self._by_part()
            turned = {
                part for part in was.keys() | now.keys()
                if self.is_crowd(len(was.get(part, ()))) != self.is_crowd(len(now.get(part, ())))
            }  # fmt: skip
            self.turned = {record for part in turned for record in now.get(part, ())}

    def _agree(self, mark: Numbers) -> set[int]:
        """Return the bearers who share a telling place, firm or domain."""
        agreeing = self._by_part()
        return {
            record for part in {*self._telling(mark)} - {0} for record in agreeing.get(part, ())
        }

    def _telling(self, mark: Numbers) -> Numbers:
        """Return a mark without what a crowd shares."""
        agreeing = self._by_part()
        place, firm, domain = (
            0 if self.is_crowd(len(agreeing.get(part, ()))) else part for part in mark
        )
        return place, firm, domain

    def _by_part(self) -> dict[int, list[int]]:
        if self._agreeing is None:
            self._agreeing = _by_part(self.marks)
        return self._agreeing


def _by_part(marks: Mapping[int, Numbers]) -> dict[int, list[int]]:
    """Return place, firm or domain → who has it."""
    found = defaultdict(list)
    for record, mark in marks.items():
        for part in {*mark} - {0}:
            found[part].append(record)
    return found


def namesakes_of(batch: Batch, names: set[str], stored: Iterable[Bears]) -> dict[str, Namesakes]:
    """Return who bears each of these names, those to be looked at anew marked.

    names: keys of names and of what is near. stored: what the store holds of them.
    """
    of_name = {key: Namesakes(key) for key in names}
    for key, record, mark in stored:
        of_name[key].marks[record] = mark
    gone: dict[str, list[int]] = defaultdict(list)
    for key, record in batch.names_gone:
        gone[key].append(record)
    for node in batch.nodes.values():
        for key in node.alike:
            if key in of_name:
                of_name[key].nodes.append(node)
    had = batch.marks_before
    for key, found in of_name.items():
        before = found.marks
        found.marks = before | {node.record_id: node.mark for node in found.nodes}
        # Where nobody has gone and no crowd has come, there was none before.
        if key in gone or found.is_crowd(len(found.marks)):
            before = {record: had.get(record, mark) for record, mark in before.items()}
            found.turn(before | {record: had.get(record, SILENT) for record in gone.get(key, ())})
    return of_name


def of_a_name(batch: Batch, names: set[str], stored: Iterable[Bears]) -> set[int]:
    """Return the nodes that meet somebody of their name, or whose name becomes a crowd's.

    names: keys of names and of what is near. stored: the records that have them in the store.
    """
    return {
        node.record_id
        for found in namesakes_of(batch, names, stored).values()
        if len(found.marks) > 1 or found.turned
        for node in found.nodes
        if node.record_id in found.turned or found.meets(node)
    }
