"""Why a golden value is what it is: the winner, the rule, and every value that lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from crm_hub.merge.golden import FieldRules, MergeMember, golden, rank
from crm_hub.merge.three_way import decide, ranked, stamp_of
from crm_hub.model.rules import LATEST, UNION, Win


class Candidate(NamedTuple):
    """One member's value for a field."""

    record_id: int
    value: Any
    changed_at_us: int | None


class FieldStory(NamedTuple):
    """A golden field: its value, the rule that chose it, the winner first among candidates."""

    field: str
    value: Any
    rule: str
    candidates: list[Candidate]


def explain(
    members: Sequence[MergeMember], rules: FieldRules, many: frozenset[str]
) -> list[FieldStory]:
    """Return the story of every field of the golden record, by field name."""
    stamped = len(members) > 1 and any(m.states for m in members)
    made = decide(members, rules, many).golden() if stamped else golden(members, rules, many)
    values = made.values
    stories = []
    for name in sorted(values):
        rule = rules.get(name, LATEST)
        order = ranked(name, members, rule) if stamped else rank(name, members, rule)
        candidates = [Candidate(m.record_id, m.values[name], stamp_of(m, name)) for m in order]
        stories.append(
            FieldStory(name, values[name], rule_text(UNION if name in many else rule), candidates)
        )
    return stories


def rule_text(rule: Win) -> str:
    """Return a rule in the words an admin knows from the mapping file."""
    return f"{rule.strategy}: {' > '.join(rule.order)}" if rule.order else rule.strategy
