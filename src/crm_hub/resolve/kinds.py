"""The two kinds of things that are resolved, each with its comparisons, keys and clashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from crm_hub.resolve.blocking import firm_keys, keys
from crm_hub.resolve.decide import clash, firm_clash, mark_contested, only_a_line
from crm_hub.resolve.firm_levels import ORGANIZATION
from crm_hub.resolve.ladder import Comparison
from crm_hub.resolve.levels import PERSON
from crm_hub.resolve.profile import Profile


class Kind(NamedTuple):
    """model: the file of its weights. contested: marks the profiles whose name several have.

    name: the whole name by which two of the kind are rivals. names: how many of the comparisons,
    the first ones, are of the name. nameless: whether two records that have no name to compare
    share too little to be one.
    """

    entity: str
    model: str
    comparisons: tuple[Comparison, ...]
    keys: Callable[[Profile], list[str]]
    clash: Callable[[Profile, Profile, bool], str]
    contested: Callable[[Sequence[Profile], bool], None]
    name: Callable[[Profile], tuple[str, str] | None]
    names: int
    nameless: Callable[[Profile, Profile], bool]


def _whole_name(one: Profile) -> tuple[str, str] | None:
    return (one.given, one.family) if one.given and one.family else None


PEOPLE = Kind(
    "person",
    "identity_model.json",
    PERSON,
    keys,
    clash,
    mark_contested,
    _whole_name,
    2,
    only_a_line,
)
FIRMS = Kind(
    "organization",
    "organization_model.json",
    ORGANIZATION,
    firm_keys,
    firm_clash,
    lambda _profiles, _strict: None,
    lambda one: ("", one.company) if one.company else None,
    1,
    lambda _a, _b: False,
)
KINDS = {kind.entity: kind for kind in (PEOPLE, FIRMS)}
