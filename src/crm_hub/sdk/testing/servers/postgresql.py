"""A PostgreSQL for tests: the one that runs here, or a cluster of our own."""

from __future__ import annotations

import getpass
import glob
import importlib
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from crm_hub.sdk.testing.servers.process import (
    NOBODY,
    Unobtainable,
    free_port,
    running,
    unprivileged,
)


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the URL of a PostgreSQL server where databases may be created.

    Tries, in this order: CRM_HUB_TEST_POSTGRES, 127.0.0.1:5432 (database `test`), a cluster of
    our own from an installed PostgreSQL.
    Raises: Unobtainable.
    """
    given = os.environ.get("CRM_HUB_TEST_POSTGRES", "")
    if given:
        if problem := _problem(given):
            raise Unobtainable(f"CRM_HUB_TEST_POSTGRES is set but of no use: {problem}")
        yield given
        return
    for user in dict.fromkeys(("postgres", getpass.getuser())):
        local = f"postgresql://{user}@127.0.0.1:5432/test"
        if not _problem(local):
            yield local
            return
    with _own_cluster(_programs()) as own:
        yield own


@contextmanager
def postgres_database(base: str) -> Iterator[str]:
    """Yield the URL of a new, empty database on the server of `base`; it is dropped afterwards."""
    name = f"crm_hub_test_{uuid.uuid4().hex[:16]}"
    _execute(base, f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(base)._replace(path=f"/{name}"))
    finally:
        _execute(base, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _execute(url: str, statement: str) -> None:
    with _driver().connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


def _driver() -> Any:
    # By name: the sdk does not depend on a database driver; only tests on PostgreSQL need one.
    return importlib.import_module("psycopg")


def _problem(url: str) -> str:
    """Return why no database can be created at `url`; "" when one can."""
    try:
        psycopg = _driver()
    except ImportError:
        return "psycopg is not installed (pip install 'psycopg[binary]')"
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error as exc:
        return str(exc).splitlines()[0]
    return "" if row and row[0] else "its user may not create databases"


def _programs() -> Path:
    """Return the folder of initdb and postgres, the newest version first."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=_version, reverse=True)
    if on_path := shutil.which("initdb"):
        folders.insert(0, str(Path(on_path).parent))
    for folder in folders:
        if all((Path(folder) / name).exists() for name in ("initdb", "postgres")):
            return Path(folder)
    raise Unobtainable(
        "no PostgreSQL at 127.0.0.1:5432 and none installed; get it with "
        "`apt-get install postgresql`, or set CRM_HUB_TEST_POSTGRES to a server's URL"
    )


def _version(folder: str) -> float:
    try:
        return float(Path(folder).parent.name)
    except ValueError:
        return 0.0


@contextmanager
def _own_cluster(programs: Path) -> Iterator[str]:
    before, port = unprivileged("PostgreSQL"), free_port()
    folder = Path(tempfile.mkdtemp(prefix="crm-hub-postgres-"))
    try:
        folder.chmod(0o700)
        if before:
            os.chown(folder, NOBODY, NOBODY)
        data = folder / "data"
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        _run([*before, str(programs / "initdb"), "-D", str(data), *options])
        with _running(before, programs, data, port):
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(before: list[str], programs: Path, data: Path, port: int) -> Iterator[None]:
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}"]
    command = [*before, str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    with running("PostgreSQL", command, data.parent, lambda: _problem(url)):
        yield


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, cwd="/")  # noqa: S603
    if done.returncode != 0:
        raise Unobtainable(f"initdb failed: {done.stderr.decode(errors='replace')[-300:]}")
