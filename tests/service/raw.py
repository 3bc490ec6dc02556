"""A raw HTTP client on a socket: it can stop, drip and lie, which libraries do not."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class RawClient:
    def __init__(self, url: str, timeout_s: float = 15.0) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.socket = socket.create_connection((self.host, parts.port or 80), timeout=timeout_s)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self, method: str, path: str, *headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", *headers, "", ""]
        self.send("\r\n".join(lines).encode())

    def answer(self) -> Answer:
        """Read one answer with its Content-Length."""
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self._file.read(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    def closed(self) -> bool:
        """Return whether the far side has hung up (waits for it up to the time-out)."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True
