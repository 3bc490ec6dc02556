"""The parts of a message as offsets into its bytes: nothing is copied before it is wanted.

The standard library's parser keeps every part as objects and text: 20 s for 300,000
parts, RecursionError on deep nesting, five times the message in memory. This one walks
boundary lines with `bytes.find`, within limits. Source: RFC 2046 section 5.1.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from crm_hub.sdk.formats.charsets import decode
from crm_hub.sdk.formats.mail_headers import (
    Headers,
    Raw,
    decode_base64,
    parameters,
    read_mail_headers,
)

MAX_PARTS = 1_000
MAX_DEPTH = 12
MAX_TEXT_BYTES = 1_000_000
_BLANK_LINES = re.compile(rb"[\r\n]*")
_ENCODING = re.compile(r"[\s\"']*([A-Za-z0-9_-]+)")
_STATED = re.compile(
    rb"<meta\b[^<>]{0,200}charset[ \t]{0,9}=[ \t\"']{0,9}([A-Za-z0-9_.:-]{1,40})", re.I
)
_LIKELY_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\r\n]{1,200})\r?\n(?=content-)", re.I)
_FIELD_LINE = re.compile(rb"[!-9;-~]{1,100}[ \t]*:|[ \t]")
_LOOK_BYTES = 64_000
# Kinds of text that are data, or the same words for a machine of another kind.
_DATA = frozenset(
    "calendar vcard x-vcard directory csv xml css javascript rtf rfc822-headers x-amp-html"
    " watch-html x-watch-html x-patch x-diff".split()
)


@dataclass(slots=True)
class Part:
    """One leaf of the MIME tree: its headers, and where its body lies in the message.

    choice: number of the multipart/alternative it stands in, -1 for none. number: which part it
    is, as IMAP counts them ("2.1"; "1" for a message of one part).
    """

    headers: Headers
    content_type: str
    params: dict[str, str]
    disposition: str
    filename: str
    start: int
    end: int
    choice: int = -1
    number: str = "1"

    @property
    def is_inline_text(self) -> bool:
        shown = is_shown_text(self.content_type)
        return shown and self.disposition != "attachment" and not self.filename

    def size(self, raw: Raw) -> int:
        """Return the size of the body in bytes once its transfer encoding is undone."""
        length = self.end - self.start
        if self._encoding() != "base64":
            return length
        padding = raw.count(b"=", max(self.start, self.end - 4), self.end)
        blank = raw.count(b"\n", self.start, self.end) + raw.count(b"\r", self.start, self.end)
        return max(0, (length - blank) * 3 // 4 - padding)

    def content(self, raw: Raw, limit: int = MAX_TEXT_BYTES) -> tuple[bytes, bool]:
        """Return (bytes with the transfer encoding undone, were they cut at `limit`)."""
        cut = self.end - self.start > limit
        body = bytes(raw[self.start : min(self.end, self.start + limit)])
        encoding = self._encoding()
        if encoding == "base64":
            return decode_base64(body), cut
        if encoding == "quoted-printable":
            return binascii.a2b_qp(body), cut
        return body, cut

    def text(self, raw: Raw) -> tuple[str, bool]:
        """Return (body as text with LF line ends, was it cut)."""
        body, cut = self.content(raw)
        charset = self.params.get("charset", "")
        if not charset and self.content_type == "text/html":
            stated = _STATED.search(body, 0, _LOOK_BYTES)
            charset = stated[1].decode("ascii") if stated else ""
        return decode(body, charset).replace("\r\n", "\n"), cut

    def _encoding(self) -> str:
        found = _ENCODING.match(self.headers.raw("content-transfer-encoding"))
        return found[1].lower() if found else ""


def is_shown_text(content_type: str) -> bool:
    """Tell whether a kind of part is words to read; an unknown kind of text is plain text.

    Source: RFC 2046 section 4.1.4.
    """
    return content_type.startswith("text/") and content_type[5:] not in _DATA


@dataclass(slots=True)
class Walk:
    """What `walk` found: the top headers, the leaves in order, and the limit that was met."""

    headers: Headers
    kind: str
    params: dict[str, str]
    parts: list[Part]
    limit: str = ""


@dataclass(slots=True)
class _Todo:
    start: int
    end: int
    depth: int
    choice: int
    default: str
    number: str


def walk(raw: Raw) -> Walk:
    """Return the parts of a message; beyond 1,000 parts or 12 levels the rest is one part."""
    top = read_mail_headers(raw, _BLANK_LINES.match(raw).end())  # type: ignore[union-attr]
    kind, params = parameters(top.raw("content-type"))
    found = Walk(top, kind, params, [])
    stack = [_Todo(0, len(raw), 0, -1, "text/plain", "")]
    choices = 0
    while stack:
        todo = stack.pop()
        headers = top if todo.depth == 0 else read_mail_headers(raw, todo.start, todo.end)
        part = _part(raw, headers, todo)
        children = _children(raw, part, MAX_PARTS - len(stack) - len(found.parts))
        if not children:
            if part.content_type.startswith("multipart/"):
                part.content_type = "text/plain"  # its boundary never comes: show what is there
            found.parts.append(part)
            continue
        if todo.depth >= MAX_DEPTH or len(children) > MAX_PARTS - len(stack) - len(found.parts):
            found.limit = "depth" if todo.depth >= MAX_DEPTH else "parts"
            continue
        choice = todo.choice
        if part.content_type == "multipart/alternative" and choice < 0:
            choice = choices = choices + 1
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        above = todo.number + "." if todo.number else ""
        for place in range(len(children), 0, -1):
            start, end = children[place - 1]
            stack.append(_Todo(start, end, todo.depth + 1, choice, default, f"{above}{place}"))
    return found


def _part(raw: Raw, headers: Headers, todo: _Todo) -> Part:
    kind, params = parameters(headers.raw("content-type"))
    if "/" not in kind:
        kind = todo.default
    disposition, more = parameters(headers.raw("content-disposition"))
    name = more.get("filename") or params.get("name", "")
    start = min(headers.body_start, todo.end)
    if start == todo.end and headers:
        start = _unparted(raw, todo.start, todo.end)
    return Part(
        headers, kind, params, disposition, name[:300], start, todo.end, todo.choice,
        todo.number or "1",
    )  # fmt: skip


def _unparted(raw: Raw, start: int, end: int) -> int:
    """Return where the body begins that no blank line parts from the header; `end` for none."""
    at, seen = start, False
    for line in bytes(raw[start : min(end, start + _LOOK_BYTES)]).splitlines(keepends=True):
        is_field = _FIELD_LINE.match(line) is not None
        if seen and not is_field and not line.isspace():
            return at
        seen = seen or is_field
        at += len(line)
    return end


def _children(raw: Raw, part: Part, room: int) -> list[tuple[int, int]]:
    """Return the (start, end) of each part of a multipart, [] when it is a leaf.

    One more than `room` is returned when there are too many, so that the caller can tell.
    """
    if not part.content_type.startswith("multipart/"):
        return []
    boundary = part.params.get("boundary", "").encode("utf-8", "replace")
    lines = _delimiters(raw, part, b"--" + boundary) if boundary else []
    if not lines and (likely := _LIKELY_BOUNDARY.search(_beginning(raw, part))):
        # None is named, or another: the first line that a part follows is one.
        lines = _delimiters(raw, part, b"--" + likely[1].rstrip())
    out: list[tuple[int, int]] = []
    open_at = -1
    for line_start, line_end, closing in lines:
        if open_at >= 0:
            out.append((open_at, max(open_at, line_start)))
        open_at = -1 if closing else line_end
        if closing or len(out) > room:
            return out
    if open_at >= 0 and open_at < part.end:
        out.append((open_at, part.end))
    return out


def _beginning(raw: Raw, part: Part) -> bytes:
    return bytes(raw[part.start : min(part.end, part.start + _LOOK_BYTES)])


def _delimiters(raw: Raw, part: Part, delimiter: bytes) -> list[tuple[int, int, bool]]:
    """Return (end of the text before, start of the text after, closing?) of boundary lines."""
    found: list[tuple[int, int, bool]] = []
    marker = b"\n" + delimiter
    at = raw.find(marker, max(0, part.start - 1), part.end)
    misses = 0
    while at >= 0 and misses < 10_000 and len(found) <= MAX_PARTS + 1:
        after = at + 1 + len(delimiter)
        newline = raw.find(b"\n", after, min(part.end, after + 200))
        stop = newline if newline >= 0 else min(part.end, after + 200)
        tail = bytes(raw[after:stop]).strip()
        if tail in (b"", b"--"):
            before = at - 1 if at > part.start and raw[at - 1] == 13 else at
            found.append((before, min(stop + 1, part.end), tail == b"--"))
        else:
            misses += 1
        at = raw.find(marker, after - 1 if newline < 0 else newline, part.end)
    return found
