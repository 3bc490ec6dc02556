"""What a delete in one system takes with it in the others, and what stands against it.

A part of step 7. Before: tracking, which says what is gone. After: planning, clashes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from crm_hub.flow.batch import TwoWay
from crm_hub.merge import NAME, MergeMember, is_of_parts
from crm_hub.merge.three_way import Edit
from crm_hub.model.routes import Route
from crm_hub.outbox import taking_away

if TYPE_CHECKING:
    from crm_hub.flow.planning import Subject
    from crm_hub.flow.tracking import Lost


def lost_of(lost: Sequence[Lost], two_way: TwoWay) -> dict[int, list[Lost]]:
    """Return the deletes that concern others, by identity."""
    found: dict[int, list[Lost]] = defaultdict(list)
    for one in lost:
        if one.propagates:
            found[one.identity_id].append(one)
    return found


def doomed_by(
    subject: Subject, two_way: TwoWay, lost: Sequence[Lost], edits: Sequence[Edit]
) -> dict[int, str]:
    """Return the records that a delete elsewhere takes with it, those with nothing new to say.

    With each, the record that was deleted.
    """
    return {
        member.record_id: str(gone.source)
        for gone, member, route in concerned(subject, two_way, lost)
        if not news(member, gone, route, two_way, edits)
    }


def concerned(
    subject: Subject, two_way: TwoWay, lost: Sequence[Lost]
) -> Iterator[tuple[Lost, MergeMember, Route]]:
    """Yield the records that a delete elsewhere may take with it.

    Where another record of the same stream stands for the subject, only a double was deleted.
    """
    there = {(s.connection, s.stream) for s in subject.sources.values()}
    for gone in lost:
        if (gone.source.connection, gone.source.stream) in there:
            continue
        for member, route in subject.targets(two_way):
            if route.section.delete in taking_away.TAKE_AWAY:
                yield gone, member, route


def news(
    member: MergeMember, gone: Lost, route: Route, two_way: TwoWay, edits: Sequence[Edit]
) -> list[str]:
    """Return the fields in which a record says something that the deleted one did not.

    What the deleted one could not hold is no news, nor what it had replaced by a later value that
    only did not reach the record. edits: those just read, which always count.
    """
    there = two_way.routes.get((gone.source.connection, gone.source.stream))
    held = gone.values if there is None else there.section.fields
    known = [name for name in route.section.fields if name in held]
    found = taking_away.is_news(member.values, gone.values, known, there)
    fresh = {edit.field for edit in edits if edit.record_id == member.record_id}
    return [
        name
        for name in found
        if name in fresh
        or not (_had_replaced(gone, member, name) or _is_made_anew(gone, member, name))
    ]


def _is_made_anew(gone: Lost, member: MergeMember, name: str) -> bool:
    """Whether a member's whole name is just its parts, and the deleted one's but for its case.

    The hub makes such a name of the parts, and may not have carried it to the deleted one yet.
    """
    if name != NAME or not is_of_parts(member.values):
        return False
    return str(gone.values.get(name, "")).casefold() == str(member.values[name]).casefold()


def _had_replaced(gone: Lost, member: MergeMember, name: str) -> bool:
    """Whether a deleted record's value, not a list, was certainly later than a member's."""
    if isinstance(member.values[name], list) or name not in gone.values:
        return False
    entry = member.states.get(name)
    mine = member.changed_at_us if entry is None else entry.stamp
    theirs = gone.stamps.get(name)
    return mine is not None and theirs is not None and theirs > mine
