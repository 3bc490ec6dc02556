"""What lands: news once, older versions never, odd values made storable."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from crm_hub.landing import Known, compare, fold
from crm_hub.model.records import Change
from crm_hub.model.values import to_us


def _at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def _land(changes, known=None):
    latest, landing = fold(changes)
    return compare(latest, known or {}, landing)


def _known(change: Change, number: int = 7) -> dict[str, Known]:
    (arrival,) = _land([change]).new
    return {arrival.key: (number, arrival.hash, arrival.changed_at_us)}


def test_the_same_payload_lands_once_whatever_the_order_of_its_keys():
    known = _known(Change("a", {"x": 1, "y": 2}))
    landing = _land([Change("a", {"y": 2, "x": 1})], known)
    assert (landing.unchanged, landing.new, landing.changed) == (1, [], [])
    assert landing.seen_ids == [7]


def test_an_older_version_never_replaces_a_newer_one():
    known = _known(Change("a", {"x": 1}, _at(5)))
    assert _land([Change("a", {"x": 0}, _at(4))], known).stale == 1
    assert len(_land([Change("a", {"x": 0}, _at(5))], known).changed) == 1


def test_of_two_changes_in_a_page_the_later_counts_unless_it_is_older():
    landing = _land([Change("a", {"x": 1}, _at(3)), Change("a", {"x": 2}, _at(2))])
    assert [orjson.loads(a.text) for a in landing.new] == [{"x": 1}]
    landing = _land([Change("a", {"x": 1}), Change("a", {"x": 2})])
    assert [orjson.loads(a.text) for a in landing.new] == [{"x": 2}]
    assert landing.repeats == 1
    assert landing.shared == ["a"]
    assert _land([Change("a", {"x": 1}), Change("a", {"x": 1})]).shared == []


def test_a_stream_grows_by_what_is_new_or_back_and_shrinks_by_what_is_gone():
    assert _land([Change("a", {"x": 1}), Change("b", {"x": 1})]).growth == 2
    here = _known(Change("a", {"x": 1}))
    assert _land([Change("a", {"x": 2})], here).growth == 0
    assert _land([Change("a", None)], here).growth == -1
    gone = {key: (number, b"", at) for key, (number, _, at) in here.items()}
    assert _land([Change("a", {"x": 1})], gone).growth == 1
    assert _land([Change("a", None)], gone).growth == 0


def test_a_tombstone_of_an_unknown_record_needs_nothing():
    assert _land([Change("a", None)]).unchanged == 1


def test_a_tombstone_lands_once():
    known = _known(Change("a", {"x": 1}))
    (gone,) = _land([Change("a", None)], known).changed
    assert gone.deleted
    assert _land([Change("a", None)], {"a": (7, gone.hash, None)}).unchanged == 1


def test_a_deleted_record_that_is_put_back_from_an_old_copy_is_there_again():
    deleted = {"a": (7, b"", to_us(_at(5)))}
    (back,) = _land([Change("a", {"x": 0}, _at(4))], deleted).changed
    assert (back.id, back.deleted) == (7, False)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\x00b", "ab"),
        ("a\ud83d b", "a� b"),
        (float("nan"), None),
        (float("inf"), None),
        (2**63, str(2**63)),
        (-(2**70), str(-(2**70))),
    ],
)
def test_values_that_stores_disagree_on_are_settled_before_storing(value, stored):
    (arrival,) = _land([Change("a", {"x": value})]).new
    assert orjson.loads(arrival.text) == {"x": stored}


def test_what_cannot_be_stored_is_set_aside_and_the_rest_goes_on():
    deep: dict = {}
    for _ in range(100):
        deep = {"d": deep}
    changes = [
        Change("", {"x": 1}),
        Change("deep", {"d": deep, "n": "\x00"}),
        Change("big", {"x": "y" * 9_000_000}),
        Change("naive", {"x": 1}, datetime(2026, 1, 1)),
        Change("good", {"x": 1}),
    ]
    landing = _land(changes)
    assert [a.key for a in landing.new] == ["good"]
    assert len(landing.rejects) == 4
    assert all(r.reason and r.remedy for r in landing.rejects)


def test_a_very_long_id_is_shortened_to_a_key_of_its_own():
    keys = [a.key for a in _land([Change("k" * 5000 + x, {"x": 1}) for x in "ab"]).new]
    assert len(set(keys)) == 2
    assert max(map(len, keys)) <= 400
