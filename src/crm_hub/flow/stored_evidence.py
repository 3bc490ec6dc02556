"""What all records of a hub say, for what looks at them as a whole: measuring and training.

With many a second process makes of their texts what is compared, the dearest part of it, while
this one reads the next and counts the last.
"""

from __future__ import annotations

import marshal
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType

from crm_hub.flow.batch import Tools
from crm_hub.flow.evidence_file import EvidenceFile
from crm_hub.flow.helper import Helper, cores
from crm_hub.flow.understanding import MANY
from crm_hub.flow.walk_records import Node, held_node
from crm_hub.model.rules import IdentityRules
from crm_hub.observe import logger
from crm_hub.resolve.evidence import contact_of, evidence, profile_of
from crm_hub.resolve.measured import NOT_MEASURED
from crm_hub.resolve.profile import Contact, Profile, unpacked
from crm_hub.store import Db, Identities, SharedKeys

_BATCH, _AHEAD = 1_000, 2
_PROGRAM = "crm_hub.flow.understanding_process"
_log = logger("flow")


def stored_evidence(
    db: Db, tools: Tools, entity: str, keep: EvidenceFile | None = None
) -> Iterator[list[Profile]]:
    """Yield the profiles of all records of an entity, some at a time, nothing measured in them.

    keep: takes what each says by itself.
    """
    lines = SharedKeys(db)
    for nodes, profiles in _said(db, tools, entity):
        if keep is not None:
            for node, said in zip(nodes, profiles, strict=True):
                keep.add(node.record_id, node.data, said)
        several = lines.kinds({key for node in nodes for key in node.claimed}).keys()
        yield [
            evidence(
                str(node.source), entity, node.values, tools.rules, NOT_MEASURED,
                several & set(node.claimed), said,
            )
            for node, said in zip(nodes, profiles, strict=True)
        ]  # fmt: skip


def _said(db: Db, tools: Tools, entity: str) -> Iterator[tuple[list[Node], list[Profile]]]:
    """Yield all records of an entity with what each says by itself, some at a time."""
    repo, after = Identities(db), 0
    read: deque[list[Node]] = deque()
    with _Makers(entity, tools.rules, repo.count_mapped(entity)) as makers:
        while numbers := repo.mapped_numbers(entity, after, _BATCH):
            nodes = [held_node(held, tools) for held in repo.held(numbers)]
            makers.give([contact_of(str(n.source), entity, n.values) for n in nodes])
            read.append(nodes)
            if len(read) > _AHEAD:
                yield read.popleft(), makers.take()
            after = numbers[-1]
        while read:
            yield read.popleft(), makers.take()


class _Makers:
    """Make profiles of contacts, first given, first taken; use as a context manager.

    count: how many are to come; with many they are made in a second process.
    """

    def __init__(self, entity: str, rules: IdentityRules, count: int) -> None:
        self._entity, self._rules = entity, rules
        self._given: deque[Sequence[Contact]] = deque()
        self._helper: Helper | None = None
        self._is_up = False
        if count >= MANY and cores() > 1:
            try:
                self._helper = Helper(_PROGRAM, (entity, rules))
            except OSError as error:
                _log.warning("no second process to understand records in: %s", error.strerror)

    def __enter__(self) -> _Makers:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if self._helper is not None:
            self._helper.stop()

    def give(self, contacts: Sequence[Contact]) -> None:
        """Begin with some contacts."""
        self._given.append(contacts)
        if self._helper is not None:
            try:
                self._helper.send(marshal.dumps([tuple(one) for one in contacts]))
            except OSError:
                self._lost()

    def take(self) -> list[Profile]:
        """Return the profiles of those that were given first."""
        contacts = self._given.popleft()
        if self._helper is not None:
            try:
                if not self._is_up:
                    self._is_up = bool(self._helper.receive())
                return unpacked(self._helper.receive())
            except OSError:
                self._lost()
        return [profile_of(one, self._entity, self._rules) for one in contacts]

    def _lost(self) -> None:
        _log.warning("the second process that understands records has ended; going on without it")
        if self._helper is not None:
            self._helper.stop()
            self._helper = None
