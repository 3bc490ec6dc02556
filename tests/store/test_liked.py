"""Pairs that are one are found by either of their records, and doubted when the rules change."""

from __future__ import annotations

from crm_hub.store import Behind, LikedRow, Likeness, Store

PAIRS = [LikedRow(1, 2, 9_500), LikedRow(7, 1, -1), LikedRow(3, 4, 12_000)]


def test_pairs_are_found_by_either_record_and_swapped_for_others(store: Store) -> None:
    with store.write() as db:
        repo = Likeness(db)
        assert repo.pairs_of([1, 2]) == []
        repo.swap_pairs([], PAIRS)
        assert sorted(repo.pairs_of([1])) == PAIRS[:2]
        assert sorted(repo.pairs_of([2, 7])) == PAIRS[:2]
        assert repo.pairs_of([]) == []
    with store.write() as db:
        heavier = LikedRow(3, 4, 13_000)
        Likeness(db).swap_pairs(PAIRS[1:], [heavier])
    with store.read() as db:
        assert sorted(Likeness(db).pairs_of(range(9))) == [PAIRS[0], heavier]


def test_what_a_page_swaps_is_seen_within_it_while_it_is_written_behind(store: Store) -> None:
    with Behind() as behind:
        with store.write_behind(behind) as db:
            Likeness(db).swap_pairs([], PAIRS)
            assert sorted(Likeness(db).pairs_of([1])) == PAIRS[:2]
        with store.write_behind(behind) as db:
            Likeness(db).swap_pairs(PAIRS[:1], [])
            assert Likeness(db).pairs_of([1]) == PAIRS[1:2]
        store.settled(behind)
    with store.read() as db:
        assert sorted(Likeness(db).pairs_of([1, 3])) == [PAIRS[2], PAIRS[1]]


def test_pairs_that_are_doubted_keep_what_was_measured(store: Store) -> None:
    with store.write() as db:
        repo = Likeness(db)
        assert not repo.holds_measured()
        repo.keep_measured("person", 5, {"records": 2}, "a mark")
        assert repo.measured_at("person") == (5, "a mark")
    with store.write() as db:
        Likeness(db).doubt_pairs("person")
        assert Likeness(db).measured_at("person") == (5, "")
        assert Likeness(db).measured("person") == {"records": 2}
        assert Likeness(db).measured_at("organization") == (0, "")
