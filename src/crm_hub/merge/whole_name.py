"""The name as people write it, for systems that want one, where only its parts are known. Pure.

Before: three_way, which decided each field. After: planning, which writes it to those systems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_hub.merge.golden import MergeMember
from crm_hub.merge.three_way import Decided, Decision, is_copied

NAME = "display_name"
_PARTS = ("given_name", "family_name")


def whole_name(members: Sequence[MergeMember], decided: Decided) -> Decision | None:
    """Return a person's whole name made of its parts; None where somebody says it, or nobody can.

    What the hub itself wrote somewhere is nobody's word, nor is a name that is just the parts of
    its own record: such a name follows the parts until a person changes it.
    """
    if any(_says(m) for m in members):
        return None
    found = [decided.fields.get(part) for part in _PARTS]
    parts = [one for one in found if one is not None and one.value]
    if not parts:
        return None
    stamps = [one.stamp for one in parts if one.stamp is not None]
    return Decision(
        " ".join(str(one.value) for one in parts), max(stamps, default=None), {},
        parts[0].origin, any(one.open for one in parts),
    )  # fmt: skip


def _says(member: MergeMember) -> bool:
    """Whether a member has a whole name of its own."""
    is_own = member.values.get(NAME) is not None and not is_of_parts(member.values)
    return is_own and not is_copied(NAME, member)


def is_of_parts(values: Mapping[str, Any]) -> bool:
    """Whether a record's whole name is just its parts, in whatever case."""
    parts = " ".join(str(values[part]) for part in _PARTS if values.get(part))
    return str(values.get(NAME, "")).casefold() == parts.casefold()
