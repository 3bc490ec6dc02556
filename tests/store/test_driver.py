"""Statements that go past SQLAlchemy fail as if they had not."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from crm_hub.model.errors import Unavailable
from crm_hub.store import Identities, Store
from crm_hub.store.driver import do


def test_a_driver_s_error_is_told_as_sqlalchemy_tells_it(store: Store) -> None:
    with (
        pytest.raises((DBAPIError, Unavailable), match="nonsense"),
        store.read() as db,
    ):
        do(db.conn, "SELECT nonsense")


def test_a_server_that_went_away_is_told_and_the_next_transaction_is_as_good_as_any(
    store: Store,
) -> None:
    if store.is_sqlite:
        pytest.skip("SQLite is no server")
    with pytest.raises(Unavailable):
        _ask_after_its_server_went_away(store)
    with store.write() as db:
        assert Identities(db).links_of([1]) == {}


def _ask_after_its_server_went_away(store: Store) -> None:
    with store.write() as db:
        (row,) = do(db.conn, "SELECT pg_backend_pid()").fetchall()
        with store.read() as other:
            do(other.conn, "SELECT pg_terminate_backend(%s)", row)
        Identities(db).links_of([1])
