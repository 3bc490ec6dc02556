"""A proxy that does to a TCP conversation what networks do: delay, cut, reset, silence."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """What happens to one connection.

    after: bytes of the server that still come through. how: cut (FIN), reset (RST) or hush
    (nothing more, the line stays open). delay_s: before each piece of an answer. say: sent in
    place of what does not come through.
    """

    after: int = 1 << 60
    how: str = "cut"
    delay_s: float = 0.0
    say: bytes = b""


@dataclass
class ChaosProxy:
    """Listens on `port` and passes on to the target; `faults` are used up, one a connection.

    longest: the most bytes of the server that came through on one connection.
    """

    target: int
    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    connections: int = 0
    longest: int = 0
    _lines: list[socket.socket] = field(default_factory=list)

    def end_all(self) -> None:
        """Cut every line that is open now."""
        while self._lines:
            with suppress(OSError):
                self._lines.pop().shutdown(socket.SHUT_RDWR)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            fault = self.faults.pop(0) if self.faults else Fault()
            threading.Thread(target=self._serve_one, args=(client, fault), daemon=True).start()

    def _serve_one(self, client: socket.socket, fault: Fault) -> None:
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            self._lines += [client, server]
            up = threading.Thread(target=_copy, args=(client, server), daemon=True)
            up.start()
            left, passed = fault.after, 0
            while True:
                try:
                    data = server.recv(16_384)
                except OSError:
                    return
                if fault.delay_s:
                    time.sleep(fault.delay_s)
                kept = data[:left]
                left -= len(kept)
                passed += len(kept)
                self.longest = max(self.longest, passed)
                try:
                    client.sendall(kept)
                    if left > 0 and data:
                        continue
                    if data and fault.say:
                        client.sendall(fault.say)
                except OSError:
                    return
                if data and fault.how == "hush":
                    up.join(30)
                _end(client, up, reset=bool(data) and fault.how == "reset")
                return


def _end(client: socket.socket, up: threading.Thread, *, reset: bool) -> None:
    """Close the line; a thread that still reads from it would keep it open, so it is woken."""
    with suppress(OSError):
        client.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
    up.join(5)
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(16_384):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def chaos(target: int) -> Iterator[ChaosProxy]:
    """Yield a proxy to a port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = ChaosProxy(target, listener.getsockname()[1])
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        yield proxy
