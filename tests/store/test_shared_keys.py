"""Keys of several people and of crowds: what a transaction is told and remembers."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from crm_hub.store import CROWDED, SEVERAL, SharedKeys, Store
from crm_hub.store import db as db_module
from crm_hub.store.driver import do
from crm_hub.store.postgres import array

ODD = ['p:+1"2', "e:a\\b", "e:{x,y}", "e:", "e:\x1f", "e:NULL", "e:Zoë"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The list to which each statement on shared keys is added."""
    seen: list[str] = []

    def note(conn: Connection, sql: str, *values: Any, **more: Any) -> Any:
        if "FROM shared_key" in sql and "EXISTS" not in sql:
            seen.append(sql)
        return do(conn, sql, *values, **more)

    monkeypatch.setattr(db_module, "do", note)
    return seen


def test_a_key_keeps_its_kind_until_it_is_forgotten(store: Store) -> None:
    with store.write() as db:
        shared = SharedKeys(db)
        assert shared.kinds(ODD) == {}
        shared.save(SEVERAL, {ODD[0]: 2})
        shared.save(CROWDED, dict.fromkeys(ODD[1:], 30))
        assert shared.of_kind(SEVERAL, ODD) == {ODD[0]}
    with store.write() as db:
        shared = SharedKeys(db)
        assert shared.kinds([*ODD, "e:other"]) == {ODD[0]: SEVERAL} | dict.fromkeys(
            ODD[1:], CROWDED
        )
        shared.save(CROWDED, {ODD[0]: 40})
        shared.forget(ODD[1:])
        assert SharedKeys(db).kinds(ODD) == {ODD[0]: CROWDED}
    with store.read() as db:
        assert SharedKeys(db).kinds(ODD) == {ODD[0]: CROWDED}


def test_a_transaction_asks_once_for_a_key_and_not_at_all_where_none_is_shared(
    store: Store, asked: list[str]
) -> None:
    with store.write() as db:
        assert SharedKeys(db).kinds(ODD) == {}
        SharedKeys(db).save(SEVERAL, {ODD[0]: 2})
    assert asked == []
    with store.write() as db:
        for _ in range(3):
            assert SharedKeys(db).kinds(ODD) == {ODD[0]: SEVERAL}
        assert SharedKeys(db).kinds([*ODD, "e:other"]) == {ODD[0]: SEVERAL}
    assert len(asked) == 2


def test_numbers_and_texts_are_arrays_of_their_own() -> None:
    assert array([3, -4]) == "{3,-4}"
    assert array(['a"', "b\\"]) == '{"a\\"","b\\\\"}'
    assert array(["a\x1fb", "c"]) == '{"a\x1fb","c"}'
