"""Conflicts: an edit that had to give way is never lost in silence.

Open: nobody can know which value is right, and neither is written. Decided: a rule or a stamp
chose, and the other value will be written over. Both are shown by `crm-hub conflicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_hub.flow.batch import MANY, Moment, TwoWay
from crm_hub.flow.first_meetings import clash_doc, unseen
from crm_hub.flow.gone_elsewhere import concerned, news
from crm_hub.merge.three_way import Edit
from crm_hub.model.states import same
from crm_hub.store import ConflictRow, Db, Outbox, WriteRow

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject
    from crm_hub.flow.tracking import Lost

EVERYTHING = "(record)"
"""Stands for the field where a conflict is about a whole record."""


def log_clashes(
    db: Db,
    two_way: TwoWay,
    subjects: Sequence[Subject],
    edits: Sequence[Edit],
    lost: Mapping[int, Sequence[Lost]],
    moment: Moment,
) -> None:
    """Store the conflicts that the subjects have now, and close those they no longer have."""
    repo = Outbox(db)
    stored: dict[int, dict[str, ConflictRow]] = {}
    known: dict[int, list[ConflictRow]] = {}
    for row in repo.conflicts_of([s.identity_id for s in subjects]):
        known.setdefault(row.identity_id, []).append(row)
        if row.state == "open":
            stored.setdefault(row.identity_id, {})[row.field] = row
    edits_of: dict[int, list[Edit]] = {}
    for edit in edits:
        edits_of.setdefault(edit.record_id, []).append(edit)
    new: list[ConflictRow] = []
    moved: list[ConflictRow] = []
    over: list[int] = []
    for subject in subjects:
        wanted = {**_undecided(subject, two_way), **_loops(subject)}
        had = stored.get(subject.identity_id, {})
        new += [
            _row(subject, name, "open", doc, moment)
            for name, doc in wanted.items()
            if name not in had
        ]
        moved += [
            had[name]._replace(doc=doc)
            for name, doc in wanted.items()
            if name in had and had[name].doc != doc
        ]
        over += [row.id for name, row in had.items() if name not in wanted]
        mine = [e for m in subject.members for e in edits_of.get(m.record_id, ())]
        overruled = _overruled(subject, two_way, mine)
        told = known.get(subject.identity_id, ())
        overruled += unseen(repo, subject, mine, [*told, *_rows(subject, overruled, moment)])
        new += _rows(subject, [o for o in overruled if o[0] not in wanted], moment)
        new += _outlived(subject, two_way, lost.get(subject.identity_id, ()), edits, moment)
    repo.add_conflicts(new)
    repo.save_conflicts(moved)
    repo.close_conflicts(over, "decided")


def _rows(
    subject: Subject, found: Iterable[tuple[str, dict[str, Any]]], moment: Moment
) -> list[ConflictRow]:
    return [_row(subject, name, "decided", doc, moment) for name, doc in found]


def _row(
    subject: Subject, name: str, state: str, doc: dict[str, Any], moment: Moment
) -> ConflictRow:
    return ConflictRow(0, subject.identity_id, name, state, doc, moment.run_id, moment.now_us)


def _writable(subject: Subject, two_way: TwoWay, name: str) -> set[int]:
    """Return the records in which the hub would write this field."""
    return {
        member.record_id
        for member, route in subject.targets(two_way)
        if name in route.section.fields and "upsert" in route.ability.write
    }


def _undecided(subject: Subject, two_way: TwoWay) -> dict[str, dict[str, Any]]:
    found = {}
    for name, decision in subject.decided.fields.items():
        if decision.open and _writable(subject, two_way, name):
            values = {str(m.record_id): m.values.get(name) for m in subject.members}
            found[name] = {
                "why": "different values, and neither is certainly newer",
                "kept": decision.value,
                "values": {r: v for r, v in values.items() if v is not None},
            }
    return found


def _loops(subject: Subject) -> dict[str, dict[str, Any]]:
    found = {}
    for record_id, name in subject.drafts.loops:
        held = {m.record_id: m.values.get(name) for m in subject.members}
        found[name] = {
            "why": "the far side keeps putting its own value back; the hub has stopped writing it",
            "kept": subject.decided.fields[name].value,
            "values": {str(r): v for r, v in held.items() if v is not None},
            "looping": record_id,
        }
    return found


def _overruled(
    subject: Subject, two_way: TwoWay, edits: Iterable[Edit]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the edits that lose, and those values that an edit replaces unseen."""
    found = []
    for edit in edits:
        if edit.field in MANY[subject.entity]:
            continue
        writable = _writable(subject, two_way, edit.field)
        decision = subject.decided.fields.get(edit.field)
        kept = None if decision is None else decision.value
        if not same(kept, edit.after) and edit.record_id in writable:
            why = "another value wins" if edit.kept else "a blank erases nothing here"
            found.append((edit.field, clash_doc(why, kept, edit.after, edit.record_id)))
        for other in subject.members:
            value = other.values.get(edit.field)
            if other.record_id == edit.record_id or value is None or same(value, kept):
                continue
            if other.record_id in writable and not same(value, edit.before):
                why = "replaced by an edit made without knowledge of it"
                found.append((edit.field, clash_doc(why, kept, value, other.record_id)))
    return found


def outlived_later(row: WriteRow, moment: Moment) -> ConflictRow:
    """Return what is said when an edit is seen after a deletion was planned, and takes it back."""
    cause = row.doc["fields"]["values"]["cause"]
    why = f"deleted in {cause}, but edited here meanwhile"
    doc = {"why": why, "kept": None, "lost": None, "lost_record": row.record_id}
    return ConflictRow(0, row.identity_id, EVERYTHING, "decided", doc, moment.run_id, moment.now_us)


def _outlived(
    subject: Subject,
    two_way: TwoWay,
    lost: Sequence[Lost],
    edits: Sequence[Edit],
    moment: Moment,
) -> list[ConflictRow]:
    """An edit beats a delete: the record lives on, and that is said."""
    found = []
    for gone, member, route in concerned(subject, two_way, lost):
        if fields := news(member, gone, route, two_way, edits):
            why = f"deleted in {gone.source}, but {', '.join(sorted(fields))} differ here"
            doc = {"why": why, "kept": None, "lost": None, "lost_record": gone.record_id}
            found.append(_row(subject, EVERYTHING, "decided", doc, moment))
    return found
