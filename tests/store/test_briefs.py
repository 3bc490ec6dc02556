"""Whose brief is to be looked at, and what lies ahead on a timeline, the same on both databases."""

from __future__ import annotations

from crm_hub.store import EMPTY_GOLDEN, Briefs, Events, Identities, Store, Timelines


def test_who_was_touched_is_due_at_once_and_others_when_their_moment_comes(store: Store) -> None:
    with store.write() as db:
        briefs = Briefs(db)
        briefs.touch([3, 1, 3])
        briefs.looked_at({5: 700, 6: 900, 1: None})
        assert briefs.due(100, 10) == [3]
        assert briefs.due(700, 10) == [3, 5]
        assert briefs.due(700, 1) == [3]
        briefs.touch([6])
        assert set(briefs.due(0, 10)) == {3, 6}
        briefs.looked_at({3: None, 5: None, 6: 800})
        assert briefs.due(799, 10) == []
        assert briefs.due(800, 10) == [6]


def test_all_of_an_entity_are_due_but_those_who_became_others(store: Store) -> None:
    with store.write() as db:
        people = [
            (1, "person", None),
            (2, "organization", None),
            (3, "person", 1),
            (4, "deal", None),
        ]
        rows = [(number, entity, "x", now, EMPTY_GOLDEN, 5, 1) for number, entity, now in people]
        Identities(db).save_identities(rows, [])
        Briefs(db).looked_at({1: 10**15, 9: 10**15})
        Briefs(db).touch_all(["organization", "person"])
        assert sorted(Briefs(db).due(0, 10)) == [1, 2]


def test_what_lies_ahead_comes_in_order_and_what_is_now_does_not(store: Store) -> None:
    with store.write() as db:
        events = Events(db)
        events.save_lines([(n, None, "[]", f"[{n}]") for n in range(1, 6)], [])
        entries = [(7, at, 0, n) for n, at in ((1, 100), (2, 300), (3, 200), (4, 50))]
        events.save_placement([], [], [*entries, (8, 250, 0, 5)])
        found = Timelines(db).coming(7, 100, 10)
        assert [(row.event_id, row.shown) for row in found] == [(3, "[3]"), (2, "[2]")]
        assert len(Timelines(db).coming(7, 0, 3)) == 3
