"""A vCard or iCalendar text that can be changed in one place and stays as it is in all others.

The text is kept as the bytes of its properties, folds and line ends included; a changed property
keeps its group, name and parameters, and gets a new value. Everything else is given back byte for
byte: what no program knows, the order, the folding, the spelling.
After: `edit_vcard` and `edit_ical`, which know what the properties mean.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from crm_hub.sdk.formats.contentlines import MAX_LINE, Line, parse_line

MAX_TEXT = 10_000_000
_MAX_DEPTH = 100
_WIDTH = 75
_HEAD = re.compile(rb'[^":]*(?:"[^"\r\n]*"[^":]*)*:')
_PARAM = re.compile(rb';([^=;:"]+)=(?:"[^"]*"|[^";:])*')
_FOLD = re.compile(rb"\r{0,2}\n[ \t]")
_LAST_END = re.compile(rb"\r?\n\Z")
_OLD_PARAMS = re.compile(rb";(?:ENCODING=|CHARSET=)?(?:QUOTED-PRINTABLE|UTF-8)(?=[;:])", re.I)
_CHARSET = re.compile(rb";CHARSET=[^;:]*", re.I)
_CONTROLS = {code: None for code in range(32) if code not in (9, 10)} | {127: None}
_UNSAFE_PARAM = re.compile(r'["\r\n\x00-\x08\x0b-\x1f\x7f]')


class NotWritable(ValueError):
    """A change that the text cannot take. reasons: path → why, for people."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {why}" for path, why in reasons.items()))
        self.reasons = dict(reasons)


@dataclass(slots=True)
class Piece:
    """One property with its bytes as they stand in the text. line: None where it is none."""

    raw: bytes
    line: Line | None

    @property
    def name(self) -> str:
        return self.line.name if self.line is not None else ""

    @property
    def group(self) -> str:
        return self.line.group if self.line is not None else ""

    @property
    def value(self) -> str:
        return self.line.value if self.line is not None else ""

    def is_mark(self, verb: str, word: str) -> bool:
        """Tell whether this is `BEGIN:VCARD` or the like."""
        return self.name == verb and self.value.strip().upper() == word

    def param(self, name: str) -> str:
        return self.line.param(name) if self.line is not None else ""


@dataclass(slots=True)
class Block:
    """A component of the text: what stands directly in it, without what is nested deeper.

    pieces: its own properties, those of BEGIN and END left out. nested: the blocks in it.
    """

    name: str
    begin: Piece
    pieces: list[Piece] = field(default_factory=list)
    nested: list[Block] = field(default_factory=list)
    end: Piece | None = None

    def named(self, *names: str) -> list[Piece]:
        """Return the properties of these names, in their order."""
        return [piece for piece in self.pieces if piece.name in names]

    def first(self, name: str) -> Piece | None:
        return next((piece for piece in self.pieces if piece.name == name), None)


class Text:
    """A text in pieces. `bytes(text)` gives it back, as it was where nothing was changed.

    newline: how its lines end.
    """

    def __init__(self, raw: bytes) -> None:
        if len(raw) > MAX_TEXT:
            raise NotWritable({".": f"it is larger than {MAX_TEXT:,} bytes"})
        self.pieces = [_piece(one) for one in _cut(raw)]
        self._places: dict[int, int] = {}
        self.newline = b"\n" if b"\n" in raw and b"\r\n" not in raw else b"\r\n"

    def __bytes__(self) -> bytes:
        return b"".join(piece.raw for piece in self.pieces)

    def blocks(self) -> list[Block]:
        """Return the outermost components; one that never ends has no `end`.

        What is nested more than 100 deep counts as part of what it stands in.
        """
        found: list[Block] = []
        stack: list[Block] = []
        opened: Counter[str] = Counter()
        for piece in self.pieces:
            word = piece.value.strip().upper()
            if piece.name == "BEGIN" and len(stack) < _MAX_DEPTH:
                block = Block(word, piece)
                (stack[-1].nested if stack else found).append(block)
                stack.append(block)
                opened[word] += 1
            elif piece.name == "END" and opened[word]:
                while stack:
                    block = stack.pop()
                    opened[block.name] -= 1
                    if block.name == word:
                        block.end = piece
                        break
            elif stack:
                stack[-1].pieces.append(piece)
        return found

    def set_value(self, piece: Piece, value: str, *, head: bytes | None = None) -> None:
        """Give a property another value, written as it shall stand there.

        head: `NAME;PARAM=x:` in place of the one it has.
        """
        new = head_of(piece.raw) if head is None else head
        end = _LAST_END.search(piece.raw)
        logical = encoded(new, value)
        piece.raw = folded(logical, self.newline) + (end[0] if end else b"")
        piece.line = parse_line(logical)

    def insert(self, before: Piece, name: str, value: str) -> Piece:
        """Put a new property before another. name: with its parameters."""
        piece = self._new(name, value)
        self.pieces.insert(self._place(before), piece)
        return piece

    def insert_after(self, after: Piece, name: str, value: str) -> Piece:
        """Put a new property behind another."""
        piece = self._new(name, value)
        self.insert_raw(after, [piece.raw])
        return self.pieces[self._place(after) + 1]

    def insert_raw(self, after: Piece, raws: Iterable[bytes]) -> None:
        """Put whole properties, as bytes, behind another."""
        place = self._place(after) + 1
        if not after.raw.endswith(b"\n"):
            after.raw += self.newline
        self.pieces[place:place] = [_piece(raw) for raw in raws]

    def _new(self, name: str, value: str) -> Piece:
        logical = encoded(name.encode("utf-8", "replace") + b":", value)
        return Piece(folded(logical, self.newline) + self.newline, parse_line(logical))

    def remove(self, piece: Piece) -> None:
        del self.pieces[self._place(piece)]

    def slice(self, block: Block) -> list[Piece]:
        """Return all pieces of a block, from its BEGIN to its END."""
        start = self._place(block.begin)
        stop = self._place(block.end) if block.end is not None else len(self.pieces) - 1
        return self.pieces[start : stop + 1]

    def _place(self, piece: Piece) -> int:
        place = self._places.get(id(piece), -1)
        if not (0 <= place < len(self.pieces) and self.pieces[place] is piece):
            self._places = {id(one): number for number, one in enumerate(self.pieces)}
            place = self._places[id(piece)]
        return place


def _cut(raw: bytes) -> Iterator[bytes]:
    """Yield the bytes of each logical line: with its folds, and soft breaks of old vCards."""
    held: list[bytes] = []
    soft = False
    for line in re.split(rb"(?<=\n)", raw):
        if held and (soft or line[:1] in (b" ", b"\t")):
            held.append(line)
        else:
            if held:
                yield b"".join(held)
            held = [line]
        is_soft = line.rstrip(b"\r\n").endswith(b"=")
        soft = is_soft and b"QUOTED-PRINTABLE" in b"".join(held[:8])[:500].upper()
    if any(held):
        yield b"".join(held)


def _piece(raw: bytes) -> Piece:
    return Piece(raw, parse_line(_unfolded(raw)[:MAX_LINE]))


def _unfolded(raw: bytes) -> bytes:
    return _FOLD.sub(b"", raw).rstrip(b"\r\n")


def head_of(raw: bytes) -> bytes:
    """Return a property up to the colon before its value, without folds."""
    plain = _unfolded(raw)
    match = _HEAD.match(plain)
    end = match.end() if match else plain.find(b":") + 1
    return plain[:end]


def encoded(head: bytes, value: str) -> bytes:
    """Return a logical line. A value that was quoted-printable (vCard 2.1) is so again."""
    clean = value.translate(_CONTROLS)
    raw = clean.encode("utf-8", "replace")
    if b"QUOTED-PRINTABLE" not in head.upper():
        return _CHARSET.sub(b"", head) + raw.replace(b"\n", b"\\n")
    head = _CHARSET.sub(b"", _OLD_PARAMS.sub(b"", head))
    if raw.isascii() and b"\n" not in raw:
        return head + raw
    quoted = binascii.b2a_qp(raw.replace(b"\n", b"\r\n"), istext=False).replace(b"=\n", b"")
    return head[:-1] + b";CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:" + quoted


def folded(logical: bytes, newline: bytes) -> bytes:
    """Return a logical line in lines of at most 75 bytes; no character is cut in two."""
    if len(logical) <= _WIDTH or b"QUOTED-PRINTABLE:" in logical[:500].upper():
        return logical
    parts, at, width = [], 0, _WIDTH
    while at < len(logical):
        end = min(at + width, len(logical))
        while end < len(logical) and end > at + 1 and logical[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(logical[at:end])
        at, width = end, _WIDTH - 1
    return (newline + b" ").join(parts)


def escaped(text: str) -> str:
    """Return a text value with its escapes: `\\n`, `\\,`, `\\;`, `\\\\`."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for sign in ("\\", ";", ","):
        plain = plain.replace(sign, "\\" + sign)
    return plain.replace("\n", "\\n")


def parameter(text: str) -> str:
    """Return a parameter's value, in quotes where it needs some."""
    plain = _UNSAFE_PARAM.sub("", text)
    return f'"{plain}"' if re.search(r"[;:,]", plain) else plain


def with_parameter(head: bytes, name: str, value: str) -> bytes:
    """Return a property's head with this parameter, in the place of the one it has or last."""
    new = f"={parameter(value)}".encode("utf-8", "replace")
    for match in _PARAM.finditer(head):
        if match[1].upper() == name.encode():
            return head[: match.end(1)] + new + head[match.end() :]
    return head[:-1] + b";" + name.encode() + new + b":"


def without_parameter(head: bytes, name: str) -> bytes:
    """Return a property's head without a parameter."""
    for match in _PARAM.finditer(head):
        if match[1].upper() == name.encode():
            return head[: match.start()] + head[match.end() :]
    return head


def raw_parts(value: str, separator: str) -> list[str]:
    """Return the parts of a structured value as they are written: an escaped sign does not part."""
    parts = [""]
    at = 0
    for match in re.finditer(r"\\.|" + re.escape(separator), value, re.DOTALL):
        parts[-1] += value[at : match.start()]
        if match[0] == separator:
            parts.append("")
        else:
            parts[-1] += match[0]
        at = match.end()
    parts[-1] += value[at:]
    return parts
