"""A database that refuses says why and what to do; it is never taken for a bug of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from crm_hub.model.errors import ConfigError, Unavailable
from crm_hub.sdk.testing import servers
from crm_hub.store import Store


def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.write_bytes(b"no database at all, but of some length" * 200)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is damaged: file is not a database") as told:
        Store("sqlite:///hub.db", tmp_path).open()
    assert "backup" in told.value.remedy
    assert path.read_bytes() == before


def test_a_page_that_is_damaged_is_told_when_it_is_read(tmp_path: Path) -> None:
    store = Store("sqlite:///hub.db", tmp_path).open()
    store.close()
    with (tmp_path / "hub.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 30)
    broken = Store("sqlite:///hub.db", tmp_path)
    with pytest.raises(ConfigError, match="is damaged"), broken.write() as db:
        db.conn.exec_driver_sql("SELECT * FROM source_record").all()
    broken.close()


@pytest.fixture
def database(postgres_base: str) -> Iterator[str]:
    with servers.postgres_database(postgres_base) as url:
        yield url


def test_a_role_without_rights_is_told_so(database: str, tmp_path: Path) -> None:
    with _role(database) as url:
        with pytest.raises(Unavailable, match="may not use its database: permission denied") as new:
            Store(url, tmp_path).open()
        assert "own the database" in new.value.remedy
        Store(database, tmp_path).open().close()
        with pytest.raises(Unavailable, match="may not use its database: permission denied"):
            Store(url, tmp_path).open()


@contextmanager
def _role(database: str) -> Iterator[str]:
    url = make_url(database)
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE ROLE crm_hub_stranger LOGIN")
        try:
            yield url.set(username="crm_hub_stranger").render_as_string(hide_password=False)
        finally:
            admin.execute("DROP ROLE crm_hub_stranger")


def test_a_database_in_another_encoding_is_refused(database: str, tmp_path: Path) -> None:
    url = make_url(database)
    name = f"{url.database}_ascii"
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0"
            " LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            ascii_url = url.set(database=name).render_as_string(hide_password=False)
            with pytest.raises(ConfigError, match="is in SQL_ASCII") as told:
                Store(ascii_url, tmp_path).open()
            assert "createdb -E UTF8" in told.value.remedy
        finally:
            admin.execute(f"DROP DATABASE {name}")
