"""Values that a write replaces though no edit was made with knowledge of them.

Nobody edits anything where records meet for the first time: at the first plan, when a field
becomes writable, when two identities are joined. Before: planning. After: clashes, which logs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_hub.flow.batch import MANY
from crm_hub.merge.three_way import Edit
from crm_hub.model.states import mark
from crm_hub.store import ConflictRow, Outbox

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject

_WHY = "the records differed when the hub first compared them"


def unseen(
    repo: Outbox,
    subject: Subject,
    edits: Sequence[Edit],
    known: Iterable[ConflictRow],
) -> list[tuple[str, dict[str, Any]]]:
    """Return (field, what to log) of the values that nobody has been told of.

    Left out is what the hub wrote itself, what an edit replaced knowingly, what is logged, and
    what an earlier write of the same lane was to replace already.
    """
    told = {(c.field, mark(v)) for c in known for v in _values(c.doc)}
    told |= {(e.field, mark(e.before)) for e in edits}
    found = [one for one in _replaced(subject) if (one[1], mark(one[2]["was"])) not in told]
    had = {
        (row.lane, name, mark(change.get("was")))
        for row in repo.of_lanes({lane for lane, _, _ in found})
        for name, change in row.doc["fields"].items()
    }
    found = [one for one in found if (one[0], one[1], mark(one[2]["was"])) not in had]
    records = {d.lane: d.record_id or 0 for d in subject.drafts.writes}
    return [
        (name, clash_doc(_WHY, change["to"], change["was"], records[lane]))
        for lane, name, change in found
    ]


def _replaced(subject: Subject) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (lane, field, change) of the values that somebody else than the hub has set."""
    states = {m.record_id: m.states for m in subject.members}
    found = []
    for draft in subject.drafts.writes:
        if draft.kind != "update" or draft.record_id is None:
            continue
        for name, change in draft.fields.items():
            state = states[draft.record_id].get(name)
            is_ours = state is not None and state.copied
            if name not in MANY[subject.entity] and change["was"] is not None and not is_ours:
                found.append((draft.lane, name, change))
    return found


def _values(doc: Mapping[str, Any]) -> list[Any]:
    return [doc.get("lost"), *doc.get("values", {}).values()]


def clash_doc(why: str, kept: Any, lost: Any, record_id: int) -> dict[str, Any]:
    return {"why": why, "kept": kept, "lost": lost, "lost_record": record_id}
