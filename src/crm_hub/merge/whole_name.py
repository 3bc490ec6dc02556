"""The name as people write it, for systems that want one, where only its parts are known. Pure.

Before: three_way, which decided each field. After: planning, which writes it to those systems.
"""

from __future__ import annotations

from collections.abc import Sequence

from crm_hub.merge.golden import MergeMember
from crm_hub.merge.three_way import Decided, Decision, is_copied

NAME = "display_name"
_PARTS = ("given_name", "family_name")


def whole_name(members: Sequence[MergeMember], decided: Decided) -> Decision | None:
    """Return a person's whole name made of its parts; None where somebody says it, or nobody can.

    What the hub itself wrote somewhere is nobody's word, so the name follows its parts until a
    person changes it.
    """
    if any(NAME in m.values and not is_copied(NAME, m) for m in members):
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
