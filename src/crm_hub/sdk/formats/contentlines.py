"""The lines that iCalendar and vCard files are made of, read with tolerance and limits.

Both formats are `NAME;PARAM=value:value` with folded lines and BEGIN/END blocks. The usual
libraries give up a whole file for one bad line and keep every object in memory; here a file
is cut into its components while it is read, and each component stands or falls alone.
Source: RFC 5545 section 3.1, RFC 6350 section 3.2, vCard 2.1.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from crm_hub.sdk.formats.charsets import decode

MAX_LINE = 64_000
MAX_COMPONENT = 1_000_000
MAX_PROPERTY = 100_000
_CHUNK = 64_000
_HEAD = 4_000
_BOM = b"\xef\xbb\xbf"
_MAX_DEPTH = 100

_NAME = re.compile(r"(?:([A-Za-z0-9_-]{1,60})\.)?([A-Za-z0-9_-]{1,60})(?=[;:])")
_PARAM = re.compile(r';\s*([A-Za-z0-9_-]{1,60})\s*(?:=((?:"[^"]{0,4000}"?|[^";:])*+))?')
_SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n[ \t]?")
_FOLD = re.compile(rb"\r{0,2}\n[ \t]")
_MARKS = (b"B", b"b", b"E", b"e", b" ", b"\t")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class Line:
    """One property: upper-case name and parameter names; the value as written.

    group: what stands before a dot in the name (`item1.EMAIL`), lower case.
    """

    name: str
    params: dict[str, list[str]]
    value: str
    group: str = ""

    def param(self, name: str) -> str:
        """Return the first value of a parameter, "" when absent."""
        values = self.params.get(name)
        return values[0] if values else ""


@dataclass(slots=True)
class Component:
    """The bytes of one top-level object of a file, and where it stands.

    problem: why it cannot be used as a whole ("" when it can).
    """

    name: str
    raw: bytearray = field(default_factory=bytearray)
    start: int = 0
    end: int = 0
    problem: str = ""
    property_start: int = 0


def components(stream: BinaryIO, names: frozenset[bytes], start: int = 0) -> Iterator[Component]:
    """Yield the components of these names (upper case) from byte `start` on.

    A component that never ends is closed by the next one. One over 1 MB is given cut, with
    its `problem`; of one property (a photo, a picture) 100 kB are kept.
    """
    at = start
    current: Component | None = None
    depth: list[bytes] = []
    word = b""
    is_line_start = True
    for line in _lines_of(stream, start):
        begun, at = at, at + len(line)
        if begun == 0 and line.startswith(_BOM):
            # It goes, and the offsets stay: they count the bytes of the file.
            line = line[len(_BOM) :]
        opens = closes = False
        if is_line_start and line[:1] in _MARKS:
            verb, _, word = line.strip().upper().partition(b":")
            opens, closes = verb == b"BEGIN", verb == b"END"
        is_line_start = line.endswith(b"\n")
        if opens and word in names:
            if current is not None:
                yield _closed(current, begun)
            current, depth = Component(word.decode("ascii"), bytearray(), begun), []
        if current is None:
            continue
        if opens and len(depth) < _MAX_DEPTH:
            depth.append(word)
        elif closes and word in depth:
            del depth[depth.index(word) :]
        elif closes and word == b"VCALENDAR":
            depth = []
        _add(current, line)
        if not depth:
            yield _closed(current, at)
            current = None
    if current is not None:
        yield _closed(current, at)


def _lines_of(stream: BinaryIO, start: int) -> Iterator[bytes]:
    """Yield the lines from a byte on, long ones in pieces; of an old Mac's with LF for its CR."""
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(start)
    if b"\n" in head or b"\r" not in head:
        yield from iter(lambda: stream.readline(_CHUNK), b"")
        return
    rest = b""
    while block := stream.read(_CHUNK):
        *found, rest = (rest + block.replace(b"\r", b"\n")).splitlines(keepends=True)
        yield from found
        if len(rest) > _CHUNK:
            yield rest
            rest = b""
    if rest:
        yield rest


def _closed(component: Component, end: int) -> Component:
    component.end = end
    return component


def _add(component: Component, line: bytes) -> None:
    if component.problem:
        return
    if line[0] not in b" \t" and component.raw.endswith(b"\n"):
        component.property_start = len(component.raw)
    elif len(component.raw) - component.property_start > MAX_PROPERTY:
        return
    if len(component.raw) + len(line) > MAX_COMPONENT:
        component.problem = f"it is larger than {MAX_COMPONENT:,} bytes"
    else:
        component.raw += line


def lines(raw: bytes | bytearray) -> Iterator[Line]:
    """Yield the properties of a component, unfolded; a line that is no property is passed over.

    Quoted-printable values (vCard 2.1) are undone, base64 values stay as written.
    """
    text_lines = _logical(bytes(raw))
    for text in text_lines:
        if text:
            line = parse_line(text)
            if line is not None:
                yield line


def _logical(raw: bytes) -> Iterator[bytes]:
    """Yield logical lines: folded ones joined, soft line breaks of quoted-printable too."""
    joined = _FOLD.sub(b"", raw).split(b"\n")
    pending = b""
    for line in joined:
        line = line.rstrip(b"\r")
        if pending:
            line = pending + b"\n" + line
            pending = b""
        head = line[:500].upper()
        if line.endswith(b"=") and b"QUOTED-PRINTABLE" in head and len(line) < MAX_LINE:
            pending = line
            continue
        yield line[:MAX_LINE]
    if pending:
        yield pending[:MAX_LINE]


def parse_line(raw: bytes) -> Line | None:
    """Return one logical line as a property, None when it is none."""
    head = decode(raw) if raw.isascii() else raw.decode("utf-8", "surrogateescape")
    match = _NAME.match(head.lstrip("\ufeff \t"))
    if not match:
        return None
    head = head.lstrip("\ufeff \t")
    params: dict[str, list[str]] = {}
    at = match.end()
    while found := _PARAM.match(head, at):
        name, value = found[1].upper(), found[2]
        if value is None:
            name, value = "TYPE", found[1]  # vCard 2.1: TEL;HOME;VOICE
            if value.upper() in ("QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"):
                name = "ENCODING"
        params.setdefault(name, []).extend(_values(value))
        at = found.end()
    colon = head.find(":", at)
    if colon < 0:
        return None
    value = _value(head[colon + 1 :], params)
    return Line(match[2].upper(), params, value, (match[1] or "").lower())


def _values(text: str) -> list[str]:
    """Return the values of one parameter: commas outside quotes part them."""
    text = text.strip()
    if '"' not in text:
        return [v.strip() for v in text.split(",")] if text.isascii() else [_repair(text)]
    if text.startswith('"') and text.count('"') == 2 and text.endswith('"'):
        return [_repair(text[1:-1])]
    return [_repair(quoted or bare) for quoted, bare in re.findall(r'"([^"]*)"?|([^",]+)', text)]


def _repair(text: str) -> str:
    """Return text read as UTF-8, or as what it more likely is, from its surrogate escapes."""
    if text.isascii() or not any("\udc80" <= c <= "\udcff" for c in text):
        return text
    return decode(text.encode("utf-8", "surrogateescape"))


def _value(text: str, params: dict[str, list[str]]) -> str:
    encoding = params.get("ENCODING", [""])[0].upper()
    charset = params.get("CHARSET", [""])[0]
    raw = text.encode("utf-8", "surrogateescape") if not text.isascii() or encoding else b""
    if encoding == "QUOTED-PRINTABLE":
        return decode(binascii.a2b_qp(_SOFT_BREAK.sub(b"", raw)), charset).replace("\r\n", "\n")
    if charset and raw:
        return decode(raw, charset)
    return _repair(text)


def unescape(value: str) -> str:
    """Return a text value with its escapes undone: `\\n`, `\\,`, `\\;`, `\\\\`."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


def split_escaped(value: str, separator: str) -> list[str]:
    """Return the parts of a structured value, unescaped: `\\;` does not part."""
    if "\\" not in value:
        return value.split(separator)
    parts: list[str] = [""]
    at = 0
    for match in re.finditer(r"\\.|" + re.escape(separator), value, re.DOTALL):
        parts[-1] += value[at : match.start()]
        if match[0] == separator:
            parts.append("")
        else:
            parts[-1] += unescape(match[0])
        at = match.end()
    parts[-1] += value[at:]
    return parts
