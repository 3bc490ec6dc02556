"""Pages that come fast go together, in order, and none is lost when the pages end badly."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from crm_hub.flow import together as module
from crm_hub.flow.together import together
from crm_hub.model.errors import Unavailable
from crm_hub.model.records import Change, Page, Reject

REJECT = Reject("r", "line 9", "odd", "mend it")


def _page(first: int, count: int = 10, **more: object) -> Page:
    changes = [Change(str(n), {"n": n}) for n in range(first, first + count)]
    return Page(changes, {"next": first + count}, **more)  # type: ignore[arg-type]


def _keys(pages: list[Page]) -> list[list[int]]:
    return [[int(one.id) for one in page.changes] for page in pages]


def test_fast_pages_go_together_up_to_enough_with_the_last_checkpoint() -> None:
    told = [_page(0), _page(10, rejects=[REJECT]), _page(20), _page(30), _page(40)]
    found = list(together(told, lambda: True, 30))
    assert _keys(found) == [list(range(30)), list(range(30, 50))]
    assert [page.checkpoint for page in found] == [{"next": 30}, {"next": 50}]
    assert [page.rejects for page in found] == [[REJECT], []]


def test_a_page_without_a_checkpoint_leaves_that_of_the_one_before() -> None:
    told = [_page(0), Page([Change("10", {})], None)]
    (found,) = together(told, lambda: True, 30)
    assert found.checkpoint == {"next": 10}


def test_a_short_read_and_a_slow_source_are_taken_page_by_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = [_page(0), _page(10), _page(20)]
    assert list(together(told, lambda: False, 30)) == told
    monkeypatch.setattr(module, "_FAST_S", 0.01)

    def slow() -> Iterator[Page]:
        for page in told:
            time.sleep(0.02)
            yield page

    assert list(together(slow(), lambda: True, 30)) == told


def test_deletes_and_the_end_of_a_snapshot_stay_by_themselves() -> None:
    gone = Page([Change("3", None)], {"next": 4})
    last = _page(20, complete=True)
    told = [_page(0), gone, _page(10), last, _page(30)]
    assert list(together(told, lambda: True, 30)) == told


def test_what_came_before_an_error_comes_before_it() -> None:
    def broken() -> Iterator[Page]:
        yield _page(0)
        yield _page(10)
        raise Unavailable("the answer was cut")

    seen: list[Page] = []
    with pytest.raises(Unavailable, match="was cut"):
        seen.extend(together(broken(), lambda: True, 30))
    assert _keys(seen) == [list(range(20))]
