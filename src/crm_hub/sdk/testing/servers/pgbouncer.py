"""A PgBouncer for tests: a pooler that gives each transaction whichever session is free.

with postgres() as base, postgres_database(base) as url, pgbouncer(url, 4) as pooled:
    ...                                           # the same database through the pooler
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from crm_hub.sdk.testing.servers.process import (
    NOBODY,
    free_port,
    port_problem,
    program,
    running,
    unprivileged,
)

_GET = "`apt-get install --no-install-recommends pgbouncer`"
_CONFIG = """\
[databases]
* = host={host} port={base_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
query_wait_timeout = 20
"""


@contextmanager
def pgbouncer(url: str, sessions: int) -> Iterator[str]:
    """Yield the URL of the database at `url` through a PgBouncer in transaction mode.

    sessions: so many at PostgreSQL are shared by whoever connects. The server has to trust the
    user of the URL without a password. Raises: Unobtainable.
    """
    base, port = urlsplit(url), free_port()
    before = [*unprivileged("PgBouncer"), str(program("pgbouncer", _GET))]
    with tempfile.TemporaryDirectory(prefix="crm-hub-pgbouncer-") as name:
        folder = Path(name)
        (folder / "pgbouncer.ini").write_text(
            _CONFIG.format(
                host=base.hostname, base_port=base.port or 5432, user=base.username,
                port=port, sessions=sessions,
            ),
            "utf-8",
        )  # fmt: skip
        if before[1:]:
            os.chown(folder, NOBODY, NOBODY)
        command = [*before, str(folder / "pgbouncer.ini")]
        with running("PgBouncer", command, folder, lambda: port_problem(port)):
            yield urlunsplit(base._replace(netloc=f"{base.username}@127.0.0.1:{port}"))
