"""A Xandikos for tests: CalDAV and CardDAV on git, which answers 412 to an old sync token.

It asks for no password over plain HTTP, so what a refused one does is tested elsewhere.
"""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crm_hub.sdk.testing.servers.listing import BODY, HEADERS, member_names
from crm_hub.sdk.testing.servers.process import free_port, port_problem, program, running

_USER = "/user/"


@dataclass(frozen=True, slots=True)
class Xandikos:
    """A running server with one principal, a calendar and an address book."""

    url: str
    calendar: str = f"{_USER}calendars/calendar/"
    addressbook: str = f"{_USER}contacts/addressbook/"

    def put(self, path: str, text: str, content_type: str = "text/calendar") -> None:
        """Store an object. Raises: OSError when the server does not take it."""
        self._call("PUT", path, text.encode(), {"Content-Type": content_type})

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def get(self, path: str) -> bytes | None:
        """Return what stands there, None when nothing does."""
        return self._call("GET", path)

    def names(self, path: str) -> set[str]:
        """Return the names of what stands in a collection."""
        return member_names(self._call("PROPFIND", path, BODY, HEADERS))

    def _call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> bytes | None:
        link = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            told = answer.read()
        finally:
            link.close()
        if method == "GET" and answer.status == 404:
            return None
        if answer.status >= 300:
            raise OSError(f"{method} {path} was answered with {answer.status}")
        return told


@contextmanager
def xandikos() -> Iterator[Xandikos]:
    """Yield a fresh Xandikos with an empty calendar and address book. Raises: Unobtainable."""
    server = program("xandikos", "`pip install xandikos`, or run scripts/test")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="crm-hub-xandikos-") as name:
        folder = Path(name)
        command = [
            str(server), "serve", "--defaults", "--directory", str(folder / "data"),
            "--state-dir", str(folder / "state"), "--current-user-principal", _USER,
            "--listen-address", "127.0.0.1", "--port", str(port), "--no-detect-systemd",
        ]  # fmt: skip
        with running("Xandikos", command, folder, lambda: port_problem(port)):
            yield Xandikos(f"http://127.0.0.1:{port}")
