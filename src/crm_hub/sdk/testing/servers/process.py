"""Starting and ending a server of our own: free port, own folder, no root, a log to quote."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
START_S = 30.0


class Unobtainable(Exception):
    """A server for tests is not here; the text says why and how to get it."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_problem(port: int) -> str:
    """Return why nobody can be reached at a port of 127.0.0.1; "" when somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError as error:
        return error.strerror or "no answer"
    return ""


def program(name: str, how_to_get: str) -> Path:
    """Return an installed program: of CRM_HUB_TEST_SERVERS, of this Python, of PATH, of sbin.

    CRM_HUB_TEST_SERVERS: the bin folder of a virtual environment that holds the Python servers;
    `scripts/test` makes one, so that their dependencies stay out of the hub's own.
    Raises: Unobtainable with `how_to_get`.
    """
    own = os.environ.get("CRM_HUB_TEST_SERVERS", "")
    folders = [own, str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    if found is None:
        raise Unobtainable(f"{name} is not installed here; get it with {how_to_get}")
    return Path(found)


def unprivileged(server: str) -> list[str]:
    """Return the words before a command that make it run as nobody where we are root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise Unobtainable(f"{server} does not run as root, and setpriv (util-linux) is missing")
    user = str(NOBODY)
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]


@contextmanager
def running(
    server: str,
    command: Sequence[str],
    folder: Path,
    problem: Callable[[], str],
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in `folder` until the end of the block; it is up once `problem()` is "".

    It is a session of its own: Cyrus, for one, ends by signalling its whole process group, and
    would take every other server of its user with it.

    Raises: Unobtainable with the last line of its log when it does not come up in 30 s.
    """
    log = (folder / "log").open("wb")
    process = subprocess.Popen(  # noqa: S603 - an installed server
        list(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
        start_new_session=True, env=None if environment is None else {**os.environ, **environment},
    )  # fmt: skip
    try:
        _await(server, process, Path(log.name), problem)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)
        log.close()


def _await(
    server: str, process: subprocess.Popen[bytes], log: Path, problem: Callable[[], str]
) -> None:
    until = time.monotonic() + START_S
    while why := problem():
        if process.poll() is not None or time.monotonic() > until:
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
            raise Unobtainable(f"{server} did not start: {' '.join(last) or why}")
        time.sleep(0.02)
