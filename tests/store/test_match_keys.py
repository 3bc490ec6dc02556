"""Match keys are found by hash and told apart by text, wherever their entry happens to lie."""

from __future__ import annotations

import pytest

from crm_hub.store import Db, Identities, Likeness, Store, match_keys
from crm_hub.store.match_keys import MatchKeys, entries_of, joined


def _hold(db: Db, held: dict[int, list[str]]) -> None:
    repo = Identities(db)
    repo.save_canonical([(n, "person", None, "{}", joined(keys)) for n, keys in held.items()], [])
    repo.add_keys(entries_of((key, n) for n, keys in held.items() for key in keys))


def test_thousands_of_keys_are_asked_for_at_once(store: Store) -> None:
    with store.write() as db:
        _hold(db, {i: [f"e:{i}@x.example", f"n:name {i}"] for i in range(1, 5001)})
        asked = [f"e:{i}@x.example" for i in range(0, 10_000, 2)]
        assert sorted(Identities(db).holders(asked)) == list(range(2, 5001, 2))
        assert Identities(db).holders([]) == []


def test_two_keys_of_one_hash_are_two_keys(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_keys, "key_hash", lambda _key: 7)
    with store.write() as db:
        _hold(db, {1: ["e:ann@x.example"], 2: ["e:bob@x.example"], 3: ["e:bob@x.example"]})
        repo = Identities(db)
        assert repo.holders(["e:ann@x.example"]) == [1]
        assert repo.holders(["e:bob@x.example", "e:eve@x.example"]) == [2, 3]
        repo.save_identities(
            [(9, "person", "Ann", None, "{}", 1, 1), (8, "person", "Bob", None, "{}", 1, 1)], []
        )
        repo.save_links([(1, 9, 9, "alone", "auto", 1), (2, 8, 8, "alone", "auto", 1)], [])
        assert repo.by_keys(["e:ann@x.example"]) == [("e:ann@x.example", 9, "person", "Ann")]
        repo.drop_records([1])
        assert repo.holders(["e:ann@x.example"]) == []


def test_keys_are_found_and_removed_before_and_after_they_are_merged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_keys, "RECENT", 10)
    with store.write() as db:
        for number in range(1, 36):
            _hold(db, {number: [f"s:crm:id:{number}", "n:ann lee"]})
        repo = Identities(db)
        assert repo.holders(["n:ann lee"]) == list(range(1, 36))
        assert repo.holders(["s:crm:id:1", "s:crm:id:35"]) == [1, 35]
        repo.drop_records([1, 35])
        assert repo.holders(["s:crm:id:1", "s:crm:id:35"]) == []
        assert repo.holders(["n:ann lee"]) == list(range(2, 35))


def test_the_marks_of_names_are_found_and_changed_before_and_after_they_are_merged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_keys, "RECENT", 10)
    with store.write() as db:
        repo, likeness = Identities(db), Likeness(db)
        rows = [(n, "person", None, "{}", "n:ann lee") for n in range(1, 36)]
        repo.save_canonical(rows, [])
        marks = {n: (n % 3, 2**32 - 1, 0) for n in range(1, 35)} | {35: (0, 0, 0)}
        for number, mark in marks.items():
            repo.add_keys(
                entries_of([("n:ann lee", number), (f"e:{number}", number)], {number: mark})
            )
        assert {r: mark for _, r, mark in likeness.named(["n:ann lee"])} == marks
        assert {mark for _, _, mark in likeness.named(["e:7", "e:35"])} == {(0, 0, 0)}
        changed = {n: (9, n, 9) for n in range(1, 30)} | {34: (0, 0, 0), 35: (1, 2, 3)}
        repo.mark_names([("n:ann lee", n) for n in changed], changed)
        assert {r: mark for _, r, mark in likeness.named(["n:ann lee"])} == marks | changed
        assert likeness.named([]) == likeness.named(["n:nobody"]) == []


def test_a_key_given_twice_is_held_once(store: Store) -> None:
    with store.write() as db:
        _hold(db, {1: ["e:ann@x.example"], 2: []})
        keys = MatchKeys(db)
        for _ in range(2):
            keys.give([("s::held:r1", 1), ("s::held:r1", 2), ("s::held:r1", 404)])
        assert keys.holders(["s::held:r1"]) == [("s::held:r1", 1), ("s::held:r1", 2)]
        assert keys.of_records([1, 2]) == [
            ("e:ann@x.example", 1), ("s::held:r1", 1), ("s::held:r1", 2),
        ]  # fmt: skip
        keys.remove([("s::held:r1", 1), ("s::held:r1", 404)])
        assert keys.holders(["s::held:r1"]) == [("s::held:r1", 2)]
        assert keys.of_records([1]) == [("e:ann@x.example", 1)]
