"""The thin layer of our own on imapclient's connection: commands out, answers in, one at a time.

imapclient makes the connection and logs in. It cannot fetch a range, read VANISHED or select
with QRESYNC, its FETCH parser is a fifth as fast as the line reader here, and the standard
library refuses lines over 1 MB, which a plain SEARCH of a big folder exceeds.
Source: RFC 9051, RFC 7162 (CONDSTORE, QRESYNC), RFC 5819 (LIST-STATUS), RFC 2177 (IDLE).
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_LINE = 32_000_000
MAX_LITERAL = 4_000_000
MAX_PIECES = 10_000
MAX_UIDS = 5_000_000

_LITERAL = re.compile(rb"~?\{(\d{1,12})\+?\}\r?\n\Z")
_UID = re.compile(rb"\bUID (\d{1,10})")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,60})"')
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,19})")
_THREAD = re.compile(rb"\b(?:X-GM-THRID (\d{1,20})|THREADID \(([^()\s]{1,255})\))")
_INLINE = re.compile(rb'\bBODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb"\\(.)")


class Lost(Exception):
    """The connection is gone, or the server said something nobody can follow; start anew."""


class Refused(Exception):
    """The server answered NO or BAD; the connection stands."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One FETCH answer. body: the section asked for, None where the answer holds none."""

    uid: int
    flags: tuple[str, ...]
    date: str
    body: bytes | None
    size: int | None = None
    thread: str = ""


class Wire:
    """Commands on a connection that is logged in. One command at a time.

    busy: a command was sent and its end not read; the connection is then of no further use.
    """

    def __init__(self, imap: Any) -> None:
        self._imap = imap
        self._file = getattr(imap, "_file", None) or imap.file
        self.busy = False

    def run(self, command: bytes) -> Iterator[list[bytes]]:
        """Send a command and yield its untagged answers, each as text, literal, text, ...

        Raises: Refused at the end of a command that failed, Lost.
        """
        tag: bytes = self._imap._new_tag()
        self.busy = True
        self._send(tag + b" " + command + b"\r\n")
        while True:
            answer = self._answer()
            line = answer[0]
            if line.startswith(tag + b" "):
                break
            if line[:5].upper() == b"* BYE":
                raise Lost("the server ended the session")
            yield answer
        self.busy = False
        if line[len(tag) + 1 :].split(None, 1)[:1] not in ([b"OK"], [b"ok"], [b"Ok"]):
            said = line[len(tag) + 1 :].decode("utf-8", "replace").strip()
            raise Refused(said[:300])

    def lines(self, command: bytes) -> list[bytes]:
        """Send a command and return its answers as lines, literals as quoted strings."""
        return [joined(answer) for answer in self.run(command)]

    def fetch(self, uids: str, items: str, more: str = "") -> Iterator[Fetched]:
        """Yield the answers of `UID FETCH`, as they come in. `more`: such as `(CHANGEDSINCE 7)`."""
        command = f"UID FETCH {uids} ({items}){' ' + more if more else ''}"
        for answer in self.run(command.encode("ascii")):
            found = read_fetch(answer)
            if found is not None:
                yield found

    def idle(self, timeout_s: float) -> list[bytes]:
        """Wait in IDLE until the server says anything; return its lines, [] when it did not."""
        tag: bytes = self._imap._new_tag()
        self.busy = True
        self._send(tag + b" IDLE\r\n")
        while not self._answer()[0].startswith(b"+"):
            pass
        said: list[bytes] = []
        until = time.monotonic() + timeout_s
        while not said and (left_s := until - time.monotonic()) > 0 and self._speaks(left_s):
            said.append(self._answer()[0])
            said = [line for line in said if not line.startswith(b"* OK")]
        self._send(b"DONE\r\n")
        while not (line := self._answer()[0]).startswith(tag + b" "):
            said.append(line)
        self.busy = False
        return said

    def _speaks(self, timeout_s: float) -> bool:
        """Return True as soon as the server says something, False when it did not in time."""
        if self._buffered():
            return True
        sock = self._imap.socket()
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def _buffered(self) -> bool:
        """Tell whether bytes of the server already lie in our buffer, without waiting for more."""
        sock = self._imap.socket()
        before = sock.gettimeout()
        sock.settimeout(0)
        try:
            return bool(self._file.peek(1))
        except OSError:
            return False
        finally:
            sock.settimeout(before)

    def _send(self, data: bytes) -> None:
        try:
            self._imap.send(data)
        except OSError as error:
            raise Lost(_why(error)) from error

    def _answer(self) -> list[bytes]:
        """Return one answer: text, then literal and text for each literal in it."""
        pieces = [self._line()]
        while pieces[-1].endswith(b"}\r\n") and (literal := _LITERAL.search(pieces[-1])):
            if len(pieces) > MAX_PIECES:
                raise Lost("the server sent an answer without end")
            pieces[-1] = pieces[-1][: literal.start()]
            pieces.append(self._literal(int(literal[1])))
            pieces.append(self._line())
        return pieces

    def _line(self) -> bytes:
        try:
            line: bytes = self._file.readline(MAX_LINE)
        except (OSError, ValueError) as error:
            raise Lost(_why(error)) from error
        if not line.endswith(b"\n"):
            why = "the server sent an endless line" if line else "the server closed the connection"
            raise Lost(why)
        return line

    def _literal(self, size: int) -> bytes:
        kept = self._read(min(size, MAX_LITERAL))
        left = size - len(kept)
        while left > 0:
            left -= len(self._read(min(left, 1_000_000)))
        return kept

    def _read(self, size: int) -> bytes:
        try:
            data: bytes = self._file.read(size)
        except (OSError, ValueError) as error:
            raise Lost(_why(error)) from error
        if len(data) != size:
            raise Lost("the connection broke in the middle of a message")
        return data


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return getattr(error, "strerror", None) or type(error).__name__


def joined(answer: list[bytes]) -> bytes:
    """Return an answer as one line, its literals as quoted strings."""
    out = [answer[0]]
    for literal, text in zip(answer[1::2], answer[2::2], strict=False):
        escaped = literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        out += [b'"', escaped, b'"', text]
    return b"".join(out).rstrip(b"\r\n")


def read_fetch(answer: list[bytes]) -> Fetched | None:
    """Return a FETCH answer, None for any other one."""
    head = answer[0]
    if b" FETCH (" not in head[:40]:
        return None
    body: bytes | None = None
    if len(answer) >= 3:
        body = answer[1]
        head = b" ".join(answer[0::2])
    elif inline := _INLINE.search(head):
        body = _ESCAPED.sub(rb"\1", inline[1])
        head = head[: inline.start()] + head[inline.end() :]
    elif b"] NIL" in head or b"> NIL" in head:
        body = b""
    uid = _UID.search(head)
    if uid is None:
        return None
    flags, date = _FLAGS.search(head), _DATE.search(head)
    size = _SIZE.search(head) if b"RFC822.SIZE" in head else None
    thread = _THREAD.search(head) if b"TH" in head else None
    return Fetched(
        int(uid[1]),
        tuple(flags[1].decode("ascii", "replace").split()) if flags and flags[1] else (),
        date[1].decode("ascii", "replace") if date else "",
        body,
        int(size[1]) if size else None,
        (thread[1] or thread[2]).decode("ascii", "replace") if thread else "",
    )


def uid_set(uids: Iterable[int]) -> str:
    """Return ascending UIDs as a sequence set: `1:4,7`."""
    runs: list[str] = []
    first = last = -1
    for uid in uids:
        if uid == last + 1 and first >= 0:
            last = uid
            continue
        if first >= 0:
            runs.append(f"{first}:{last}" if last > first else str(first))
        first = last = uid
    if first >= 0:
        runs.append(f"{first}:{last}" if last > first else str(first))
    return ",".join(runs)


def runs_of(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans (first, last) of a sequence set; what is no number is passed over."""
    for part in text.split(","):
        first, _, last = part.strip().partition(":")
        if first.isascii() and first.isdigit() and (not last or last.isdigit()):
            low, high = sorted((int(first), int(last or first)))
            yield low, min(high, 0xFFFF_FFFF)


def read_uid_set(text: str, most: int = MAX_UIDS) -> Iterator[int]:
    """Yield the UIDs of a sequence set, at most so many."""
    for low, high in runs_of(text):
        yield from range(low, min(high, low + most - 1) + 1)
        most -= high - low + 1
        if most <= 0:
            return
