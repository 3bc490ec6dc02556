"""A Radicale for tests: CalDAV and CardDAV, filled by writing files into its folder.

with radicale() as server:
    calendar = server.collection("ann", "work")
    calendar.write("a.ics", text)      # the server sees it at once
    server.url, server.user, server.password
"""

from __future__ import annotations

import base64
import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crm_hub.sdk.dav import davxml
from crm_hub.sdk.testing.servers.process import free_port, port_problem, program, running

_CONFIG = """\
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = {folder}/data
[web]
type = none
[logging]
level = warning
"""
# Without fsync a fresh object costs 2 ms instead of 14; only code may ask Radicale for that.
_START = """\
import sys, radicale.config, radicale.server
found = radicale.config.load([(sys.argv[1], False)])
found.update({"storage": {"_filesystem_fsync": "False"}}, "tests", privileged=True)
radicale.server.serve(found)
"""
_TAGS = {"calendar": "VCALENDAR", "addressbook": "VADDRESSBOOK"}


@dataclass(frozen=True, slots=True)
class Collection:
    """One calendar or address book: its folder on disk and its path at the server."""

    folder: Path
    path: str

    def write(self, name: str, text: str) -> None:
        """Put an object there, or another content in its place, as a client's PUT would."""
        (self.folder / name).write_bytes(text.encode())

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def names(self) -> set[str]:
        return {p.name for p in self.folder.iterdir() if not p.name.startswith(".Radicale")}


@dataclass(frozen=True, slots=True)
class Radicale:
    """A running server with one user."""

    url: str
    user: str
    password: str
    folder: Path

    def collection(
        self,
        name: str,
        *,
        kind: Literal["calendar", "addressbook"] = "calendar",
        title: str = "",
        components: str = "VEVENT,VTODO",
    ) -> Collection:
        """Return a new, empty collection of the user. components: what a calendar may hold."""
        folder = self.folder / "data" / "collection-root" / self.user / name
        folder.mkdir(parents=True)
        properties = {"tag": _TAGS[kind], "D:displayname": title or name}
        if kind == "calendar":
            properties["C:supported-calendar-component-set"] = components
        (folder / ".Radicale.props").write_text(json.dumps(properties), "utf-8")
        return Collection(folder, f"/{self.user}/{name}/")

    def index(self, path: str) -> None:
        """Let it index a collection's objects, which a client may not have the patience for."""
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        link = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=600)
        headers = {"Authorization": f"Basic {login}", "Depth": "0"}
        link.request("REPORT", path, davxml.sync_collection(""), headers)
        link.getresponse().read()
        link.close()

    def forget_tokens(self) -> None:
        """Throw away the sync tokens, as the server does with old ones: they are then refused."""
        for token in self.folder.glob("data/**/sync-token/*"):
            token.unlink()


@contextmanager
def radicale(user: str = "ann", password: str = "radicale-secret") -> Iterator[Radicale]:  # noqa: S107
    """Yield a fresh Radicale that knows one user. Raises: Unobtainable."""
    server = program("radicale", "`pip install radicale`, or run scripts/test")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="crm-hub-radicale-") as name:
        folder = Path(name)
        (folder / "users").write_text(f"{user}:{password}\n", "utf-8")
        (folder / "config").write_text(_CONFIG.format(port=port, folder=folder), "utf-8")
        command = [str(server.parent / "python3"), "-c", _START, str(folder / "config")]
        with running("Radicale", command, folder, lambda: port_problem(port)):
            yield Radicale(f"http://127.0.0.1:{port}", user, password, folder)
