"""Who of many that bear one name is worth comparing: the same few, found without asking all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.flow import walk_names
from crm_hub.flow.walk_names import Namesakes
from crm_hub.resolve.marks import Mark, worth_comparing

_PART = st.integers(0, 5)
_MARK = st.builds(Mark, _PART, _PART, _PART)


@pytest.mark.parametrize("crowd", [3, 60])
@given(marks=st.lists(_MARK, min_size=1, max_size=40), mark=_MARK)
def test_the_same_are_found_as_by_asking_each(crowd: int, marks: list[Mark], mark: Mark) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_names, "CROWD", crowd)
        bearers = Namesakes("n:ann lee")
    bearers.marks = dict(enumerate(marks))
    asked: Any = SimpleNamespace(record_id=0, mark=mark)
    crowded = len(marks) > crowd
    common = {p for p in range(1, 6) if sum(p in m for m in marks) > crowd} if crowded else set()
    told = Mark(*(0 if part in common else part for part in mark))
    expected = {r for r, m in enumerate(marks) if r and worth_comparing(told, m, crowded=crowded)}
    assert set(bearers.worth(asked)) == expected


@given(before=st.lists(_MARK, max_size=12), after=st.lists(_MARK, max_size=12))
def test_whoever_is_compared_with_others_than_before_is_looked_at_anew(
    before: list[Mark], after: list[Mark]
) -> None:
    def compared(marks: list[Mark]) -> dict[int, set[int]]:
        bearers = Namesakes("n:ann lee")
        bearers.marks = dict(enumerate(marks))
        asked: Any = [SimpleNamespace(record_id=r, mark=m) for r, m in enumerate(marks)]
        return {one.record_id: set(bearers.worth(one)) for one in asked}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_names, "CROWD", 3)
        bearers = Namesakes("n:ann lee")
        bearers.marks = dict(enumerate(after))
        bearers.turn(dict(enumerate(before)))
        was, now = compared(before), compared(after)
        same = {r for r, mark in enumerate(after) if r < len(before) and before[r] == mark}
        for record in same:
            if was[record] & same != now[record] & same:
                assert record in bearers.turned
