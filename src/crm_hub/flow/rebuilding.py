"""Deciding anew who everybody is: what is rare is measured, and every component clustered again.

The walk decides each record as it comes, by what was measured last. A rebuild measures, and then
asks the same questions of all records; ids stay by the same rules as always. What came since the
last one was decided by the same measure already, so a rebuild after little change is short.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from crm_hub.flow.batch import Moment
from crm_hub.flow.evidence_file import EvidenceFile
from crm_hub.flow.hub import Hub
from crm_hub.flow.rebuild_due import rules_of, why
from crm_hub.flow.regroup import foresee, regroup
from crm_hub.flow.stored_evidence import stored_evidence
from crm_hub.flow.walk_golden import Settled
from crm_hub.flow.walk_records import Node, held_node, near_of
from crm_hub.model.ids import public_id
from crm_hub.model.values import to_us
from crm_hub.resolve.kinds import KINDS
from crm_hub.resolve.measured import OWN_MODEL, Census, rules_mark
from crm_hub.resolve.near import NearIndex
from crm_hub.resolve.weights import model_file, read_model, settings_of, shipped
from crm_hub.store import Db, Identities, Likeness, Machinery

BATCH = 1_000

Progress = Callable[[str, int, int], None]
_Transaction = Callable[[], AbstractContextManager[Db]]


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did, or would do.

    records: how many there are; compared: how many were looked at again. measured: the entities
    whose values were counted anew. moves: (id that was, id that is now) of records that moved.
    """

    records: int = 0
    compared: int = 0
    measured: list[str] = field(default_factory=list)
    moves: set[tuple[str, str]] = field(default_factory=set)
    moved_records: int = 0
    questions: int = 0


def silent(_step: str, _done: int, _all: int) -> None:
    """Report no progress."""


def preview(hub: Hub, *, full: bool = False, progress: Progress = silent) -> Rebuilt:
    """Return what a rebuild would do; nothing is written, and nobody who writes waits for it."""
    work = _Preview(hub, full, progress)
    with hub.store.trial() as db:
        work.carry_out(lambda: nullcontext(db), lambda: nullcontext(db))
    return work.found


def rebuild(hub: Hub, *, full: bool = False, progress: Progress = silent) -> Rebuilt:
    """Decide anew who everybody is. Each batch is a transaction; stopped, the next run goes on."""
    work = _Rebuild(hub, full, progress)
    work.carry_out(hub.store.read, hub.store.write)
    return work.found


class _Rebuild:
    def __init__(self, hub: Hub, full: bool, progress: Progress) -> None:
        self._hub, self._full, self._progress = hub, full, progress
        self._tools = hub.tools
        self._run_id = 0
        self.found = Rebuilt()

    def carry_out(self, reading: _Transaction, writing: _Transaction) -> None:
        """Measure what is to be measured, and cluster what is due."""
        for entity in KINDS:
            with EvidenceFile(self._hub.folder) as said:
                self._tools = replace(self._tools, said=said.of)
                self._carry_out(entity, said, reading, writing)
        with writing() as db:
            self._end(db)

    def _carry_out(
        self, entity: str, said: EvidenceFile, reading: _Transaction, writing: _Transaction
    ) -> None:
        with reading() as db:
            doc = Likeness(db).measured(entity)
            at_us, kept = Likeness(db).measured_at(entity)
            count = Identities(db).count_mapped(entity)
        self.found.records += count
        everything = self._full or bool(why(self._hub, self._tools.rules, entity, doc, kept, count))
        if everything and count:
            with reading() as db:
                doc = self._measured(db, entity, count, said)
            at_us = to_us(self._hub.now())
            with writing() as db:
                self._keep(db, entity, at_us, doc)
            self.found.measured.append(entity)
            self._find_near(entity, reading, writing)
        with reading() as db:
            numbers = self._numbers(db, entity, None if everything else at_us)
        if everything:  # who is weighed against each other is then read once
            numbers = said.by_name(numbers)
        whole = self._cluster(entity, numbers, writing)
        if everything and count and whole:
            mark = rules_mark(self._tools.rules, KINDS[entity].model)
            with writing() as db:
                self._keep(db, entity, at_us, doc | {"open": False}, mark)

    def _keep(self, db: Db, entity: str, at_us: int, doc: dict[str, Any], kept: str = "") -> None:
        Likeness(db).keep_measured(entity, at_us, doc, kept)

    def _find_near(self, entity: str, reading: _Transaction, writing: _Transaction) -> None:
        """Let records be found by what is near, where they are not yet."""
        for nodes in self._all(entity, reading):
            near = {node.record_id: {*near_of(node, self._tools)} for node in nodes}
            stale = [(k, n.record_id) for n in nodes for k in {*n.near} - near[n.record_id]]
            fresh = [(k, n.record_id) for n in nodes for k in near[n.record_id].difference(n.near)]
            if stale or fresh:
                with writing() as db:
                    Identities(db).swap_keys(stale, fresh)

    def _all(self, entity: str, reading: _Transaction) -> Iterator[list[Node]]:
        """Yield all records of an entity, some at a time."""
        after = 0
        while True:
            with reading() as db:
                repo = Identities(db)
                numbers = repo.mapped_numbers(entity, after, BATCH)
                found = [held_node(held, self._tools) for held in repo.held(numbers)]
            if not numbers:
                return
            yield found
            after = numbers[-1]

    def _end(self, db: Db) -> None:
        self.found.questions = Likeness(db).count_questions()
        if self._run_id:
            counts = {"walked": self.found.compared, "identities": len(self.found.moves)}
            Machinery(db).end_run(self._run_id, to_us(self._hub.now()), "done", "", counts)

    def _measured(self, db: Db, entity: str, count: int, said: EvidenceFile) -> dict[str, Any]:
        census, done, own = Census(), 0, _own_model(self._hub, entity)
        for profiles in stored_evidence(db, self._tools, entity, said):
            for one in profiles:
                census.add(one)
            done += len(profiles)
            self._progress(f"measuring {entity}s", done, count)
        return (
            census.doc()
            | own
            | {"rules": rules_of(self._hub, self._tools.rules, entity), "open": True}
        )

    def _numbers(self, db: Db, entity: str, since_us: int | None) -> list[int]:
        repo = Identities(db)
        if since_us is not None:
            return repo.received_after(entity, since_us)
        return repo.mapped_numbers(entity, 0, 1 << 62)

    def _cluster(self, entity: str, numbers: Sequence[int], writing: _Transaction) -> bool:
        """Cluster these records and all connected with them; tell whether it came to its end."""
        done: set[int] = set()
        for start in range(0, len(numbers), BATCH):
            chunk = [n for n in numbers[start : start + BATCH] if n not in done]
            if chunk:
                with writing() as db:
                    self._note(entity, self._decide(db, chunk), done)
            self.found.compared += len(numbers[start : start + BATCH])
            self._progress(f"comparing {entity}s", start + BATCH, len(numbers))
            if self._hub.stopping():
                return False
        return True

    def _decide(self, db: Db, records: Sequence[int]) -> Settled:
        return regroup(db, self._tools, records, self._moment(db))

    def _moment(self, db: Db) -> Moment:
        now_us = to_us(self._hub.now())
        if not self._run_id:
            self._run_id = Machinery(db).start_run("rebuild", "", now_us)
        return Moment(self._run_id, now_us, None, True)

    def _note(self, entity: str, settled: Settled, done: set[int]) -> None:
        now = {n.record_id: number for number, nodes in settled.members.items() for n in nodes}
        done.update(now)
        for row in settled.moved or ():
            self.found.moved_records += 1
            self.found.moves.add((public_id(entity, row[1]), public_id(entity, now[row[0]])))


class _Preview(_Rebuild):
    """Goes the same way in a trial, and remembers itself what a later batch would find stored."""

    def __init__(self, hub: Hub, full: bool, progress: Progress) -> None:
        super().__init__(hub, full, progress)
        self._answered: set[int] = set()
        self._asked: dict[int, set[tuple[int, int]]] = defaultdict(set)

    def _keep(self, _db: Db, entity: str, at_us: int, doc: dict[str, Any], _kept: str = "") -> None:
        measured = {**self._tools.measured, entity: (at_us, doc)}
        self._tools = replace(self._tools, measured=measured)

    def _find_near(self, entity: str, reading: _Transaction, _writing: _Transaction) -> None:
        near = NearIndex()
        for nodes in self._all(entity, reading):
            for node in nodes:
                near.add(node.record_id, near_of(node, self._tools))
        if entity == "person":
            self._tools = replace(self._tools, near=near.holders)

    def _decide(self, db: Db, records: Sequence[int]) -> Settled:
        moment = Moment(0, to_us(self._hub.now()), None, True)
        settled, questions, seen = foresee(db, self._tools, records, moment)
        self._answered.update(questions.stale)
        for pair in {pair for record in seen for pair in self._asked.pop(record, ())}:
            for record in pair:
                self._asked.get(record, set()).discard(pair)
        for held in questions.fresh:
            for record in (held.pair.a, held.pair.b):
                self._asked[record].add((held.pair.a, held.pair.b))
        return settled

    def _end(self, db: Db) -> None:
        stored = Likeness(db).count_questions()
        self.found.questions = (
            stored - len(self._answered) + len(set().union(*self._asked.values()))
        )


def _own_model(hub: Hub, entity: str) -> dict[str, Any]:
    """Return the weights beside hub.yaml, to be kept with what was measured.

    So the walk goes on by the same weights until the next rebuild, whatever the file says then.
    Raises: ConfigError for a file that is no model.
    """
    kind = KINDS[entity]
    path = model_file(kind.model, hub.mapping_folders)
    if path == shipped(kind.model):
        return {}
    return {OWN_MODEL: settings_of(read_model(path, kind.comparisons))}
